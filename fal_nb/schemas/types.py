"""The types an input can have: a small algebra that is all of OpenAPI that fal's documents use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from fal_nb.protocol.status import JSON

__all__ = [
    "MISSING",
    "Anything",
    "Choice",
    "Field",
    "FileKind",
    "Flag",
    "InputType",
    "ListOf",
    "Missing",
    "Nothing",
    "Number",
    "ObjectOf",
    "OneOf",
    "Text",
    "file_kinds",
    "options_of",
]

FileKind: TypeAlias = Literal["image", "video", "audio", "archive", "weights", "mesh", "file"]
"""What a file input takes, as far as its name and its schema tell."""


class Missing:
    """No default: not null, which is one."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Number:
    """A number.

    Attributes
    ----------
    low, high
        Limits, or None; the value itself is allowed unless `low_open` or `high_open`.
    """

    is_integer: bool
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    multiple_of: float | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text.

    Attributes
    ----------
    file
        Set where it is the URL of a file.
    pattern
        Shown, and left to the server: its dialect of regular expressions is not Python's, and it is a stranger's.
    """

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    file: FileKind | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values: texts, numbers, or null."""

    values: tuple[JSON, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Null."""


@dataclass(frozen=True, slots=True)
class Anything:
    """What the document says nothing about, or says in words this reader does not know."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items are all of one type."""

    item: InputType
    min_items: int | None = None
    max_items: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object.

    Attributes
    ----------
    fields
        In display order.
    others
        Type of the values under names that are not among the fields, or None where there may be none.
    """

    name: str = ""
    fields: tuple[Field, ...] = ()
    others: InputType | None = None

    def field(self, name: str) -> Field | None:
        """Return a field by its name."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A union; its options in the document's order, no union among them."""

    options: tuple[InputType, ...]


InputType: TypeAlias = "Number | Text | Choice | Flag | Nothing | Anything | ListOf | ObjectOf | OneOf"


@dataclass(frozen=True, slots=True)
class Field:
    """One input, or one part of an object.

    Attributes
    ----------
    default
        `MISSING` where the document states none; what is left out is then absent, not null.
    title, description
        The endpoint's own words; hostile text, never HTML.
    examples
        The first one prefills fal's playground.
    is_hidden, is_important
        Hints for forms, where the document gives them.
    """

    name: str
    type: InputType
    required: bool = False
    default: JSON | Missing = MISSING
    title: str = ""
    description: str = ""
    examples: tuple[JSON, ...] = field(default=(), compare=False)
    is_hidden: bool = False
    is_important: bool = False

    @property
    def takes_file(self) -> bool:
        """Whether a local file can be given: it is uploaded and its URL is sent."""
        return bool(file_kinds(self.type))

    @property
    def accepts_null(self) -> bool:
        """Whether null is one of its values."""
        return any(
            isinstance(option, (Nothing, Anything)) or (isinstance(option, Choice) and None in option.values)
            for option in options_of(self.type)
        )


def options_of(input_type: InputType) -> tuple[InputType, ...]:
    """Return the options of a union, or the type itself as the only one."""
    return input_type.options if isinstance(input_type, OneOf) else (input_type,)


def file_kinds(input_type: InputType) -> set[FileKind]:
    """Return the kinds of file that a value of this type, or an item of it, can be."""
    kinds: set[FileKind] = set()
    for option in options_of(input_type):
        if isinstance(option, Text) and option.file:
            kinds.add(option.file)
        elif isinstance(option, ListOf):
            kinds |= file_kinds(option.item)
    return kinds
