"""Unions: which option a value was meant for, and what is said where it fits none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fal_nb.schemas.scalars import Path, Problem
from fal_nb.schemas.types import Choice, Flag, InputType, ListOf, Nothing, Number, ObjectOf, OneOf, Text
from fal_nb.schemas.words import describe_type, show_value

__all__ = ["pairs_as_size", "problem_of_union", "read_size", "size_from_text"]

_SIZE = re.compile(r"\s*([0-9]{1,6})\s*[xX×*]\s*([0-9]{1,6})\s*\Z")


def read_size(text: str) -> tuple[int, int] | None:
    """Return (width, height) of ``1024x768``, or None where a text is no size."""
    found = _SIZE.match(text)
    return (int(found[1]), int(found[2])) if found else None


def size_from_text(wanted: ObjectOf, value: Any) -> dict[str, int] | None:
    """Return ``1024x768`` as width and height, where the object is a size; else None."""
    size = read_size(value) if isinstance(value, str) and _is_size(wanted) else None
    return {"width": size[0], "height": size[1]} if size else None


def pairs_as_size(wanted: ObjectOf, value: Sequence[Any]) -> dict[str, Any] | None:
    """Return (width, height) as an object, where the object is a size; else None."""
    return {"width": value[0], "height": value[1]} if _is_size(wanted) and len(value) == 2 else None


def problem_of_union(wanted: OneOf, value: Any, path: Path, problems: Sequence[list[Problem]]) -> list[Problem]:
    """Return what to say of a value that fits no option: the problems of the one it was meant for, if that is plain.

    Parameters
    ----------
    problems
        Of each option, in their order.
    """
    options = [
        (option, found)
        for option, found in zip(wanted.options, problems, strict=True)
        if not isinstance(option, Nothing)
    ]
    meant = [(option, found) for option, found in options if _is_meant(option, value)]
    if len(options) == 1:
        return options[0][1]
    if len(meant) == 1:
        option, found = meant[0]
        others = [describe_type(other) for other, _ in options if other is not option]
        if isinstance(option, Choice) and any("object" in other for other in others):
            return [_with_alternative(found[0], wanted)]
        return found
    return [Problem(path, f"takes {describe_type(wanted)}, not {show_value(value)}")]


def _is_meant(option: InputType, value: Any) -> bool:
    """Return whether a value is of an option's kind, whatever is wrong with it."""
    match option:
        case ObjectOf():
            return isinstance(value, Mapping) or (_is_size(option) and isinstance(value, (list, tuple)))
        case ListOf():
            return isinstance(value, (list, tuple))
        case Choice(values):
            kinds = {type(known) for known in values if known is not None}
            return isinstance(value, (str, int, float)) and not isinstance(value, bool) and bool(kinds - {bool})
        case Number():
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case Text():
            return isinstance(value, str)
        case Flag():
            return isinstance(value, bool)
        case _:
            return False


def _with_alternative(problem: Problem, wanted: OneOf) -> Problem:
    """Return the problem of a choice, naming the object that may stand in its place."""
    parts = next((option.fields for option in wanted.options if isinstance(option, ObjectOf)), ())
    if not parts or "did you mean" in problem.message:
        return problem
    names = ", ".join(part.name for part in parts)
    return Problem(problem.path, f"{problem.message}; an object with {names} does as well", problem.suggestion)


def _is_size(wanted: ObjectOf) -> bool:
    return wanted.field("width") is not None and wanted.field("height") is not None
