"""Which calls of a frame no other beats in two numbers: none is as good in both and better in one. Ties stay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fal_nb.errors import HistoryError
from fal_nb.frames.axes import is_number, plain_value
from fal_nb.frames.rows import check_columns
from fal_nb.plain import one_line

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.views.pareto_look import Better

__all__ = ["Front", "front_of", "kind_of", "unbeaten"]

_MONEY = frozenset({"cost", "estimate"})
_LOW_IS_GOOD = frozenset({"bits", "queue_position", "artifacts"})
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Front:
    """What was found out about each row.

    Attributes
    ----------
    x, y
        The numbers; None where a row has none.
    is_best
        Whether a row is on the front; None where it lacks a number.
    told
        Which rows lack one, a line a column.
    """

    x: list[float | None]
    y: list[float | None]
    is_best: list[bool | None]
    better: tuple[Better, Better]
    told: tuple[str, ...]


def front_of(frame: pd.DataFrame, names: tuple[str, str], better: tuple[Better | None, Better | None]) -> Front:
    """Return the front of a frame's rows.

    Parameters
    ----------
    names
        The two columns.
    better
        Which end of each is good; None is low for money and seconds, high for all else.

    Raises
    ------
    HistoryError
        For a column that is not there or has no numbers, the same one twice, another word for an end, or where no row
        has both numbers.
    """
    check_columns(frame, names)
    if names[0] == names[1]:
        raise HistoryError(f"{one_line(names[0], 60)} against itself shows nothing: name two columns.")
    columns = [_numbers(frame, name) for name in names]
    ends = tuple(_end(name, word) for name, word in zip(names, better, strict=True))
    both = [(x, y) if x is not None and y is not None else None for x, y in zip(*columns, strict=True)]
    told = tuple(
        _missing(sum(value is None for value in column), len(column), name)
        for name, column in zip(names, columns, strict=True)
        if None in column
    )
    if not any(both):
        raise HistoryError(f"No call here has both {one_line(names[0], 60)} and {one_line(names[1], 60)}: {told[-1]}.")
    signs = [1.0 if end == "low" else -1.0 for end in ends]
    found = unbeaten([pair and (signs[0] * pair[0], signs[1] * pair[1]) for pair in both])
    return Front(columns[0], columns[1], found, (ends[0], ends[1]), told)


def unbeaten(pairs: Sequence[tuple[float, float] | None]) -> list[bool | None]:
    """Return for each pair whether no other is at most as large in both and smaller in one; None stays None."""
    known = sorted((pair, at) for at, pair in enumerate(pairs) if pair is not None)
    found: list[bool | None] = [None] * len(pairs)
    least = math.inf  # the smallest second number of all whose first one is smaller
    group_x, group_y = math.nan, math.inf
    for (x, y), at in known:
        if x != group_x:
            least = min(least, group_y)
            group_x, group_y = x, y  # the first of a group has the smallest second number
        found[at] = y == group_y and y < least
    return found


def kind_of(name: str) -> Literal["money", "seconds", "number"]:
    """Return what the numbers of a column are."""
    if name in _MONEY:
        return "money"
    return "seconds" if name.endswith("_s") else "number"


def _end(name: str, word: Better | None) -> Better:
    if word is None:
        return "low" if kind_of(name) != "number" or name in _LOW_IS_GOOD else "high"
    if word not in ("low", "high"):
        raise HistoryError(f"The good end of {one_line(name, 60)} is 'low' or 'high', not {word!r:.40}.")
    return word


def _numbers(frame: pd.DataFrame, name: str) -> list[float | None]:
    values = [plain_value(value) for value in frame[name]]
    numbers = [float(value) if is_number(value) and math.isfinite(float(value)) else None for value in values]
    if frame.empty or any(number is not None for number in numbers):
        return numbers
    others = [str(column) for column in frame.columns if frame[column].dtype.kind in "iuf"]
    have = ", ".join(one_line(each, 40) for each in others[:_SHOWN]) or "none"
    why = "no call has one yet" if all(value is None for value in values) else "it holds something else"
    raise HistoryError(f"There are no numbers in {one_line(name, 60)}: {why}. Columns of numbers here: {have}.")


def _missing(count: int, of: int, name: str) -> str:
    calls = "the one call has" if of == 1 else f"{count:,} of {of:,} calls {'has' if count == 1 else 'have'}"
    return f"{calls} no {one_line(name, 60)}"
