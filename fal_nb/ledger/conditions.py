"""One filter of the history → one SQL condition with bound values: nothing a person types ever becomes SQL.

Numbers are compared with numbers and texts with texts: SQLite alone would call every text greater than every number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from fal_nb.errors import HistoryError
from fal_nb.ledger.columns import COLUMNS, MOMENTS, argument_name
from fal_nb.ledger.moments import moment
from fal_nb.ledger.rows import to_json, to_sql

__all__ = ["OPERATORS", "Clause", "condition", "has_tag", "matches_absent", "one_of", "tagged"]

Clause: TypeAlias = tuple[str, list[Any]]
"""(SQL, the values of its marks)."""

OPERATORS = ("<=", ">=", "!=", "<", ">", "=")
"""The first of a pair that is a comparison: ``(">=", 4)``."""

_SQLITE_INTEGER = range(-(2**63), 2**63)
_MOST_BEFORE = 20
_NUMBERS = frozenset({"rating", "cost", "estimate", "total_s", "queue_s", "inference_s", "result_seed", "record"})
_WRITTEN = re.compile(r"\s*(<=|>=|!=|<|>|=)\s*(\S.*)")
_MANY = (list, tuple, set, frozenset, range)


def condition(name: str, value: Any, now: float) -> Clause:
    """Return the condition that a column or an argument passes.

    Parameters
    ----------
    value
        A value, several of which one must be it, or a comparison ``(operator, value)``, or a list of comparisons
        that must all hold. None stands for "has none"; ``!=`` holds where there is none, too.
    now
        Unix time that lengths of time are counted back from.

    Raises
    ------
    HistoryError
        Where the filter cannot be understood.
    """
    if name == "artifacts":
        raise HistoryError("History cannot be filtered by artifacts: filter by state or endpoint.")
    comparisons = _comparisons(value)
    if comparisons:
        return _all([_compared(name, operator, wanted, now) for operator, wanted in comparisons])
    wanted = list(value) if isinstance(value, _MANY) else [value]
    if name == "tags":
        return tagged([_bindable(name, item, now) for item in wanted])
    expression, inner = _expression(name)
    clause, values = one_of(expression, [part for item in wanted for part in _equals(name, item, now)])
    before, texts = _before(name, wanted)
    return before + clause, [*texts, *inner * clause.count(expression), *values]


def _before(name: str, wanted: Sequence[Any]) -> Clause:
    """Return what comes before a comparison of texts: that they occur at all, told without reading the JSON.

    A record's arguments are written by `to_json` alone, which writes a text of ASCII in one way. Looking for one is a
    third of the work of reading the arguments of a hundred thousand records.
    """
    is_argument = name == "prompt" or argument_name(name) is not None
    # A list or an object is compared with its JSON text, in which no quotation mark is escaped.
    plain = [value for value in wanted if isinstance(value, str) and value.isascii() and value.isprintable()]
    texts = [value for value in plain if value[:1] not in ("{", "[")]
    if not is_argument or len(texts) < len(wanted) or not 0 < len(wanted) <= _MOST_BEFORE:
        return "", []
    places = " OR ".join(["instr(p.arguments, ?)"] * len(wanted))
    return f"({places}) AND ", [to_json(value)[1:-1] for value in wanted]


def matches_absent(value: Any) -> bool:
    """Return whether a filter is passed by what has no such argument at all, so that a misspelt name passes all."""
    comparisons = _comparisons(value)
    if comparisons:
        return all(operator == "!=" or (operator == "=" and wanted is None) for operator, wanted in comparisons)
    return value is None or (isinstance(value, _MANY) and None in value)


def one_of(expression: str, wanted: Sequence[Any]) -> Clause:
    """Return that an expression is one of some values; None is NULL, none at all is never."""
    values = [value for value in wanted if value is not None]
    choices = []
    if None in wanted:
        choices.append(f"{expression} IS NULL")
    if len(values) == 1:
        choices.append(f"{expression} = ?")
    elif values or not choices:
        choices.append(f"{expression} IN ({', '.join('?' * len(values))})")
    return f"({' OR '.join(choices)})", values


def tagged(wanted: Sequence[Any]) -> Clause:
    """Return that a record has one of some tags, or none where None is wanted."""
    if list(wanted) == [None]:
        return "r.tags = '[]'", []
    marks = ", ".join("?" * len(wanted))
    values = [to_sql("tag", value) for value in wanted]
    return f"EXISTS (SELECT 1 FROM json_each(r.tags) WHERE value IN ({marks}))", values  # noqa: S608 - marks only


def has_tag(tag: str) -> Clause:
    """Return that a record has a tag."""
    return tagged([tag])


def _comparisons(value: Any) -> list[tuple[str, Any]]:
    """Return the comparisons a filter's value consists of; none where it is a value, or several."""
    if _is_comparison(value):
        return [value]
    return list(value) if isinstance(value, list) and all(map(_is_comparison, value)) else []


def _is_comparison(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and value[0] in OPERATORS


def _all(clauses: Sequence[Clause]) -> Clause:
    joined = " AND ".join(clause for clause, _ in clauses)
    return f"({joined})", [value for _, values in clauses for value in values]


def _compared(name: str, operator: str, wanted: Any, now: float) -> Clause:
    if name == "tags":
        return _tags_compared(operator, _bindable(name, wanted, now))
    expression, inner = _expression(name)
    value = _bindable(name, wanted, now)
    if operator in {"=", "!="}:
        return f"{expression} {'IS' if operator == '=' else 'IS NOT'} ?", [*inner, value]
    if value is None or isinstance(wanted, (bool, Mapping)):
        raise HistoryError(f"{name[:80]} can only be {operator} a number, a text or a time, not {wanted!r:.80}.")
    kinds = "'text'" if isinstance(value, str) else "'integer', 'real'"
    return f"(typeof({expression}) IN ({kinds}) AND {expression} {operator} ?)", [*inner, *inner, value]


def _tags_compared(operator: str, wanted: Any) -> Clause:
    if operator not in {"=", "!="}:
        raise HistoryError(f"tags cannot be {operator} anything: filter by tags=NAME or tags!=NAME.")
    clause, values = tagged([wanted])
    return (clause if operator == "=" else f"NOT ({clause})"), values


def _expression(name: str) -> Clause:
    argument = argument_name(name)
    if argument is None:
        return COLUMNS[name], []
    return "json_extract(p.arguments, ?)", [_json_path(argument)]


def _json_path(argument: str) -> str:
    """Return the JSON path of a dotted argument name."""
    if not argument or '"' in argument or "\\" in argument or "\0" in argument:
        raise HistoryError(f"History cannot be filtered by an argument called {argument[:80]!r}.")
    return str(to_sql("path", "$" + "".join(f'."{part}"' for part in argument.split("."))))


def _equals(name: str, value: Any, now: float) -> list[Any]:
    """Return what a value may be in the file: a whole number beyond 64 bits is a text in one column."""
    bound = _bindable(name, value, now)
    if isinstance(value, int) and value not in _SQLITE_INTEGER:
        return [bound, str(value)]
    return [bound]


def _bindable(name: str, value: Any, now: float) -> Any:
    """Return a filter's value as SQLite compares it."""
    if name in _NUMBERS and isinstance(value, str) and (written := _WRITTEN.fullmatch(value)):
        operator, wanted = written.groups()
        raise HistoryError(
            f'{name} is a number: a comparison is a pair, ("{operator}", {wanted:.40}), not {value!r:.60}.'
        )
    if name in MOMENTS and isinstance(value, (str, date, datetime, timedelta)):
        return moment(value, now)
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return to_sql(name, to_json(value))
    if hasattr(value, "item"):  # numbers of numpy and pandas
        value = value.item()
    if isinstance(value, int) and value not in _SQLITE_INTEGER:
        # As SQLite itself reads such a number out of JSON.
        return float(value) if abs(value) < 10**300 else None
    if isinstance(value, str):
        return to_sql("text", value)
    if value is None or isinstance(value, (int, float)):
        return value
    raise HistoryError(
        f"History cannot be filtered by {name[:80]}={value!r:.80}: give a text, a number, true, false or none."
    )
