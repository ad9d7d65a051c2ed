"""One frozen class per subcommand about what there is to call, as in ``commands.py``; and how lines become them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast

from fal_nb.errors import EndpointError
from fal_nb.magics.convert import option_fields
from fal_nb.magics.items import ParsedLine, Word
from fal_nb.magics.quoting import raw_offset
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.templates.mistakes import Edit, Mistake
from fal_nb.templates.template import expand

__all__ = [
    "CATALOGUE_READERS",
    "AdviceArguments",
    "CatalogueArguments",
    "ModelsArguments",
    "SchemaArguments",
    "UsageArguments",
    "read_endpoint",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsArguments:
    """``models``: which are shown, in what order; `refresh` whether the catalogue is read anew."""

    words: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    kind: str | None = None
    license: str | None = None
    status: str = "active"
    sort: str = "best"
    limit: int | None = None
    refresh: bool = False
    var: str | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaArguments:
    """``schema``."""

    subcommand: Literal["schema"]
    endpoint: str
    var: str | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceArguments:
    """``docs`` or ``recommend``: `words` is what is asked."""

    subcommand: Literal["docs", "recommend"]
    words: str
    var: str | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageArguments:
    """``usage``: of how many days."""

    days: int = 30
    var: str | None = None
    silenced: bool = False


CatalogueArguments: TypeAlias = ModelsArguments | SchemaArguments | AdviceArguments | UsageArguments


def read_endpoint(word: Word, namespace: Mapping[str, Any]) -> str:
    """Return the endpoint a word means; ``{name}`` in it is a notebook variable, as in any text.

    Raises
    ------
    Mistake
        Where it is none.
    """
    text = _expanded(word, namespace)
    try:
        return str(EndpointId.parse(text))
    except EndpointError as error:
        raise Mistake(str(error).rstrip("."), word.column) from None


def _expanded(word: Word, namespace: Mapping[str, Any]) -> str:
    try:
        return expand(word.text, namespace)
    except Mistake as mistake:
        raise mistake.moved(word.column + raw_offset(word.raw, mistake.at)) from mistake.__cause__


def _read_models(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> ModelsArguments:
    words = tuple(word.text for word in parsed.words)
    return ModelsArguments(words=words, silenced=parsed.silenced, **option_fields(parsed))


def _read_schema(parsed: ParsedLine, namespace: Mapping[str, Any]) -> SchemaArguments:
    endpoint = read_endpoint(parsed.words[0], namespace)
    fields = option_fields(parsed)
    return SchemaArguments(subcommand="schema", endpoint=endpoint, silenced=parsed.silenced, **fields)


def _read_usage(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> UsageArguments:
    return UsageArguments(silenced=parsed.silenced, **option_fields(parsed))


def _read_advice(parsed: ParsedLine, namespace: Mapping[str, Any]) -> AdviceArguments:
    if not parsed.words:
        example = "cancel a request" if parsed.subcommand == "docs" else "a logo with letters"
        fix = Edit(len(parsed.text), len(parsed.text), f' "{example}"')
        raise Mistake(f"{parsed.subcommand} takes a question in words", len(parsed.text), fix)
    words = " ".join(_expanded(word, namespace) if word.quoted else word.text for word in parsed.words)
    subcommand = cast('Literal["docs", "recommend"]', parsed.subcommand)
    return AdviceArguments(subcommand=subcommand, words=words, silenced=parsed.silenced, **option_fields(parsed))


CATALOGUE_READERS: Mapping[str, Callable[[ParsedLine, Mapping[str, Any]], CatalogueArguments]] = MappingProxyType(
    {
        "models": _read_models,
        "schema": _read_schema,
        "docs": _read_advice,
        "recommend": _read_advice,
        "usage": _read_usage,
    }
)
"""Subcommand → what reads its line."""
