"""What a plan will come to, before anything is sent: calls, money, time, the board, the size of a contact sheet."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fal_nb.sweeps.arrange import Arrangement, default_arrangement
from fal_nb.sweeps.cells import Cell, Cells
from fal_nb.sweeps.plan import Dimension
from fal_nb.sweeps.sheet import Sheet, plan_sheet

__all__ = ["IsKnown", "Outlook", "PriceOf", "SecondsOf", "look_ahead"]

PriceOf: TypeAlias = Callable[[str, Mapping[str, Any]], tuple[float, float | None]]
"""(endpoint, arguments) → (low, high) in one currency; high is None where nothing bounds it."""
IsKnown: TypeAlias = Callable[[Cell], bool]
"""Whether a cell's result is in the history already, so that it is not called."""
SecondsOf: TypeAlias = Callable[[str], Sequence[float]]
"""Endpoint → how long its past calls took, in seconds, from sending to result."""


@dataclass(frozen=True)
class Outlook:
    """What a plan will come to.

    Attributes
    ----------
    combinations, skipped, repeated
        What the plan multiplies to; left out by rules; the same call as another.
    known
        Cells whose result is there already: nothing is sent for them.
    calls
        What is to be sent: cells that are not known.
    per_endpoint
        Endpoint → its calls.
    low, high
        Money for all calls whose price is known; `high` is None where none of them has one that is bounded.
    unpriced
        Calls whose price nothing bounds.
    seconds
        How long it will take with `window` calls at once, or None where no endpoint was called before.
    untimed
        Calls of endpoints never called before, which `seconds` takes to be like the others.
    """

    combinations: int
    skipped: int
    repeated: int
    known: int
    calls: int
    per_endpoint: Mapping[str, int]
    low: float
    high: float | None
    unpriced: int
    currency: str
    window: int
    seconds: float | None
    untimed: int
    dimensions: tuple[Dimension, ...]
    arrangement: Arrangement
    sheet: Sheet
    notes: tuple[str, ...] = ()

    @property
    def cells(self) -> int:
        """Results there will be: calls and known ones."""
        return self.calls + self.known

    @property
    def unpriced_share(self) -> float:
        """Share of the calls whose price nothing bounds, 0 to 1."""
        return self.unpriced / self.calls if self.calls else 0.0

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What it comes to in words: (axes, calls, price, time, board, sheet or note; what there is to say)."""
        return [
            ("axes", self._axes()),
            ("calls", self._calls()),
            ("price", self._price()),
            ("time", self._time()),
            ("board", self._board()),
            ("sheet", str(self.sheet)),
            *(("note", note) for note in self.notes),
        ]

    def __str__(self) -> str:
        return "\n".join(f"{name:<6} {text}" for name, text in self.lines)

    def _axes(self) -> str:
        shown = " × ".join(f"{one.name} {len(one)}" for one in self.dimensions)
        return f"{shown or 'none'} = {self.combinations:,} combination{'s' if self.combinations != 1 else ''}"

    def _calls(self) -> str:
        parts = [f"{self.calls:,} to send"]
        if len(self.per_endpoint) > 1:
            parts[0] += f" ({', '.join(f'{name} {count:,}' for name, count in self.per_endpoint.items())})"
        counts = ((self.known, "known already"), (self.skipped, "skipped by rules"), (self.repeated, "the same call"))
        return ", ".join([*parts, *(f"{count:,} {what}" for count, what in counts if count)])

    def _price(self) -> str:
        if not self.calls:
            return "nothing to pay"
        if self.high is None:
            return "unpriced: nothing bounds what it may cost"
        amount = _money(self.high) if self.low == self.high else f"{_money(self.low)}–{_money(self.high)}"
        share = f", and {self.unpriced:,} calls ({self.unpriced_share:.0%}) unpriced" if self.unpriced else ""
        return f"{amount} {self.currency}{share}"

    def _time(self) -> str:
        at_once = f"{self.window} at once"
        if not self.calls:
            return "none"
        if self.seconds is None:
            return f"unknown, {at_once}: no past calls to go by"
        guessed = f", {self.untimed:,} calls guessed" if self.untimed else ""
        return f"about {_duration(self.seconds)}, {at_once}{guessed}"

    def _board(self) -> str:
        parts = [("rows", self.arrangement.rows), ("columns", self.arrangement.columns)]
        parts += [("super-rows", self.arrangement.super_rows), ("super-columns", self.arrangement.super_columns)]
        shown = [f"{name} on {role}" for role, name in parts if name is not None]
        shown += [f"{name} to pick" for name in self.arrangement.pickers]
        return ", ".join(shown) or "one cell"


def look_ahead(
    cells: Cells,
    *,
    price: PriceOf | None = None,
    is_known: IsKnown | None = None,
    seconds: SecondsOf | None = None,
    window: int = 4,
    arrangement: Arrangement | None = None,
    notes: Sequence[str] = (),
) -> Outlook:
    """Return what a plan will come to; asks for the price of every call, sends nothing.

    Parameters
    ----------
    window
        Calls at once.
    arrangement
        Of the board; the default one, where it is None.
    """
    tally = _Tally(price, is_known)
    for step in cells.walk():
        if step.key is None:
            tally.skipped += 1
        elif step.cell is not None:
            tally.add(step.cell)
    arranged = arrangement or default_arrangement(cells.dimensions)
    past = {endpoint: list(seconds(endpoint)) if seconds else [] for endpoint in tally.per_endpoint}
    took, untimed = _time_of(tally.per_endpoint, past, window)
    calls = tally.per_endpoint.total()
    return Outlook(
        combinations=cells.plan.combinations,
        skipped=tally.skipped,
        repeated=cells.plan.combinations - tally.skipped - calls - tally.known,
        known=tally.known,
        calls=calls,
        per_endpoint=dict(tally.per_endpoint),
        low=math.fsum(tally.lows),
        high=math.fsum(tally.highs) if tally.highs or not calls else None,
        unpriced=tally.unpriced,
        currency="USD",
        window=window,
        seconds=took,
        untimed=untimed,
        dimensions=cells.dimensions,
        arrangement=arranged,
        sheet=plan_sheet(cells.dimensions, arranged),
        notes=tuple(notes),
    )


class _Tally:
    """Counts calls and money."""

    def __init__(self, price: PriceOf | None, is_known: IsKnown | None) -> None:
        self._price = price
        self._is_known = is_known
        self.skipped = 0
        self.known = 0
        self.unpriced = 0
        self.per_endpoint: Counter[str] = Counter()
        self.lows: list[float] = []
        self.highs: list[float] = []

    def add(self, cell: Cell) -> None:
        if self._is_known is not None and self._is_known(cell):
            self.known += 1
            return
        self.per_endpoint[cell.endpoint] += 1
        low, high = self._price(cell.endpoint, cell.arguments) if self._price else (0.0, None)
        if high is None or not math.isfinite(high):
            self.unpriced += 1
        else:
            self.lows.append(low)
            self.highs.append(high)


def _time_of(calls: Mapping[str, int], past: Mapping[str, Sequence[float]], window: int) -> tuple[float | None, int]:
    """Return (seconds with so many at once, calls whose endpoint has no past)."""
    usual = {endpoint: statistics.median(taken) for endpoint, taken in past.items() if taken}
    untimed = sum(count for endpoint, count in calls.items() if endpoint not in usual)
    if not usual:
        return None, untimed
    guess = statistics.median(usual.values())
    work = sum(count * usual.get(endpoint, guess) for endpoint, count in calls.items())
    longest = max((usual.get(endpoint, guess) for endpoint in calls), default=0.0)
    return max(work / max(window, 1), longest), untimed


def _money(amount: float) -> str:
    if amount >= 1 or amount == 0:
        return f"{amount:.2f}"
    exact = f"{amount:.4g}"
    return exact if len(exact) > len("0.1") else f"{amount:.2f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
