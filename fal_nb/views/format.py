"""Numbers and states in a person's words, the same in every rendering."""

from __future__ import annotations

import math

from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.engine.stalls import Stalled
from fal_nb.states import State
from fal_nb.views.call_line import prompt_in

__all__ = [
    "STATE_COLOURS",
    "STATE_WORDS",
    "age",
    "cancel_words",
    "equal_words",
    "marked",
    "money",
    "prompt_of",
    "seconds",
    "size",
    "stalled_state",
    "stalled_words",
    "summary",
    "waiting",
]

STATE_WORDS: dict[State, str] = {
    "PREPARED": "preparing",
    "SUBMITTING": "sending",
    "QUEUED": "queued",
    "RUNNING": "running",
    "SUCCEEDED": "done",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
    "UNKNOWN": "unknown",
    "SKIPPED": "skipped",
}
STATE_COLOURS: dict[State, str] = {
    "PREPARED": "#8a8f98",
    "SUBMITTING": "#8a8f98",
    "QUEUED": "#b7791f",
    "RUNNING": "#3b7de0",
    "SUCCEEDED": "#2f9e5b",
    "FAILED": "#d6453d",
    "CANCELLED": "#8a8f98",
    "UNKNOWN": "#c05621",
    "SKIPPED": "#8a8f98",
}
"""For marks, which are told apart on white and on near-black. As a text no colour is readable on both, and a twin
cannot know the theme."""

_CANCEL_WORDS = {
    "asked": "cancel sent, waiting for fal",
    "OK": "cancelled while it was queued",
    "CANCELLATION_REQUESTED": "cancel requested; a running endpoint may still finish",
    "ALREADY_COMPLETED": "too late to cancel: it had ended",
    "NOT_FOUND": "fal does not know this request any more",
}


def age(value: float) -> str:
    """Return how long ago something was, in its largest unit: ``40 s``, ``5 min``, ``3 h``, ``12 days``."""
    for size_s, unit in ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min")):
        if value >= 2 * size_s:
            return f"{round(value / size_s)} {unit}"
    return f"{max(0, round(value))} s"


def marked(state: State) -> str:
    """Return the inline style of a text that is about a state: a line of its colour beside it."""
    return f"padding-left:8px;border-left:3px solid {STATE_COLOURS[state]}"


def seconds(value: float | None) -> str:
    """Return ``0.84 s``, ``12.3 s``, ``2 min 05 s`` or ``1 h 02 min``; empty for None."""
    if value is None or not 0 <= value < math.inf:
        return ""
    if value < 9.995:
        return f"{value:.2f} s"
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def money(value: float | None, currency: str | None) -> str:
    """Return ``0.03 USD``, ``0.025 USD``: two decimals, up to four below 1, two digits that count below 0.0001."""
    if value is None or not math.isfinite(value):
        return ""
    amount = abs(value)
    if 0 < amount < 0.0001:
        digits = min(20, 1 - math.floor(math.log10(amount)))
        return f"{value:.{digits}f} {currency or 'USD'}"
    whole, _, part = f"{value:.{4 if amount < 1 else 2}f}".partition(".")
    return f"{whole}.{part.rstrip('0'):0<2} {currency or 'USD'}"


def size(value: int | None) -> str:
    """Return ``12.3 kB``, ``4.0 MB``; empty for None."""
    if value is None:
        return ""
    number = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return ""


def cancel_words(answer: str | None) -> str:
    """Return what fal's answer to a cancel means; empty where none was sent."""
    if answer is None:
        return ""
    return _CANCEL_WORDS.get(answer, f"cancel: {answer}")


def equal_words(snapshot: JobSnapshot) -> str:
    """Return what there is to say of an equal call in the history; empty where there is none."""
    equal = snapshot.equal
    if equal is None:
        return ""
    cost = money(equal.cost, equal.currency)
    if equal.is_answer:
        return f"from history: #{equal.record_id}; nothing was sent{f', it cost {cost} then' if cost else ''}"
    return f"same call as #{equal.record_id}{f', {cost}' if cost else ''}; --memo reuses it"


def stalled_words(stalled: Stalled | None, now: float) -> str:
    """Return that nothing has moved in a job, for how long, and what is usual; empty where it has not stalled."""
    if stalled is None:
        return ""
    still = f"nothing has moved for {_whole_seconds(now - stalled.since)}"
    if stalled.usual_s is None:
        return still
    return f"{still}; 95 of 100 such calls are over within {_whole_seconds(stalled.usual_s)}"


def stalled_state(stalled: Stalled | None) -> list[float | None] | None:
    """Return the same as a page reads it: (since, usual seconds), None where it has not stalled."""
    return None if stalled is None else [stalled.since, stalled.usual_s]


def _whole_seconds(value: float) -> str:
    return f"{max(1, round(value))} s" if value < 59.5 else seconds(value)


def waiting(snapshot: JobSnapshot) -> str:
    """Return what an open job is doing, in a few words."""
    if snapshot.state == "QUEUED":
        return f"position {(snapshot.queue_position or 0) + 1} in the queue"
    if snapshot.state == "RUNNING" and snapshot.steps:
        done, total = snapshot.steps
        return f"step {done} of {total}"
    return ""


def prompt_of(snapshot: JobSnapshot) -> str:
    """Return the text the call was about: its prompt or other text argument; empty where it has none."""
    return prompt_in(snapshot.arguments)


def summary(snapshot: JobSnapshot) -> list[str]:
    """Return the facts of a job's head line after its endpoint: number, backend, times, cost."""
    took = None
    if snapshot.ended is not None:
        took = snapshot.ended - (snapshot.submitted or snapshot.created)
    is_from_history = snapshot.equal is not None and snapshot.equal.is_answer
    cost = "" if is_from_history else money(snapshot.cost, snapshot.currency)
    if not cost and snapshot.estimate is not None and not is_from_history:
        cost = "est. ≤ " + money(snapshot.estimate, snapshot.currency)
    simulated = "simulated" if snapshot.backend == "simulator" else ""
    if simulated and cost:
        cost += ", not billed"
    return [part for part in (f"#{snapshot.record_id}", simulated, seconds(took), cost) if part]
