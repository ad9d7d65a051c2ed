"""Settles calls whose answer was lost, by the account's list of ended requests. Nothing is ever sent from here.

Everything is asked first and written afterwards, so that a list which cannot be had changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from fal_nb.client.ended_requests import EndedRequest, EndedRequests
from fal_nb.engine.job import Job
from fal_nb.engine.matching import TOLERANCE_S, LostCall, Matching, match
from fal_nb.engine.outcome import Changes, of_delivery, outcome_of
from fal_nb.engine.reconciliation import Reconciliation, Settled, StillUnknown, TiedCalls
from fal_nb.engine.resume import is_at
from fal_nb.errors import FalClientTimeoutError, FalError, JobError

if TYPE_CHECKING:
    from fal_nb.client.async_client import AsyncClient
    from fal_nb.engine.session import Session
    from fal_nb.ledger.records import Record
    from fal_nb.ledger.store import HistoryStore

__all__ = ["Choices", "Lists", "lost_call", "read_lists", "reconcile"]

Choices: TypeAlias = Mapping[str | int | Job, str]
"""A job, the number of its record, or ``#12`` → the id of the request it is."""

_REACH_S = 90 * 86_400.0
_FILES_S = 60.0
_AT_ONCE = 4
_NUMBER = re.compile(r"#?([0-9]{1,18})")
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~-]{0,127}")


@dataclass(frozen=True, slots=True)
class Lists:
    """What was read of the account's list: by endpoint, by the ids that were asked for, and what went wrong."""

    requests: tuple[EndedRequest, ...] = ()
    by_id: Mapping[str, EndedRequest] = field(default_factory=dict)
    incomplete: frozenset[str] = frozenset()
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class _Finding:
    """A record, the request it turned out to be, and how that is known."""

    record: Record
    request_id: str
    why: str
    listed: EndedRequest | None = None


def reconcile(session: Session, choose: Choices | None = None) -> Reconciliation:
    """Settle what can be settled; see `Session.reconcile`."""
    history, settings = session.history, session.settings
    records = history.select(state="UNKNOWN")
    choices = _read_choices(choose or {}, records, history)
    here = [record for record in records if is_at(record, settings) and record.kind != "realtime"]
    for record_id in choices.keys() - {record.id for record in here}:
        raise JobError(f"Job #{record_id} was not sent to where calls go now (`%fal config`): nothing was settled.")
    calls = {record.id: lost_call(record, history) for record in here}
    named = {record.id: choices.get(record.id) or record.request_id for record in here}
    open_calls = [calls[record_id] for record_id, request_id in named.items() if request_id is None]
    asked = [(calls[record_id], request_id) for record_id, request_id in named.items() if request_id is not None]
    lists = session.ask(lambda client: read_lists(client, open_calls, asked))
    known = history.settling.known_requests(request.request_id for request in lists.requests)
    place = (settings.backend, settings.hosts.base)
    taken = {*known, *(request_id for _, request_id in asked)}
    matching = match(open_calls, lists.requests, taken, place, incomplete=lists.incomplete)
    findings = [
        *(_by_id(record, request_id, lists, choices) for record in here if (request_id := named[record.id])),
        *(
            _Finding(record, matching.pairs[record.id].request_id, "same arguments", matching.pairs[record.id])
            for record in here
            if record.id in matching.pairs
        ),
    ]
    settled, failed = _settle(session, findings, calls)
    return Reconciliation(
        tuple(settled),
        _ties(matching, here, lists),
        tuple(_unknown(records, settled, matching, failed, calls, lists)),
        lists.trouble,
    )


def lost_call(record: Record, history: HistoryStore) -> LostCall:
    """Return an unknown record as what the list is searched for."""
    steps = history.steps(record.id)
    sending = "SUBMITTING" if record.kind == "queue" else "RUNNING"
    began = next((step.at for step in reversed(steps) if step.state == sending and step.note is None), record.created)
    ended = next((step.at for step in steps if step.state == "UNKNOWN" and step.at >= began), began)
    options = record.options or {}
    parts = [part for part in str(options.get("path") or "").split("/") if part]
    path = "/".join(parts[:-1] if parts[-1:] == ["stream"] else parts)
    endpoints = {record.endpoint, f"{record.endpoint}/{path}" if path else record.endpoint}
    stores = options.get("store_io")
    return LostCall(
        record.id,
        frozenset(endpoints),
        (record.backend, record.base_url),
        record.arguments,
        began,
        ended,
        stores if isinstance(stores, bool) else None,
    )


def _read_choices(choose: Choices, records: Sequence[Record], history: HistoryStore) -> dict[int, str]:
    """Return record number → request id for what a person chose, checked.

    Raises
    ------
    JobError
        Where a choice cannot be.
    """
    unknown = {record.id for record in records}
    choices: dict[int, str] = {}
    for word, chosen in choose.items():
        request_id = str(chosen)
        found = None if isinstance(word, Job) else _NUMBER.fullmatch(str(word).strip())
        record_id = word.record_id if isinstance(word, Job) else int(found[1]) if found else None
        if record_id is None:
            raise JobError(f"{str(word)[:60]!r} is no job's number: nothing was settled.")
        if record_id not in unknown:
            raise JobError(f"Job #{record_id} is not unknown, so that there is nothing to choose: nothing was settled.")
        if not _REQUEST_ID.fullmatch(request_id):
            raise JobError(f"{request_id[:60]!r} is no request id: nothing was settled.")
        if request_id in choices.values():
            raise JobError(f"Request {request_id} was chosen twice: nothing was settled.")
        choices[record_id] = request_id
    for request_id, holder in history.settling.known_requests(choices.values()).items():
        if choices.get(holder) != request_id:
            raise JobError(f"Request {request_id} is that of job #{holder} already: nothing was settled.")
    return choices


async def read_lists(client: AsyncClient, calls: Sequence[LostCall], asked: Sequence[tuple[LostCall, str]]) -> Lists:
    """Read what may have to do with these calls; what goes wrong is told and not raised."""
    ended = EndedRequests(client.http)
    oldest = time.time() - _REACH_S
    since: dict[str, float] = {}
    for call in calls:
        for endpoint in call.endpoints:
            if call.window[1] > oldest:
                first = max(call.window[0], oldest)
                since[endpoint] = min(since.get(endpoint, first), first)
    requests: list[EndedRequest] = []
    by_id: dict[str, EndedRequest] = {}
    incomplete: set[str] = set()
    try:
        for call, request_id in asked:
            for endpoint in sorted(call.endpoints):
                found = await ended.find(endpoint, request_id=request_id)
                by_id |= {request.request_id: request for request in found.requests}
        for endpoint, start in since.items():
            found = await ended.find(endpoint, start=start)
            requests += found.requests
            if not found.complete:
                incomplete.add(endpoint)
    except FalError as error:
        return Lists(
            by_id=by_id, trouble=f"The account's list of requests cannot be had, so nothing is taken from it: {error}"
        )
    return Lists(tuple(requests), by_id, frozenset(incomplete))


def _by_id(record: Record, request_id: str, lists: Lists, choices: Mapping[int, str]) -> _Finding:
    why = "your choice" if record.id in choices else "its id was known"
    return _Finding(record, request_id, why, lists.by_id.get(request_id))


def _settle(
    session: Session, findings: Sequence[_Finding], calls: Mapping[int, LostCall]
) -> tuple[list[Settled], dict[int, str]]:
    """Ask what became of the requests, write it down, and follow them; return also why some could not be settled.

    Where fal does not say any more, what a webhook delivered of them counts.
    """
    kept = [session.history.deliveries.get(finding.request_id) for finding in findings]
    delivered = {item.request_id: item for item in kept if item is not None and item.payload is not None}

    async def ask(client: AsyncClient) -> list[Changes | str]:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(finding: _Finding) -> Changes | str:
            record, request_id = finding.record, finding.request_id
            try:
                async with gate:
                    found = await outcome_of(client, record, calls[record.id].sent_from, request_id, finding.listed)
                trouble = f"fal knows no request {request_id} of this endpoint"
            except FalError as error:
                found, trouble = None, f"it is request {request_id}, which fal cannot be asked about now: {error}"
            if request_id in delivered and (found is None or found.get("error_type") == "result_gone"):
                return of_delivery(delivered[request_id])
            return found or trouble

        return list(await asyncio.gather(*map(one, findings)))

    settled: list[Settled] = []
    over: list[Job] = []
    failed: dict[int, str] = {}
    for finding, outcome in zip(findings, session.ask(ask) if findings else (), strict=True):
        record_id = finding.record.id
        if isinstance(outcome, str):
            failed[record_id] = outcome
        elif session.history.settling.settle(
            record_id, finding.request_id, outcome | {"owner": session.owner}, _story(finding)
        ):
            if finding.request_id in delivered:
                session.history.deliveries.give_to(finding.request_id, record_id)
            job = session.take_up(record_id)
            settled.append(Settled(job, finding.record.prompt or "", finding.request_id, finding.why))
            if outcome["state"] != "QUEUED":
                over.append(job)
        else:
            failed[record_id] = f"another record has request {finding.request_id}, or another kernel was faster"
    _await_files(over)
    return settled, failed


def _story(finding: _Finding) -> str:
    return f"Reconciled: it is request {finding.request_id} ({finding.why})."


def _await_files(jobs: Sequence[Job]) -> None:
    """Wait for the files of requests that have ended, a minute in all; the rest goes on by itself."""
    deadline = time.monotonic() + _FILES_S
    for job in jobs:
        with contextlib.suppress(FalClientTimeoutError):
            job.wait(max(deadline - time.monotonic(), 0.0))


def _ties(matching: Matching, records: Sequence[Record], lists: Lists) -> tuple[TiedCalls, ...]:
    by_id = {record.id: record for record in records}
    return tuple(
        TiedCalls(
            tie.record_ids,
            by_id[tie.record_ids[0]].endpoint,
            by_id[tie.record_ids[0]].prompt or "",
            tie.requests,
            is_partial=len(tie.record_ids) == len(tie.requests) == 1 and bool(lists.incomplete),
        )
        for tie in matching.ties
    )


def _unknown(
    records: Sequence[Record],
    settled: Sequence[Settled],
    matching: Matching,
    failed: Mapping[int, str],
    calls: Mapping[int, LostCall],
    lists: Lists,
) -> list[StillUnknown]:
    done = {item.job.record_id for item in settled} | {job for tie in matching.ties for job in tie.record_ids}
    return [
        StillUnknown(
            record.id,
            record.endpoint,
            record.prompt or "",
            "; ".join(
                filter(None, (failed.get(record.id) or _why_unknown(record, matching, calls, lists), record.note))
            ),
            _next_step(record, matching, calls),
            tuple(matching.candidates.get(record.id, ())),
        )
        for record in records
        if record.id not in done
    ]


def _why_unknown(record: Record, matching: Matching, calls: Mapping[int, LostCall], lists: Lists) -> str:
    call = calls.get(record.id)
    if record.kind == "realtime":
        return "a realtime session, which no list holds"
    if call is None:
        return f"sent to {record.base_url or 'fal.ai'}, and calls go elsewhere now"
    if lists.trouble:
        return "the list could not be read"
    if call.window[1] < time.time() - _REACH_S:
        return "older than the 90 days of fal's list"
    if matching.candidates.get(record.id):
        return "requests of that time are listed without their arguments"
    others = matching.others.get(record.id, 0)
    if others:
        return f"not listed: {others} of that time had other arguments"
    return "not listed, which does not mean that it was not accepted: only ended requests are"


def _next_step(record: Record, matching: Matching, calls: Mapping[int, LostCall]) -> str:
    again = f"`%fal reconcile --send-again #{record.id}`, which may pay twice"
    call = calls.get(record.id)
    if call is None:
        return "connect as it was sent, then reconcile" if record.kind != "realtime" else again
    if matching.candidates.get(record.id):
        return f"`%fal reconcile #{record.id}=REQUEST_ID` if you know it; or {again}"
    if time.time() - call.sent_from < TOLERANCE_S:
        return f"reconcile again once it can have ended; or {again}"
    return f"reconcile again later; or {again}"
