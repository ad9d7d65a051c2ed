"""What a follower needs of the client, and what it is given: the seam between jobs and the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fal_nb.protocol.status import JSON, Completed, InProgress, Queued

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.client.options import CallOptions
    from fal_nb.client.withdrawal import Withdrawal
    from fal_nb.engine.inputs import LocalFile
    from fal_nb.protocol.files import FileRef

__all__ = ["Answer", "Streaming", "Wire"]


class Answer(Protocol):
    """A decoded result with what its headers say."""

    @property
    def data(self) -> JSON:
        """The endpoint's output."""

    @property
    def billable_units(self) -> float | None:
        """Units charged, in the priced unit."""

    @property
    def request_id(self) -> str | None:
        """fal's id of the request."""


@dataclass(frozen=True, slots=True)
class Streaming:
    """How a stream is read.

    Attributes
    ----------
    on_event
        Takes each event, on the loop's thread.
    silence_s
        Longest silence between two, in seconds.
    is_shown
        Whether the job's snapshots hold what has come so far, for a card.
    """

    on_event: Callable[[JSON], None] = lambda _event: None
    silence_s: float | None = None
    is_shown: bool = False


class Wire(Protocol):
    """What a follower needs of the client; every method runs on the loop."""

    async def take_turn(self, withdrawal: Withdrawal) -> None:
        """Wait until a paid call may be sent; raises where none may, or the call was taken back meanwhile."""

    async def submit(self, endpoint: str, arguments: JSON, options: CallOptions) -> str:
        """Queue a request and return its id."""

    async def direct(self, endpoint: str, arguments: JSON, options: CallOptions) -> Answer:
        """Run without the queue."""

    async def stream(self, endpoint: str, arguments: JSON, options: CallOptions, streaming: Streaming) -> Answer:
        """Run an endpoint that streams; the last event is the result."""

    def statuses(self, endpoint: str, request_id: str) -> AsyncIterator[Queued | InProgress | Completed]:
        """Yield statuses with logs until the request has ended."""

    async def result(self, endpoint: str, request_id: str) -> Answer:
        """Fetch the result of a request that has ended."""

    async def cancel(self, endpoint: str, request_id: str) -> str:
        """Ask fal to stop a request; returns its answer's word."""

    async def upload(self, file: LocalFile) -> str:
        """Upload one file and return its URL."""

    async def collect(self, result: JSON) -> tuple[Artifact, ...]:
        """Fetch and store every file of a result."""

    async def look(self, ref: FileRef, index: int) -> Artifact:
        """Return what a file is, with its thumbnail, and keep nothing of it."""
