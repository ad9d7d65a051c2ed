"""What is wrong with a plan, gathered so that all of it is said at once; and what was probably meant by a value."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fal_nb.errors import GrammarError
from fal_nb.templates.mistakes import shorten

if TYPE_CHECKING:
    from fal_nb.sweeps.inputs import Inputs

__all__ = ["Mistakes", "check_meant", "list_of"]

_MOST_SHOWN = 20
_ITEM_CHARS = 30
_LINE = re.compile(r"body line (\d+)")
_RANDOM = re.compile(r"random(?:\s+(\S+).*)?\Z", re.IGNORECASE)
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = r"([+-]?[0-9]+(?:\.[0-9]+)?)"
_SPAN = re.compile(rf"{_NUMBER}\s*(?:-|–|—|:|…|\.\.\.|to)\s*{_NUMBER}")


class Mistakes:
    """Mistakes of one plan, each a line."""

    def __init__(self) -> None:
        self._found: dict[str, GrammarError] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, mistake: GrammarError) -> None:
        """Take one down, once."""
        self._found.setdefault(str(mistake), mistake)

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """Take down what is raised inside, and go on behind it."""
        try:
            yield
        except GrammarError as mistake:
            self.add(mistake)

    def raise_all(self) -> None:
        """Do nothing where there is none.

        Raises
        ------
        GrammarError
            The one there is, or one that has a line for each.
        """
        found = sorted(self._found.values(), key=_line_of)
        if len(found) == 1:
            raise found[0]
        if found:
            lines = [f"  {mistake}" for mistake in found[:_MOST_SHOWN]]
            more = [f"  … and {len(found) - _MOST_SHOWN} more"] if len(found) > _MOST_SHOWN else []
            raise GrammarError("\n".join([f"{len(found)} things to mend in the plan", *lines, *more]))


def _line_of(mistake: GrammarError) -> float:
    found = _LINE.match(str(mistake))
    return int(found[1]) if found else math.inf


def check_meant(name: str, text: str, inputs: Inputs) -> None:
    """Do nothing with characters without quotes that the input takes, or where it is not clear what they should be.

    Raises
    ------
    GrammarError
        With what was probably meant; the schema's own check would only say that they are no number.
    """
    meant = _meant(name, text, inputs)
    if meant is not None:
        raise GrammarError(f"{shorten(name)}: {meant}")


def _meant(name: str, text: str, inputs: Inputs) -> str | None:
    if "." in name or not inputs.has(name) or inputs.takes_text(name) or inputs.array_depth(name):
        return None
    if inputs.fits(name, text):
        return None
    if inputs.takes_number(name):
        drawn = _RANDOM.match(text)
        if drawn:
            word = (drawn[1] or "").lower()
            count = _WORDS.index(word) + 1 if word in _WORDS else word if word.isdecimal() else 4
            return f"{shorten(text)!r}: after random comes how many to draw, in digits: random {count}"
        span = _SPAN.fullmatch(text)
        if span:
            return f"{shorten(text)!r} is no number; a range is written {span[1]}..{span[2]}"
    items = list_of(text)
    if items and all(inputs.fits(name, item) for item in items):
        return f"{shorten(text)!r} is one value; a list of values is written [{', '.join(items)}]"
    return None


def list_of(text: str) -> list[str]:
    """Return the parts of a text that reads like a list without its brackets; none where it does not."""
    items = [item.strip() for item in text.split(",")]
    return items if len(items) > 1 and all(0 < len(item) <= _ITEM_CHARS for item in items) else []
