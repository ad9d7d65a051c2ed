"""A filter that matches nothing, told from a filter whose name is a mistake."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Mapping
from typing import Any

from fal_nb.errors import HistoryError
from fal_nb.ledger.columns import COLUMNS, argument_name
from fal_nb.ledger.conditions import matches_absent
from fal_nb.ledger.rows import to_sql

__all__ = ["check_names"]

_OCCURS = "SELECT 1 FROM payloads, json_each(payloads.arguments) AS a WHERE a.key IN (?, ?) LIMIT 1"
_ALL = "SELECT DISTINCT a.key FROM payloads, json_each(payloads.arguments) AS a WHERE typeof(a.key) = 'text'"


def check_names(connection: sqlite3.Connection, where: Mapping[str, Any], *, found: bool) -> None:
    """Refuse names that no record has, where nothing was found or where what has no such name was meant.

    Raises
    ------
    HistoryError
        With the nearest names there are.
    """
    for name, value in where.items():
        argument = argument_name(name)
        if argument is None or (found and not matches_absent(value)):
            continue
        written = str(to_sql("name", argument))
        if connection.execute(_OCCURS, (written, written.split(".", maxsplit=1)[0])).fetchone():
            continue
        known = {row[0] for row in connection.execute(_ALL)}
        if known:
            raise HistoryError(_unknown(name, known))


def _unknown(name: str, arguments: set[str]) -> str:
    near = difflib.get_close_matches(name[:80], {*arguments, *COLUMNS}, n=3, cutoff=0.5)
    hint = f" Nearest: {', '.join(near)}." if near else ""
    return f"No record has a column or an argument called {name[:80]!r}.{hint}"
