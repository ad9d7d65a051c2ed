"""Running a scorer over many outputs on an executor: what fails is noted, what is done when it is stopped is kept."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import math
import queue
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import CodeType
from typing import Any

from fal_nb.errors import JobError
from fal_nb.plain import one_line

__all__ = ["Measured", "Task", "code_of", "measure", "measure_all"]

_THREADS = 4
_SLICE_S = 0.1
_ERROR_CHARS = 300


@dataclass(frozen=True, slots=True)
class Task:
    """One call of a scorer; `key` is the cell's."""

    key: str
    inputs: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it: a number (None where it is not a number), or one line about why there is none."""

    key: str
    value: float | None
    error: str | None = None


def measure(scorer: Callable[..., Any], task: Task) -> Measured:
    """Call a scorer in a worker; a coroutine runs on a loop of the worker's own. Its mistakes become a line.

    Only what can be pickled comes back, so that it works in another process as well.
    """
    try:
        value = scorer(*task.inputs)
        if inspect.isawaitable(value):
            value = asyncio.run(_awaited(value))
        if isinstance(value, (str, bytes)):
            return Measured(task.key, None, f"it returned a {type(value).__name__}, not a number")
        number = float(value)
    except Exception as error:  # noqa: BLE001 - people's code, and one cell does not spoil the rest
        said = one_line(str(error), _ERROR_CHARS)
        return Measured(task.key, None, f"{type(error).__name__}: {said}" if said else type(error).__name__)
    return Measured(task.key, None if math.isnan(number) else number)


async def _awaited(value: Any) -> Any:
    return await value


def measure_all(
    scorer: Callable[..., Any],
    tasks: Sequence[Task],
    executor: Executor | None,
    keep: Callable[[list[Measured]], object],
) -> None:
    """Call a scorer for each task and hand what is done to `keep`, in the caller's thread, as it comes; blocks.

    However it ends, what is done by then has been handed over, and what has not begun never begins.

    Parameters
    ----------
    executor
        Anything with ``submit``; None is four threads of our own. It is left open.

    Raises
    ------
    JobError
        Where the executor cannot carry it out: its processes died, or the scorer cannot be sent to them.
    """
    pool = executor if executor is not None else ThreadPoolExecutor(_THREADS, thread_name_prefix="fal-nb-score")
    done: queue.SimpleQueue[Future[Measured]] = queue.SimpleQueue()
    waiting: set[Future[Measured]] = set()
    try:
        for task in tasks:
            future = pool.submit(measure, scorer, task)
            waiting.add(future)
            future.add_done_callback(done.put)
        while waiting:
            _take(_next(done), waiting, keep)
    except BaseException:
        for future in waiting:
            future.cancel()
        _take([future for future in waiting if future.done()], waiting, keep, is_ending=True)
        raise
    finally:
        if executor is None:
            pool.shutdown(wait=False, cancel_futures=True)


def _next(done: queue.SimpleQueue[Future[Measured]]) -> list[Future[Measured]]:
    """Return what is done by now; waits a moment where nothing is, so that an interrupt gets through."""
    found = []
    try:
        found.append(done.get(timeout=_SLICE_S))
        while True:
            found.append(done.get_nowait())
    except queue.Empty:
        return found


def _take(
    futures: Iterable[Future[Measured]],
    waiting: set[Future[Measured]],
    keep: Callable[[list[Measured]], object],
    *,
    is_ending: bool = False,
) -> None:
    made, trouble = [], None
    futures = list(futures)
    for future in futures:
        try:
            made.append(future.result())
        except CancelledError:
            continue
        except Exception as error:  # noqa: BLE001 - `measure` raises none, so it is the executor's
            trouble = error
    if made:
        keep(made)
    waiting.difference_update(futures)
    if trouble is not None and not is_ending:
        raise JobError(
            f"The executor could not run the scorer ({type(trouble).__name__}: {one_line(str(trouble), 200)}). "
            "Other processes take functions that are defined at the top level of a module."
        ) from trouble


def code_of(scorer: Callable[..., Any]) -> str:
    """Return what changes with a function's code, the same in every kernel; empty where it cannot be told.

    What a function calls or closes over is not looked at.
    """
    code = getattr(scorer, "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    defaults = repr(getattr(scorer, "__defaults__", None)) if _are_plain(getattr(scorer, "__defaults__", None)) else ""
    return hashlib.blake2b((_told(code) + defaults).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _told(code: CodeType) -> str:
    constants = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            constants.append(_told(constant))
        elif isinstance(constant, frozenset):  # their order is another one in every process
            constants.append(repr(sorted(map(repr, constant))))
        else:
            constants.append(repr(constant))
    return repr((code.co_code, constants, code.co_names, code.co_varnames))


def _are_plain(values: Any) -> bool:
    return all(isinstance(value, (str, int, float, type(None))) for value in values or ())
