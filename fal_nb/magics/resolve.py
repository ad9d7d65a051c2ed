"""Items → the arguments' dict: variables looked up, templates expanded, files checked, dotted names nested."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fal_nb.errors import FileError, GrammarError
from fal_nb.magics.grammar import parses
from fal_nb.magics.items import Input, Item, Option, Word
from fal_nb.magics.quoting import raw_offset
from fal_nb.magics.values import Bare, Coerce, FilePath, JsonValue, Text, Value, Variable, coerce_bare
from fal_nb.templates.mistakes import Mistake, explain, nearest, one_line, shorten
from fal_nb.templates.template import expand, look_up

__all__ = ["find_file", "place", "resolve"]

_NAMES_READ = 2000


def resolve(
    items: Iterable[Item],
    namespace: Mapping[str, Any],
    coerce: Coerce = coerce_bare,
    *,
    given: Mapping[str, Any] | None = None,
    line: str = "",
    magic: str = "%fal",
) -> dict[str, Any]:
    """Return the arguments that items say; words and options of ours say none.

    Parameters
    ----------
    namespace
        The notebook's variables.
    coerce
        Called for each bare value; what the schema knows.
    given
        Arguments there are already, from a body; nested names may add to them, never replace one.
    line, magic
        Where the items stand, for the columns and corrections of messages.

    Raises
    ------
    GrammarError
        Where a variable does not exist or may not be used, or two names exclude each other.
    FileError
        Where a file after ``@`` cannot be read.
    """
    arguments = copy.deepcopy(dict(given or {}))
    for item in items:
        if isinstance(item, Word) or (isinstance(item, Option) and item.ours):
            continue
        try:
            place(arguments, item.name, _value_of(item, namespace, coerce), item.column)
        except Mistake as mistake:
            raise explain(mistake, line, magic, lambda text: bool(line) and parses(text)) from mistake.__cause__
    return arguments


def place(arguments: dict[str, Any], name: tuple[str, ...], value: Any, column: int = 0) -> None:
    """Put a value where its dotted name says.

    Raises
    ------
    Mistake
        Where something is there already, or a part of the name is no object.
    """
    inner = arguments
    for depth, part in enumerate(name[:-1], 1):
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            taken = shorten(".".join(name[:depth]))
            raise Mistake(f"{shorten('.'.join(name))} does not fit: {taken} has a value already", column)
    if name[-1] in inner:
        raise Mistake(f"{shorten('.'.join(name))} is given twice: keep one of them", column)
    inner[name[-1]] = value


def find_file(written: str) -> Path:
    """Return the path of a readable local file; ``~`` is the home folder.

    Raises
    ------
    FileError
        Where it is not one, with the nearest name there is.
    """
    shown = one_line(shorten(written, 200))
    try:
        path = Path(written).expanduser()
        if path.is_dir():
            raise FileError(f"{shown} is a folder: name a file in it.")
        if not path.is_file():
            raise FileError(f"There is no file {shown}{_hint(path)}")
        with path.open("rb"):
            return path
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise FileError(f"The file {shown} cannot be read: {one_line(reason)}.") from error


def _value_of(item: Input, namespace: Mapping[str, Any], coerce: Coerce) -> Any:
    value: Value | None = item.value
    if value is None:
        return True
    if isinstance(value, Text):
        return _expanded(item, value, namespace) if value.template else value.value
    if isinstance(value, FilePath):
        return find_file(value.path)
    if isinstance(value, JsonValue):
        return copy.deepcopy(value.value)
    if isinstance(value, Variable):
        return look_up(value.reference, namespace, item.value_column)
    return _coerced(item, value, coerce)


def _expanded(item: Input, value: Text, namespace: Mapping[str, Any]) -> str:
    try:
        return expand(value.value, namespace)
    except Mistake as mistake:
        raw = item.raw[item.value_column - item.column :]
        at = item.value_column + raw_offset(raw, mistake.at)
        raise mistake.moved(at) from mistake.__cause__


def _coerced(item: Input, value: Bare, coerce: Coerce) -> Any:
    try:
        return coerce(".".join(item.name), value.text)
    except GrammarError as error:
        if error.column is not None:
            raise
        raise Mistake(str(error).rstrip("."), item.value_column) from error


def _hint(path: Path) -> str:
    """Return where it was looked for, or the nearest name there."""
    folder = path.parent
    if not folder.is_dir():
        return f": there is no folder {folder.absolute()}."
    names = [entry.name for _, entry in zip(range(_NAMES_READ), folder.iterdir(), strict=False)]
    like = nearest(path.name, names)
    hint = f"did you mean {folder / like}?" if like else "give its path from there, or a whole one."
    return f" in {folder.absolute()}; {hint}"
