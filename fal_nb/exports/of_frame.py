"""``export_frame``: any DataFrame as a table: a history, what was filtered from it, a pivot of it.

JSON and Parquet hold its values exactly, CSV as a spreadsheet may show them; a moment is ISO 8601 wherever it is text.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.exports.files import Staged
from fal_nb.exports.progress import Progress
from fal_nb.exports.tables import Columns, write_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["export_frame", "frame_columns"]

_MOST_DEPTH = 50


def export_frame(
    frame: pd.DataFrame,
    target: Path,
    suffix: str,
    *,
    overwrite: bool = False,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> list[Path]:
    """Write a frame and return the file; `suffix` is one of `TABLES`.

    Raises
    ------
    FileError
        Where a file is there already or cannot be written, or Parquet is wanted and pyarrow is not installed.
    """
    progress = Progress(on_progress)
    with Staged(overwrite=overwrite) as staged:
        temp_path = staged.path_for(target)
        progress.begin(1, "table")
        write_table(frame_columns(frame, has_types=suffix == ".parquet"), temp_path, suffix)
        progress.step()
    return [target]


def frame_columns(frame: pd.DataFrame, *, has_types: bool = False) -> Columns:
    """Return a frame's index, where it has a name or says something, and its columns as plain data.

    Parameters
    ----------
    has_types
        Whether moments and numbers that JSON does not know stay what they are; else they are texts.
    """
    import pandas as pd  # noqa: PLC0415 - there already, for whoever has a frame

    named: list[tuple[Any, Any]] = []
    if not (isinstance(frame.index, pd.RangeIndex) and frame.index.name is None):
        levels = range(frame.index.nlevels)
        named = [(frame.index.names[at] or _unnamed(at), frame.index.get_level_values(at)) for at in levels]
    named += [(name, frame.iloc[:, at]) for at, name in enumerate(frame.columns)]
    columns: dict[str, list[Any]] = {}
    for name, values in named:
        columns[_free(_name(name), columns)] = _values(values, has_types=has_types)
    return Columns(columns, len(frame))


def _unnamed(level: int) -> str:
    return "index" if level == 0 else f"index_{level + 1}"


def _name(name: Any) -> str:
    """Return a column's name as text; one of several parts, as a pivot has them, with all of them."""
    return " · ".join(str(part) for part in name if part != "") if isinstance(name, tuple) else str(name)


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """Return a name that is not taken: pandas lets two columns have one."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free


def _values(column: Any, *, has_types: bool) -> list[Any]:
    if column.dtype.kind in "iub" and not hasattr(column.dtype, "na_value"):
        whole: list[Any] = column.tolist()
        return whole
    return [_plain(value, has_types=has_types) for value in column.tolist()]


def _plain(value: Any, depth: int = 0, *, has_types: bool = False) -> Any:
    """Return a value as JSON holds it; what pandas has for "none" as None."""
    if isinstance(value, float):
        return None if math.isnan(value) else value if has_types or math.isfinite(value) else str(value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return str(value) if depth >= _MOST_DEPTH else _plain_object(value, depth, has_types=has_types)


def _plain_object(value: Any, depth: int, *, has_types: bool) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(inner, depth + 1) for inner in value]
    if repr(value) in {"<NA>", "NaT"}:
        return None
    if isinstance(value, dt.datetime):
        moment = value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
        return moment if has_types else moment.isoformat()
    if hasattr(value, "tolist"):  # of numpy: a number, or an array
        return _plain(value.tolist(), depth + 1, has_types=has_types)
    return str(value)
