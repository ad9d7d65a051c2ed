"""Values as they stand in a plan's text: lists, objects and texts, before the schemas say what the texts are.

YAML as people know it, but for its traps: a text without quotes goes to the end of its line or, in a list, to the next
comma, whatever it holds or begins with. YAML itself reads what is in quotes and in blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import ScalarEvent

from fal_nb.errors import GrammarError
from fal_nb.templates.template import parse_reference

__all__ = ["Plain", "Written", "end_of_brackets", "is_closed", "read_block", "read_flow", "read_quoted"]

_MOST_DEPTH = 50
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^']|'')*'", re.DOTALL)
_KEY = re.compile(r'(?:"((?:[^"\\]|\\.)*)"\s*:|([^\s,\[\]{}"\':][^,\[\]{}"\':\n]*?)\s*:(?=[\s\[{"\']|$))')
_AFTER = re.compile(r"\s*(?:#.*)?\Z")


@dataclass(frozen=True, slots=True)
class Plain:
    """Characters without quotes: what they are depends on the input."""

    text: str


Written: TypeAlias = "Plain | str | list[Written] | dict[str, Written]"


def read_quoted(text: str) -> str | None:
    """Return what a text in quotes says, where `text` is one, a comment after it or not; else None.

    Raises
    ------
    GrammarError
        Where an escape in it is wrong.
    """
    found = _QUOTED.match(text)
    return _scalar(found[0]) if found and _AFTER.match(text, found.end()) else None


def read_block(header: str, lines: list[str]) -> str:
    """Return the text of a block, ``|`` or ``>``, without its last line break unless the header has a ``+``.

    Raises
    ------
    GrammarError
        Where YAML cannot read it.
    """
    text = _scalar("\n".join([header, *lines, ""]))
    return text if "+" in header.partition("#")[0] else text.removesuffix("\n")


def is_closed(text: str) -> bool:
    """Return whether the bracket that `text` begins with is closed in it."""
    return end_of_brackets(text) is not None


def end_of_brackets(text: str) -> int | None:
    """Return where the bracket that `text` begins with is closed, that place excluded; None where it is not."""
    return _Flow(text).end_of_brackets(0)


def read_flow(text: str) -> Written | None:
    """Return the list or object that `text` is, a comment after it or not; None where it is a text that looks alike.

    Raises
    ------
    GrammarError
        Where it is a list with a mistake in it.
    """
    flow = _Flow(text)
    end = flow.end_of_brackets(0)
    if end is None or not _AFTER.match(text, end):
        return None
    return flow.value(0, end, 0)


def _scalar(text: str) -> str:
    try:
        events = list(YAML(typ="safe", pure=True).parse(text))
    except (YAMLError, ValueError, OverflowError) as error:
        reason = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise GrammarError(f"not YAML: {reason.encode('unicode_escape').decode()}") from None
    scalars = [event for event in events if isinstance(event, ScalarEvent)]
    if len(scalars) != 1:
        raise GrammarError("not YAML: a text was expected")
    return str(scalars[0].value)


class _Flow:
    """A text with brackets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._last_break = text.rfind("\n")

    def end_of_brackets(self, start: int) -> int | None:
        """Return where the bracket at `start` is closed, that place excluded; None where it is not."""
        depth = 0
        at = start
        begins = False
        while at < len(self._text):
            char = self._text[at]
            quoted = _QUOTED.match(self._text, at) if begins and char in "\"'" else None
            if quoted:
                at = quoted.end()
                begins = False
                continue
            if begins and char == "#" and at < self._last_break:
                at = self._text.index("\n", at)
                continue
            depth += (char in "[{") - (char in "]}")
            at += 1
            if depth == 0:
                return at
            begins = char in "[{,\n" or (char == ":") or (begins and char.isspace())
        return None

    def value(self, start: int, end: int, depth: int) -> Written | None:
        """Return the list or object from one bracket to the other; None for what only looks like an object."""
        if depth > _MOST_DEPTH:
            raise GrammarError(f"values nest deeper than {_MOST_DEPTH}")
        if self._text[start] == "[":
            return self._list(start, end, depth)
        if parse_reference(self._text[start + 1 : end - 1]):
            return Plain(self._text[start:end])
        return self._object(start, end, depth)

    def _list(self, start: int, end: int, depth: int) -> Written:
        items: list[Written] = []
        at = self._skip(start + 1)
        while at < end - 1:
            item, at = self._item(at, end - 1, depth)
            if item == Plain(""):
                raise GrammarError('a value is missing before a comma; an empty text is ""')
            items.append(item)
            at = self._skip(at + 1)
        return items

    def _object(self, start: int, end: int, depth: int) -> Written | None:
        items: dict[str, Written] = {}
        at = self._skip(start + 1)
        while at < end - 1:
            key = _KEY.match(self._text, at, end - 1)
            if key is None:
                return None
            name = _scalar(f'"{key[1]}"') if key[1] is not None else key[2]
            if name in items:
                raise GrammarError(f"{name} is given twice in one object")
            items[name], at = self._item(self._skip(key.end()), end - 1, depth)
            at = self._skip(at + 1)
        return items

    def _item(self, at: int, end: int, depth: int) -> tuple[Written, int]:
        """Return (the value at a place, where the comma after it or the closing bracket is)."""
        char = self._text[at]
        if char in "\"'":
            quoted = _QUOTED.match(self._text, at, end)
            if quoted and self._closes(quoted.end(), end):
                return _scalar(quoted[0]), self._next(quoted.end(), end)
        elif char in "[{":
            close = self.end_of_brackets(at)
            if close is not None and close <= end and self._closes(close, end):
                value = self.value(at, close, depth + 1)
                if value is not None:
                    return value, self._next(close, end)
        stop = self._next(at, end)
        return Plain(self._folded(self._text[at:stop])), stop

    def _closes(self, at: int, end: int) -> bool:
        """Return whether nothing but white space and comments lies between a place and the next comma."""
        at = self._skip(at)
        return at >= end or self._text[at] == ","

    def _next(self, at: int, end: int) -> int:
        """Return where the next comma outside brackets is, or `end`."""
        depth = 0
        while at < end:
            char = self._text[at]
            if char == "," and depth <= 0:
                return at
            depth += (char in "[{") - (char in "]}")
            at += 1
        return end

    def _skip(self, at: int) -> int:
        """Return where white space and comments on lines of their own end."""
        while at < len(self._text):
            if self._text[at] == "#" and at < self._last_break:
                at = self._text.index("\n", at)
            elif not self._text[at].isspace():
                break
            at += 1
        return at

    def _folded(self, text: str) -> str:
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        if len(lines) > 1 or "\n" in text:
            hidden = next((line for line in lines if re.search(r"(?:^|\s)#", line)), None)
            if hidden:
                raise GrammarError(f"is the # in {hidden[:40]!r} a comment or part of the text? Quotes make it a text")
        return " ".join(lines)
