"""Texts of a plan: which names they use, the notebook's variables put in for good, and what a cell makes of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from fal_nb.errors import GrammarError
from fal_nb.schemas.nearest import nearest
from fal_nb.sweeps.values import double_braces
from fal_nb.templates.mistakes import Mistake, shorten
from fal_nb.templates.template import Reference, compile_template, expand, look_up

__all__ = ["Replacement", "bind", "names_in", "read_replacement", "render", "unescape"]

_REPLACE = re.compile(
    r"replace\s+(?:\"(?P<quoted>[^\"]+)\"|(?P<bare>[^\":]+?))(?:\s+in\s+(?P<input>[^\W\d][\w.]*))?\s*", re.DOTALL
)


class Replacement:
    """Search and replace in a text, once it has its variables: whole words, upper and lower case told apart.

    Attributes
    ----------
    input
        The argument whose text it is.
    """

    def __init__(self, search: str, input_name: str) -> None:
        self.search = search
        self.input = input_name
        # A word is not found inside a longer one: red is no part of incredible.
        before = r"(?<!\w)" if search[0].isalnum() else ""
        after = r"(?!\w)" if search[-1].isalnum() else ""
        self._pattern = re.compile(f"{before}{re.escape(search)}{after}")

    def found_in(self, text: str) -> bool:
        """Return whether there is anything to replace."""
        return self._pattern.search(text) is not None

    def apply(self, text: str, by: str) -> str:
        """Return `text` with all that was searched for replaced."""
        return self._pattern.sub(lambda _: by, text)


def read_replacement(name: str) -> Replacement | None:
    """Return what the axis ``replace red`` or ``replace "in red" in negative_prompt`` does; None for any other name."""
    found = _REPLACE.fullmatch(name)
    return Replacement(found["quoted"] or found["bare"], found["input"] or "prompt") if found else None


@functools.lru_cache(maxsize=4096)
def _compiled(text: str) -> tuple[str | Reference, ...]:
    return tuple(piece if isinstance(piece, str) else piece[1] for piece in compile_template(text))


def names_in(value: Any) -> Iterator[str]:
    """Yield each name that the texts of a value use, as often as they do.

    Raises
    ------
    Mistake
        Where a brace is wrong.
    """
    if isinstance(value, str):
        if "{" in value or "}" in value:
            yield from (piece.name for piece in _compiled(value) if isinstance(piece, Reference))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from names_in(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from names_in(inner)


def bind(value: Any, own: Collection[str], notebook: Mapping[str, Any], where: str) -> Any:
    """Return a value with the notebook's variables put in, and the plan's own names left for its cells.

    A text that is one variable and nothing else becomes what the variable holds.

    Raises
    ------
    GrammarError
        Where a brace is wrong, or a name is neither the plan's nor the notebook's.
    """
    if isinstance(value, str):
        return _bind_text(value, own, notebook, where) if "{" in value or "}" in value else value
    if isinstance(value, Mapping):
        return {name: bind(inner, own, notebook, where) for name, inner in value.items()}
    if isinstance(value, list):
        return [bind(inner, own, notebook, where) for inner in value]
    return value


def _bind_text(text: str, own: Collection[str], notebook: Mapping[str, Any], where: str) -> Any:
    try:
        pieces = _compiled(text)
        if len(pieces) == 1 and isinstance(pieces[0], Reference) and pieces[0].name not in own:
            return _own_text(_noted(pieces[0], own, notebook))
        bound = []
        for piece in pieces:
            if isinstance(piece, str):
                bound.append(double_braces(piece))
            elif piece.name in own:
                bound.append(f"{{{piece}}}")
            else:
                _noted(piece, own, notebook)
                bound.append(double_braces(expand(f"{{{piece}}}", notebook)))
        return "".join(bound)
    except Mistake as mistake:
        what = mistake.what if mistake.what.endswith("?") else f"{mistake.what}."
        raise GrammarError(f"{where}: {what}") from mistake.__cause__


def _noted(reference: Reference, own: Collection[str], notebook: Mapping[str, Any]) -> Any:
    """Return what the notebook has under a name that is not the plan's; the plan's names are proposed first."""
    like = nearest(reference.name, own)
    if like and reference.name not in notebook:
        raise Mistake(f"nothing is called {{{shorten(reference.name)}}}; did you mean {{{like}}}?", 0)
    if reference.name not in notebook:
        known = ", ".join(f"{{{name}}}" for name in list(own)[:8])
        try:
            look_up(reference, notebook)
        except Mistake as mistake:
            if mistake.edits:
                raise
        has = f"the plan has {known}" if known else "the plan has no names to use in texts"
        raise Mistake(
            f"nothing is called {{{shorten(reference.name)}}}: neither this plan nor the notebook; {has}; "
            "for a brace itself write {{ or }}",
            0,
        )
    return look_up(reference, notebook)


def _own_text(value: Any) -> Any:
    """Return a notebook's value as a plan's: its texts say what they say."""
    if isinstance(value, str):
        return double_braces(value)
    if isinstance(value, Mapping):
        return {name: _own_text(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_own_text(inner) for inner in value]
    return value


def render(value: Any, value_of: Callable[[str], Any]) -> Any:
    """Return a value as it is in one cell.

    Parameters
    ----------
    value_of
        Gives what a name of the plan is in that cell, itself rendered.

    Raises
    ------
    GrammarError
        Where a key or an attribute is not there.
    """
    if isinstance(value, str):
        return _render_text(value, value_of) if "{" in value or "}" in value else value
    if isinstance(value, Mapping):
        return {name: render(inner, value_of) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [render(inner, value_of) for inner in value]
    return value


def _render_text(text: str, value_of: Callable[[str], Any]) -> Any:
    pieces = _compiled(text)
    if len(pieces) == 1 and isinstance(pieces[0], Reference):
        return _read(pieces[0], value_of)
    return "".join(piece if isinstance(piece, str) else _spoken(_read(piece, value_of)) for piece in pieces)


def _read(reference: Reference, value_of: Callable[[str], Any]) -> Any:
    value = value_of(reference.name)
    if not reference.steps:
        return value
    try:
        return look_up(reference, {reference.name: value})
    except Mistake as mistake:
        raise GrammarError(f"{mistake.what}.") from mistake.__cause__


def _spoken(value: Any) -> str:
    """Return a value within a text: true, false and null as they are written, 2.0 as 2.0."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def unescape(value: Any) -> Any:
    """Return a value as people read it: doubled braces once, names left in braces."""
    if isinstance(value, str) and ("{" in value or "}" in value):
        return "".join(piece if isinstance(piece, str) else f"{{{piece}}}" for piece in _compiled(value))
    return value
