"""Values of a frame's column as the points of an axis: which are the same, in what order, and how each is called."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fal_nb.sweeps.values import canonical, show

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Points", "is_number", "plain_value", "points_of"]

_LABEL_CHARS = 80


@dataclass(frozen=True, slots=True)
class Points:
    """The different values of a column.

    Attributes
    ----------
    points
        Plain values: numbers in order of size and nothing last, where all are numbers; categories of pandas in their
        order; else as they first occur.
    labels
        A text for each.
    places
        For each row which of them it has, 0-based.
    """

    points: tuple[Any, ...]
    labels: tuple[str, ...]
    places: list[int]


def points_of(column: Sequence[Any] | pd.Series[Any]) -> Points:
    """Return the points of a column."""
    plain = [plain_value(value) for value in column]
    keys = [canonical(value) for value in plain]
    firsts = dict(zip(reversed(keys), reversed(plain), strict=True))
    order = list(dict.fromkeys(keys))
    categories = getattr(getattr(column, "dtype", None), "categories", None)
    if categories is not None:
        ranks = {canonical(plain_value(value)): rank for rank, value in enumerate(categories)}
        order.sort(key=lambda key: ranks.get(key, len(ranks)))
    elif all(firsts[key] is None or is_number(firsts[key]) for key in order):
        order.sort(key=lambda key: (firsts[key] is None, firsts[key] or 0))
    places = {key: place for place, key in enumerate(order)}
    labels = tuple("–" if firsts[key] is None else show(firsts[key], _LABEL_CHARS) for key in order)
    return Points(tuple(firsts[key] for key in order), labels, [places[key] for key in keys])


def plain_value(value: Any) -> Any:
    """Return a value of a frame as JSON; what pandas has for "none" as None."""
    if isinstance(value, (list, tuple, dict)):
        return list(value) if isinstance(value, tuple) else value
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    # NaT, NA and None are each unlike anything; a time or another object is shown as the text it has.
    # And comparing NA with itself is an error, so that it is known by its name.
    return None if value is None or repr(value) in {"<NA>", "NaT", "nan"} or value != value else str(value)  # noqa: PLR0124


def is_number(value: Any) -> bool:
    """Return whether a plain value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
