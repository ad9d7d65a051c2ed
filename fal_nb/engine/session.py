"""``Session``: what one kernel holds: settings, client, runtime, history, open jobs."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from fal_nb.client.options import DEFAULTS, CallOptions
from fal_nb.engine.event_queue import EventQueue
from fal_nb.engine.follower import Follower, Streaming
from fal_nb.engine.inputs import describe_inputs, local_file, read_inputs
from fal_nb.engine.job import Job
from fal_nb.engine.preflight import Preflight, check_inputs
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.errors import FalError, HistoryError, JobError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.urls import Hosts
from fal_nb.runtime import Runtime
from fal_nb.settings import Settings, home_folder, resolve_settings
from fal_nb.states import Kind, State

if TYPE_CHECKING:
    from pandas import DataFrame

    from fal_nb.artifacts.store import ArtifactStore
    from fal_nb.client.async_client import AsyncClient
    from fal_nb.engine.recorder import Recorder
    from fal_nb.engine.wire import ClientWire
    from fal_nb.ledger.records import Record
    from fal_nb.ledger.store import HistoryStore
    from fal_nb.pricing.price import Price
    from fal_nb.results import Result
    from fal_nb.schemas.check import Checked
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["Session"]

T = TypeVar("T")

_CLOSE_S = 5.0
_STREAM = CallOptions(path="/stream")
_ON_THE_WAY = ("PREPARED", "SUBMITTING")
Place = tuple[str | None, str | None]
"""(notebook, cell) a call is made from."""


class Session:
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
        self._resolve_given = functools.partial(resolve_settings, key=key, base_url=base_url, proxy_url=proxy_url)
        self._home = home
        self.show = show or (lambda job: print(repr(job)))  # noqa: T201 - the plain fallback
        self.show_result = show_result
        self.notify = notify or print
        self.place = place or (lambda: (None, None))
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.runtime = Runtime()
        self._lock = threading.RLock()
        self._settings: Settings | None = None
        self._recorder: Recorder | None = None
        self._artifacts: ArtifactStore | None = None
        self._wire: ClientWire | None = None
        self._jobs: dict[int, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: Job | None = None
        self.preflight = Preflight(self.runtime, self._get_wire, self.notify)

    # -- what it stands on -------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """Where calls go; starts the simulator where nothing is configured (blocks about a second, once)."""
        with self._lock:
            if self._settings is None or self._simulator_is_gone():
                self._settings = self._resolve()
                old, self._wire = self._wire, None
                if old is not None:
                    self.runtime.start_soon(old.aclose())
            return self._settings

    @property
    def home(self) -> Path:
        """Folder of history, artifacts and caches; not created before it is needed."""
        return self._home or home_folder()

    @property
    def recorder(self) -> Recorder:
        """The ledger as the loop sees it; opened at first use."""
        with self._lock:
            if self._recorder is None:
                from fal_nb.engine.recorder import Recorder  # noqa: PLC0415
                from fal_nb.ledger.store import HistoryStore  # noqa: PLC0415 - opened at first use

                self._recorder = Recorder(HistoryStore(self.home / "history.sqlite"))
            return self._recorder

    @property
    def history(self) -> HistoryStore:
        """The ledger's file: one record a call."""
        return self.recorder.store

    @property
    def artifacts(self) -> ArtifactStore:
        """Where the bytes of outputs are, by content digest."""
        with self._lock:
            if self._artifacts is None:
                from fal_nb.artifacts.store import ArtifactStore  # noqa: PLC0415 - opened at first use

                self._artifacts = ArtifactStore(self.home / "artifacts")
            return self._artifacts

    # -- calls -------------------------------------------------------------------------------------------

    def submit(
        self,
        endpoint: str,
        arguments: dict[str, Any] | None = None,
        *,
        kind: Literal["queue", "direct"] = "queue",
        options: CallOptions = DEFAULTS,
        timeout_s: float | None = None,
        check: bool = True,
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

        Raises
        ------
        EndpointError, ArgumentsError, FileError, ConfigError, HistoryError
            Before anything is sent.
        """
        endpoint, inputs = self._prepared(endpoint, arguments, options.path, check=check)
        snapshot = self._record(endpoint, describe_inputs(inputs), kind, self.settings)
        return self._start(snapshot, inputs, options, timeout_s)

    def stream(
        self,
        endpoint: str,
        arguments: dict[str, Any] | None = None,
        *,
        options: CallOptions = _STREAM,
        silence_s: float | None = None,
        check: bool = True,
    ) -> EventQueue:
        """Write a record, start a streaming call in the background and return its events as they will come.

        The last event is the result, kept like any other. Its ``job`` has card, state and record.

        Parameters
        ----------
        options
            Its path is the endpoint's streaming path, ``/stream`` with most.
        silence_s
            Longest silence between two events; None waits as long as the connection lives.

        Raises
        ------
        EndpointError, ArgumentsError, FileError, ConfigError, HistoryError
            Before anything is sent.
        """
        path = options.path.strip("/")
        endpoint, inputs = self._prepared(endpoint, arguments, "" if path == "stream" else path, check=check)
        events = EventQueue()
        snapshot = self._record(endpoint, describe_inputs(inputs), "stream", self.settings)
        events.job = self._start(snapshot, inputs, options, streaming=Streaming(events.put, silence_s))
        events.job.observe(events.notice)
        return events

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
            return self._start(self._record(endpoint, {}, "queue", self.settings, request_id=request_id), None)

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
        return self.preflight.price(endpoint, read_inputs(arguments or {}), past)

    def job(self, word: str | int | None = None) -> Job:
        """Return a job by record number, request id (or 8 of its first characters), or the last one.

        A job of an earlier kernel comes back as its record tells; where it was still open it is followed again.

        Raises
        ------
        JobError
            Where there is none.
        """
        if word is None:
            if self._last is None:
                raise JobError("No job was started in this kernel yet: name one by number or request id.")
            return self._last
        text = str(word).lstrip("#")
        with self._lock:
            for job in list(self._jobs.values()):
                if text in {str(job.record_id), job.request_id}:
                    return job
            record = self.history.find(text)
            if record is None:
                raise JobError(f"There is no job {text[:60]!r} in the history: `%fal history` lists them.")
            return self._job_of(record)

    def upload(self, data: Path | bytes, content_type: str | None = None, file_name: str | None = None) -> str:
        """Upload a file or bytes and return the URL; blocks.

        Raises
        ------
        FileError
            Where the file cannot be read.
        """
        file = local_file(data, content_type, file_name)

        async def send() -> str:
            return await (await self._get_wire()).upload(file)

        _ = self.settings
        return self.runtime.call(send())

    def client(self) -> AsyncClient:
        """Return the session's client, usable on any loop; it writes no record. Blocks the first time."""
        return self._open_wire().client

    def ask(self, make: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
        """Return what one call of the session's client brings; blocks. It writes no record: for questions only."""

        async def asking() -> T:
            return await make((await self._get_wire()).client)

        _ = self.settings
        return self.runtime.call(asking())

    def jobs(self) -> list[Job]:
        """Return the jobs of this kernel that have not ended, oldest first."""
        return [job for job in list(self._jobs.values()) if not job.done]

    def frame(self, **filters: Any) -> DataFrame:
        """Return the history as a DataFrame; see ``fal_nb.history``."""
        from fal_nb.ledger.frame import frame  # noqa: PLC0415 - imports pandas

        return frame(self.history, **filters)

    def close(self) -> None:
        """Stop following, close client, history and loop. Requests at fal go on.

        A request that is being sent is given 5 s to learn its id, so that it can be followed again.
        """
        if self._jobs or self._wire is not None:
            with contextlib.suppress(FalError, TimeoutError):
                self.runtime.call(self._wind_down(), _CLOSE_S + 5.0)
        self.runtime.close()
        if self._recorder is not None:
            self._recorder.close()

    # -- inside ------------------------------------------------------------------------------------------

    async def _wind_down(self) -> None:
        deadline = time.monotonic() + _CLOSE_S
        while any(job.state in _ON_THE_WAY for job in self.jobs()) and time.monotonic() < deadline:  # noqa: ASYNC110 - states change elsewhere
            await asyncio.sleep(0.02)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=2.0)
        if self._wire is not None:
            await self._wire.aclose()

    def _resolve(self) -> Settings:
        settings = self._resolve_given()
        if settings is None:
            from fal_nb.simulator.process import ensure_running  # noqa: PLC0415 - only where nothing else serves

            base = ensure_running(self.home)
            settings = Settings("simulator", Hosts.under(base), self.home, "no key was found anywhere")
            with contextlib.suppress(HistoryError):  # said where the history is needed; this is not the place
                self.recorder.close_jobs_of_gone_simulators(base, self._jobs)
            self.notify("No key found: the simulator serves, nothing is billed. Set FAL_KEY for fal.ai.")
        return settings

    def _simulator_is_gone(self) -> bool:
        settings = self._settings
        if settings is None or settings.backend != "simulator" or self.jobs():
            return False
        from fal_nb.simulator.process import is_alive  # noqa: PLC0415

        return not is_alive(settings.hosts.base or "")

    def _record(
        self, endpoint: str, arguments: Any, kind: Kind, settings: Settings, *, request_id: str | None = None
    ) -> JobSnapshot:
        from fal_nb.ledger.records import NewRecord  # noqa: PLC0415

        notebook, cell = self.place()
        created = time.time()
        state: State = "PREPARED" if request_id is None else "QUEUED"
        record_id = self.history.add(
            NewRecord(
                endpoint=endpoint,
                arguments=arguments,
                backend=settings.backend,
                base_url=settings.hosts.base,
                kind=kind,
                state=state,
                created=created,
                notebook=notebook,
                cell=cell,
                owner=self.owner,
            )
        )
        if request_id is not None:
            self.history.update(record_id, request_id=request_id)
        return JobSnapshot(
            record_id=record_id,
            endpoint=endpoint,
            backend=settings.backend,
            kind=kind,
            state=state,
            arguments=arguments,
            created=created,
            request_id=request_id,
        )

    def _job_of(self, record: Record) -> Job:
        """Return a job that a record tells of: as it ended, or followed again where it is open."""
        if record.id in self._jobs:
            return self._jobs[record.id]
        snapshot = JobSnapshot.of_record(record, self.history.artifacts(record.id))
        if snapshot.is_final or snapshot.request_id is None:
            return self._adopt(snapshot)
        settings = self.settings
        if (record.backend, record.base_url) != (settings.backend, settings.hosts.base):
            raise JobError(
                f"Job #{record.id} is open at {record.base_url or 'fal.ai'}, and calls go to "
                f"{settings.hosts.base or 'fal.ai'} now: connect as it was started (`%fal config`), then ask again.",
                request_id=record.request_id,
            )
        return self._start(snapshot, None)

    def _prepared(
        self, endpoint: str, arguments: dict[str, Any] | None, path: str, *, check: bool
    ) -> tuple[str, dict[str, Any]]:
        """Return the endpoint's id and the arguments with their files read, as the endpoint wants them."""
        endpoint = str(EndpointId.parse(endpoint))
        inputs = read_inputs(arguments or {})
        if check:
            called = "/".join(filter(None, (endpoint, path.strip("/"))))
            inputs = self.preflight.fitted(called, inputs)
        return endpoint, inputs

    def _start(
        self,
        snapshot: JobSnapshot,
        arguments: Any,
        options: CallOptions = DEFAULTS,
        timeout_s: float | None = None,
        streaming: Streaming | None = None,
    ) -> Job:
        job = self._adopt(snapshot, ended=False)
        self.runtime.post(self._follow, job, arguments, options, timeout_s, streaming)
        return job

    def _adopt(self, snapshot: JobSnapshot, *, ended: bool = True) -> Job:
        job = Job(self.runtime, snapshot, self._make_result, self._show_job)
        # One that another kernel is still sending is only looked at: next time it may have moved on.
        if snapshot.is_final or not ended:
            self._jobs[snapshot.record_id] = job
        self._last = job
        if ended:
            job.finish()
        return job

    def _follow(
        self,
        job: Job,
        arguments: Any,
        options: CallOptions,
        timeout_s: float | None,
        streaming: Streaming | None,
    ) -> None:
        follower = Follower(job.snapshot, options, timeout_s, self._get_wire, self.recorder, job.take, streaming)
        job.follow(follower)
        task = asyncio.ensure_future(follower.run(arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _task: job.finish())

    async def _get_wire(self) -> ClientWire:
        if self._wire is not None:
            return self._wire
        # In a worker thread: loading httpx and aiohttp takes longer than anything else may hold the loop.
        return await asyncio.to_thread(self._open_wire)

    def _open_wire(self) -> ClientWire:
        from fal_nb.engine.wire import ClientWire  # noqa: PLC0415 - imports httpx and aiohttp

        with self._lock:
            settings = self.settings
            wire = self._wire
            if wire is None:
                wire = self._wire = ClientWire(settings, self.artifacts)
            return wire

    def _show_job(self, job: Job) -> None:
        self.show(job)

    def _make_result(self, snapshot: JobSnapshot) -> Result:
        from fal_nb.results import Result  # noqa: PLC0415

        return Result(snapshot.result, snapshot=snapshot, store=self.artifacts, show=self.show_result)
