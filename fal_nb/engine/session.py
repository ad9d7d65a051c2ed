"""``Session``: what one kernel holds: settings, client, runtime, history, open jobs."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from fal_nb.client.options import DEFAULTS, CallOptions
from fal_nb.engine.contract import Streaming
from fal_nb.engine.event_queue import EventQueue
from fal_nb.engine.following import Following
from fal_nb.engine.inputs import describe_inputs, has_local_files, read_inputs
from fal_nb.engine.intent import NO_TERMS, Intent, Place, Terms
from fal_nb.engine.job import Job
from fal_nb.engine.measure import picture_size
from fal_nb.engine.memo import EqualCall, checked_mode
from fal_nb.engine.preflight import check_inputs
from fal_nb.engine.replay import prepare_replay
from fal_nb.protocol.endpoint import EndpointId

if TYPE_CHECKING:
    from pandas import DataFrame

    from fal_nb.artifacts import Artifact
    from fal_nb.client.http import Http
    from fal_nb.client.pace import Codec, Pace
    from fal_nb.client.sync_realtime import RealtimeConnection
    from fal_nb.engine.live import RecordedConnection
    from fal_nb.engine.reconcile import Choices
    from fal_nb.engine.reconciliation import Reconciliation
    from fal_nb.ledger.records import Record
    from fal_nb.pricing.price import Price
    from fal_nb.pricing.unit import UnitPrice
    from fal_nb.results import Result
    from fal_nb.schemas.check import Checked
    from fal_nb.schemas.endpoint_schema import EndpointSchema
    from fal_nb.states import Kind

__all__ = ["Session"]

_STREAM = CallOptions(path="/stream")
_TOKEN_S = 120.0
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Session(Following):
    """Calls endpoints with a ledger, an artifact store and one background loop under them.

    Parameters
    ----------
    key, base_url, proxy_url
        As for `AsyncClient`; where nothing is configured anywhere the simulator serves, and `notify` says so.
    home
        Folder of history, artifacts and caches; default ``FAL_NB_HOME`` or the platform's user data folder.
    show, show_result
        Show a job and a result where they stand as the last value of a cell.
    notify
        Shows one line to the person.
    place
        Says which notebook and cell a call is made from.

    May be used from any thread.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        base_url: str | None = None,
        proxy_url: str | None = None,
        home: Path | None = None,
        show: Callable[[Job], object] | None = None,
        show_result: Callable[[Result], None] | None = None,
        notify: Callable[[str], None] | None = None,
        place: Callable[[], Place] | None = None,
    ) -> None:
        super().__init__(
            key=key,
            base_url=base_url,
            proxy_url=proxy_url,
            home=home,
            show=show,
            show_result=show_result,
            notify=notify,
            place=place,
        )

    # -- calls -------------------------------------------------------------------------------------------

    def submit(  # noqa: PLR0913 - a call has so many sides
        self,
        endpoint: str,
        arguments: dict[str, Any] | None = None,
        *,
        kind: Literal["queue", "direct"] = "queue",
        options: CallOptions = DEFAULTS,
        timeout_s: float | None = None,
        check: bool = True,
        memo: str | None = None,
        more: Mapping[str, Any] = _NOTHING,
        terms: Terms = NO_TERMS,
    ) -> Job:
        """Write a record, start the call in the background and return its job at once.

        The first call of an endpoint waits for its schema.

        Parameters
        ----------
        arguments
            JSON, with local files (paths, bytes, pictures, arrays, results) anywhere inside.
        timeout_s
            Limit for the whole call, in seconds; when it runs out the request is cancelled.
        check
            Whether arguments that do not fit the endpoint's schema are refused before anything is sent.
        memo
            ``off``, ``reuse`` or ``refresh``, as the property of that name says; None leaves it to the session.
            A job that is answered from the history is that of the earlier call; nothing is sent and no record made.
        more
            Further columns of the record, among them ``tags`` and ``note``.
        terms
            What it may cost.

        Raises
        ------
        EndpointError, NotFoundError, ArgumentsError, FileError, ConfigError, BudgetError, AccountLockedError,
        HistoryError
            Before anything is sent.
        """
        mode = self.memo if memo is None else checked_mode(memo)
        called, inputs = self._prepared(endpoint, arguments, options.path, check=check)
        schema = self.preflight.known_schema(called) if check else None
        inputs, key = self._keyed(called, inputs, schema)
        found = self._equal(key, mode)
        if found is not None and mode == "reuse":
            return self._answered(*found, more)
        columns = {**key.columns(), **more}
        endpoint = str(EndpointId.parse(endpoint))
        intent = self._intent(endpoint, arguments, inputs, kind, options, terms)
        snapshot = self._record(replace(intent, more=columns))
        if found is not None:
            snapshot = replace(snapshot, equal=EqualCall(found[0].id, found[0].cost, found[0].currency))
        return self._start(snapshot, inputs, options, timeout_s)

    def replay(
        self,
        job: str | int | Job | None = None,
        *,
        yes: bool = False,
        confirm: Callable[[str], bool] | None = None,
    ) -> Job:
        """Make an earlier call once more: the same body, byte for byte, as a new record that names the old one.

        Inputs whose URLs are gone are uploaded again, only those. A schema that has changed since is told of in one
        line. Blocks while URLs are looked at, a few seconds at most.

        Parameters
        ----------
        job
            A job, a record's number or a request id; None is the last one.
        yes
            Send also what came from outside (a file, an import), and without asking a call that is ``UNKNOWN``, which
            may have been charged already.
        confirm
            Asks that question and returns the answer; default: the kernel's input.

        Raises
        ------
        JobError
            Where there is no such call, it cannot be made again, the person does not want it sent, or it came from
            outside and `yes` is not said: the message then has its price.
        FileError
            Where an input is gone and its bytes are not here either.
        """
        call = prepare_replay(self, self.record(job), yes=yes, confirm=confirm)
        inputs, key = self._keyed(call.called, read_inputs(call.arguments), call.schema)
        columns = {**key.columns(), "replay_of": call.record_id}
        described, has_files = describe_inputs(inputs), has_local_files(inputs)
        snapshot = self._record(Intent(call.endpoint, described, call.kind, call.options, has_files, more=columns))
        return self._start(snapshot, inputs, call.options)

    def stream(
        self,
        endpoint: str,
        arguments: dict[str, Any] | None = None,
        *,
        options: CallOptions = _STREAM,
        silence_s: float | None = None,
        check: bool = True,
        terms: Terms = NO_TERMS,
    ) -> EventQueue:
        """Write a record, start a streaming call in the background and return its events as they will come.

        The last event is the result, also where the app crashed after it; where events hold pieces of a text (OpenAI's
        chunks), the result also has the whole of it, as ``output``. Its ``job`` has card, state and record.

        Parameters
        ----------
        options
            Its path is the endpoint's streaming path, ``/stream`` with most.
        silence_s
            Longest silence between two events; None waits as long as the connection lives.
        terms
            What it may cost.

        Raises
        ------
        EndpointError, NotFoundError, ArgumentsError, FileError, ConfigError, BudgetError, AccountLockedError,
        HistoryError
            Before anything is sent.
        """
        events = EventQueue()
        streaming = Streaming(events.put, silence_s)
        events.job = self._stream(endpoint, arguments, options, streaming, check=check, terms=terms)
        events.job.observe(events.notice)
        return events

    def show_stream(
        self,
        endpoint: str,
        arguments: dict[str, Any] | None = None,
        *,
        options: CallOptions = _STREAM,
        silence_s: float | None = None,
        check: bool = True,
        more: Mapping[str, Any] = _NOTHING,
        terms: Terms = NO_TERMS,
    ) -> Job:
        """Do the same for somebody who looks on: the job's snapshots hold what has come so far.

        Raises as `stream`.
        """
        streaming = Streaming(silence_s=silence_s, is_shown=True)
        return self._stream(endpoint, arguments, options, streaming, check=check, more=more, terms=terms)

    def _stream(
        self,
        endpoint: str,
        arguments: dict[str, Any] | None,
        options: CallOptions,
        streaming: Streaming,
        *,
        check: bool,
        more: Mapping[str, Any] = _NOTHING,
        terms: Terms,
    ) -> Job:
        path = options.path.strip("/")
        _, inputs = self._prepared(endpoint, arguments, "" if path == "stream" else path, check=check)
        endpoint = str(EndpointId.parse(endpoint))
        intent = self._intent(endpoint, arguments, inputs, "stream", options, terms)
        snapshot = self._record(replace(intent, more={**intent.more, **more}))
        return self._start(snapshot, inputs, options, streaming=streaming)

    def live(
        self,
        endpoint: str,
        *,
        path: str = "/realtime",
        options: Mapping[str, Any] = _NOTHING,
        pace: Pace | None = None,
        codec: Codec | None = None,
        more: Mapping[str, Any] = _NOTHING,
        terms: Terms = NO_TERMS,
    ) -> RecordedConnection:
        """Return a realtime connection whose session is one record; it belongs to the loop it is opened in.

        Parameters
        ----------
        options
            ``use_jwt``, ``max_buffering``, ``token_expiration``, as `AsyncClient.realtime` has them.
        more
            Further columns of the record.
        terms
            What it may cost: nobody can say beforehand, so that under a budget it needs ``allow_unpriced``.

        Raises
        ------
        EndpointError, ConfigError
            Where an option has a value that cannot be meant; nothing is written.
        """
        from fal_nb.client.connecting import Connecting  # noqa: PLC0415 - imports aiohttp
        from fal_nb.engine.live import LiveBook, RecordedConnection  # noqa: PLC0415 - as above

        book = LiveBook(self, str(EndpointId.parse(endpoint)), self.place(), terms, more)

        async def http() -> Http:
            return (await asyncio.to_thread(self.client)).http

        make = functools.partial(RecordedConnection, book=book)
        connecting: Connecting[RecordedConnection] = Connecting(http, timeout_s=_TOKEN_S, make=make)
        return connecting.connection(endpoint, path=path, codec=codec, pace=pace, **options)

    def realtime(self, endpoint: str, **options: Any) -> RealtimeConnection:
        """Return the same for blocking code, on the session's own loop; options as `live`."""
        from fal_nb.client.sync_realtime import RealtimeConnection  # noqa: PLC0415 - imports aiohttp

        return RealtimeConnection(self.live(endpoint, **options), self.runtime.call)

    def schema(self, endpoint: str) -> EndpointSchema:
        """Return what an endpoint takes; blocks the first time.

        Raises
        ------
        EndpointError
            Where it is no endpoint id.
        FalError
            Where the schema cannot be had.
        """
        return self.preflight.schema(str(EndpointId.parse(endpoint)))

    def check(self, endpoint: str, arguments: dict[str, Any] | None = None) -> Checked:
        """Return what a check of arguments against the endpoint's schema comes to; sends no call. Raises as `schema`.

        Raises
        ------
        FileError
            Where a local file in the arguments cannot be read.
        """
        checked = check_inputs(self.schema(endpoint), read_inputs(arguments or {}))
        return replace(checked, arguments=describe_inputs(checked.arguments))

    def attach(self, endpoint: str, request_id: str) -> Job:
        """Follow a request that was made elsewhere, or by an earlier kernel; sends no POST."""
        endpoint = str(EndpointId.parse(endpoint))
        with self._lock:
            known = self.history.find(request_id)
            if known is not None:
                return self._job_of(known)
            return self._start(self._record(Intent(endpoint, {}, request_id=request_id)), None)

    def reconcile(self, choose: Choices | None = None) -> Reconciliation:
        """Settle lost calls by fal's list of ended requests; blocks, and sends no call. See ``fal_nb.reconcile``."""
        from fal_nb.engine.reconcile import reconcile  # noqa: PLC0415 - rarely needed

        return reconcile(self, choose)

    def send_again(
        self, job: str | int | Job, *, yes: bool = False, confirm: Callable[[str], bool] | None = None
    ) -> Job | None:
        """Send a lost call once more, as a new record; see ``fal_nb.send_again``.

        Parameters
        ----------
        confirm
            Asks the question and returns the answer; default: the kernel's input.
        """
        from fal_nb.engine.send_again import send_again  # noqa: PLC0415 - rarely needed

        return send_again(self, job if isinstance(job, Job) else self.job(job), yes=yes, confirm=confirm)

    def fitted(
        self, endpoint: str, arguments: dict[str, Any], options: CallOptions = DEFAULTS, *, check: bool = True
    ) -> dict[str, Any]:
        """Return arguments with their files read, as the endpoint wants them; sends no call. Raises as `submit`."""
        path = options.path.strip("/")
        return self._prepared(endpoint, arguments, "" if path == "stream" else path, check=check)[1]

    def unit_price(self, endpoint: str) -> UnitPrice | None:
        """Return what a unit of an endpoint costs by the price list, None where the list does not have it; blocks.

        Raises
        ------
        FalError
            Where the list cannot be had.
        """

        async def asking() -> UnitPrice | None:
            return await (await self._get_wire()).prices.unit_price(endpoint)

        _ = self.settings
        return self.runtime.call(asking())

    def has_equal(self, endpoint: str, arguments: dict[str, Any]) -> bool:
        """Return whether an equal call succeeded earlier, so that ``memo="reuse"`` would answer from the history."""
        inputs, key = self._keyed(endpoint, read_inputs(arguments), self.preflight.known_schema(endpoint))
        del inputs
        return self._equal(key, "off") is not None

    def start(self, intent: Intent, done: Callable[[int], None]) -> Job:
        """Write the record of a call that is sent as it stands, hand its number to `done`, then start it."""
        snapshot = self._record(intent)
        done(snapshot.record_id)
        return self._start(snapshot, intent.arguments, intent.options)

    def price(self, endpoint: str, arguments: dict[str, Any] | None = None) -> Price:
        """Return what a call will cost; sends no call.

        Raises
        ------
        EndpointError, FileError
            Where there is no such call.
        FalError
            Where the price list cannot be had.
        """
        endpoint = str(EndpointId.parse(endpoint))
        settings = self.settings
        past = self.history.past_units(endpoint, backend=settings.backend)
        return self.preflight.price(endpoint, arguments or {}, past, self._known_files())

    def frame(self, **filters: Any) -> DataFrame:
        """Return the history as a DataFrame; see ``fal_nb.history``."""
        from fal_nb.ledger.frame import frame  # noqa: PLC0415 - imports pandas

        return frame(self.history, **filters)

    # -- inside ------------------------------------------------------------------------------------------

    def _intent(
        self,
        endpoint: str,
        arguments: dict[str, Any] | None,
        inputs: dict[str, Any],
        kind: Kind,
        options: CallOptions,
        terms: Terms,
    ) -> Intent:
        def size_of(name: str) -> tuple[int, int] | None:
            return picture_size((arguments or {}).get(name), inputs.get(name), self._known_files())

        described, has_files = describe_inputs(inputs), has_local_files(inputs)
        return Intent(endpoint, described, kind, options, has_files, terms=terms, size_of=size_of)

    def _prepared(
        self, endpoint: str, arguments: dict[str, Any] | None, path: str, *, check: bool
    ) -> tuple[str, dict[str, Any]]:
        """Return what is called, path included, and the arguments with their files read, as the endpoint wants them."""
        called = "/".join(filter(None, (str(EndpointId.parse(endpoint)), path.strip("/"))))
        inputs = read_inputs(arguments or {})
        return called, self.preflight.fitted(called, inputs) if check else inputs

    def _answered(self, record: Record, artifacts: tuple[Artifact, ...], more: Mapping[str, Any]) -> Job:
        """Return a job that ended before it began: an earlier call, shown as the answer to this one."""
        if more.get("tags"):
            self.history.tag(record.id, more["tags"])
        if more.get("note") and record.note and record.note != more["note"]:
            self.history.tell(record.id, f"Asked for again: {more['note']}")
        elif more.get("note"):
            self.history.update(record.id, note=more["note"])
        job = Job(self.runtime, self._shown_again(record, artifacts), self._make_result, self._show_job, self)
        self._last = job
        job.finish()
        return job
