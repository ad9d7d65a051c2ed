"""The opt-in ``event_loop = 'kernel'``: the kernel's own event loop goes on turning while a blocking call waits.

For people whose own async objects (an HTTP session, a database pool, a lock made with a top-level ``await``) belong to
that loop: their async callbacks and scorers run there, and a cell that waits for a job lets them. Jobs themselves stay
on our own thread, so that they go on while a cell computes.

A loop that runs cannot be run again; ``nest_asyncio`` makes it so, by replacing parts of asyncio in the whole process
for good. It is imported here and nowhere else, and only once somebody asks for the mode.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib
import importlib.metadata
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fal_nb.errors import ConfigError

__all__ = ["COST", "KernelLoop", "awaited", "finished", "give_back", "here", "lend", "lent", "turn_until"]

T = TypeVar("T")

COST = (
    "asyncio is patched in this whole process until it ends: every task on every loop takes about half as long again "
    "or more, waits that nest end last in, first out, and clicks still come only after the cell"
)
"""What the mode costs, for whoever asks (`%fal config`)."""

_LOOK_S = 0.02

_SPOILS_FROM = 7
"""The first ipykernel whose clicks and tasks `nest_asyncio` 1.6 loses: "cannot enter context: already entered"."""


class KernelLoop:
    """A running loop that can be run again by whoever runs on it.

    Attributes
    ----------
    package
        Which package made it so: ``nest_asyncio2`` or ``nest_asyncio``.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, package: str) -> None:
        self.loop = loop
        self.package = package
        self._thread = threading.get_ident()

    @property
    def is_here(self) -> bool:
        """Whether the caller runs on this loop's thread, so that its waiting would hold the loop up."""
        return threading.get_ident() == self._thread and self.loop.is_running()

    def wait(self, future: concurrent.futures.Future[T], timeout_s: float | None = None) -> T:
        """Return a future's result and let the loop turn meanwhile; on the loop's thread only. Cancels nothing.

        Raises
        ------
        TimeoutError
            After `timeout_s` seconds.
        """
        waiting = self.loop.create_task(_ended(future, timeout_s))
        try:
            has_ended = self.loop.run_until_complete(waiting)
        except BaseException:
            # An interrupt leaves through the loop; the future goes on, the wait for it does not.
            waiting.cancel()
            raise
        if not has_ended:
            raise TimeoutError(f"Nothing within {timeout_s:g} s.")
        return future.result()

    def start(self, awaitable: Awaitable[T]) -> concurrent.futures.Future[T]:
        """Have something awaited on the loop; from any thread."""
        return asyncio.run_coroutine_threadsafe(awaited(awaitable), self.loop)


_lent: KernelLoop | None = None


def lent() -> KernelLoop | None:
    """Return the kernel's loop where it was lent to us, else None; from any thread."""
    return _lent


def here() -> KernelLoop | None:
    """Return the kernel's loop where the caller's waiting would hold it up, else None."""
    return _lent if _lent is not None and _lent.is_here else None


def turn_until(is_over: Callable[[], bool]) -> None:
    """Let the kernel's loop turn until something is over, where the caller holds it up; elsewhere return at once."""
    if (kernel := here()) is not None:
        kernel.loop.run_until_complete(_looked_at(is_over))


def lend() -> KernelLoop:
    """Lend the loop that runs the caller's cell to blocking calls, from now on; idempotent.

    Raises
    ------
    ConfigError
        Where no loop runs, or where the only package there is would lose clicks and tasks.
    """
    global _lent  # noqa: PLW0603 - what is patched is the process
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError(
            "event_loop = 'kernel' needs a kernel whose cells run on an event loop, as in Jupyter; here there is none. "
            "Leave it at 'thread'."
        ) from None
    if _lent is None or _lent.loop is not loop:
        package = _choose()
        try:
            importlib.import_module(package).apply(loop)
        except ValueError:
            kind = f"{type(loop).__module__}.{type(loop).__name__}"
            raise ConfigError(f"{package} cannot nest a {kind}. Leave event_loop at 'thread'.") from None
        _lent = KernelLoop(loop, package)
    return _lent


def give_back() -> None:
    """Let blocking calls wait without the kernel's loop again. What asyncio was patched with stays until the end."""
    global _lent  # noqa: PLW0603
    _lent = None


def _choose() -> str:
    if _version("nest_asyncio2"):
        return "nest_asyncio2"
    kernel = _version("ipykernel")
    if kernel and int(kernel.partition(".")[0]) >= _SPOILS_FROM:
        raise ConfigError(
            f"event_loop = 'kernel' on ipykernel {kernel} needs nest_asyncio2 (nest_asyncio loses clicks and tasks "
            "there): %pip install nest_asyncio2, or leave it at 'thread'."
        )
    return "nest_asyncio"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


async def _ended(future: concurrent.futures.Future[Any], timeout_s: float | None) -> bool:
    # `asyncio.wait` leaves what it waits for alone, also where it is cancelled itself.
    done, _ = await asyncio.wait({asyncio.wrap_future(future)}, timeout=timeout_s)
    return bool(done)


async def finished(awaitable: Awaitable[T]) -> T:
    """Return what a user's function returned to be awaited: on the kernel's loop where it was lent, else here."""
    kernel = lent()
    return await (awaitable if kernel is None else asyncio.wrap_future(kernel.start(awaitable)))


async def _looked_at(is_over: Callable[[], bool]) -> None:
    while not is_over():  # noqa: ASYNC110 - what it looks at is set by another thread, which knows no event of ours
        await asyncio.sleep(_LOOK_S)


async def awaited(awaitable: Awaitable[T]) -> T:
    """Return what any awaitable comes to: what runs things takes coroutines only."""
    return await awaitable
