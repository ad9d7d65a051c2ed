"""Rows of a sweep: from a list of dicts, a DataFrame, or a CSV file; an empty cell is an input left out."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fal_nb.errors import FileError, GrammarError
from fal_nb.sweeps.written import Plain

__all__ = ["read_rows"]

_MOST_ROWS = 100_000


def read_rows(source: Any) -> list[dict[str, Any]]:
    """Return rows as dicts without their empty cells; those of a CSV file as `Plain`, for the schemas to type.

    Parameters
    ----------
    source
        Mappings, a path to a CSV file with a first line of names, or anything with ``to_dict("records")``.

    Raises
    ------
    FileError
        Where the file cannot be read.
    GrammarError
        Where `source` has no rows.
    """
    rows: Any
    if isinstance(source, (str, Path)):
        rows = _from_csv(Path(source).expanduser())
    elif callable(getattr(source, "to_dict", None)) and not isinstance(source, Mapping):
        rows = source.to_dict("records")
    else:
        rows = source
    if not isinstance(rows, Iterable) or isinstance(rows, Mapping):
        raise GrammarError(f"rows: takes a list of objects, a DataFrame or a CSV file, not a {type(source).__name__}.")
    found = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise GrammarError(f"rows: row {number} is no object with a name for each value.")
        if number > _MOST_ROWS:
            raise GrammarError(f"rows: more than {_MOST_ROWS:,} rows.")
        found.append({str(name): value for name, value in row.items() if not _is_empty(value)})
    if not any(found):
        raise GrammarError("rows: there are none.")
    return found


def _from_csv(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows = []
            for row in reader:
                if None in row:
                    raise GrammarError(f"rows: line {reader.line_num} of {path} has more cells than its first line.")
                rows.append({name.strip(): Plain(cell) for name, cell in row.items() if cell and cell.strip()})
                if len(rows) > _MOST_ROWS:
                    break
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise FileError(f"rows: {path} cannot be read as CSV: {reason}.") from None


def _is_empty(value: Any) -> bool:
    """Return whether a cell holds nothing: None, NaN, or a missing value of pandas."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return type(value).__name__ in {"NAType", "NaTType"}
