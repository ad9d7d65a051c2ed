"""Short names of endpoints, and the arguments that are kept under names: both last as long as the kernel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fal_nb.errors import EndpointError, GrammarError
from fal_nb.magics.options import SUBCOMMANDS
from fal_nb.magics.tokens import tokenize
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.templates.mistakes import Mistake, nearest, shorten

__all__ = ["ALIAS_NAME", "check_alias", "find_kept", "merged", "with_alias"]

ALIAS_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
"""What a short name may be; an endpoint always has a slash, so that neither is ever taken for the other."""


def with_alias(line: str, aliases: Mapping[str, str]) -> tuple[str, str, str]:
    """Return a call's line with the endpoint in the place of its short name, the inputs the name brings, and the name.

    The last two are empty where the line has none.

    Raises
    ------
    Mistake
        Where the word is no endpoint and close to a short name.
    """
    tokens = tokenize(line).tokens
    spec = SUBCOMMANDS.get(tokens[0].raw) if tokens else None
    if not aliases or spec is None or spec.words != "endpoint":
        return line, "", ""
    word = next((token for token in tokens[1:] if token.kind == "word"), None)
    if word is None or "/" in word.raw:
        return line, "", ""
    stands_for = aliases.get(word.raw)
    if stands_for is None:
        like = nearest(word.raw, aliases) if ALIAS_NAME.fullmatch(word.raw) else None
        if like is not None:
            raise Mistake(f"there is no short name {shorten(word.raw)!r}; did you mean {like}?", word.column)
        return line, "", ""
    endpoint, _, inputs = stands_for.strip().partition(" ")
    return line[: word.column] + endpoint + line[word.end :], inputs.strip(), word.raw


def check_alias(name: str, line: str) -> None:
    """Refuse a short name that could not be used.

    Raises
    ------
    GrammarError
        Where the name is none, or what it stands for does not begin with an endpoint.
    """
    if not ALIAS_NAME.fullmatch(name):
        raise GrammarError(f"{shorten(name)!r} is no short name: letters, digits, _ and -, at most 40.")
    try:
        EndpointId.parse(line.split(maxsplit=1)[0] if line.strip() else "")
    except EndpointError as error:
        raise GrammarError(f"{name} stands for no endpoint: {error}") from None


def find_kept(kept: Mapping[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the arguments kept under a name.

    Raises
    ------
    GrammarError
        Where there are none.
    """
    if name in kept:
        return kept[name]
    like = nearest(name, kept)
    hint = f"did you mean {like}?" if like else "--save NAME keeps those of a call."
    raise GrammarError(f"No arguments are kept as {shorten(name)!r}; {hint}")


def merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments in which those of `own` win; objects are merged name by name."""
    found = dict(base)
    for name, value in own.items():
        before = found.get(name)
        found[name] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found
