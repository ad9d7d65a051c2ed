"""Faults on purpose: which there are, when one applies, and how a header or an admin call asks for it.

A fault acts at one stage: ``before`` an operation is carried out, ``after`` it was (so that it counts, but its
answer is spoilt), on a ``stream``, on the ``job`` itself, or on an attempt to deliver its ``webhook``. The acts are in
``routes.py``, ``runner.py`` and ``webhooks.py``; this module decides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = ["FAULT_HEADER", "FAULT_KINDS", "Fault", "FaultError", "FaultKind", "Faults", "make_fault", "parse_faults"]

FAULT_HEADER = "x-fal-simulator-fault"
Stage: TypeAlias = Literal["before", "after", "stream", "job", "webhook"]
Value: TypeAlias = str | int | float
_CONTROL = frozenset({"on", "times", "after", "endpoint", "each", "mark"})
_CALLS = frozenset({"submit", "run", "stream"})
_LIVE = frozenset({"realtime"})
_WEBHOOK = frozenset({"webhook"})
_TRUE = frozenset({"1", "true", "yes"})


class FaultError(ValueError):
    """A fault that does not exist or is described wrongly; its text is one line for the caller."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind: where it acts, on which operations unless told otherwise, its parameters with their defaults."""

    stage: Stage
    on: frozenset[str]
    summary: str
    parameters: Mapping[str, Value] = field(default_factory=dict)


FAULT_KINDS: dict[str, FaultKind] = {
    "rate-limit": FaultKind("before", _CALLS, "429 concurrent_requests_limit, nothing is started", {"retry_after": ""}),
    "status": FaultKind(
        "before",
        _CALLS,
        "any status with a detail, nothing is started",
        {"status": 408, "detail": "Refused on purpose"},
    ),
    "locked": FaultKind("before", _CALLS, "403, the account has no balance"),
    "unavailable": FaultKind(
        "before", _CALLS, "a 503 of fal itself", {"status": 503, "error_type": "runner_scheduling_failure"}
    ),
    "ingress": FaultKind("before", _CALLS, "an HTML page of the load balancer, nothing is started", {"status": 502}),
    "slow": FaultKind("before", _CALLS, "waits before it carries out the request", {"seconds": 1.0}),
    "reset": FaultKind(
        "before", _CALLS, "connection reset, nothing is started; at = headers, half-body or body", {"at": "body"}
    ),
    "hang-up": FaultKind(
        "before", _CALLS, "connection closed, nothing is started; at = headers, half-body or body", {"at": "body"}
    ),
    "lost-reply": FaultKind("after", _CALLS, "carried out, then closed without an answer"),
    "reset-after": FaultKind("after", _CALLS, "carried out, then reset without an answer"),
    "half-reply": FaultKind("after", _CALLS, "carried out, closed in the middle of the answer"),
    "garbage": FaultKind("after", _CALLS, "carried out, answered with bytes that are no HTTP"),
    "ingress-after": FaultKind("after", _CALLS, "carried out, answered with the load balancer's page", {"status": 504}),
    "content-type": FaultKind(
        "after",
        frozenset({"cdn_get"}),
        "carried out, and answered under another content type",
        {"type": "application/octet-stream"},
    ),
    "no-stream": FaultKind("before", frozenset({"status_stream"}), "status streams are not offered", {"status": 404}),
    "cut-stream": FaultKind(
        "stream", frozenset({"status_stream", "stream"}), "stream reset after some events", {"events": 1}
    ),
    "cut-frame": FaultKind("stream", _LIVE, "connection reset after some realtime outputs", {"events": 1}),
    "close-frame": FaultKind("stream", _LIVE, "closed with a code after some outputs", {"events": 1, "code": 1011}),
    "end-frame": FaultKind("stream", _LIVE, "ended in good order after some outputs", {"events": 1}),
    "fail-frame": FaultKind(
        "stream", _LIVE, "the app fails after some outputs", {"events": 1, "reason": "the brush broke"}
    ),
    "garbage-frame": FaultKind("stream", _LIVE, "one output is bytes that are no msgpack", {"events": 1}),
    "giant-frame": FaultKind("stream", _LIVE, "one output is far too large", {"events": 1, "megabytes": 80.0}),
    "slow-frame": FaultKind("stream", _LIVE, "waits before one output", {"events": 1, "seconds": 1.0}),
    "refuse-token": FaultKind("job", _LIVE, "the token of a realtime connection opens nothing"),
    "fail": FaultKind(
        "job",
        _CALLS,
        "fails with this error type, part of the way through",
        {"error_type": "runner_disconnected", "at": 0.5},
    ),
    "long": FaultKind("job", _CALLS, "takes this long, whatever the speed", {"seconds": 10.0}),
    "ignore-cancel": FaultKind("job", _CALLS, "goes on when it is cancelled while it runs"),
    "requeue": FaultKind(
        "job", frozenset({"submit"}), "its runner is lost once, it goes back to the queue", {"at": 0.5}
    ),
    "webhook-never": FaultKind("webhook", _WEBHOOK, "the attempt is left out"),
    "webhook-late": FaultKind("webhook", _WEBHOOK, "the attempt is made later", {"seconds": 5.0}),
    "webhook-twice": FaultKind("webhook", _WEBHOOK, "the delivery is sent several times at once", {"copies": 2}),
    "webhook-wrong-key": FaultKind("webhook", _WEBHOOK, "signed by a key that is not published"),
    "webhook-changed-body": FaultKind("webhook", _WEBHOOK, "the body is not the one that was signed"),
    "webhook-old": FaultKind("webhook", _WEBHOOK, "signed a while ago", {"seconds": 600.0}),
}
"""All kinds by name."""


@dataclass(slots=True)
class Fault:
    """One fault in force.

    Attributes
    ----------
    on
        Kinds of operation it acts on.
    times
        How often it acts; None for always.
    after
        How many matching operations it lets pass first.
    endpoint
        Acts on this endpoint only; None for any.
    each
        Whether `times` and `after` count for every request id by itself, or for every path where there is none.
    source
        Its text, by which uses of a header are told apart; ``mark=…`` in it makes two of the same kind different.
    """

    name: str
    kind: FaultKind
    on: frozenset[str]
    parameters: Mapping[str, Value]
    times: int | None = None
    after: int = 0
    endpoint: str | None = None
    each: bool = False
    source: str = ""
    seen: Counter[str] = field(default_factory=Counter)

    def number(self, name: str) -> float:
        """Return a parameter as a number."""
        return float(self.parameters[name])

    def text(self, name: str) -> str:
        """Return a parameter as text."""
        return str(self.parameters[name])

    def is_about(self, operation: str, endpoint: str | None) -> bool:
        """Whether it concerns such an operation at all, however often it has acted."""
        return operation in self.on and self.endpoint in {None, endpoint}

    def due(self, seen: int) -> bool:
        """Whether it acts, where `seen` matching operations came before."""
        return seen >= self.after and (self.times is None or seen < self.after + self.times)

    def describe(self) -> dict[str, Any]:
        """Return it as JSON, for the admin."""
        return {
            "kind": self.name,
            "on": sorted(self.on),
            "times": self.times,
            "after": self.after,
            "endpoint": self.endpoint,
            "each": self.each,
            "seen": self.seen.total(),
            **self.parameters,
        }


class Faults:
    """The faults set by the admin, and the count of uses of those asked for by header."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._header_uses: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        """Put a fault in force until it has acted as often as it says."""
        self._set.append(fault)

    def clear(self) -> None:
        """Take all faults back."""
        self._set.clear()
        self._header_uses.clear()

    def describe(self) -> list[dict[str, Any]]:
        """Return those set by the admin."""
        return [fault.describe() for fault in self._set]

    def select(
        self,
        operation: str,
        endpoint: str | None,
        header: Iterable[Fault],
        attached: Iterable[Fault] = (),
        subject: str = "",
    ) -> list[Fault]:
        """Return the faults that act on this operation now, and count it for each that concerns it.

        Parameters
        ----------
        header
            Those the request itself asks for.
        attached
            Those its job was submitted with.
        subject
            What the operation is about: a request id, else a path.
        """
        acting = []
        for fault in header:
            if fault.is_about(operation, endpoint):
                if fault.due(self._header_uses[fault.source]):
                    acting.append(fault)
                self._header_uses[fault.source] += 1
        for fault in (*attached, *self._set):
            if fault.is_about(operation, endpoint):
                about = subject if fault.each else ""
                if fault.due(fault.seen[about]):
                    acting.append(fault)
                fault.seen[about] += 1
        return acting


def parse_faults(text: str) -> list[Fault]:
    """Return the faults a header describes: ``kind; name=value; …``, several separated by commas.

    Raises
    ------
    FaultError
        Where a kind or a parameter does not exist.
    """
    return [_from_text(part) for part in text.split(",") if part.strip()]


def make_fault(name: str, values: Mapping[str, Any], source: str = "") -> Fault:
    """Return a fault from its kind and its values by name, as an admin call gives them.

    Raises
    ------
    FaultError
        Where the kind or a parameter does not exist, or a value is of the wrong type.
    """
    kind = FAULT_KINDS.get(name)
    if kind is None:
        raise FaultError(f"No fault is called {name!r}; there are: {', '.join(sorted(FAULT_KINDS))}.")
    unknown = sorted(set(values) - _CONTROL - set(kind.parameters))
    if unknown:
        allowed = ", ".join(sorted({*_CONTROL, *kind.parameters}))
        raise FaultError(f"The fault {name!r} has no {unknown[0]!r}; it takes: {allowed}.")
    parameters = {key: _typed(name, key, values.get(key, default), default) for key, default in kind.parameters.items()}
    times = values.get("times")
    return Fault(
        name,
        kind,
        on=_operations(values["on"]) if "on" in values else kind.on,
        parameters=parameters,
        times=None if times is None else int(_typed(name, "times", times, 0)),
        after=int(_typed(name, "after", values.get("after", 0), 0)),
        endpoint=values.get("endpoint"),
        each=str(values.get("each", "")).lower() in _TRUE,
        source=source,
    )


def _from_text(part: str) -> Fault:
    name, *pairs = (piece.strip() for piece in part.split(";"))
    values = {}
    for pair in filter(None, pairs):
        key, equals, value = pair.partition("=")
        if not equals:
            raise FaultError(f"In the fault {part.strip()!r}, write name=value instead of {pair!r}.")
        values[key.strip()] = value.strip()
    return make_fault(name, values, " ".join(part.split()))


def _operations(value: Any) -> frozenset[str]:
    return frozenset(re.split(r"[|+ ]+", value) if isinstance(value, str) else map(str, value))


def _typed(name: str, key: str, value: Any, default: Value) -> Value:
    if isinstance(default, str):
        return str(value)
    try:
        return type(default)(value)
    except (TypeError, ValueError):
        raise FaultError(f"The fault {name!r} takes a number as {key!r}, not {value!r}.") from None
