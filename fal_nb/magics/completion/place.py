"""Where in a cell's source the cursor is: in a line of ``%fal``, in the body of ``%%fal``, or elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Place", "find_place"]

_CELL = re.compile(r"\s*(%%fal)(?=\s|\Z)")
_LINE = re.compile(
    r"""[ \t]*(?:[^=%'"\#\n]+=[ \t]*)?(?:%{1,2}(?!fal\b)\w+[ \t]+)*+%fal(?=[ \t])""",
)
"""A line magic by itself, assigned, or behind others: ``x = %fal …``, ``%time %fal …``."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place where ``%fal`` is written.

    Attributes
    ----------
    line
        What stands after the magic's name: up to the cursor, or all of it where the cursor is in the body.
    body
        The body up to the cursor; None in a line.
    following
        The character after the cursor, or nothing.
    """

    line: str
    body: str | None = None
    following: str = ""


def find_place(code: str, cursor: int) -> Place | None:
    """Return where the cursor is, or None where no ``%fal`` is written.

    Parameters
    ----------
    code
        The whole cell.
    cursor
        Characters before the cursor.
    """
    before, following = code[:cursor], code[cursor : cursor + 1]
    cell = _CELL.match(code)
    if cell:
        if cursor <= cell.end():
            return None
        line, newline, body = code[cell.end() :].partition("\n")
        if not newline or cursor <= cell.end() + len(line):
            return Place(before[cell.end() :], None, following)
        return Place(line.rstrip("\r"), body[: cursor - cell.end() - len(line) - 1], following)
    start = before.rfind("\n") + 1
    found = _LINE.match(before, start)
    return Place(before[found.end() :], None, following) if found else None
