"""The jobs monitor: all open work of all kernels in, cancels out. Rows are few and short, whatever is open."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from fal_nb.engine.open_work import MOST_ROWS, OpenRow, WorkMoment
from fal_nb.plain import one_line
from fal_nb.states import FINAL_STATES
from fal_nb.views.format import stalled_state
from fal_nb.views.monitor_twin import monitor_html, monitor_text
from fal_nb.views.view import View

if TYPE_CHECKING:
    from anywidget import AnyWidget

    from fal_nb.ledger.budgets import Spending

__all__ = ["MonitorView", "Work"]

_NAME_CHARS = 120
_WORDS_CHARS = 300


class Work(Protocol):
    """What a monitor needs of the open work; `moment` is for any thread, the rest for the loop's."""

    @property
    def moment(self) -> WorkMoment:
        """The newest moment."""

    def observe(self, observer: Callable[[WorkMoment], None]) -> None:
        """Call the observer with each new moment."""

    def unobserve(self, observer: Callable[[WorkMoment], None]) -> None:
        """Stop calling the observer."""

    def cancel(self, record_id: int) -> None:
        """Ask fal to stop a call."""

    def keep_waiting(self, record_id: int) -> None:
        """Say for a while no more that a call has stalled."""


class MonitorView(View):
    """All open work as it is seen in a cell.

    Parameters
    ----------
    post
        Has a function called on the loop's thread.
    limit
        Most rows shown.
    """

    name: ClassVar[str] = "monitor"
    sends_deltas: ClassVar[bool] = True

    def __init__(self, work: Work, post: Callable[..., None], limit: int | None = None) -> None:
        super().__init__()
        self._work = work
        self._post_to_loop = post
        self._limit = MOST_ROWS if limit is None else max(0, min(limit, MOST_ROWS))
        self._moment = work.moment
        self._is_following = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing is open just now; it comes alive again with the next call."""
        return not self._moment.open_count

    def follow(self) -> None:
        """Be kept up to date from now on; any thread."""
        if not self._is_following:
            self._is_following = True
            self._post_to_loop(self._work.observe, self._observe)

    def close(self) -> None:
        """Stop following; on the loop's thread."""
        super().close()
        self._work.unobserve(self._observe)

    @property
    def widget(self) -> AnyWidget:
        """The monitor as a widget, which follows from then on."""
        self.follow()
        return super().widget

    def state(self) -> dict[str, Any]:
        """Return what the page needs: one key a place in the table, so that a tick brings only the rows that moved."""
        moment = self._moment
        rows = moment.rows[: self._limit]
        state: dict[str, Any] = {
            "view": self.id,
            "count": len(rows),
            "counts": {name: count for name, count in moment.counts.items() if count},
            "more": moment.open_count - sum(row.state not in FINAL_STATES for row in rows),
            "left_alone": sum(row.whose == "nobody" for row in rows),
            "spending": [_spending(spending) for spending in moment.spending.values()],
            "paused_until": moment.paused_until,
            "held_back": moment.held_back,
            "trouble": None if moment.trouble is None else one_line(moment.trouble, _WORDS_CHARS),
        }
        return state | {f"r{place}": _row(row) for place, row in enumerate(rows)}

    def twin(self) -> str:
        """Return the table as static HTML, as of now."""
        return monitor_html(self._moment, self._limit)

    def text(self) -> str:
        """Return the table as plain text, as of now."""
        return monitor_text(self._moment, self._limit)

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in a click on one of the rows that are shown; anything else is ignored."""
        record_id = content.get("record_id")
        if not isinstance(record_id, int) or isinstance(record_id, bool):
            return
        row = next((row for row in self._moment.rows[: self._limit] if row.record_id == record_id), None)
        if row is None:
            return
        if content.get("kind") == "cancel" and row.can_cancel:
            self._work.cancel(record_id)
        elif content.get("kind") == "keep-waiting" and row.stalled is not None:
            self._work.keep_waiting(record_id)

    def _observe(self, moment: WorkMoment) -> None:
        was_settled, self._moment = self.is_settled, moment
        self._changed(settled=self.is_settled and not was_settled)


def _row(row: OpenRow) -> dict[str, Any]:
    return {
        "record_id": row.record_id,
        "endpoint": one_line(row.endpoint, _NAME_CHARS),
        "backend": one_line(row.backend, 20),
        "state": row.state,
        "whose": row.whose,
        "since": row.submitted or row.created,
        "started": row.started,
        "ended": row.ended,
        "queue_position": row.queue_position,
        "progress": _number(row.progress),
        "steps": list(row.steps) if row.steps else None,
        "expected_s": _number(row.expected_s),
        "estimate": _number(row.estimate),
        "cost": _number(row.cost),
        "currency": None if row.currency is None else one_line(row.currency, 10),
        "cancel": None if row.cancel is None else one_line(row.cancel, 60),
        "can_cancel": row.can_cancel,
        "stalled": stalled_state(row.stalled),
    }


def _spending(spending: Spending) -> dict[str, Any]:
    return {
        "scope": spending.scope,
        "spent": _number(spending.spent),
        "reserved": _number(spending.reserved),
        "budget": _number(spending.budget),
        "left": _number(spending.left),
        "stopped_by": spending.stopped_by,
    }


def _number(value: float | None) -> float | None:
    """Return a number with six digits that count; None for what JSON cannot hold."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
