"""Values as written, before the notebook's variables and the endpoint's schema have had their say."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from fal_nb.magics.quoting import QUOTES, quote_text, raw_offset, unquote
from fal_nb.magics.tokens import Chunk, close_bracket
from fal_nb.protocol.status import JSON
from fal_nb.templates.mistakes import Edit, Mistake, shorten
from fal_nb.templates.template import Reference, compile_template, parse_reference, reference_mistake, repair_braces

__all__ = [
    "Bare",
    "Coerce",
    "FilePath",
    "JsonValue",
    "Text",
    "Value",
    "Variable",
    "coerce_bare",
    "parse_json",
    "read_json",
    "read_value",
]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS: dict[str, JSON] = {"true": True, "false": False, "null": None}
_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}
_JSON_SLIPS = re.compile(
    r"""(?P<text>"(?:[^"\\]++|\\.)*+"?+)|(?P<key>(?<=[{,])\s*+[^\W\d]\w*+(?=\s*+:))|'(?P<single>(?:[^'\\"]++|\\[^"])*+)'?+|(?P<word>\b(?:True|False|None)\b)"""
    r"""|(?P<comma>,)(?=\s*+[\]}])""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Text:
    """Always a text, whatever it looks like.

    Attributes
    ----------
    template
        Whether braces in it are the notebook's variables or doubled braces.
    """

    value: str
    template: bool = False


@dataclass(frozen=True, slots=True)
class FilePath:
    """A local file, as written after its ``@``."""

    path: str


@dataclass(frozen=True, slots=True)
class JsonValue:
    """Decoded JSON, used as it is."""

    value: JSON


@dataclass(frozen=True, slots=True)
class Variable:
    """The Python object itself that a notebook variable holds."""

    reference: Reference


@dataclass(frozen=True, slots=True)
class Bare:
    """Characters without quotes, whose type the schema decides."""

    text: str


Value: TypeAlias = Text | FilePath | JsonValue | Variable | Bare


class Coerce(Protocol):
    """Turns a bare value into JSON by what the endpoint says of the input."""

    def __call__(self, name: str, text: str, /) -> JSON:
        """Return the JSON value of `text` for the input `name`, which is dotted where it is nested."""


def coerce_bare(name: str, text: str, /) -> JSON:  # noqa: ARG001 - the name matters to coercion by schema only
    """Return what a bare value is without a schema: a JSON number, true, false or null, else the text."""
    if text in _LITERALS:
        return _LITERALS[text]
    if not _NUMBER.fullmatch(text):
        return text
    try:
        number = json.loads(text)
    except ValueError:
        return text
    return number if isinstance(number, int) or math.isfinite(number) else text


def read_value(chunk: Chunk) -> Value:
    """Return the value of ``name=`` or of an option.

    Raises
    ------
    Mistake
        Where it is none; the column counts within the line.
    """
    raw = chunk.raw
    if chunk.form == "path":
        return _read_path(chunk)
    if chunk.form == "brackets":
        return _read_brackets(chunk)
    text = unquote(raw) if chunk.form == "quoted" else raw
    has_braces = "{" in text or "}" in text
    if has_braces:
        _check_template(chunk, text)
    return Text(text, has_braces) if chunk.form == "quoted" or has_braces else Bare(text)


def read_json(chunk: Chunk) -> JsonValue:
    """Return the value of ``name:=``.

    What is JSON as it stands is that JSON; quotes around it are allowed, also double quotes around an object or list.

    Raises
    ------
    Mistake
        Where it is not JSON.
    """
    raw = chunk.raw
    if chunk.form != "quoted":
        return JsonValue(_json_at(chunk, raw, 0))
    inside = unquote(raw)
    if raw[0] == '"':
        unwrapped = _parsed_or_none(inside)
        if not isinstance(unwrapped, (list, dict)):
            return JsonValue(_json_at(chunk, raw, 0))
        return JsonValue(unwrapped)
    return JsonValue(_json_at(chunk, inside, 1))


def parse_json(text: str) -> JSON:
    """Return decoded JSON, stricter than the standard library: no NaN, no repeated key, nesting up to 100.

    Raises
    ------
    Mistake
        Where it is not; columns count within `text`.
    """
    start = len(text) - len(text.lstrip())
    try:
        if text[start : start + 1] in {"[", "{"}:
            close_bracket(text, start)
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float)
    except json.JSONDecodeError as error:
        raise Mistake(f"not JSON: {_json_reason(text, error)}", error.pos) from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, Mistake):
            raise
        reason = str(error) if isinstance(error, _NotJsonError) else "a number in it is too long"
        raise Mistake(f"not JSON: {reason}", start) from None


class _NotJsonError(ValueError):
    """Something the standard library takes for JSON and no server does."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _NotJsonError(f"the key {shorten(key)!r} occurs twice in one object")
            seen.add(key)
    return found


def _constant(word: str) -> JSON:
    raise _NotJsonError(f"{word} has no place in it")


def _float(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise _NotJsonError(f"{shorten(written)} is too large")
    return number


def _json_reason(text: str, error: json.JSONDecodeError) -> str:
    """Return what is wrong in words, with the slips of people who think in Python named."""
    here = text[error.pos : error.pos + 5]
    if text[error.pos - 1 : error.pos] == "{" and parse_reference(text[error.pos :].partition("}")[0]):
        return "a list or object with variables in it belongs in a Python variable, NAME={variable}"
    if here.startswith("'"):
        return 'texts stand in double quotes: "…"'
    for word, wanted in _PYTHON_WORDS.items():
        if here.startswith(word):
            return f"write {wanted} for {word}"
    if error.pos >= len(text.rstrip()):
        return "it ends too early"
    if error.msg.startswith("Expecting property name") and here[0].isidentifier():
        return 'names stand in double quotes, too: {"name": …}'
    if here[0] in "]}" or error.msg.startswith("Illegal trailing comma"):
        return "a comma stands before the closing bracket"
    return error.msg[0].lower() + error.msg[1:]


def _repair_json(text: str) -> str:
    """Return `text` with names without quotes, single quotes, Python's words and trailing commas put right."""

    def put_right(slip: re.Match[str]) -> str:
        if slip["text"] is not None:
            return slip["text"]
        if slip["key"] is not None:
            name = slip["key"].lstrip()
            return f'{slip["key"][: -len(name)]}"{name}"'
        if slip["single"] is not None:
            inside = slip["single"].replace("\\'", "'")
            return f'"{inside}"'
        return _PYTHON_WORDS[slip["word"]] if slip["word"] else ""

    return _JSON_SLIPS.sub(put_right, text)


def _parsed_or_none(text: str) -> JSON:
    try:
        return parse_json(text)
    except Mistake:
        return None


def _json_at(chunk: Chunk, text: str, offset: int) -> JSON:
    try:
        return parse_json(text)
    except Mistake as mistake:
        edits = [Edit(chunk.column, chunk.end, _repair_json(text))]
        if chunk.form == "bare":
            edits.append(Edit(chunk.column - 2, chunk.end, f"={quote_text(text)}"))
        column = chunk.column + offset + mistake.at
        raise Mistake(mistake.what, min(column, chunk.end - 1), *edits) from None


def _read_path(chunk: Chunk) -> FilePath:
    path = chunk.raw[1:]
    if path and path[0] in QUOTES:
        path = path[1:-1]
    if not path.strip():
        raise Mistake("a file's path belongs directly after @", chunk.column + 1)
    if parse_reference(path[1:-1]) and path[0] == "{":
        what = "a variable needs no @: its file is uploaded by itself"
        raise Mistake(what, chunk.column, Edit(chunk.column, chunk.end, path))
    if path.startswith(("https://", "http://", "data:")):
        raise Mistake("a URL needs no @", chunk.column, Edit(chunk.column, chunk.end, quote_text(path)))
    return FilePath(path)


def _read_brackets(chunk: Chunk) -> Value:
    raw = chunk.raw
    reference = parse_reference(raw[1:-1]) if raw[0] == "{" else None
    if reference is not None:
        return Variable(reference)
    looks_like_json = raw[0] == "[" or '"' in raw or ":" in raw or not raw[1:-1].strip()
    if looks_like_json:
        return JsonValue(_json_at(chunk, raw, 0))
    mistake = reference_mistake(raw, 0)
    raise Mistake(mistake.what, chunk.column, Edit(chunk.column, chunk.end, quote_text(repair_braces(raw))))


def _check_template(chunk: Chunk, text: str) -> None:
    """Compile a text's template while the line is at hand to be corrected."""
    try:
        compile_template(text)
    except Mistake as mistake:
        column = chunk.column + raw_offset(chunk.raw, mistake.at)
        fix = Edit(chunk.column, chunk.end, quote_text(repair_braces(text)))
        raise Mistake(mistake.what, column, fix) from None
