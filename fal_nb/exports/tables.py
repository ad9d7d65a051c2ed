"""Rows as CSV, JSON, JSON lines or Parquet. JSON holds them exactly, CSV as a spreadsheet may show them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from fal_nb.errors import FileError
from fal_nb.plain import plain_text

__all__ = ["TABLES", "Columns", "csv_value", "json_text", "write_table"]

Rows = Sequence[Mapping[str, Any]]

_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n]")
"""Texts that spreadsheets take for a formula, also in full-width characters. Source: OWASP, "CSV Injection"."""
_HALVES = re.compile("[\ud800-\udfff]")


class Columns(Sequence[Mapping[str, Any]]):
    """Rows that are kept a column at a time, so that a hundred thousand of them are no hundred thousand dicts.

    Parameters
    ----------
    columns
        Name → values, all of one length.
    """

    def __init__(self, columns: Mapping[str, list[Any]], count: int) -> None:
        self.columns = columns
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        names = tuple(self.columns)
        return (dict(zip(names, values, strict=True)) for values in zip(*self.columns.values(), strict=True))

    @overload
    def __getitem__(self, at: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, at: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        if isinstance(at, slice):
            return [self[one] for one in range(self._count)[at]]
        return {name: values[at] for name, values in self.columns.items()}


def write_table(rows: Rows, path: Path, suffix: str) -> None:
    """Write rows that all have the same names.

    Parameters
    ----------
    suffix
        One of `TABLES`: what is written, whatever `path` is called.

    Raises
    ------
    FileError
        Where Parquet is wanted and pyarrow is not installed.
    OSError
        Where it cannot be written.
    """
    TABLES[suffix](rows, path)


def csv_value(value: Any) -> Any:
    """Return a value as a field: objects and lists as JSON, texts plain, what begins like a formula after an ``'``."""
    if isinstance(value, (Mapping, list)):
        value = json_text(value)
    if value is None or isinstance(value, (int, float)):
        return value
    text = plain_text(str(value))
    return f"'{text}" if _FORMULA.match(text) else text


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON in readable characters; halves of characters, which no file can hold, as escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return json.dumps(value, indent=indent) if _HALVES.search(text) else text


def _write_csv(rows: Rows, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([csv_value(name) for name in _names(rows)])
        writer.writerows([csv_value(value) for value in row.values()] for row in rows)


def _write_json(rows: Rows, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("[\n")
        for at, row in enumerate(rows):
            file.write(f"{json_text(row)}{',' if at < len(rows) - 1 else ''}\n")
        file.write("]\n")


def _write_json_lines(rows: Rows, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{json_text(row)}\n" for row in rows)


def _write_parquet(rows: Rows, path: Path) -> None:
    try:
        import pyarrow as pa  # noqa: PLC0415 - large, and no dependency
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise FileError("Parquet needs pyarrow, which is not installed: write .csv or .jsonl, or install it.") from None
    kept = rows.columns if isinstance(rows, Columns) else {name: [row[name] for row in rows] for name in _names(rows)}
    parquet.write_table(pa.table({name: _column(values) for name, values in kept.items()}), path)


def _names(rows: Rows) -> list[str]:
    """Return the names of the columns, which a table without rows may have, too."""
    return list(rows.columns) if isinstance(rows, Columns) else list(rows[0]) if rows else []


def _column(values: Sequence[Any]) -> list[Any]:
    """Return a column of one type: numbers, texts or truth values as they are, anything mixed or nested as JSON."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in values]
    if len(kinds) > 1 or kinds & {dict, list}:
        return [None if value is None else json_text(value) for value in values]
    if kinds == {str}:
        return [None if value is None else _HALVES.sub("\ufffd", value) for value in values]
    if kinds == {int} and any(value is not None and abs(value) >= 2**63 for value in values):
        return [None if value is None else str(value) for value in values]
    return list(values)


TABLES = {".csv": _write_csv, ".json": _write_json, ".jsonl": _write_json_lines, ".parquet": _write_parquet}
"""Ending → how it is written."""
