"""A `SweepPlan` → the text that reads back as an equal plan: one line a name, in the order of the plan."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.errors import GrammarError
from fal_nb.sweeps.spans import read_random, read_range
from fal_nb.sweeps.texts import read_replacement
from fal_nb.sweeps.values import plain_value
from fal_nb.templates.mistakes import shorten

if TYPE_CHECKING:
    from fal_nb.sweeps.plan import SweepPlan

__all__ = ["write_plan"]

_NAME = re.compile(r"[^\W\d][\w.\-]*")
_OWN_WORDS = frozenset({"zip", "rows", "skip"})
_UNSAFE_IN_LISTS = re.compile(r"[,\[\]\"'#]|:(?:\s|\Z)")
_PAIRED = re.compile(r"[^{}]*+(?:\{[^{}]++\}[^{}]*+)*+")
_LINE = 100


def write_plan(plan: SweepPlan) -> str:
    """Return the text.

    Raises
    ------
    GrammarError
        Where a value is an object of Python that no text stands for.
    """
    lines = [f"{_name(name)}: {_fixed(name, value)}" for name, value in plan.fixed.items()]
    if plan.rows:
        lines.append("rows:")
        lines += [f"  - {_flow('rows', dict(row))}" for row in plan.rows]
    lines += [_axis(axis.name, axis.values) for axis in plan.axes]
    if plan.zips:
        groups = [f"[{', '.join(map(_in_list, group))}]" for group in plan.zips]
        lines.append(f"zip: [{', '.join(groups)}]")
    if plan.skip:
        lines += ["skip:", *(f"  - {rule}" for rule in plan.skip)]
    return "\n".join(lines) + "\n"


def _name(name: str) -> str:
    is_plain = (_NAME.fullmatch(name) or read_replacement(name) is not None) and name not in _OWN_WORDS
    return name if is_plain else _quoted(name)


def _fixed(name: str, value: Any) -> str:
    """Return a value for all cells; a list in a list of its own, which no input takes for anything else."""
    if isinstance(value, (list, tuple)):
        return f"[{_flow(name, value)}]"
    if isinstance(value, str):
        return _block(value) if _fits_block(value) else value if _is_plain(value) else _quoted(value)
    return _flow(name, value)


def _axis(name: str, values: Sequence[Any]) -> str:
    """Return an axis on one line, or on a line a value where that is too long."""
    listed = [_flow(name, value) for value in values]
    line = f"{_name(name)}: [{', '.join(listed)}]"
    if len(line) <= _LINE or all(len(value) < 20 for value in listed):
        return line
    items = [value if isinstance(value, str) and _is_plain(value) else _flow(name, value) for value in values]
    return "\n".join([f"{_name(name)}:", *(f"  - {item}" for item in items)])


def _flow(name: str, value: Any) -> str:
    """Return a value as it stands within a list or an object."""
    if isinstance(value, str):
        return _in_list(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "~"}[value]
    if isinstance(value, float) and not math.isfinite(value):
        raise GrammarError(f"{shorten(name)}: {value} is no number that can be written.")
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_quoted(str(key))}: {_flow(name, part)}" for key, part in value.items())
        return f"{{{inner}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_flow(name, part) for part in value)}]"
    kind = type(value).__name__
    hint = "its endpoint has no schema here" if isinstance(value, Path) else "give a path (@file) or a URL instead"
    raise GrammarError(f"{shorten(name)} holds a {kind}, which cannot be written as a text: {hint}.")


def _in_list(text: str) -> str:
    # Doubled or single braces would be taken for the beginning or the end of an object around it.
    is_safe = _is_plain(text) and not _UNSAFE_IN_LISTS.search(text) and _PAIRED.fullmatch(text)
    return text if is_safe else _quoted(text)


def _is_plain(text: str) -> bool:
    """Return whether a text can stand without quotes to the end of a line, and is a text there whatever the input."""
    if not text or not (text[0].isalnum() or text[0] == "_") or text != text.strip() or not text.isprintable():
        return False
    return isinstance(plain_value(text), str) and not _looks_numeric(text) and not _is_span(text)


def _looks_numeric(text: str) -> bool:
    """Return whether a text begins as a number does; quotes keep it one for every reader."""
    return text[0].isdigit() and not any(char.isspace() for char in text)


def _is_span(text: str) -> bool:
    try:
        return read_range(text) is not None or read_random(text) is not None
    except GrammarError:
        return True


def _fits_block(text: str) -> bool:
    lines = text.split("\n")
    return len(lines) > 1 and all(line and line == line.strip() and line.isprintable() for line in lines)


def _block(text: str) -> str:
    return "\n".join(["|", *(f"  {line}" for line in text.split("\n"))])


def _quoted(text: str) -> str:
    """Return a text in double quotes with YAML's escapes; nothing in it is left that YAML or a terminal minds."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(char) or (char if char.isprintable() else _escape(char)) for char in text) + '"'


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
