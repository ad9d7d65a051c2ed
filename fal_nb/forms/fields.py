"""An endpoint's schema → the fields of its form, in the order in which a person fills them in.

Every type has a field. What no field of its own is made for, and what nests too deeply, is one for JSON, so that any
arguments the endpoint takes can be entered.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.types import (
    MISSING,
    Choice,
    Field,
    FileKind,
    Flag,
    InputType,
    ListOf,
    Missing,
    Nothing,
    Number,
    ObjectOf,
    Text,
    options_of,
)
from fal_nb.schemas.words import describe_type, show_limits

__all__ = ["FieldKind", "FormField", "form_fields"]

FieldKind: TypeAlias = Literal[
    "text", "long text", "number", "slider", "flag", "choice", "seed", "size", "file", "list", "group", "union",
    "nothing", "json",
]  # fmt: skip
"""``size`` is a named picture size or width and height, ``group`` an object, ``nothing`` null alone."""

_MOST_FIELDS = 400
_MOST_DEPTH = 6
_MOST_CHOICES = 1_000
_CHOICES_CHARS = 40_000
_MOST_OPTIONS = 12
_MOST_STEPS = 10_000
_LONG_CHARS = 120
_SEEDS = ("seed",)
_LONG_NAMES = ("prompt", "text", "lyrics", "script", "instructions", "transcript", "messages")
_FOREMOST = frozenset({
    "prompt", "text", "image_size", "aspect_ratio", "resolution", "duration", "num_images", "voice", "style",
})  # fmt: skip
"""Inputs that are looked for first, where the document marks none as important."""
_FEW = 6
"""So few inputs are all shown."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One field.

    Attributes
    ----------
    name
        Of the input or the part; empty for an item of a list and for an option of a union.
    label, type_words, limits, description
        What a person reads; the endpoint's own words among them are hostile text, never HTML.
    default
        `MISSING` where there is none.
    is_advanced
        Whether it is folded away at first.
    is_nullable
        Whether null is a value of its own, other than leaving the field out.
    is_integer, low, high, step
        Of numbers, sliders and seeds. The step is a slider's, no limit of what may be entered.
    choices
        The values of a choice; of a size its names.
    file_kind
        Of a file.
    item, min_items, max_items
        Of a list.
    fields
        The parts of a group.
    options
        Of a union, each with the words of its type as the label.
    """

    name: str
    kind: FieldKind
    label: str = ""
    type_words: str = ""
    limits: str = ""
    description: str = ""
    required: bool = False
    default: JSON | Missing = MISSING
    is_advanced: bool = False
    is_nullable: bool = False
    is_integer: bool = False
    low: float | None = None
    high: float | None = None
    step: float | None = None
    max_length: int | None = None
    choices: tuple[JSON, ...] = ()
    file_kind: FileKind | None = None
    item: FormField | None = None
    min_items: int | None = None
    max_items: int | None = None
    fields: tuple[FormField, ...] = ()
    options: tuple[FormField, ...] = ()


def form_fields(schema: EndpointSchema) -> tuple[FormField, ...]:
    """Return the fields of an endpoint: the required ones first, then in the document's order, advanced ones marked."""
    fields = _Builder().fields(_required_first(schema), 0)
    marked = any(field.is_important for field in schema)
    foremost = {field.name for field in schema if field.required or field.is_important}
    if not marked:
        foremost |= _FOREMOST | {field.name for field in schema if field.takes_file}
    hidden = {field.name for field in schema if field.is_hidden and not field.required}
    if len(fields) <= _FEW:
        foremost |= {field.name for field in fields}
    return tuple(replace(field, is_advanced=field.name not in foremost - hidden) for field in fields)


def _required_first(parts: Iterable[Field]) -> list[Field]:
    return sorted(parts, key=lambda part: not part.required)


class _Builder:
    """Builds fields within a budget, so that the form of a hostile document stays small."""

    def __init__(self) -> None:
        self._left = _MOST_FIELDS

    def fields(self, parts: Iterable[Field], depth: int) -> tuple[FormField, ...]:
        """Return a field for each part of an object."""
        return tuple(self._of_part(part, depth) for part in parts)

    def _of_part(self, part: Field, depth: int) -> FormField:
        default = part.default
        says_more = not isinstance(default, Missing) and default is not None
        return replace(
            self._of_type(part.name, part.type, depth, _longest(part)),
            name=part.name,
            label=part.title or _as_words(part.name),
            description=part.description,
            required=part.required,
            default=default,
            is_nullable=part.accepts_null and (says_more or part.required),
        )

    def _of_type(self, name: str, wanted: InputType, depth: int, longest: int = 0) -> FormField:
        """Return a field for a type.

        Parameters
        ----------
        name
            Of the input that it is, or that it is an item of.
        longest
            Characters of the longest example.
        """
        self._left -= 1
        options = tuple(option for option in options_of(wanted) if not isinstance(option, Nothing))
        if depth > _MOST_DEPTH or self._left < 0:
            found = FormField("", "json")
        elif len(options) != 1:
            found = self._of_union(name, options, depth)
        else:
            found = self._of_one(name, options[0], depth, longest)
        return replace(found, type_words=describe_type(wanted), limits=show_limits(wanted))

    def _of_union(self, name: str, options: Sequence[InputType], depth: int) -> FormField:
        if not options:
            return FormField("", "nothing")
        sizes = [option for option in options if _is_size(option)]
        named = [option for option in options if isinstance(option, Choice)]
        if len(options) == 2 and len(sizes) == 1 and len(named) == 1 and _are_names(named[0].values):
            return FormField("", "size", choices=named[0].values, fields=self.fields(_parts(sizes[0]), depth + 1))
        if len(options) > _MOST_OPTIONS:
            return FormField("", "json")
        fields = tuple(self._of_type(name, option, depth + 1) for option in options)
        return FormField("", "union", options=tuple(replace(each, label=each.type_words) for each in fields))

    def _of_one(self, name: str, wanted: InputType, depth: int, longest: int) -> FormField:
        found = FormField("", "json")
        match wanted:
            case Number():
                found = _of_number(name, wanted)
            case Text(file=kind) if kind is not None:
                found = FormField("", "file", file_kind=kind, max_length=wanted.max_length)
            case Text():
                is_long = longest > _LONG_CHARS or name.lower().endswith(_LONG_NAMES)
                found = FormField("", "long text" if is_long else "text", max_length=wanted.max_length)
            case Flag():
                found = FormField("", "flag")
            case Choice(values) if _are_few(values):
                found = FormField("", "choice", choices=values)
            case ListOf(item, low, high):
                inner = self._of_type(name, item, depth + 1)
                found = FormField("", "list", item=inner, min_items=low, max_items=high)
            case ObjectOf(fields=fields) if fields:
                found = FormField("", "group", fields=self.fields(_required_first(fields), depth + 1))
            case _:
                pass
        return found


def _of_number(name: str, wanted: Number) -> FormField:
    low, high, step = wanted.low, wanted.high, wanted.multiple_of
    common: Mapping[str, Any] = MappingProxyType({"is_integer": wanted.is_integer, "low": low, "high": high})
    if wanted.is_integer and name.lower().endswith(_SEEDS):
        return FormField("", "seed", **common)
    if low is None or high is None or not low < high:
        return FormField("", "number", step=step, **common)
    step = step or (1 if wanted.is_integer else _fine_step(high - low))
    return FormField("", "slider" if (high - low) / step <= _MOST_STEPS else "number", step=step, **common)


def _fine_step(span: float) -> float:
    """Return 1, 2 or 5 times a power of ten, so that a slider has 50 to 200 steps."""
    power = 10.0 ** math.floor(math.log10(span / 100))
    return next(factor * power for factor in (1, 2, 5, 10) if span / (factor * power) <= 100)


def _is_size(option: InputType) -> bool:
    return isinstance(option, ObjectOf) and {field.name for field in option.fields} == {"width", "height"}


def _parts(option: InputType) -> tuple[Field, ...]:
    return option.fields if isinstance(option, ObjectOf) else ()


def _are_few(values: Sequence[JSON]) -> bool:
    return len(values) <= _MOST_CHOICES and sum(len(str(value)) for value in values) <= _CHOICES_CHARS


def _are_names(values: Sequence[JSON]) -> bool:
    return _are_few(values) and all(isinstance(value, str) for value in values)


def _longest(part: Field) -> int:
    texts = [part.default, *part.examples]
    return max((len(text) for text in texts if isinstance(text, str)), default=0)


def _as_words(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
