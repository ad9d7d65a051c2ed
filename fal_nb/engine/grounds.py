"""``Grounds``: what a session stands on: settings, loop, history, artifacts and client, each opened at first use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Callable, Container, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fal_nb.engine.inputs import local_file
from fal_nb.engine.job_table import JobTable
from fal_nb.engine.money import Money
from fal_nb.engine.preflight import Preflight
from fal_nb.engine.uploading import PLAIN, UploadOptions, upload_and_tell
from fal_nb.errors import HistoryError
from fal_nb.protocol.urls import Hosts
from fal_nb.runtime import Runtime
from fal_nb.settings import Given, Settings, home_folder

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.artifacts.store import ArtifactStore
    from fal_nb.client.async_client import AsyncClient
    from fal_nb.engine.job import Job
    from fal_nb.engine.recorder import Recorder
    from fal_nb.engine.wire import ClientWire
    from fal_nb.ledger.budgets import Spending
    from fal_nb.ledger.store import HistoryStore

__all__ = ["Grounds"]

T = TypeVar("T")


class Grounds:
    """Opens each part at first use, under one lock; `Session` adds the calls. May be used from any thread."""

    def __init__(
        self,
        *,
        key: str | None = None,
        base_url: str | None = None,
        proxy_url: str | None = None,
        home: Path | None = None,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self._given = Given(key, base_url, proxy_url)
        self._home = home
        self.notify = notify or print
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.runtime = Runtime()
        self._lock = threading.RLock()
        self._settings: Settings | None = None
        self._recorder: Recorder | None = None
        self._artifacts: ArtifactStore | None = None
        self._wire: ClientWire | None = None
        self._jobs = JobTable()
        self._looked_at: set[int] = set()
        self.preflight = Preflight(self.runtime, self._get_wire, self.notify, self._endpoint_names, self._has_answered)
        self.money = Money(self, self._get_wire)

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
    def known_settings(self) -> Settings | None:
        """Where calls go, where that is known already; starts nothing."""
        return self._settings

    @property
    def open_wire(self) -> ClientWire | None:
        """The client and what belongs to it, where it is open already."""
        return self._wire

    @property
    def home(self) -> Path:
        """Folder of history, artifacts and caches; not created before it is needed."""
        return self._home or home_folder()

    @property
    def recorder(self) -> Recorder:
        """The ledger as the loop sees it; opened at first use."""
        if self._recorder is not None:  # without the lock: the loop asks, and must not wait for who holds it
            return self._recorder
        with self._lock:
            if self._recorder is None:
                from fal_nb.engine.recorder import Recorder  # noqa: PLC0415
                from fal_nb.ledger.store import HistoryStore  # noqa: PLC0415 - opened at first use

                self._recorder = Recorder(HistoryStore(self.home / "history.sqlite"), self.owner)
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

    def upload(
        self,
        data: Path | bytes,
        content_type: str | None = None,
        file_name: str | None = None,
        options: UploadOptions = PLAIN,
    ) -> str:
        """Upload a file or bytes and return the URL; blocks.

        Raises
        ------
        FileError
            Where the file cannot be read.
        """
        file = local_file(data, content_type, file_name)
        _ = self.settings
        return upload_and_tell(self.runtime, self._get_wire, file, options)

    def forget_uploads(self, urls: Container[str]) -> None:
        """Let the bytes behind URLs that are gone be uploaded again; blocks."""

        async def forget() -> None:
            (await self._get_wire()).forget_uploads(urls)

        self.runtime.call(forget())

    def client(self) -> AsyncClient:
        """Return the session's client, usable on any loop; it writes no record. Blocks the first time."""
        return self._open_wire().client

    def ask(self, make: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
        """Return what one call of the session's client brings; blocks. It writes no record: for questions only."""

        async def asking() -> T:
            return await make((await self._get_wire()).client)

        _ = self.settings
        return self.runtime.call(asking())

    async def wire(self) -> ClientWire:
        """Return the client and what belongs to it, for what runs on the loop beside the jobs."""
        return await self._get_wire()

    def known_job(self, record_id: int) -> Job | None:
        """Return a job that this session remembers, or None; asks nobody."""
        return self._jobs.get(record_id)

    def jobs(self) -> list[Job]:
        """Return the jobs of this kernel that have not ended, oldest first."""
        return [job for job in self._jobs.values() if not job.done and job.record_id not in self._looked_at]

    def jobs_to_end(self) -> list[Job]:
        """Return those of them that end by themselves: all but realtime sessions, which last until they are closed."""
        return [job for job in self.jobs() if job.snapshot.kind != "realtime"]

    @property
    def budget(self) -> float | None:
        """What the calls of this session may cost together, in US dollars; None where there is no budget.

        Another amount than before lifts a stop.
        """
        return self.money.budget

    @budget.setter
    def budget(self, amount: float | None) -> None:
        self.money.budget = amount

    @property
    def daily_budget(self) -> float | None:
        """What the calls of all kernels may cost in one local day together; kept in the history's file."""
        return self.money.budgets.daily()

    @daily_budget.setter
    def daily_budget(self, amount: float | None) -> None:
        self.money.budgets.set_daily(amount)

    def spending(self) -> dict[str, Spending]:
        """Return what was spent, is reserved and left, by scope: ``session`` and ``daily``."""
        return self.money.spending()

    def unlock(self) -> None:
        """Let one call try whether the account is still locked; the others wait for what it meets."""
        if self._wire is not None:
            self._wire.gate.unlock()

    # -- inside ------------------------------------------------------------------------------------------

    def _known_files(self) -> list[Artifact]:
        return [artifact for job in list(self._jobs.values()) for artifact in job.snapshot.artifacts]

    def _endpoint_names(self) -> list[str]:
        """Return endpoints called before, those whose schemas are kept, and those that are simulated."""
        from fal_nb.client.schema_files import SchemaFiles  # noqa: PLC0415 - only where a name was misspelt
        from fal_nb.ledger.names import NamesReader  # noqa: PLC0415
        from fal_nb.simulator.endpoints.places import PLACES  # noqa: PLC0415

        called = NamesReader().read(self.home / "history.sqlite").endpoints
        return [*called, *SchemaFiles(self.home / "schemas").endpoints(), *PLACES]

    def _has_answered(self, endpoint: str) -> bool:
        try:
            return bool(self.history.select(endpoint=endpoint, state="SUCCEEDED", limit=1))
        except HistoryError:  # said where the call is to be written
            return False

    def _resolve(self) -> Settings:
        settings = self._given.resolve()
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
                wire = self._wire = ClientWire(settings, self.artifacts, lambda: self.recorder)
            return wire
