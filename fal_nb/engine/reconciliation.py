"""What a reconciliation came to, as an object that shows itself: what was settled, and what a person can do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fal_nb.schemas.table import html_table, text_table

if TYPE_CHECKING:
    from fal_nb.client.ended_requests import EndedRequest
    from fal_nb.engine.job import Job

__all__ = ["Reconciliation", "Settled", "StillUnknown", "TiedCalls"]

_COLUMNS = ("job", "endpoint", "prompt", "what", "next")
_SHOWN_IDS = 5
_PROMPT_CHARS = 40
_ENDS = {
    "SUCCEEDED": "`%fal result #{number}` shows it",
    "FAILED": "`%fal status #{number}` says why",
    "CANCELLED": "nothing to do",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """A lost call whose request was found.

    Attributes
    ----------
    job
        The call's job, which follows the request.
    why
        How it is known: by its id, its arguments, or a person's choice.
    """

    job: Job
    prompt: str
    request_id: str
    why: str


@dataclass(frozen=True, slots=True)
class TiedCalls:
    """Lost calls and requests that are all equal: somebody has to choose.

    Attributes
    ----------
    jobs
        Numbers of the records.
    requests
        The earliest first.
    is_partial
        Whether it is a tie only because the list could not be read to its end.
    """

    jobs: tuple[int, ...]
    endpoint: str
    prompt: str
    requests: tuple[EndedRequest, ...]
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class StillUnknown:
    """A lost call of which the list does not say what became of it; that is no proof that it was not accepted.

    Attributes
    ----------
    candidates
        Requests of the right time whose arguments are not listed, the nearest first.
    """

    job: int
    endpoint: str
    prompt: str
    why: str
    next_step: str
    candidates: tuple[EndedRequest, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Reconciliation:
    """What `Session.reconcile` came to; every lost call is in one of its three parts.

    Attributes
    ----------
    matched
        Those that are known now.
    ties
        Those that need a choice.
    unknown
        The rest, with their candidates.
    trouble
        Why the list, or a part of it, could not be had; None where it could.
    """

    matched: tuple[Settled, ...] = ()
    ties: tuple[TiedCalls, ...] = ()
    unknown: tuple[StillUnknown, ...] = ()
    trouble: str | None = None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs of those that are known now."""
        return tuple(settled.job for settled in self.matched)

    @property
    def candidates(self) -> dict[int, tuple[EndedRequest, ...]]:
        """Record number → the requests it may be, for ties and for what is still unknown."""
        tied = {job: tie.requests for tie in self.ties for job in tie.jobs}
        return tied | {call.job: call.candidates for call in self.unknown if call.candidates}

    def rows(self) -> list[dict[str, str]]:
        """Return one row a call, ``job endpoint prompt what next``: what became of it and what can be done now."""
        return [dict(zip(_COLUMNS, row, strict=True)) for row in self._shown()]

    def __str__(self) -> str:
        tied = sum(len(tie.jobs) for tie in self.ties)
        words = ((len(self.matched), "found"), (tied, "to choose"), (len(self.unknown), "still unknown"))
        told = ", ".join(f"{count} {what}" for count, what in words if count)
        return f"{told or 'No call is unknown'}.{f' {self.trouble}' if self.trouble else ''}"

    def __repr__(self) -> str:
        # The last column is the one that is never cut.
        rows = [(*row[:-2], f"{row[-2]} → {row[-1]}") for row in self._shown()]
        return f"{self}\n{text_table(_COLUMNS[:-1], rows)}" if rows else str(self)

    def _repr_html_(self) -> str:
        return html_table(str(self), _COLUMNS, self._shown())

    def _shown(self) -> list[tuple[str, ...]]:
        return [*map(_settled_row, self.matched), *self._tied_rows(), *map(_unknown_row, self.unknown)]

    def _tied_rows(self) -> Iterator[tuple[str, ...]]:
        for tie in self.ties:
            what = f"equal to {_named(tie.requests)}"
            if tie.is_partial:
                what = f"like {_named(tie.requests)}, but the list is too long to be read to its end"
            elif len(tie.jobs) > 1:
                what = f"{len(tie.jobs)} equal calls, {what}"
            for job in tie.jobs:
                yield f"#{job}", tie.endpoint, _cut(tie.prompt), what, f"choose: {_choice(job, tie.requests)}"


def _settled_row(settled: Settled) -> tuple[str, ...]:
    snapshot = settled.job.snapshot
    number = snapshot.record_id
    following = _ENDS.get(snapshot.state, "it is followed: `%fal wait #{number}`").format(number=number)
    what = f"{snapshot.state.lower()}: request {settled.request_id}, {settled.why}"
    return f"#{number}", snapshot.endpoint, _cut(settled.prompt), what, following


def _unknown_row(call: StillUnknown) -> tuple[str, ...]:
    why = call.why
    if call.candidates:
        why += f"; it may be {_named(call.candidates)}"
    return f"#{call.job}", call.endpoint, _cut(call.prompt), why, call.next_step


def _choice(job: int, requests: tuple[EndedRequest, ...]) -> str:
    return f"`%fal reconcile #{job}={requests[0].request_id if len(requests) == 1 else 'REQUEST_ID'}`"


def _named(requests: tuple[EndedRequest, ...]) -> str:
    named = ", ".join(_told(request) for request in requests[:_SHOWN_IDS])
    more = len(requests) - _SHOWN_IDS
    return f"{named} and {more} more" if more > 0 else named


def _told(request: EndedRequest) -> str:
    if request.moment is None:
        return request.request_id
    try:
        at = datetime.fromtimestamp(request.moment, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return request.request_id
    return f"{request.request_id} ({at} UTC)"


def _cut(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text[:400]).split())
    return line if len(line) <= _PROMPT_CHARS else line[: _PROMPT_CHARS - 1] + "…"
