"""The module's functions: each does what the magic of its name does, on this kernel's session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.client.options import CallOptions, Priority
from fal_nb.workbench import current

if TYPE_CHECKING:
    from pandas import DataFrame

    from fal_nb.engine.job import Job
    from fal_nb.engine.session import Session
    from fal_nb.protocol.status import Completed, InProgress, Queued
    from fal_nb.results import Result
    from fal_nb.schemas.check import Checked
    from fal_nb.schemas.endpoint_schema import EndpointSchema
    from fal_nb.views.card import CardView

__all__ = [
    "cancel",
    "card",
    "check",
    "close",
    "history",
    "jobs",
    "logs",
    "result",
    "run",
    "schema",
    "session",
    "status",
    "submit",
    "subscribe",
    "upload",
    "upload_file",
    "wait",
]


def session() -> Session:
    """Return this kernel's session: settings, client, history, artifacts, open jobs."""
    return current().session


def submit(
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    path: str = "",
    hint: str | None = None,
    webhook_url: str | None = None,
    priority: Priority | None = None,
    headers: Mapping[str, str] | None = None,
    start_timeout: float | None = None,
) -> Job:
    """Start a call and return its job at once; it goes on while other cells run.

    Parameters
    ----------
    arguments
        JSON with local files anywhere inside (paths, bytes, pictures, arrays, earlier results): they are uploaded.
    start_timeout
        Seconds after which fal gives up if no runner took it.

    Raises
    ------
    FalError
        Before anything is sent: not an endpoint, an unreadable file, no way to write the history.
    """
    options = CallOptions(
        path=path,
        hint=hint,
        webhook_url=webhook_url,
        priority=priority,
        headers=dict(headers or {}),
        start_timeout=start_timeout,
    )
    return session().submit(application, dict(arguments or {}), options=options)


def subscribe(
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    client_timeout: float | None = None,
    **options: Any,
) -> Result:
    """Queue a call, wait for it and return its result; blocks. Interrupting it cancels the request at fal.

    Parameters
    ----------
    client_timeout
        Seconds for the whole call; when they run out the request is cancelled.
    options
        As for `submit`.
    """
    headers = dict(options.pop("headers", None) or {})
    job = session().submit(
        application, dict(arguments or {}), options=CallOptions(headers=headers, **options), timeout_s=client_timeout
    )
    return job.get()


def run(application: str, arguments: Mapping[str, Any] | None = None, *, timeout: float | None = None) -> Result:
    """Call an endpoint without the queue and return its result; blocks.

    A direct call cannot be cancelled, and if its answer is lost the result is lost: prefer `subscribe` for
    anything over a few seconds.
    """
    return session().submit(application, dict(arguments or {}), kind="direct", timeout_s=timeout).get()


def status(job: str | int | Job, *, with_logs: bool = False) -> Queued | InProgress | Completed:
    """Return what the wire last said of a job, given as a job, a record number or a request id."""
    return _job(job).status(with_logs=with_logs)


def result(job: str | int | Job, *, timeout: float | None = None) -> Result:
    """Return a job's result; blocks until it has ended. Interrupting it cancels the request at fal."""
    return _job(job).get(timeout)


def logs(job: str | int | Job) -> list[str]:
    """Return every log line of a job so far, oldest first."""
    return _job(job).logs


def cancel(job: str | int | Job) -> str | None:
    """Ask fal to stop a request and return its answer's word; blocks at most 5 s."""
    return _job(job).cancel()


def jobs() -> list[Job]:
    """Return this kernel's open jobs, oldest first."""
    return session().jobs()


def wait(jobs: Iterable[str | int | Job] | None = None, *, timeout: float | None = None) -> list[Job]:
    """Block until the given jobs (default: all open ones) have ended, and return them in the given order.

    Interrupting it stops the waiting, not the jobs.

    Raises
    ------
    FalClientTimeoutError
        After `timeout` seconds in all.
    """
    import time  # noqa: PLC0415

    chosen = session().jobs() if jobs is None else [_job(job) for job in jobs]
    deadline = None if timeout is None else time.monotonic() + timeout
    for job in chosen:
        job.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
    return chosen


def history(
    *,
    where: Mapping[str, Any] | None = None,
    since: Any = None,
    endpoint: str | None = None,
    state: str | None = None,
    limit: int | None = None,
) -> DataFrame:
    """Return every call ever made as a DataFrame, newest last; filters run in SQL.

    Columns: ``request_id endpoint state created queue_s inference_s total_s cost estimate currency prompt seed …``,
    then one for each argument that occurs in the selected rows (``arg_<name>`` where the name is ours). The index
    is the record number.

    Parameters
    ----------
    where
        Column → value, or → list of values.
    since
        A datetime, a date, or text like ``2026-11-21`` or ``2h``, ``3d``.
    limit
        The newest so many.
    """
    return session().frame(where=where, since=since, endpoint=endpoint, state=state, limit=limit)


def schema(endpoint: str) -> EndpointSchema:
    """Return what an endpoint takes: name, type, default, allowed values of each input; blocks the first time.

    It shows itself as a table; ``schema["prompt"]`` is one input, ``schema.required`` and ``schema.defaults`` say
    what they say. Schemas are kept on disk and serve without a network, too.

    Raises
    ------
    NotFoundError
        Where there is no such endpoint, or none whose schema is published.
    FalError
        Where the schema cannot be had and none is kept.
    """
    return session().schema(endpoint)


def check(endpoint: str, arguments: Mapping[str, Any] | None = None) -> Checked:
    """Return what is wrong with arguments, all at once, with the nearest right name or value; sends no call.

    The result is true where all is well; its ``arguments`` are then as the endpoint wants them: coerced where that
    loses nothing, local files by name. `submit`, `subscribe`, `run` and `stream` do the same before they send.

    Raises
    ------
    FalError
        Where the schema cannot be had.
    """
    return session().check(endpoint, dict(arguments or {}))


def card(job: str | int | Job) -> CardView:
    """Return a job's card: `card.widget` is an ipywidget for layouts of your own."""
    return current().card(_job(job))


def upload_file(path: str | Path) -> str:
    """Upload a local file and return its URL; blocks.

    Raises
    ------
    FileError
        Where it cannot be read.
    """
    return session().upload(Path(path))


def upload(data: bytes, content_type: str, file_name: str | None = None) -> str:
    """Upload bytes and return their URL; blocks."""
    return session().upload(data, content_type, file_name)


def close() -> None:
    """Stop following, close the history and the background thread. Requests at fal go on."""
    current().close()
    current.cache_clear()


def _job(job: str | int | Job) -> Job:
    from fal_nb.engine.job import Job as JobClass  # noqa: PLC0415

    return job if isinstance(job, JobClass) else session().job(job)
