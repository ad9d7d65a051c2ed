"""What a line says: its subcommand and its items, frozen, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fal_nb.magics.options import SUBCOMMANDS, SubcommandSpec
from fal_nb.magics.values import JsonValue, Value

__all__ = ["Assign", "Input", "Item", "JsonAssign", "Option", "ParsedLine", "Word"]


@dataclass(frozen=True, slots=True)
class Assign:
    """``name=value``.

    Attributes
    ----------
    column, value_column
        0-based places in the line of the item and of its value.
    raw
        The item as written.
    name
        Its dotted parts.
    """

    column: int
    raw: str
    name: tuple[str, ...]
    value: Value
    value_column: int


@dataclass(frozen=True, slots=True)
class JsonAssign:
    """``name:=json``."""

    column: int
    raw: str
    name: tuple[str, ...]
    value: JsonValue
    value_column: int


@dataclass(frozen=True, slots=True)
class Option:
    """``--name value``, ``--name=value`` or ``--name``.

    Attributes
    ----------
    name
        Its dotted parts, with ``_`` for each hyphen; of ours, the one name the table gives it.
    value
        None for a flag. Of an option of ours a text as written, no template.
    ours
        Whether it is the subcommand's own and not an input of the endpoint.
    """

    column: int
    raw: str
    name: tuple[str, ...]
    value: Value | None
    value_column: int
    ours: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A value without a name.

    Attributes
    ----------
    text
        Without its quotes.
    """

    column: int
    raw: str
    text: str
    quoted: bool


Item: TypeAlias = Assign | JsonAssign | Option | Word
Input: TypeAlias = Assign | JsonAssign | Option


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A line without mistakes of grammar.

    Attributes
    ----------
    text
        As written, without the magic's name.
    magic
        ``%fal`` or ``%%fal``.
    silenced
        Whether a last ``;`` asks for no display.
    """

    text: str
    magic: str
    subcommand: str
    items: tuple[Item, ...]
    silenced: bool = False

    @property
    def spec(self) -> SubcommandSpec:
        """What the table says of the subcommand."""
        return SUBCOMMANDS[self.subcommand]

    @property
    def words(self) -> tuple[Word, ...]:
        """The words, in their order."""
        return tuple(item for item in self.items if isinstance(item, Word))

    @property
    def options(self) -> tuple[Option, ...]:
        """The options of ours, in their order."""
        return tuple(item for item in self.items if isinstance(item, Option) and item.ours)

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What is for the endpoint, in its order."""
        return tuple(
            item for item in self.items if not isinstance(item, Word) and not (isinstance(item, Option) and item.ours)
        )
