"""Which records the rows of a DataFrame stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fal_nb.errors import HistoryError
from fal_nb.templates.mistakes import nearest, shorten

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_columns", "record_ids"]

_NAME = "record"


def record_ids(frame: pd.DataFrame) -> list[int | None]:
    """Return the record number of each row, None where a row has none: from the index or the column ``record``.

    Raises
    ------
    HistoryError
        Where the frame has neither.
    """
    import pandas as pd  # noqa: PLC0415 - there already, for whoever has a frame

    if _NAME in frame.columns:
        values: Sequence[object] = list(frame[_NAME])
    elif _NAME in frame.index.names:
        values = list(frame.index.get_level_values(_NAME))
    else:
        raise HistoryError(
            "This frame has no record numbers, neither as index nor as a column called record: begin with "
            "fal.history() or sweep.frame() and keep that index (reset_index() makes it a column)."
        )
    try:
        return [None if pd.isna(value) else int(value) for value in values]  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise HistoryError("record holds something else than record numbers.") from None


def check_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse columns that the frame does not have, with the nearest ones it has.

    Raises
    ------
    HistoryError
        For the first of them.
    """
    have = [str(column) for column in frame.columns]
    for name in names:
        if name not in have:
            near = nearest(name, have)
            hint = f"did you mean {shorten(near)}?" if near else f"it has {', '.join(map(shorten, have[:12]))}."
            raise HistoryError(f"There is no column {shorten(name)} in this frame: {hint}")
