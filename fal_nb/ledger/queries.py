"""Filters of the history, turned into SQL with bound values: nothing a person types ever becomes SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

from fal_nb.errors import HistoryError
from fal_nb.ledger.records import RECORD_COLUMNS
from fal_nb.ledger.rows import to_json

__all__ = ["ARGUMENT_PREFIX", "COLUMNS", "Selection", "Since", "argument_name", "select_sql"]

Since: TypeAlias = datetime | date | timedelta | float | str
"""A moment, a length of time before now, Unix seconds, or a text: ``2h``, ``today``, an ISO date or time."""

ARGUMENT_PREFIX = "arg_"
"""Stands before an argument whose name is that of a column of ours."""

COLUMNS: Mapping[str, str] = {name: f"r.{name}" for name in RECORD_COLUMNS} | {
    "record": "r.id",
    "arguments": "p.arguments",
    "total_s": "r.ended - r.created",
    "estimate": "COALESCE(r.estimate_high, r.estimate_low)",
    "prompt": "COALESCE(json_extract(p.arguments, '$.prompt'), json_extract(p.arguments, '$.text'))",
    "seed": "COALESCE(json_extract(p.arguments, '$.seed'), r.result_seed)",
}
"""What can be selected and filtered by name, as SQL over ``records r`` and ``payloads p``."""

_SOURCE = "FROM records r JOIN payloads p ON p.record_id = r.id"
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)\Z")
_UNIT_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which records, in the order they were made.

    Attributes
    ----------
    where
        Column or argument → value or list of values. None stands for "has none", ``tags`` for "has this tag".
        An argument may be dotted (``image_size.width``), and written ``arg_…`` where its name is a column's.
    endpoint, state
        One or several; ``*`` in an endpoint stands for anything.
    words
        Texts that must all occur in the endpoint, the arguments, the note or the error, in any case.
    limit
        The newest so many.
    """

    where: Mapping[str, Any] = field(default_factory=dict)
    since: Since | None = None
    endpoint: str | Sequence[str] | None = None
    state: str | Sequence[str] | None = None
    owner: str | None = None
    words: Sequence[str] = ()
    limit: int | None = None


def select_sql(columns: Sequence[str], selection: Selection, *, now: float) -> tuple[str, list[Any]]:
    """Return (SQL, values) that give the selected records' columns, the newest last.

    Parameters
    ----------
    columns
        Keys of `COLUMNS`, or payload columns as ``p.<name>``.
    now
        Unix time that lengths of time are counted back from.

    Raises
    ------
    HistoryError
        Where a filter cannot be understood.
    """
    clauses, values = _clauses(selection, now)
    names = ", ".join(COLUMNS.get(name, name) for name in columns)
    sql = f"SELECT {names} {_SOURCE}"
    if clauses:
        sql += " WHERE " + " AND ".join(clauses)
    if selection.limit is None:
        return f"{sql} ORDER BY r.id", values
    newest = f"SELECT r.id {_SOURCE}" + (" WHERE " + " AND ".join(clauses) if clauses else "")
    sql = f"SELECT {names} {_SOURCE} WHERE r.id IN ({newest} ORDER BY r.id DESC LIMIT ?) ORDER BY r.id"
    return sql, [*values, max(selection.limit, 0)]


def argument_name(column: str) -> str | None:
    """Return the argument a filter's name stands for, or None where it is a column of ours."""
    return None if column in COLUMNS else column.removeprefix(ARGUMENT_PREFIX)


def _clauses(selection: Selection, now: float) -> tuple[list[str], list[Any]]:
    parts = [_condition(name, value) for name, value in selection.where.items()]
    if selection.since is not None:
        parts.append(("r.created >= ?", [_moment(selection.since, now)]))
    if selection.endpoint is not None:
        parts.append(_endpoint(selection.endpoint))
    if selection.state is not None:
        states = [selection.state] if isinstance(selection.state, str) else selection.state
        parts.append(_one_of("r.state", [state.upper() for state in states]))
    if selection.owner is not None:
        parts.append(("r.owner = ?", [selection.owner]))
    parts += [_word(word) for word in selection.words]
    return [clause for clause, _ in parts], [value for _, values in parts for value in values]


def _word(word: str) -> tuple[str, list[Any]]:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    places = ("r.endpoint", "p.arguments", "r.note", "r.error")
    clause = " OR ".join(f"{place} LIKE ? ESCAPE '\\'" for place in places)
    return f"({clause})", [f"%{escaped}%"] * len(places)


def _condition(name: str, value: Any) -> tuple[str, list[Any]]:
    if name == "artifacts":
        raise HistoryError("History cannot be filtered by artifacts: filter by state or endpoint.")
    wanted = list(value) if isinstance(value, (list, tuple, set, frozenset, range)) else [value]
    if name == "tags":
        return _tagged(wanted)
    argument = argument_name(name)
    if argument is None:
        return _one_of(COLUMNS[name], [_bindable(name, item) for item in wanted])
    clause, values = _one_of("json_extract(p.arguments, ?)", [_bindable(name, item) for item in wanted])
    path = _json_path(argument)
    return clause, [path] * (clause.count("json_extract")) + values


def _one_of(expression: str, wanted: Sequence[Any]) -> tuple[str, list[Any]]:
    values = [value for value in wanted if value is not None]
    choices = []
    if None in wanted:
        choices.append(f"{expression} IS NULL")
    if len(values) == 1:
        choices.append(f"{expression} = ?")
    elif values or not choices:
        choices.append(f"{expression} IN ({', '.join('?' * len(values))})")
    return f"({' OR '.join(choices)})", values


def _tagged(wanted: Sequence[Any]) -> tuple[str, list[Any]]:
    if wanted == [None]:
        return "r.tags = '[]'", []
    marks = ", ".join("?" * len(wanted))
    return f"EXISTS (SELECT 1 FROM json_each(r.tags) WHERE value IN ({marks}))", list(wanted)  # noqa: S608 - marks only


def _endpoint(endpoint: str | Sequence[str]) -> tuple[str, list[Any]]:
    patterns = [endpoint] if isinstance(endpoint, str) else list(endpoint)
    plain = [pattern for pattern in patterns if "*" not in pattern]
    globs = [pattern.replace("[", "[[]").replace("?", "[?]") for pattern in patterns if "*" in pattern]
    clauses = [_one_of("r.endpoint", plain)[0]] if plain or not globs else []
    clauses += ["r.endpoint GLOB ?"] * len(globs)
    return f"({' OR '.join(clauses)})", [*plain, *globs]


def _json_path(argument: str) -> str:
    """Return the JSON path of a dotted argument name."""
    if '"' in argument or "\\" in argument or "\0" in argument:
        raise HistoryError(f"History cannot be filtered by an argument called {argument[:80]!r}.")
    return "$" + "".join(f'."{part}"' for part in argument.split("."))


def _bindable(name: str, value: Any) -> Any:
    """Return a filter's value as SQLite compares it."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return to_json(value)
    if hasattr(value, "item"):  # numbers of numpy and pandas
        value = value.item()
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise HistoryError(
        f"History cannot be filtered by {name}={value!r:.80}: give a text, a number, true, false or none."
    )


def _moment(since: Since, now: float) -> float:
    """Return Unix seconds; times without a zone are local ones."""
    if isinstance(since, timedelta):
        return now - since.total_seconds()
    if isinstance(since, (int, float)):
        return float(since)
    if isinstance(since, str):
        return _moment_in(since, now)
    if not isinstance(since, datetime):
        since = datetime(since.year, since.month, since.day).astimezone()
    return since.timestamp()


def _moment_in(text: str, now: float) -> float:
    ago = _AGO.match(text.strip().lower())
    if ago:
        return now - float(ago[1]) * _UNIT_S[ago[2]]
    local = datetime.fromtimestamp(now, tz=UTC).astimezone()
    if text.strip().lower() == "today":
        return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except ValueError:
        raise HistoryError(
            f"since={text[:80]!r} is not a time: write 30m, 2h, 3d, today, 2026-01-31 or 2026-01-31T10:00."
        ) from None
