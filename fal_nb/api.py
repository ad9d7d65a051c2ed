"""The module's functions: each does what the magic of its name does, on this kernel's session."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.client.options import CallOptions, Priority
from fal_nb.engine.intent import Terms
from fal_nb.engine.remembered import annotation_columns
from fal_nb.errors import ConfigError
from fal_nb.workbench import current

if TYPE_CHECKING:
    from fal_nb.client.follow import AnyStatus
    from fal_nb.client.lifecycle import Lifecycle
    from fal_nb.engine.event_queue import EventQueue
    from fal_nb.engine.job import Job
    from fal_nb.engine.session import Session
    from fal_nb.ledger.budgets import Spending
    from fal_nb.pricing.price import Price
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
    "given",
    "job_of",
    "logs",
    "price",
    "result",
    "run",
    "schema",
    "session",
    "spending",
    "status",
    "stream",
    "submit",
    "subscribe",
    "tell",
    "unlock",
]


def given(arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the arguments of a call as a dict.

    Raises
    ------
    ConfigError
        Where they are something else, a bare prompt for example.
    """
    if arguments is not None and not isinstance(arguments, Mapping):
        raise ConfigError(
            f'Arguments are a dict of inputs, such as {{"prompt": "a fox"}}, not a {type(arguments).__name__}.'
        )
    return dict(arguments or {})


def session() -> Session:
    """Return this kernel's session: settings, client, history, artifacts, open jobs."""
    return current().session


def submit(  # noqa: PLR0913 - signature of the official client, and the newer options
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    path: str = "",
    hint: str | None = None,
    webhook_url: str | None = None,
    priority: Priority | None = None,
    headers: Mapping[str, str] | None = None,
    start_timeout: float | None = None,
    lifecycle: Lifecycle | None = None,
    store_io: bool | None = None,
    no_retry: bool = False,
    disable_fallback: bool = False,
    fal_tags: Mapping[str, str] | None = None,
    max_queue_length: int | None = None,
    memo: str | None = None,
    tags: str | Iterable[str] | None = None,
    note: str | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
    check: bool = True,
) -> Job:
    """Start a call and return its job at once; it goes on while other cells run.

    Parameters
    ----------
    arguments
        JSON with local files anywhere inside (paths, bytes, pictures, arrays, earlier results): they are uploaded.
    webhook_url
        Where fal reports the end.
    start_timeout
        Seconds after which fal gives up if no runner took it.
    lifecycle
        How long the outputs live at fal and who may read them.
    store_io
        Whether fal keeps arguments and result in the account's list; None leaves it to the account.
    no_retry, disable_fallback
        Whether fal is not to try again where a runner is lost, or not to take another model where one fails.
    fal_tags
        At most ten, for the account's usage.
    max_queue_length
        fal refuses where more requests than this wait already.
    memo
        ``reuse`` answers from the history where an equal call succeeded (same arguments, input files, schema and
        server) and sends nothing; ``refresh`` calls in any case; ``off`` calls, and the card says where an equal call
        is. None leaves it to ``fal.session().memo``, which is ``off``. Without a seed a call is equal, too.
    tags, note
        Written on the record.

    max_cost
        The most it may cost, in US dollars: a call that may cost more is not sent.
    allow_unpriced
        Whether it goes under a budget although nothing bounds what it costs.
    check
        Whether arguments that do not fit the endpoint's schema are refused before anything is sent, and endpoints that
        fal does not know; False also calls one that has no schema.

    Raises
    ------
    ConfigError
        Where an option has a value that fal does not take.
    FalError
        Before anything is sent: not an endpoint, an unreadable file, no way to write the history.
    """
    options = CallOptions(
        path=path,
        hint=hint,
        priority=priority,
        headers=headers or {},
        start_timeout=start_timeout,
        webhook_url=webhook_url,
        lifecycle=lifecycle,
        store_io=store_io,
        no_retry=no_retry,
        disable_fallback=disable_fallback,
        tags=fal_tags or {},
        max_queue_length=max_queue_length,
    )
    terms = Terms(max_cost, allow_unpriced)
    more = annotation_columns(tags, note)
    call = functools.partial(session().submit, application, given(arguments), options=options, check=check)
    return call(terms=terms, memo=memo, more=more)


def subscribe(  # noqa: PLR0913 - signature of the official client
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    path: str = "",
    hint: str | None = None,
    with_logs: bool = False,
    interval: float = 0.1,  # noqa: ARG001 - the official client's argument; states come by a stream here
    on_enqueue: Callable[[str], Any] | None = None,
    on_queue_update: Callable[[AnyStatus], Any] | None = None,
    priority: Priority | None = None,
    headers: Mapping[str, str] | None = None,
    start_timeout: float | None = None,
    client_timeout: float | None = None,
    webhook_url: str | None = None,
    lifecycle: Lifecycle | None = None,
    store_io: bool | None = None,
    no_retry: bool = False,
    disable_fallback: bool = False,
    fal_tags: Mapping[str, str] | None = None,
    max_queue_length: int | None = None,
    memo: str | None = None,
    tags: str | Iterable[str] | None = None,
    note: str | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
    check: bool = True,
) -> Result:
    """Queue a call, wait for it and return its result; blocks. Interrupting it cancels the request at fal.

    In a notebook its card shows how it comes on; in threads and scripts nothing is shown.

    Options as for `submit`.

    Parameters
    ----------
    on_enqueue
        Called with the request id, once it is accepted, on the calling thread.
    on_queue_update
        Called with each new status, on the calling thread; an error it raises cancels the request and goes on its
        way. Either may be a coroutine function: what it returns is awaited on a loop of its own, or on the kernel's
        where ``%config FalMagics.event_loop = 'kernel'``.
    client_timeout
        Seconds for the whole call; when they run out the request is cancelled.
    memo, tags, note, max_cost, allow_unpriced, check
        As for `submit`.
    """
    options = CallOptions(
        path=path,
        hint=hint,
        priority=priority,
        headers=headers or {},
        start_timeout=start_timeout,
        webhook_url=webhook_url,
        lifecycle=lifecycle,
        store_io=store_io,
        no_retry=no_retry,
        disable_fallback=disable_fallback,
        tags=fal_tags or {},
        max_queue_length=max_queue_length,
    )
    terms = Terms(max_cost, allow_unpriced)
    more = annotation_columns(tags, note)
    call = functools.partial(session().submit, application, given(arguments), options=options, check=check)
    job = call(timeout_s=client_timeout, terms=terms, memo=memo, more=more)
    with current().carded(job):
        if on_enqueue is not None or on_queue_update is not None:
            tell(job, on_enqueue, on_queue_update, with_logs=with_logs)
        return job.get()


def run(  # noqa: PLR0913 - signature of the official client, and the newer options
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    path: str = "",
    timeout: float | None = None,
    start_timeout: float | None = None,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
    lifecycle: Lifecycle | None = None,
    store_io: bool | None = None,
    disable_fallback: bool = False,
    fal_tags: Mapping[str, str] | None = None,
    memo: str | None = None,
    tags: str | Iterable[str] | None = None,
    note: str | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
    check: bool = True,
) -> Result:
    """Call an endpoint without the queue and return its result; blocks.

    A direct call cannot be cancelled, and if its answer is lost the result is lost: prefer `subscribe` for
    anything over a few seconds. Options as for `submit`; those of the queue there are not.
    """
    options = CallOptions(
        path=path,
        hint=hint,
        headers=headers or {},
        start_timeout=start_timeout,
        lifecycle=lifecycle,
        store_io=store_io,
        disable_fallback=disable_fallback,
        tags=fal_tags or {},
    )
    terms = Terms(max_cost, allow_unpriced)
    more = annotation_columns(tags, note)
    call = functools.partial(session().submit, application, given(arguments), kind="direct", options=options)
    job = call(check=check, timeout_s=timeout, terms=terms, memo=memo, more=more)
    with current().carded(job):
        return job.get()


def stream(  # noqa: PLR0913 - signature of the official client, and the newer options
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    path: str = "/stream",
    timeout: float | None = None,
    headers: Mapping[str, str] | None = None,
    start_timeout: float | None = None,
    hint: str | None = None,
    lifecycle: Lifecycle | None = None,
    store_io: bool | None = None,
    disable_fallback: bool = False,
    fal_tags: Mapping[str, str] | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
    check: bool = True,
) -> EventQueue:
    """Call an endpoint that streams and return its events as they will come, for ``for`` or ``async for``.

    The last event is the result. The call is on disk before it is sent; ``events.job`` is its job. An app that
    crashes in the middle closes its stream like one that is done: look whether the last event is what it should be.
    Options as for `run`.

    Parameters
    ----------
    timeout
        Longest silence between two events, in seconds; None waits as long as the connection lives.
    """
    options = CallOptions(
        path=path,
        hint=hint,
        headers=headers or {},
        start_timeout=start_timeout,
        lifecycle=lifecycle,
        store_io=store_io,
        disable_fallback=disable_fallback,
        tags=fal_tags or {},
    )
    terms = Terms(max_cost, allow_unpriced)
    call = functools.partial(session().stream, application, given(arguments), options=options)
    return call(silence_s=timeout, check=check, terms=terms)


def status(
    job: str | int | Job, request_id: str | None = None, *, with_logs: bool = False
) -> Queued | InProgress | Completed:
    """Return what the wire last said of a job, given as a job, a record number or a request id.

    With an endpoint and a request id, as in the official client, the server is asked.
    """
    if request_id is None:
        return job_of(job).status(with_logs=with_logs)
    return session().ask(lambda client: client.status(str(job), request_id, with_logs=with_logs))


def result(job: str | int | Job, request_id: str | None = None, *, timeout: float | None = None) -> Result:
    """Return a job's result; blocks until it has ended. Interrupting it cancels the request at fal.

    Where fal cannot be reached `TransferError` says so after about half a minute, and the job goes on.

    With an endpoint and a request id, as in the official client, that request is followed and recorded.
    """
    return (job_of(job) if request_id is None else session().attach(str(job), request_id)).get(timeout, patient=False)


def logs(job: str | int | Job) -> list[str]:
    """Return every log line of a job so far, oldest first."""
    return job_of(job).logs


def cancel(job: str | int | Job, request_id: str | None = None) -> str | None:
    """Ask fal to stop a request and return its answer's word; blocks at most 5 s.

    With an endpoint and a request id, as in the official client, any request can be named.

    Raises
    ------
    FalClientHTTPError
        With two arguments, where it is over already (400) or not known (404).
    """
    if request_id is None:
        return job_of(job).cancel()
    session().ask(lambda client: client.cancel(str(job), request_id))
    return None


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
    return session().check(endpoint, given(arguments))


def price(endpoint: str, arguments: Mapping[str, Any] | None = None) -> Price:
    """Return what a call will cost: ``low``, ``high``, ``basis``; sends no call.

    A ``high`` of None means that nothing bounds it. Prices of units are kept for a day. A picture whose size the
    output has is measured where it is on this machine; no URL is fetched.

    Raises
    ------
    FalError
        Where the price list cannot be had.
    """
    return session().price(endpoint, given(arguments))


def spending() -> dict[str, Spending]:
    """Return what was spent, is reserved and left, by scope: ``session`` (this kernel), ``daily`` (all kernels today).

    The simulator's calls are counted by themselves: they are never billed. Budgets are set by
    ``fal.session().budget = 2.0`` and ``fal.session().daily_budget = 5.0``, in US dollars.
    """
    return session().spending()


def unlock() -> None:
    """Let one call try whether a locked account takes calls again; without it one may after five minutes."""
    session().unlock()


def card(job: str | int | Job) -> CardView:
    """Return a job's card: `card.widget` is an ipywidget for layouts of your own."""
    return current().card(job_of(job))


def close() -> None:
    """Stop following, close the history and the background thread. Requests at fal go on."""
    current().close()
    current.forget()


def tell(
    job: Job,
    on_enqueue: Callable[[str], Any] | None,
    on_queue_update: Callable[[AnyStatus], Any] | None,
    *,
    with_logs: bool,
) -> None:
    """Call back with what happens to a job until it has ended; whatever ends this early cancels the request."""
    is_told = False

    def finished(answer: object) -> None:
        if inspect.isawaitable(answer):
            session().runtime.finish(answer)

    try:
        for snapshot in job.iter_snapshots():
            if snapshot.request_id is None:
                continue
            if not is_told and on_enqueue is not None:
                finished(on_enqueue(snapshot.request_id))
            is_told = True
            if on_queue_update is not None and snapshot.state in {"QUEUED", "RUNNING", "SUCCEEDED"}:
                finished(on_queue_update(job.status(with_logs=with_logs)))
    except BaseException:
        job.cancel_after_interrupt()
        raise


def job_of(job: str | int | Job) -> Job:
    """Return a job that is named by itself, by the number of its record, or by its request id."""
    from fal_nb.engine.job import Job as JobClass  # noqa: PLC0415

    return job if isinstance(job, JobClass) else session().job(job)
