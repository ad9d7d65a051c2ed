"""What a job can do with its own record: be made once more, tagged, noted on, rated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from fal_nb.errors import JobError

if TYPE_CHECKING:
    from fal_nb.engine.job import Job

__all__ = ["Annotated", "Desk"]


class Desk(Protocol):
    """What a job needs of its session."""

    def watching(self, jobs: Sequence[Job]) -> AbstractContextManager[Callable[[], object] | None]:
        """Show how jobs come on while somebody waits for them; what it gives is to be called meanwhile."""

    def keep_waiting(self, record_id: int) -> None:
        """Say for a while no more that a job has stalled."""

    def replay(self, job: str | int | Job | None = None, *, yes: bool = False) -> Job:
        """Make a call once more."""

    def tag(self, job: str | int | Job | None, *tags: str) -> tuple[str, ...]:
        """Add tags."""

    def untag(self, job: str | int | Job | None, *tags: str) -> tuple[str, ...]:
        """Take tags off."""

    def note(self, job: str | int | Job | None, text: str | None) -> None:
        """Write a note."""

    def rate(self, job: str | int | Job | None, rating: int | None) -> None:
        """Rate."""


class Annotated:
    """Part of `Job`; each method writes to the history before it returns, and raises what the session's does."""

    def __init__(self, desk: Desk | None) -> None:
        self._desk = desk

    @property
    def record_id(self) -> int:
        """Number of its record in the history."""
        raise NotImplementedError

    def replay(self, *, yes: bool = False) -> Job:
        """Make the same call once more, byte for byte, and return its job; see `fal_nb.replay`."""
        return self._at_desk().replay(self.record_id, yes=yes)

    def tag(self, *tags: str) -> tuple[str, ...]:
        """Add tags to its record and return all it has now."""
        return self._at_desk().tag(self.record_id, *tags)

    def untag(self, *tags: str) -> tuple[str, ...]:
        """Take tags off its record, all of them where none is named, and return those that are left."""
        return self._at_desk().untag(self.record_id, *tags)

    def note(self, text: str | None) -> None:
        """Write a note on its record in place of the one it has; None takes it off."""
        self._at_desk().note(self.record_id, text)

    def rate(self, rating: int | None) -> None:
        """Rate its record from 0 to 5; None takes the rating off."""
        self._at_desk().rate(self.record_id, rating)

    def _at_desk(self) -> Desk:
        if self._desk is None:
            raise JobError(f"Job #{self.record_id} belongs to no session.")
        return self._desk
