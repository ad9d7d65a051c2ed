"""``EndpointSchema``: what an endpoint takes, as people and checks read it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from fal_nb.protocol.status import JSON
from fal_nb.schemas.table import html_table, text_table
from fal_nb.schemas.types import Field, InputType, Missing, ObjectOf
from fal_nb.schemas.words import describe_type, show_limits, show_value

__all__ = ["EndpointSchema"]

_COLUMNS = ("name", "type", "default", "values", "required", "description")
_WORDS = frozenset({"title", "description", "examples", "is_hidden", "is_important"})


@dataclass(frozen=True)
class EndpointSchema:
    """What an endpoint takes and answers.

    Iterating gives its inputs in display order; ``schema["prompt"]`` is one of them.

    Attributes
    ----------
    inputs
        The arguments as an object.
    output
        What a result is.
    category, description, documentation_url
        The document's own words; empty where it says nothing.
    """

    endpoint: str
    inputs: ObjectOf
    output: InputType
    category: str = ""
    description: str = ""
    documentation_url: str = ""

    @property
    def names(self) -> list[str]:
        """Names of the inputs, in display order."""
        return [field.name for field in self.inputs.fields]

    @property
    def required(self) -> list[str]:
        """Names of the inputs that must be given, in display order."""
        return [field.name for field in self.inputs.fields if field.required]

    @property
    def defaults(self) -> dict[str, JSON]:
        """Name → default, of the inputs that have one."""
        return {field.name: field.default for field in self.inputs.fields if not isinstance(field.default, Missing)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what a value may be and what stands for one left out; words and examples do not count."""
        return hashlib.sha256(json.dumps(_essence(asdict(self.inputs)), sort_keys=True).encode()).hexdigest()

    def rows(self) -> list[dict[str, Any]]:
        """Return one row an input: ``name type default values required takes_file description``.

        ``values`` says in words what is allowed: a range, choices, the parts of an object.
        """
        return [_row(field) for field in self.inputs.fields]

    def __iter__(self) -> Iterator[Field]:
        return iter(self.inputs.fields)

    def __len__(self) -> int:
        return len(self.inputs.fields)

    def __getitem__(self, name: str) -> Field:
        field = self.inputs.field(name)
        if field is None:
            raise KeyError(name)
        return field

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.inputs.field(name) is not None

    def __repr__(self) -> str:
        return f"{self.endpoint}\n{text_table(_COLUMNS, self._shown())}"

    def _repr_html_(self) -> str:
        return html_table(self.endpoint, _COLUMNS, self._shown())

    def shown_rows(self) -> list[dict[str, str]]:
        """Return the same rows in words, as they are shown."""
        return [{column: _shown(row, column) for column in _COLUMNS} for row in self.rows()]

    def _shown(self) -> list[list[str]]:
        return [[_shown(row, column) for column in _COLUMNS] for row in self.rows()]


def _row(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": describe_type(field.type),
        "default": field.default,
        "values": show_limits(field.type),
        "required": field.required,
        "takes_file": field.takes_file,
        "description": field.description,
    }


def _shown(row: dict[str, Any], column: str) -> str:
    value = row[column]
    if column == "default":
        return "" if isinstance(value, Missing) else show_value(value)
    if column == "required":
        return "yes" if value else ""
    return str(value)


def _essence(value: Any) -> Any:
    """Return a type as plain JSON without its words."""
    if isinstance(value, dict):
        return {key: _essence(inner) for key, inner in value.items() if key not in _WORDS}
    if isinstance(value, (list, tuple)):
        return [_essence(inner) for inner in value]
    return repr(value) if isinstance(value, Missing) else value
