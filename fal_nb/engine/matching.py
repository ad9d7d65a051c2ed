"""Which listed request is which lost call: pure, and never a guess.

Its invariant: a record gets a request only where each is the only one the other can be. Both have the same endpoint
and equal arguments, fal took the request while the call was being sent, and no other record has it. Whatever leaves
a choice is shown as a tie, and what lists no arguments is shown as a candidate.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from fal_nb.client.ended_requests import EndedRequest
from fal_nb.protocol.status import JSON

__all__ = ["LONGEST_SENDING_S", "TOLERANCE_S", "LostCall", "Matching", "Place", "Tie", "canonical", "match"]

Place: TypeAlias = tuple[str, str | None]
"""Backend and base URL."""

TOLERANCE_S = 120.0
"""How far this machine's clock and fal's may be apart, either way."""

LONGEST_SENDING_S = 900.0
"""No submission is under way for longer, its tries and the pauses between them counted: a record that was found
lying, its kernel dead, says only when sending began."""

_MOST_CANDIDATES = 10
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class LostCall:
    """A call whose answer was lost.

    Attributes
    ----------
    endpoints
        The names it may be listed under.
    place
        Where it was sent.
    sent_from, sent_until
        Between these moments it was being sent: Unix time in seconds, UTC, by this machine's clock.
    stores_payloads
        Whether fal was asked to keep what was sent; None leaves it to the account.
    """

    record_id: int
    endpoints: frozenset[str]
    place: Place
    arguments: JSON
    sent_from: float
    sent_until: float
    stores_payloads: bool | None = None

    @property
    def window(self) -> tuple[float, float]:
        """The moments, by fal's clock, at which fal may have taken it."""
        until = min(max(self.sent_until, self.sent_from), self.sent_from + LONGEST_SENDING_S)
        return self.sent_from - TOLERANCE_S, until + TOLERANCE_S

    def may_be(self, request: EndedRequest) -> bool:
        """Return whether a request was sent to the same endpoint at the right time, as far as the list tells."""
        if request.endpoint not in self.endpoints:
            return False
        first, last = self.window
        if request.sent_at is not None:
            return first <= request.sent_at <= last
        return request.moment is None or request.moment >= first


@dataclass(frozen=True, slots=True)
class Tie:
    """Lost calls and requests that are all equal, so that only a person can say which is which.

    Attributes
    ----------
    record_ids
        In their order.
    requests
        The earliest first.
    """

    record_ids: tuple[int, ...]
    requests: tuple[EndedRequest, ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """What the list says of the lost calls; a call is in one of `pairs`, a tie, or neither.

    Attributes
    ----------
    pairs
        Record number → its request.
    candidates
        Record number → requests of the right time whose arguments are not listed, the nearest first.
    others
        Record number → how many requests of the right time had other arguments.
    """

    pairs: Mapping[int, EndedRequest] = field(default_factory=dict)
    ties: tuple[Tie, ...] = ()
    candidates: Mapping[int, tuple[EndedRequest, ...]] = field(default_factory=dict)
    others: Mapping[int, int] = field(default_factory=dict)


def match(
    calls: Iterable[LostCall],
    listed: Iterable[EndedRequest],
    known: Collection[str],
    place: Place,
    *,
    incomplete: Collection[str] = (),
) -> Matching:
    """Return which request is which call.

    Parameters
    ----------
    known
        Request ids that the ledger has already.
    place
        Where the list is from: calls sent elsewhere are none of its requests.
    incomplete
        Endpoints whose list was not read to its end: what is missing might be the twin of what is there, so that
        nothing of them is taken.
    """
    here = sorted((call for call in calls if call.place == place), key=lambda call: call.record_id)
    free = _distinct(listed, known)
    pairs: dict[int, EndedRequest] = {}
    ties: list[Tie] = []
    for records, requests in _groups(here, free):
        if len(records) == len(requests) == 1 and requests[0].endpoint not in incomplete:
            pairs[records[0].record_id] = requests[0]
        else:
            ties.append(Tie(tuple(call.record_id for call in records), tuple(sorted(requests, key=_by_time))))
    settled = pairs.keys() | {record_id for tie in ties for record_id in tie.record_ids}
    candidates: dict[int, tuple[EndedRequest, ...]] = {}
    others: dict[int, int] = {}
    for call in here:
        if call.record_id in settled:
            continue
        near = [request for request in free if call.may_be(request)]
        bare = [request for request in near if not _is_comparable(request)]
        candidates[call.record_id] = _nearest(call, bare)
        others[call.record_id] = len(near) - len(bare)
    return Matching(pairs, tuple(ties), candidates, others)


def canonical(value: JSON) -> str | None:
    """Return a text that is the same for equal JSON, or None for what nests too deeply to be compared.

    The order of names does not count, and a whole number is the same with and without its ``.0``, which servers
    add and drop; true is not 1.
    """
    try:
        return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))
    except (RecursionError, TypeError, ValueError):
        return None


def _plain(value: JSON) -> JSON:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def _distinct(listed: Iterable[EndedRequest], known: Collection[str]) -> list[EndedRequest]:
    """Return each request once that no record has."""
    taken = set(known)
    found: list[EndedRequest] = []
    for request in listed:
        if request.request_id not in taken:
            taken.add(request.request_id)
            found.append(request)
    return found


def _is_comparable(request: EndedRequest) -> bool:
    """Return whether the list says enough of a request to take it for a call."""
    return request.arguments is not None and request.sent_at is not None


def _groups(calls: Sequence[LostCall], free: Sequence[EndedRequest]) -> list[tuple[list[LostCall], list[EndedRequest]]]:
    """Return the calls and requests that hang together: equal arguments, and each may be one of the other side."""
    by_arguments: dict[str | None, list[EndedRequest]] = {}
    wanted = {call.record_id: canonical(call.arguments) for call in calls if call.stores_payloads is not False}
    for request in free:
        if _is_comparable(request):
            by_arguments.setdefault(canonical(request.arguments), []).append(request)
    edges = {
        call.record_id: [
            request.request_id for request in by_arguments.get(wanted[call.record_id], ()) if call.may_be(request)
        ]
        for call in calls
        if wanted.get(call.record_id) is not None
    }
    call_of = {call.record_id: call for call in calls}
    request_of = {request.request_id: request for request in free}
    return [
        ([call_of[record_id] for record_id in records], [request_of[request_id] for request_id in requests])
        for records, requests in _components(edges)
    ]


def _components(edges: Mapping[int, Sequence[str]]) -> list[tuple[list[int], list[str]]]:
    """Return the connected parts of a graph between records and requests; records without a request are in none."""
    asked_by: dict[str, list[int]] = {}
    for record_id, requests in edges.items():
        for request_id in requests:
            asked_by.setdefault(request_id, []).append(record_id)
    seen: set[int] = set()
    parts: list[tuple[list[int], list[str]]] = []
    for first, its_requests in edges.items():
        if first in seen or not its_requests:
            continue
        records: list[int] = []
        part: dict[str, None] = {}
        ahead = [first]
        seen.add(first)
        while ahead:
            record_id = ahead.pop()
            records.append(record_id)
            for request_id in edges[record_id]:
                if request_id not in part:
                    part[request_id] = None
                    ahead += [other for other in asked_by[request_id] if other not in seen]
                    seen.update(asked_by[request_id])
        parts.append((sorted(records), list(part)))
    return parts


def _by_time(request: EndedRequest) -> tuple[float, str]:
    return request.moment or 0.0, request.request_id


def _nearest(call: LostCall, requests: Iterable[EndedRequest]) -> tuple[EndedRequest, ...]:
    """Return the requests nearest to a call in time, at most ten."""

    def distance(request: EndedRequest) -> tuple[float, str]:
        moment = request.moment
        return (float("inf") if moment is None else abs(moment - call.sent_from)), request.request_id

    return tuple(sorted(requests, key=distance)[:_MOST_CANDIDATES])
