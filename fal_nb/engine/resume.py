"""How an open job of a kernel that is gone goes on: decided from its record alone, before anything is sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fal_nb.client.options import DEFAULTS, CallOptions
from fal_nb.engine.intent import read_options
from fal_nb.errors import JobError

if TYPE_CHECKING:
    from fal_nb.engine.job import Job
    from fal_nb.ledger.records import Record
    from fal_nb.settings import Settings

__all__ = ["Plan", "Resumed", "check_backend", "is_at", "plan_for"]

_HERE = "Carried on by another kernel."
_MAYBE = "Its kernel ended while the call was on its way: fal may have accepted it. It is not sent again by itself."


_MAYBE_LIVE = "Its kernel ended during the session: what was answered until then may be charged."


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    changes
        Columns to write first; a final state among them ends the job.
    note
        A line for its story.
    options
        For a call that has yet to be sent.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    options: CallOptions = DEFAULTS


def plan_for(record: Record) -> Plan:
    """Return how an open job goes on.

    A call that is ``PREPARED`` never left: ``SUBMITTING`` is on disk before anything is sent.
    """
    if record.request_id is not None or record.ended is not None:
        return Plan(note=_HERE)
    if record.state != "PREPARED":
        error = _MAYBE_LIVE if record.kind == "realtime" else _MAYBE
        return Plan({"state": "UNKNOWN", "error": error, "ended": time.time()})
    options = read_options(record.options)
    reason = _why_not(record)
    if options is None or reason:
        error = f"Never sent: its kernel ended, and {reason or 'its options cannot be read'}."
        return Plan({"state": "CANCELLED", "error": error, "ended": time.time()})
    return Plan(note="It had not been sent yet; another kernel sends it.", options=options)


def is_at(record: Record, settings: Settings) -> bool:
    """Return whether a record's call went where calls go now."""
    return (record.backend, record.base_url) == (settings.backend, settings.hosts.base)


def check_backend(record: Record, settings: Settings) -> None:
    """Refuse to ask one server for a job of another.

    Raises
    ------
    JobError
        Where the record's call went elsewhere.
    """
    if not is_at(record, settings):
        raise JobError(
            f"Job #{record.id} is open at {record.base_url or 'fal.ai'}, and calls go to "
            f"{settings.hosts.base or 'fal.ai'} now: connect as it was started (`%fal config`), then ask again.",
            request_id=record.request_id,
        )


@dataclass(frozen=True, slots=True)
class Resumed:
    """What `Session.resume` came to.

    Attributes
    ----------
    followed
        Jobs whose request, result or files are asked for again.
    sent
        Jobs that had never left and are sent now.
    watched
        Jobs that another living kernel follows.
    ended
        Jobs that could not go on: never sent for a reason their error names, or ``UNKNOWN``.
    elsewhere
        How many open jobs belong to another server than the one calls go to now.
    unknown
        How many calls there are of which nobody knows whether fal accepted them.
    """

    followed: tuple[Job, ...]
    sent: tuple[Job, ...]
    watched: tuple[Job, ...]
    ended: tuple[Job, ...]
    elsewhere: int
    unknown: int

    @classmethod
    def of(
        cls, records: Iterable[Record], claimed: set[int], jobs: Mapping[int, Job], *, elsewhere: int, unknown: int
    ) -> Resumed:
        """Sort jobs by what was done with them."""
        kinds: dict[str, list[Job]] = {"followed": [], "sent": [], "watched": [], "ended": []}
        for record in records:
            job = jobs[record.id]
            if record.id not in claimed:
                kind = "ended" if job.snapshot.is_final else "watched"
            elif record.request_id is not None or record.ended is not None:
                kind = "followed"
            else:
                kind = "ended" if job.done else "sent"
            kinds[kind].append(job)
        return cls(**{kind: tuple(found) for kind, found in kinds.items()}, elsewhere=elsewhere, unknown=unknown)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All of them, those that go on first."""
        return (*self.followed, *self.sent, *self.watched, *self.ended)

    def __str__(self) -> str:
        words = (
            (len(self.followed), "followed again"),
            (len(self.sent), "sent now"),
            (len(self.watched), "with another kernel, watched"),
            (len(self.ended), "could not go on"),
            (self.elsewhere, "at another server, left alone"),
        )
        told = ", ".join(f"{count} {what}" for count, what in words if count) or "Nothing was open"
        if self.unknown:
            told += f"; {self.unknown} unknown: `%fal reconcile` asks fal about them"
        return f"{told}."

    def __repr__(self) -> str:
        count = len(self.jobs)  # its cell has said the rest
        return f"<Resumed: {count or 'no'} job{'' if count == 1 else 's'}>"


def _why_not(record: Record) -> str:
    """Return why a call that never left cannot be sent from its record, or nothing."""
    if record.kind not in {"queue", "direct"}:
        return f"nobody would read what a {record.kind} call answers"
    kept = record.options or {}
    if kept.get("files"):
        return "its local files had not been uploaded"
    if kept.keys() & {"headers", "webhook"}:
        return "headers and webhooks are not kept"
    return ""
