"""Rules that leave cells out: ``style == bauhaus and guidance_scale > 4``. Read by hand; nothing is evaluated.

::

    rule       = comparison, joined by and, or, not and parentheses
    comparison = NAME (== | != | < | <= | > | >=) value  |  NAME [not] in [value, …]
    value      = number | "text" | 'text' | words up to and, or, a comma or a bracket | the NAME of another axis
    NAME       = an axis or an argument of the plan; `in backquotes` where it has spaces
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fal_nb.errors import GrammarError
from fal_nb.schemas.nearest import nearest
from fal_nb.sweeps.values import show
from fal_nb.templates.mistakes import shorten

__all__ = ["MISSING_VALUE", "Rule", "never_true", "read_rule"]

_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>\"[^\"]*\"|'[^']*')|(?P<back>`[^`]*`)|(?P<sign>==|!=|<=|>=|[<>()\[\],=])"
    r"|(?P<word>[^\s()\[\],<>=!\"'`]+)|(?P<other>\S))"
)
_KEYWORDS = frozenset({"and", "or", "not", "in"})
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MOST_TOKENS = 500

MISSING_VALUE = object()
"""What a cell says of a name that its row, or its endpoint, does not have: equal to nothing."""

Values = Callable[[str], Any]
"""Name → what it is in a cell."""


@dataclass(frozen=True)
class Rule:
    """A condition; cells where it holds are left out.

    Attributes
    ----------
    text
        As it was written.
    names
        Those it asks about, in their order.
    compared
        (name, value) of each text it compares an axis with, so that one which never occurs can be pointed out.
    """

    text: str
    names: tuple[str, ...]
    compared: tuple[tuple[str, str], ...]
    _holds: Callable[[Values], bool]

    def holds(self, value_of: Values) -> bool:
        """Return whether a cell is left out."""
        return self._holds(value_of)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def read_rule(text: str, names: Collection[str]) -> Rule:
    """Return the rule that `text` is.

    Parameters
    ----------
    names
        Axes and arguments of the plan.

    Raises
    ------
    GrammarError
        Where it is none, or asks about a name that the plan does not have.
    """
    return _Reader(text, names).rule()


class _Reader:
    """Reads one rule from left to right."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self._text = " ".join(text.split())
        self._names = names
        self._tokens = [
            _Token(str(found.lastgroup), found[str(found.lastgroup)]) for found in _TOKEN.finditer(self._text)
        ]
        self._at = 0
        self._used: list[str] = []
        self._compared: list[tuple[str, str]] = []

    def rule(self) -> Rule:
        if not self._tokens:
            raise self._mistake("it is empty; write for example style == bauhaus and guidance_scale > 4")
        if len(self._tokens) > _MOST_TOKENS:
            raise self._mistake("it is too long")
        holds = self._either()
        if self._at < len(self._tokens):
            raise self._mistake(f"{self._here()} has no place there")
        return Rule(self._text, tuple(dict.fromkeys(self._used)), tuple(self._compared), holds)

    def _either(self) -> Callable[[Values], bool]:
        parts = [self._both()]
        while self._take("word", "or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda values: any(part(values) for part in parts)

    def _both(self) -> Callable[[Values], bool]:
        parts = [self._single()]
        while self._take("word", "and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda values: all(part(values) for part in parts)

    def _single(self) -> Callable[[Values], bool]:
        if self._take("word", "not"):
            inner = self._single()
            return lambda values: not inner(values)
        if self._take("sign", "("):
            inner = self._either()
            if not self._take("sign", ")"):
                raise self._mistake("a parenthesis is never closed")
            return inner
        return self._comparison()

    def _comparison(self) -> Callable[[Values], bool]:
        name = self._name()
        negated = self._take("word", "not")
        if self._take("word", "in"):
            wanted = self._list(name)
            return lambda values: any(_is_same(values(name), _value(one, values)) for one in wanted) != negated
        sign = self._tokens[self._at] if self._at < len(self._tokens) else None
        if negated or sign is None or sign.kind != "sign" or sign.text not in {"==", "!=", *_SIGNS}:
            equals = "; write == to compare" if sign is not None and sign.text == "=" else ""
            raise self._mistake(f"after {name} belongs ==, !=, <, <=, >, >= or in, not {self._here()}{equals}")
        self._at += 1
        compared = len(self._compared)
        other = self._operand(name)
        if sign.text in {"==", "!="}:
            wants_same = sign.text == "=="
            return lambda values: _is_same(values(name), _value(other, values)) is wants_same
        del self._compared[compared:]
        if isinstance(other, str) and _number(other) is None:
            raise self._mistake(f"{name} {sign.text} takes a number, not {shorten(other)!r}")
        compare = _SIGNS[sign.text]
        return lambda values: _is_ordered(compare, values(name), _value(other, values))

    def _name(self) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token is None or token.kind not in {"word", "back"} or token.text in _KEYWORDS:
            raise self._mistake(f"the name of an axis or an argument belongs there, not {self._here()}")
        self._at += 1
        name = token.text.strip("`")
        if name not in self._names:
            like = nearest(name, self._names)
            hint = f"did you mean {like}?" if like else f"it has {', '.join(list(self._names)[:12])}"
            raise self._mistake(f"the plan has no {shorten(name)}; {hint}")
        self._used.append(name)
        return name

    def _list(self, name: str) -> list[str | _Name]:
        if not self._take("sign", "["):
            raise self._mistake("after in belongs a list: [fox, owl]")
        found: list[str | _Name] = []
        while not self._take("sign", "]"):
            found.append(self._operand(name))
            if not self._take("sign", ",") and not (
                self._at < len(self._tokens) and self._tokens[self._at] == _Token("sign", "]")
            ):
                raise self._mistake("a list is never closed")
        return found

    def _operand(self, name: str) -> str | _Name:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token is not None and token.kind == "quoted":
            self._at += 1
            self._compared.append((name, token.text[1:-1]))
            return token.text[1:-1]
        if token is not None and token.kind == "back":
            return _Name(self._name())
        words = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind != "word" or token.text in _KEYWORDS:
                break
            words.append(token.text)
            self._at += 1
        if not words:
            raise self._mistake(f"a value belongs there, not {self._here()}; a text with such signs needs quotes")
        text = " ".join(words)
        if text in self._names:
            self._used.append(text)
            return _Name(text)
        self._compared.append((name, text))
        return text

    def _take(self, kind: str, text: str) -> bool:
        is_next = self._at < len(self._tokens) and self._tokens[self._at] == _Token(kind, text)
        self._at += is_next
        return is_next

    def _here(self) -> str:
        return shorten(self._tokens[self._at].text, 40) if self._at < len(self._tokens) else "the end"

    def _mistake(self, what: str) -> GrammarError:
        return GrammarError(f"skip: {shorten(self._text, 80)}: {what}{'' if what.endswith('?') else '.'}")


@dataclass(frozen=True, slots=True)
class _Name:
    name: str


def _value(operand: str | _Name, values: Values) -> Any:
    """Return what an operand is in a cell; a word that is a value of the axis and a name as well is the axis's."""
    return values(operand.name) if isinstance(operand, _Name) else operand


def _is_same(one: Any, other: Any) -> bool:
    if one is MISSING_VALUE or other is MISSING_VALUE:
        return False
    numbers = _number(one), _number(other)
    if numbers[0] is not None and numbers[1] is not None:
        return numbers[0] == numbers[1]
    return _text(one) == _text(other)


def _is_ordered(compare: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    numbers = _number(one), _number(other)
    return numbers[0] is not None and numbers[1] is not None and compare(numbers[0], numbers[1])


def _number(value: Any) -> float | None:
    """Return a number, also one that is written as a text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else show(value, 10_000)


def never_true(compared: Sequence[tuple[str, str]], values: Mapping[str, Sequence[Any]]) -> list[tuple[str, str]]:
    """Return the pairs of name and value of which the axis does not have the value.

    Parameters
    ----------
    values
        Name of each axis → its values.
    """
    return [
        (name, text)
        for name, text in compared
        if name in values and not any(_is_same(one, text) for one in values[name])
    ]
