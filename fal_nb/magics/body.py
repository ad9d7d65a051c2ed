"""A cell's body: a text, or the arguments as JSON or YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os.path import commonprefix
from typing import Any, Literal, TypeAlias

from fal_nb.errors import GrammarError
from fal_nb.magics.values import parse_json
from fal_nb.templates.mistakes import Mistake, shorten
from fal_nb.templates.template import expand

__all__ = ["BodyMode", "body_mistake", "parse_body", "plain_text"]

BodyMode: TypeAlias = Literal["text", "json", "yaml"]

_MARGIN = re.compile(r"[ \t]*")


def parse_body(body: str, mode: BodyMode, namespace: Mapping[str, Any]) -> str | dict[str, Any]:
    """Return a body's text with its template expanded, or the arguments it holds.

    Raises
    ------
    GrammarError
        Naming line and column, both from 1 and within the body.
    """
    if mode == "json":
        return _json_body(body)
    if mode == "yaml":
        from fal_nb.magics.yaml_body import read_yaml  # noqa: PLC0415 - brings ruamel.yaml

        return read_yaml(body, namespace)
    text, margin = _dedent(body)
    try:
        return expand(text, namespace)
    except Mistake as mistake:
        line = text.count("\n", 0, mistake.at)
        column = mistake.at - (text.rfind("\n", 0, mistake.at) + 1) + len(margin)
        raise body_mistake(mistake.what, line, column) from mistake.__cause__


def plain_text(body: str) -> str:
    """Return a body without its common indentation and its last line break, otherwise as written."""
    return _dedent(body)[0]


def body_mistake(what: str, line: int, column: int) -> GrammarError:
    """Return the error for a place in a body; `line` and `column` count from 0."""
    end = "" if what.endswith("?") else "."
    return GrammarError(f"body line {line + 1}, column {column + 1}: {shorten(what, 300)}{end}")


def _dedent(body: str) -> tuple[str, str]:
    """Return (text, common indentation); lines of white space alone do not count, and lose what they have of it."""
    if body.endswith("\r\n"):
        body = body[:-2]
    elif body.endswith("\n"):
        body = body[:-1]
    lines = body.split("\n")
    margin = commonprefix([_indentation(line) for line in lines if line.strip()])  # noqa: RUF071 - characters are meant
    if not margin:
        return body, ""
    stripped = (line.removeprefix(margin) if line.strip() else line[len(margin) :] for line in lines)
    return "\n".join(stripped), margin


def _indentation(line: str) -> str:
    found = _MARGIN.match(line)
    return found[0] if found else ""


def _json_body(body: str) -> dict[str, Any]:
    if not body.strip():
        raise GrammarError('--json: the body is empty; write a JSON object, for example {"prompt": "a red fox"}.')
    try:
        arguments = parse_json(body)
    except Mistake as mistake:
        at = min(mistake.at, len(body.rstrip()))
        raise body_mistake(mistake.what, body.count("\n", 0, at), at - (body.rfind("\n", 0, at) + 1)) from None
    if not isinstance(arguments, dict):
        start = len(body) - len(body.lstrip())
        raise body_mistake("--json wants an object with the arguments: {…}", body.count("\n", 0, start), 0)
    return arguments
