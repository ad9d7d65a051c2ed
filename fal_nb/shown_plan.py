"""``ShownPlan``: a sweep that has not begun as its card sees it: what it would come to, and how it is started once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fal_nb.errors import FalError
from fal_nb.views.board_look import Axis, placement
from fal_nb.views.plan import PlanLook

if TYPE_CHECKING:
    from fal_nb.sweeps.outlook import Outlook
    from fal_nb.sweeps.sweep import Sweep

__all__ = ["ShownPlan"]


class ShownPlan:
    """Satisfies ``PlannedSweep``.

    Parameters
    ----------
    is_told
        Whether the sweep is started by whoever shows the plan, so that it asks nobody.
    when_started
        Called in a thread of its own once a click has started the sweep.
    """

    def __init__(self, sweep: Sweep, *, is_told: bool = False, when_started: Callable[[], None] | None = None) -> None:
        self._sweep = sweep
        self._when_started = when_started
        self._observers: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        look = look_of(sweep, sweep.outlook())
        self._look = replace(look, step="starting") if is_told else look
        sweep.observe(self._changed)

    @property
    def look(self) -> PlanLook:
        """The plan as it is now."""
        return self._look

    def observe(self, observer: Callable[[], None]) -> None:
        """Call the observer after every change, on the loop's thread."""
        self._observers.append(observer)

    def unobserve(self, observer: Callable[[], None]) -> None:
        """Stop calling the observer; the last one to go takes the sweep's along."""
        if observer in self._observers:
            self._observers.remove(observer)
        if not self._observers:
            self._sweep.unobserve(self._changed)

    def start(self) -> None:
        """Run the sweep, once, and return at once."""
        with self._lock:
            if self._look.step != "planned":
                return
            self._look = replace(self._look, step="starting", error=None)
        self._tell()
        self._aside(self._start)

    def _start(self) -> None:
        try:
            self._sweep.run()
        except FalError as error:
            self._become(replace(self._look, step="planned", error=str(error)))
            return
        if self._when_started is not None:
            self._when_started()

    def _changed(self, keys: set[str]) -> None:
        """Take in what the sweep tells: that it has begun, or that its plan was refined; on whatever thread."""
        if self._look.step == "started":
            return
        if self._sweep.has_begun:
            self._become(replace(self._look, step="started", error=None))
        elif keys:
            self._aside(self._plan_again)

    def _plan_again(self) -> None:
        look = look_of(self._sweep, self._sweep.outlook())
        with self._lock:
            if self._look.step != "planned":
                return
        self._become(look)

    def _become(self, look: PlanLook) -> None:
        with self._lock:
            self._look = look
        self._sweep.session.runtime.post(self._tell)

    def _tell(self) -> None:
        for observer in tuple(self._observers):
            observer()

    @staticmethod
    def _aside(work: Callable[[], None]) -> None:
        """Do what reads the history, or a price list, in a thread of its own."""
        threading.Thread(target=work, name="fal-nb-plan", daemon=True).start()


def look_of(sweep: Sweep, outlook: Outlook) -> PlanLook:
    """Return a plan as it is shown."""
    told = [(label, _board(outlook) if label == "board" else words) for label, words in outlook.lines]
    lines = dict(told)
    calls = f"{outlook.calls:,} call{'s' if outlook.calls != 1 else ''}" if outlook.calls else "nothing to send"
    rest = (lines["price"], *([lines["time"]] if outlook.seconds is not None else []))
    figures = (calls, *(rest if outlook.calls else [f"{outlook.known:,} known already"]))
    shown = [(label, words) for label, words in told if label not in {"price", "time"}]
    money = [("price", lines["price"]), *_budget(sweep, outlook), ("time", lines["time"])]
    return PlanLook(
        name=sweep.name,
        endpoint_text=", ".join(sweep.plan.endpoints),
        backend=sweep.session.settings.backend,
        calls=outlook.calls,
        figures=figures,
        lines=(*shown[:2], *money, *shown[2:]),
    )


def _board(outlook: Outlook) -> str:
    """Return where the axes lie at first on the board, in its own words; a contact sheet has room for others."""
    axes = [Axis(name=one.name, labels=("",) * len(one)) for one in outlook.dimensions]
    place = placement(axes)
    parts = [("rows", place.rows), ("columns", place.columns), ("row groups", place.super_rows)]
    parts += [("column groups", place.super_columns)]
    shown = [f"{axes[at].name} on {where}" for where, at in parts if at is not None]
    return ", ".join([*shown, *(f"{axes[at].name} to pick" for at in place.pickers)]) or "one cell"


def _budget(sweep: Sweep, outlook: Outlook) -> list[tuple[str, str]]:
    if sweep.budget is None:
        return []
    words = f"{sweep.budget:.2f} USD over all its runs"
    if outlook.high is not None and outlook.high > sweep.budget:
        words += "; the price may pass it, and what would is not sent"
    if outlook.unpriced and not sweep.allows_unpriced:
        words += "; calls without a price are refused under a budget: --allow-unpriced"
    return [("budget", words)]
