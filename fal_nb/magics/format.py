"""Arguments → the line or the cell that says them; reading it back gives equal arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from fal_nb.errors import GrammarError
from fal_nb.magics.body import plain_text
from fal_nb.magics.quoting import quote_text
from fal_nb.magics.tokens import MAX_DEPTH, close_bracket
from fal_nb.protocol.status import JSON
from fal_nb.schemas.bare import is_text
from fal_nb.templates.mistakes import Mistake, shorten

if TYPE_CHECKING:
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["format_item", "format_line", "format_value", "split_cell"]

_NAME = re.compile(r"[^\W\d][\w-]*")
_BREAKING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What no line of a notebook may hold as it is: IPython takes several of these for line breaks, and what turns the
direction of text makes a line say something else than it shows."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CHANGED = re.compile(r"^[^\S\n]*(?:>>>|\.\.\.|In \[|[^\S\n]$)", re.MULTILINE)
"""Lines of a cell that IPython changes: those that begin like a pasted prompt, those of white space alone."""


def format_line(
    subcommand: str, endpoint: str, arguments: Mapping[str, Any], schema: EndpointSchema | None = None
) -> str:
    """Return the source of a cell that calls `endpoint` with these arguments: ``%fal …``, or ``%%fal …`` and a body.

    A prompt of several lines becomes the body; arguments whose names no line can hold become a JSON body. Local files
    inside lists and objects, for which a line has no words, become variables in Python lines before it.

    Parameters
    ----------
    schema
        By which the line will be read: a null or a number that it would take for a text is written as JSON.

    Raises
    ------
    GrammarError
        Where a value is neither JSON nor a path.
    """
    if not all(_NAME.fullmatch(name) for name in arguments):
        text = _dump(dict(arguments), "arguments", indent=2)
        return f"%%fal {subcommand} {endpoint} --json\n{text}\n"
    variables = _variables(arguments)
    prompt = arguments.get("prompt")
    body = isinstance(prompt, str) and _fits_body(prompt) and not variables
    items = [
        f"{name}={{{variables[name][0]}}}" if name in variables else format_item(name, value, schema)
        for name, value in arguments.items()
        if not (body and name == "prompt")
    ]
    line = " ".join([subcommand, endpoint, *items])
    if variables:
        before = [f"{variable} = {written}" for variable, written in variables.values()]
        return "\n".join(["from pathlib import Path", *before, f"%fal {line}"])
    return f"%%fal {line}\n{_doubled(str(prompt))}\n" if body else f"%fal {line}"


def format_item(name: str, value: JSON | PurePath, schema: EndpointSchema | None = None) -> str:
    """Return ``name=value``, or ``name:=json`` where only that is read back as the value, and on one line.

    Raises
    ------
    GrammarError
        Where the value is neither JSON nor a path.
    """
    if schema is not None and not isinstance(value, (str, PurePath, Mapping, Sequence)):
        written = _dump(value, name)
        return f"{name}{':' if is_text(schema, name, written) else ''}={written}"
    if isinstance(value, str) and _BREAKING.search(value):
        written = _dump(value, name).replace("'", "\\u0027")
        return f"{name}:='{written}'"
    return f"{name}={format_value(value, name)}"


def format_value(value: JSON | PurePath, name: str = "the value") -> str:
    """Return what, after ``name=``, reads back as `value`.

    Raises
    ------
    GrammarError
        Where it is neither JSON nor a path.
    """
    if isinstance(value, PurePath):
        return _file(str(value), name)
    if isinstance(value, str):
        _check_text(value, name)
        return quote_text(_doubled(value))
    return _dump(value, name)


def split_cell(source: str) -> tuple[str, str | None]:
    """Return (line, body) as IPython hands them to the magic; the body is None for ``%fal``."""
    first, _, rest = source.partition("\n")
    if first.startswith("%%fal "):
        return first.removeprefix("%%fal ").rstrip(), rest
    return first.removeprefix("%fal "), None


def _variables(arguments: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return name → (variable, Python) of the arguments with local files inside a list or an object."""
    return {
        name: (f"my_{name.replace('-', '_')}", _python(value, name))
        for name, value in arguments.items()
        if isinstance(value, (list, tuple, Mapping)) and _has_path(value)
    }


def _has_path(value: Any, depth: int = 0) -> bool:
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, Mapping):
        return any(_has_path(inner, depth + 1) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return any(_has_path(inner, depth + 1) for inner in value)
    return isinstance(value, PurePath)


def _python(value: Any, name: str) -> str:
    """Return an expression on one line, in plain letters alone, so that IPython changes nothing in it."""
    if isinstance(value, PurePath):
        return f"Path({str(value)!a})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{str(key)!a}: {_python(inner, name)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_python(inner, name) for inner in value) + "]"
    _dump(value, name)
    return ascii(value)


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _fits_body(text: str) -> bool:
    """Tell whether a text survives as a cell's body exactly."""
    if "\n" not in text or text != text.rstrip() or text.endswith(";"):
        return False
    if _BREAKING.search(text) or _SURROGATE.search(text) or _CHANGED.search(text):
        return False
    return plain_text(f"{text}\n") == text


def _file(path: str, name: str) -> str:
    if _BREAKING.search(path) or "\n" in path or ('"' in path and "'" in path):
        raise _cannot(name, "a path with such characters")
    if re.search(r"\s|[\"'“”#;{}]", path):
        quote = "'" if '"' in path else '"'
        return f"@{quote}{path}{quote}"
    return f"@{path}"


def _dump(value: JSON, name: str, indent: int | None = None) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
        if text[0] in "[{":
            close_bracket(text, 0)
    except (TypeError, ValueError, RecursionError) as error:
        reason = error.what if isinstance(error, Mistake) else str(error)
        raise _cannot(name, shorten(reason, 100)) from error
    _check_text(text, name)
    return _BREAKING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _check_text(text: str, name: str) -> None:
    if _SURROGATE.search(text):
        raise _cannot(name, "half a character, which no server takes")


def _cannot(name: str, reason: str) -> GrammarError:
    return GrammarError(
        f"{shorten(name)} cannot be written into a line ({reason}): put it into a variable, NAME={{it}}."
    )
