"""YAML bodies → arguments: YAML 1.2's core types and nothing that could surprise.

Built from the parser's events rather than its objects, so that nothing is constructed that was not asked for: no tags,
no dates, no merge keys; aliases are copies, counted, so that a small body cannot become a large value.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from fal_nb.errors import GrammarError
from fal_nb.magics.body import body_mistake
from fal_nb.protocol.status import JSON
from fal_nb.templates.mistakes import Mistake, shorten
from fal_nb.templates.template import expand, parse_reference

__all__ = ["read_yaml"]

MAX_DEPTH = 100
MAX_VALUES = 100_000

_INTEGER = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: Mapping[str, JSON] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_HINTS = {
    "mapping values are not allowed here": 'a text that holds ": " needs quotes',
    "that cannot start any token": "a text that begins with such a character needs quotes",
    "but found '<scalar>'": "a text that begins with { or [ needs quotes",
}


def read_yaml(body: str, namespace: Mapping[str, Any]) -> dict[str, JSON]:
    """Return the arguments in a YAML body, templates in its texts expanded once.

    Raises
    ------
    GrammarError
        Naming line and column, both from 1 and within the body.
    """
    try:
        return _Builder(body, namespace).build()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"not YAML: {_reason(error)}"
        raise body_mistake(what, mark.line if mark else 0, mark.column if mark else 0) from None
    except YAMLError as error:
        position = getattr(error, "position", 0)
        what = f"not YAML: {str(error).splitlines()[0]}"
        raise body_mistake(what, body.count("\n", 0, position), 0) from None
    except (ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, GrammarError):
            raise
        raise GrammarError(f"The body is not YAML: {shorten(str(error), 100)}.") from None


@dataclass(frozen=True, slots=True)
class _Node:
    """A value, how many values it holds with itself, and how deep they nest."""

    value: JSON
    size: int
    height: int


class _Builder:
    """Builds plain data from events."""

    def __init__(self, body: str, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._anchors: dict[str, _Node] = {}
        self._count = 0
        self._events: Iterator[Any] = YAML(typ="safe", pure=True).parse(body)

    def build(self) -> dict[str, JSON]:
        """Return the one mapping that the body is."""
        found: _Node | None = None
        place: Event | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if found is not None:
                    raise _mistake("--yaml wants one document, and here begins a second", event)
                place = next(self._events)
                found = self._node(place, 1)
            elif isinstance(event, StreamEndEvent):
                break
        if found is None or place is None or found.value is None:
            raise GrammarError("--yaml: the body is empty; write for example: prompt: a red fox")
        if not isinstance(found.value, dict):
            raise _mistake("--yaml wants a mapping with the arguments: one NAME: VALUE a line", place)
        return found.value

    def _node(self, event: Any, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise _mistake(f"values nest deeper than {MAX_DEPTH}", event)
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        if event.tag:
            raise _mistake(f"tags such as {shorten(str(event.tag))} are not allowed", event)
        if isinstance(event, ScalarEvent):
            node = _Node(self._scalar(event), 1, 1)
        elif isinstance(event, SequenceStartEvent):
            node = self._sequence(depth)
        else:
            node = self._mapping(event, depth)
        self._add(1, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: AliasEvent, depth: int) -> _Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            raise _mistake(f"*{shorten(event.anchor, 40)} names nothing above it", event)
        if depth + node.height - 1 > MAX_DEPTH:
            raise _mistake(f"values nest deeper than {MAX_DEPTH}", event)
        self._add(node.size, event)
        return _Node(copy.deepcopy(node.value), node.size, node.height)

    def _add(self, size: int, event: Event) -> None:
        self._count += size
        if self._count > MAX_VALUES:
            raise _mistake(f"more than {MAX_VALUES:,} values", event)

    def _sequence(self, depth: int) -> _Node:
        nodes = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            nodes.append(self._node(event, depth + 1))
        return _around([node.value for node in nodes], nodes)

    def _mapping(self, start: Any, depth: int) -> _Node:
        value: dict[str, JSON] = {}
        nodes = []
        is_flow = bool(start.flow_style)
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or event.tag or event.anchor is not None:
                raise _mistake("a name must be a plain text", event)
            name = str(event.value)
            if name == "<<" and event.implicit[0]:
                raise _mistake("merge keys (<<) are not part of YAML 1.2", event)
            if name in value:
                raise _mistake(f"{shorten(name)} is given twice", event)
            of = next(self._events)
            if is_flow and _is_nothing(of) and parse_reference(name):
                braces = f"{{{shorten(name, 40)}}}"
                hint = f"put the whole text in quotes, or write NAME={braces} on the first line for the object itself"
                raise _mistake(f"{braces} without quotes is a mapping in YAML: {hint}", start)
            nodes.append(self._node(of, depth + 1))
            value[name] = nodes[-1].value
        return _around(value, nodes)

    def _scalar(self, event: ScalarEvent) -> JSON:
        text = str(event.value)
        value = _plain(text, event) if event.implicit[0] else text
        if not isinstance(value, str):
            return value
        try:
            return expand(value, self._namespace)
        except Mistake as mistake:
            raise _mistake(mistake.what, event) from mistake.__cause__


def _around(value: JSON, nodes: list[_Node]) -> _Node:
    return _Node(value, 1 + sum(node.size for node in nodes), 1 + max((node.height for node in nodes), default=0))


def _is_nothing(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and event.value == "" and bool(event.implicit[0])


def _plain(text: str, event: Event) -> JSON:
    """Return what a scalar without quotes is. Source: YAML 1.2.2, section 10.3.2, the core schema."""
    if text in _WORDS:
        return _WORDS[text]
    try:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _PREFIXED.fullmatch(text):
            return int(text, 0)
    except ValueError:
        raise _mistake("a number is too long", event) from None
    if _SPECIAL_FLOAT.fullmatch(text):
        raise _mistake(f"{text} is no number that can be sent", event)
    if not _FLOAT.fullmatch(text):
        return text
    number = float(text)
    if not math.isfinite(number):
        raise _mistake(f"{shorten(text)} is too large", event)
    return number


def _mistake(what: str, event: Event) -> GrammarError:
    mark = event.start_mark
    return body_mistake(what, mark.line if mark else 0, mark.column if mark else 0)


def _reason(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "it cannot be read")
    hint = next((hint for part, hint in _HINTS.items() if part in problem), None)
    return f"{problem.encode('unicode_escape').decode()}{f'; {hint}' if hint else ''}"
