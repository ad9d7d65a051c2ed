"""What is seen of calls against two numbers: plain data, and the scale that maps a number to a place on an axis."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fal_nb.plain import one_line
from fal_nb.views.format import seconds

__all__ = ["Axis", "Better", "Point", "Points", "Scale", "scale_of"]

Better = Literal["low", "high"]
"""Which end of an axis is the good one."""

_LOG_FROM = 50
"""Where the largest is so many times the smallest, equal steps are equal factors."""
_LOG_UP_TO = 1e15
_PAD = 0.06
_SAME = 1e-9
"""Numbers that lie closer than this part of themselves are one number and the rounding of floats."""
_TICKS = 5
_STEPS = (1, 2, 2.5, 5, 10)
_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class Scale:
    """From numbers to an axis.

    Attributes
    ----------
    low, high
        The numbers at its ends.
    ticks
        (number, words) of each mark.
    """

    low: float
    high: float
    is_log: bool
    ticks: tuple[tuple[float, str], ...]

    def at(self, number: float) -> float:
        """Return where a number lies, 0 at the low end and 1 at the high one."""
        if self.is_log:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Axis:
    """One of the two numbers.

    Attributes
    ----------
    kind
        How numbers are written: ``money`` (US dollars), ``seconds`` or ``number``.
    """

    name: str
    kind: Literal["money", "seconds", "number"]
    better: Better
    scale: Scale

    @property
    def title(self) -> str:
        """What it says at the axis."""
        unit = {"money": ", USD", "seconds": ", s", "number": ""}[self.kind]
        return f"{one_line(self.name, _NAME_CHARS)}{unit}"

    def words(self, number: float) -> str:
        """Return a number as a person writes it; money to three digits that count, for small sums lie close."""
        if self.kind == "money":
            return f"{_plain(float(f'{number:.3g}'))} USD"
        return seconds(number) if self.kind == "seconds" else _plain(number)

    def told(self, number: float) -> str:
        """Return a number with the name of the axis, where it has no unit to tell what it is."""
        return f"{one_line(self.name, _NAME_CHARS)} {_plain(number)}" if self.kind == "number" else self.words(number)


@dataclass(frozen=True, slots=True)
class Point:
    """One call.

    Attributes
    ----------
    place
        Of its first output among the outputs; None where it has none.
    is_best
        Whether no other call is as good in both numbers and better in one.
    """

    record: int
    x: float
    y: float
    place: int | None
    is_best: bool


@dataclass(frozen=True, slots=True)
class Points:
    """All that are drawn.

    Attributes
    ----------
    points
        By `x`, smallest first.
    count
        How many calls were looked at, those without a number among them.
    told
        A line for each thing that a person should know: which calls have no number, which are not drawn.
    """

    x: Axis
    y: Axis
    points: tuple[Point, ...]
    count: int
    told: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is, in words."""
        return f"{one_line(self.x.name, _NAME_CHARS)} against {one_line(self.y.name, _NAME_CHARS)}"

    @property
    def directions(self) -> str:
        """Which end of each axis is the good one, in words."""
        return ", ".join(f"{'lower' if axis.better == 'low' else 'higher'} {axis.name}" for axis in (self.x, self.y))

    @property
    def best(self) -> list[Point]:
        """Those on the front, by `x`."""
        return [point for point in self.points if point.is_best]

    def steps(self) -> list[tuple[float, float]]:
        """Return the corners of the front's line, 0 to 1 along each axis, from one edge to the other."""
        corners = sorted({(self.x.scale.at(point.x), self.y.scale.at(point.y)) for point in self.best})
        worst = 1.0 if self.y.better == "low" else 0.0
        is_low = self.x.better == "low"
        line: list[tuple[float, float]] = [(corners[0][0], worst) if is_low else (0.0, corners[0][1])]
        for (left, own), (right, its) in itertools.pairwise(corners):
            line += [(left, own), (right, own) if is_low else (left, its)]
        line += [corners[-1], (1.0, corners[-1][1]) if is_low else (corners[-1][0], worst)]
        return line


def scale_of(numbers: Sequence[float]) -> Scale:
    """Return the scale on which some finite numbers lie, at least one."""
    least, most = min(numbers), max(numbers)
    if least > 0 and _LOG_FROM <= most / least < _LOG_UP_TO:
        low, high = least / 1.25, most * 1.25
        return Scale(low, high, is_log=True, ticks=_log_ticks(low, high))
    size = max(abs(least), abs(most))
    room = (most - least) * _PAD if most - least > size * _SAME else size * _PAD or 0.5
    low, high = least - room, most + room
    if least >= 0 > low:
        low = -room / 2 if least == 0 else 0.0
    return Scale(low, high, is_log=False, ticks=_ticks(low, high))


def _ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    wanted = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(wanted))
    step = size * next(each for each in _STEPS if each * size >= wanted * 0.999)
    first = math.ceil(low / step - 1e-9)
    found = [(number * step) for number in range(first, math.floor(high / step + 1e-9) + 1)]
    return tuple((number, _plain(number)) for number in found)


def _log_ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for leads in ((1, 2, 5), (1, 3), (1,)):
        found = [lead * 10.0**power for power in powers for lead in leads]
        found = [number for number in found if low <= number <= high]
        if len(found) <= 2 * _TICKS - 2:
            break
    found = found[:: -(-len(found) // (2 * _TICKS))]
    return tuple((number, _plain(number)) for number in found)


def _plain(number: float) -> str:
    """Return a number without the rounding of floats: up to six digits that count."""
    text = f"{number + 0.0:.6g}"
    whole, dot, part = text.partition(".")
    return f"{int(whole):,}{dot}{part}" if "e" not in text and len(whole) > 5 else text
