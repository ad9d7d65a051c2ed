"""What a receiver works with: a kernel's session, or, where there is none, a small one of its own on the server's loop.

A worker of a web server is often a ``multiprocessing`` child, in which no session lives; its own needs no thread.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Container
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from fal_nb.artifacts.store import ArtifactStore
from fal_nb.client.options import DEFAULTS
from fal_nb.engine.follower import Follower
from fal_nb.engine.keeper import LeaseKeeper
from fal_nb.engine.recorder import Recorder
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.engine.wire import ClientWire
from fal_nb.ledger.leases import RENEW_S
from fal_nb.ledger.store import HistoryStore

if TYPE_CHECKING:
    from fal_nb.client.async_client import AsyncClient
    from fal_nb.engine.session import Session
    from fal_nb.settings import Settings

__all__ = ["Hands", "OwnHands", "SessionHands"]

T = TypeVar("T")


class Hands(Protocol):
    """Used on the server's loop."""

    owner: str
    history: HistoryStore
    shows_jobs: bool
    """Whether what is known of a job when it goes on is shown to somebody."""

    @property
    def client(self) -> AsyncClient:
        """Asks fal what a delivery leaves open."""

    @property
    def followed(self) -> Container[int]:
        """Records whose jobs are followed just now."""

    def sign(self) -> None:
        """Give a sign of life where one is due; blocks."""

    async def run(self, work: Callable[[], T]) -> T:
        """Return what blocking work on the ledger comes to."""

    async def go_on(self, record_id: int) -> None:
        """Go on with a record that is this owner's now and has its result: fetch the files."""

    def look(self, owner: str | None) -> None:
        """Have a session that follows a job look for its delivery at once, where that can be told."""

    async def aclose(self) -> None:
        """Leave what is unfinished to others."""


class OwnHands:
    """A history, a store and a client, and the jobs whose files are being fetched; made in a thread, it blocks."""

    shows_jobs = False

    def __init__(self, settings: Settings, home: Path) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.history = HistoryStore(home / "history.sqlite")
        self._recorder = Recorder(self.history, self.owner)
        self._wire = ClientWire(settings, ArtifactStore(home / "artifacts"), lambda: self._recorder)
        self._followers: dict[int, Follower] = {}
        self._keeper = LeaseKeeper(self._recorder, lambda: list(self._followers), self._lose, period_s=RENEW_S)

    @property
    def client(self) -> AsyncClient:
        """Asks fal what a delivery leaves open."""
        return self._wire.client

    @property
    def followed(self) -> Container[int]:
        """Records whose files are being fetched."""
        return self._followers

    def sign(self) -> None:
        """Give a sign of life where one is due; blocks."""
        self._keeper.sign()

    async def run(self, work: Callable[[], T]) -> T:
        """Return what blocking work on the ledger comes to."""
        return await asyncio.wrap_future(self._recorder.submit(work))

    async def go_on(self, record_id: int) -> None:
        """Fetch the files of a record that is this owner's; returns when that has ended."""
        record = await self._recorder.get(record_id)
        if not record.is_open or record.owner != self.owner or record_id in self._followers:
            return
        snapshot = JobSnapshot.of_record(record, await self._recorder.artifacts(record_id))
        follower = Follower(snapshot, DEFAULTS, None, self._get_wire, self._recorder, lambda _snapshot: None)
        self._followers[record_id] = follower
        self._keeper.start()
        try:
            await follower.run(None)
        finally:
            del self._followers[record_id]

    def look(self, owner: str | None) -> None:
        """Do nothing: other kernels look by themselves, every few seconds."""

    async def aclose(self) -> None:
        """Stop fetching, close client and history; a kernel or the next receiver goes on."""
        self._keeper.stop()
        await self._wire.aclose()
        await asyncio.to_thread(self._recorder.close)

    async def _get_wire(self) -> ClientWire:
        return self._wire

    def _lose(self, record_id: int) -> None:
        if record_id in self._followers:
            self._followers[record_id].lose()


class SessionHands:
    """A kernel's session: jobs that a delivery settles are its own, with their cards."""

    shows_jobs = True

    def __init__(self, session: Session) -> None:
        self._session = session
        self.owner = session.owner
        self.history = session.history
        self._client = session.client()

    @property
    def client(self) -> AsyncClient:
        """The session's client, as it is now."""
        wire = self._session.open_wire
        return self._client if wire is None else wire.client

    @property
    def followed(self) -> Container[int]:
        """Records whose jobs the session follows."""
        return _Followed(self._session)

    def sign(self) -> None:
        """Give a sign of life where one is due; blocks."""
        self._session.keeper.sign()

    async def run(self, work: Callable[[], T]) -> T:
        """Return what blocking work on the ledger comes to."""
        return await asyncio.to_thread(work)

    async def go_on(self, record_id: int) -> None:
        """Have the session go on; returns at once."""
        known = self._session.known_job(record_id)
        # One that is only looked on is taken over by its watcher.
        if known is None or known.done:
            await asyncio.to_thread(self._session.take_up, record_id)

    def look(self, owner: str | None) -> None:
        """Have the session look at its deliveries, where it is the one that follows the job."""
        if owner == self.owner:
            self._session.look_for_deliveries()

    async def aclose(self) -> None:
        """Do nothing: the session lives on."""


class _Followed:
    """Whether a session follows a record, as a container."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __contains__(self, record_id: object) -> bool:
        return isinstance(record_id, int) and self._session.follows(record_id)
