"""``df.fal.pivot``: calls laid out by some of their columns, with one number, or one picture, for each place.

pandas has pivots; what it has not are rows and columns of lists and objects, and pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from fal_nb.errors import HistoryError
from fal_nb.frames.axes import Points, is_number, plain_value, points_of
from fal_nb.frames.rows import check_columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HOWS", "How", "newest_rows", "numbers_of"]

How = Literal["mean", "median", "min", "max", "sum", "count"]
HOWS = ("mean", "median", "min", "max", "sum", "count")


def numbers_of(frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], values: str, how: str) -> pd.DataFrame:
    """Return one number for each combination of the values of some columns.

    Raises
    ------
    HistoryError
        For a column that is not there, one without numbers, or another `how` than those of `HOWS`.
    """
    if how not in HOWS:
        raise HistoryError(f"Several calls at one place come to one number by {', '.join(HOWS)}; {how!r} is none.")
    check_columns(frame, [values])
    numbers = [plain_value(value) for value in frame[values]]
    if how != "count" and not any(is_number(number) for number in numbers):
        raise HistoryError(f"There are no numbers in {values}: name a column that has some, or count with how='count'.")
    if how == "count":
        column = [None if number is None else 1.0 for number in numbers]
    else:
        column = [float(number) if is_number(number) else None for number in numbers]
    return _laid_out(frame, rows, columns, column, how)


def newest_rows(frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], fit: Sequence[bool]) -> pd.DataFrame:
    """Return for each combination the place of the last row that fits, which is the newest call; -1 where none does."""
    places = [float(at) if is_fit else None for at, is_fit in enumerate(fit)]
    return _laid_out(frame, rows, columns, places, "max").fillna(-1).astype("int64")


def _laid_out(
    frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], numbers: list[float | None], how: str
) -> pd.DataFrame:
    import numpy as np  # noqa: PLC0415 - comes with pandas
    import pandas as pd  # noqa: PLC0415 - there already, for whoever has a frame

    check_columns(frame, [*rows, *columns])
    if not rows or not columns:
        raise HistoryError("A pivot has at least one column for its rows and one for its columns.")
    if set(rows) & set(columns):
        raise HistoryError(f"{', '.join(sorted(set(rows) & set(columns)))} cannot be rows and columns at once.")
    axes = {name: points_of(frame[name]) for name in (*rows, *columns)}
    keys = [pd.Series(axis.places, name=f"{at}") for at, axis in enumerate(axes.values())]
    grouped = pd.Series(np.array(numbers, dtype="float64")).groupby(keys)
    table = (grouped.sum(min_count=1) if how == "sum" else grouped.agg(how)).unstack(list(range(len(rows), len(keys))))  # noqa: PD010 - places, not values
    table = table.sort_index(axis=0).sort_index(axis=1)
    table.index = _index(table.index, rows, axes)
    table.columns = _index(table.columns, columns, axes)
    return table


def _index(index: pd.Index[Any], names: Sequence[str], axes: dict[str, Points]) -> pd.Index[Any]:
    """Return the index with values in the place of their numbers; labels where pandas could not hold the values."""
    import pandas as pd  # noqa: PLC0415 - as above

    levels: list[list[Any]] = []
    for at, name in enumerate(names):
        axis = axes[name]
        is_whole = all(isinstance(value, (str, bool, int, float)) for value in axis.points)
        words = axis.points if is_whole else axis.labels
        levels.append([words[place] for place in index.get_level_values(at)])
    if len(names) == 1:
        single: pd.Index[Any] = pd.Index(levels[0], name=names[0])
        return single
    return pd.MultiIndex.from_arrays(levels, names=list(names))
