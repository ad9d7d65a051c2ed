"""Arguments → the line or the cell that says them; reading it back gives equal arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from fal_nb.errors import GrammarError
from fal_nb.magics.body import plain_text
from fal_nb.magics.quoting import quote_text
from fal_nb.magics.tokens import close_bracket
from fal_nb.protocol.status import JSON
from fal_nb.templates.mistakes import Mistake, shorten

__all__ = ["format_item", "format_line", "format_value", "split_cell"]

_NAME = re.compile(r"[^\W\d][\w-]*")
_BREAKING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""What no line of a notebook may hold as it is; IPython takes several of these for line breaks."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CHANGED = re.compile(r"^[^\S\n]*(?:>>>|\.\.\.|In \[|[^\S\n]$)", re.MULTILINE)
"""Lines of a cell that IPython changes: those that begin like a pasted prompt, those of white space alone."""


def format_line(subcommand: str, endpoint: str, arguments: Mapping[str, Any]) -> str:
    """Return the source of a cell that calls `endpoint` with these arguments: ``%fal …``, or ``%%fal …`` and a body.

    A prompt of several lines becomes the body; arguments whose names no line can hold become a JSON body.

    Raises
    ------
    GrammarError
        Where a value is neither JSON nor a path.
    """
    if not all(_NAME.fullmatch(name) for name in arguments):
        text = _dump(dict(arguments), "arguments", indent=2)
        return f"%%fal {subcommand} {endpoint} --json\n{text}\n"
    prompt = arguments.get("prompt")
    body = isinstance(prompt, str) and _fits_body(prompt)
    items = [format_item(name, value) for name, value in arguments.items() if not (body and name == "prompt")]
    line = " ".join([subcommand, endpoint, *items])
    return f"%%fal {line}\n{_doubled(str(prompt))}\n" if body else f"%fal {line}"


def format_item(name: str, value: JSON | PurePath) -> str:
    """Return ``name=value``, or ``name:=json`` where only that stays on one line.

    Raises
    ------
    GrammarError
        Where the value is neither JSON nor a path.
    """
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
