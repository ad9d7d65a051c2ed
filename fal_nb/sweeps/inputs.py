"""What the endpoints of a sweep take, all of them together: which names are inputs, and what may stand for them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fal_nb.protocol.status import JSON
from fal_nb.schemas.bare import is_text
from fal_nb.schemas.check import check_arguments
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.types import Field, InputType, ListOf, Number, ObjectOf, Text, options_of
from fal_nb.sweeps.values import canonical, is_object, plain_value

__all__ = ["Inputs", "Schemas", "Surroundings"]

Schemas = Mapping[str, EndpointSchema | None]
"""Endpoint → its schema; None, or nothing, where it could not be had."""


@dataclass(frozen=True)
class Surroundings:
    """What a plan is made in.

    Attributes
    ----------
    schemas
        Without an endpoint's, values are JSON where they look like it, and names that texts use are not sent.
    notebook
        Variables for names in texts that the plan does not have; what they hold becomes part of it.
    source
        Where random values come from; the operating system, where it is None.
    """

    schemas: Schemas = field(default_factory=dict)
    notebook: Mapping[str, Any] = field(default_factory=dict)
    source: random.Random | None = None


@dataclass(frozen=True)
class Inputs:
    """The inputs of some endpoints.

    Attributes
    ----------
    unknown
        Endpoints without a schema: they may take anything.
    """

    schemas: tuple[EndpointSchema, ...]
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, endpoints: Sequence[str], schemas: Schemas) -> Inputs:
        """Return what these endpoints take."""
        known = [schema for endpoint in endpoints if (schema := schemas.get(endpoint)) is not None]
        return cls(tuple(known), tuple(endpoint for endpoint in endpoints if schemas.get(endpoint) is None))

    @property
    def names(self) -> list[str]:
        """Names of all inputs, each once."""
        return list(dict.fromkeys(name for schema in self.schemas for name in schema.names))

    def has(self, name: str) -> bool:
        """Return whether a name, dotted or not, is surely an input of one of the endpoints."""
        top = name.partition(".")[0]
        return any(top in schema or schema.inputs.others is not None for schema in self.schemas)

    def type_of(self, name: str) -> InputType | None:
        """Return the type of an input where the first of the endpoints has it; a dot leads into an object."""
        return next(iter(self._types(name)), None)

    def takes_text(self, name: str) -> bool:
        """Return whether an input takes any text, so that what is written for it is one."""
        return any(isinstance(leaf, Text) for wanted in self._types(name) for leaf in _leaves(wanted))

    def takes_prose(self, name: str) -> bool:
        """Return whether an input takes texts and no objects, so that a brace in it is never an object's."""
        types = [leaf for wanted in self._types(name) for leaf in _leaves(wanted)]
        return any(isinstance(leaf, Text) for leaf in types) and not any(isinstance(leaf, ObjectOf) for leaf in types)

    def takes_objects(self, name: str) -> bool:
        """Return whether an input takes an object, or a list of them."""
        return any(isinstance(leaf, ObjectOf) for wanted in self._types(name) for leaf in _leaves(wanted))

    def takes_number(self, name: str) -> bool:
        """Return whether an input takes numbers alone, so that no word can be meant."""
        leaves = [leaf for wanted in self._types(name) for leaf in _leaves(wanted)]
        return bool(leaves) and all(isinstance(leaf, Number) for leaf in leaves)

    def fits(self, name: str, text: str) -> bool:
        """Return whether characters without quotes are a value that every endpoint which has the input takes."""
        return not self.problems(name, self.plain(name, text))

    def problems(self, name: str, value: Any) -> list[str]:
        """Return what the endpoints which have an input say against a value, a line each; nothing of a template."""
        if "." in name or _has_template(value):
            return []
        found = [
            str(problem)
            for schema in self.schemas
            if name in schema
            for problem in check_arguments(_only(schema, name), {name: value}).problems
        ]
        return list(dict.fromkeys(found))

    def takes_file(self, name: str) -> bool:
        """Return whether ``@path`` can stand for an input."""
        return any(schema[name].takes_file for schema in self.schemas if name in schema)

    def array_depth(self, name: str) -> int:
        """Return how deep lists nest in a single value of an input: 0 where a list can only be an axis."""
        return max((_depth(wanted) for wanted in self._types(name)), default=0)

    def plain(self, name: str, text: str) -> JSON:
        """Return what characters without quotes are for a name: an empty value and ``~`` are null.

        What no endpoint takes is there to be written into texts: it stays as it is written.
        """
        if text in {"", "~"}:
            return None
        if any(is_text(schema, name, text) for schema in self.schemas):
            return text
        value = plain_value(text)
        if self.has(name) or self.unknown or not isinstance(value, (int, float)) or isinstance(value, bool):
            return value
        return value if str(value) == text else text

    def settled(self, name: str, value: Any) -> Any:
        """Return a value as all endpoints that have the input want it, where they agree; else as it is."""
        if self.unknown or "." in name or is_object(value) or _has_template(value):
            return value
        found = []
        for schema in self.schemas:
            if name in schema:
                checked = check_arguments(_only(schema, name), {name: value})
                if checked.problems or name not in checked.arguments:
                    return value
                found.append(checked.arguments[name])
        same = len({canonical(one) for one in found}) == 1
        return found[0] if same else value

    def unknown_name(self, name: str) -> tuple[str, str | None]:
        """Return what to say of a name that no endpoint has: (why, the nearest name of an input or None)."""
        if len(self.schemas) == 1:
            problem = next(
                problem
                for problem in check_arguments(self.schemas[0], {name: None}).problems
                if problem.path and problem.path[0] == name
            )
            return problem.message, problem.suggestion if isinstance(problem.suggestion, str) else None
        hints = [
            problem.suggestion
            for schema in self.schemas
            for problem in check_arguments(schema, {name: None}).problems
            if problem.path and problem.path[0] == name and isinstance(problem.suggestion, str)
        ]
        like = hints[0] if hints else None
        return f"none of the endpoints has such an input{f'; did you mean {like}?' if like else ''}", like

    def _types(self, name: str) -> list[InputType]:
        found = (_inside(schema.inputs, name.split(".")) for schema in self.schemas)
        return [wanted for wanted in found if wanted is not None]


def _only(schema: EndpointSchema, name: str) -> EndpointSchema:
    return EndpointSchema(schema.endpoint, ObjectOf(fields=(schema[name],)), schema.output)


def _inside(wanted: InputType | None, names: Sequence[str]) -> InputType | None:
    for name in names:
        objects = [option for option in options_of(wanted) if isinstance(option, ObjectOf)] if wanted else []
        field: Field | None = next((found for found in (option.field(name) for option in objects) if found), None)
        wanted = field.type if field else None
    return wanted


def _leaves(wanted: InputType) -> list[InputType]:
    found: list[InputType] = []
    for option in options_of(wanted):
        found += _leaves(option.item) if isinstance(option, ListOf) else [option]
    return found


def _depth(wanted: InputType) -> int:
    return max(
        (1 + _depth(option.item) if isinstance(option, ListOf) else 0 for option in options_of(wanted)), default=0
    )


def _has_template(value: Any) -> bool:
    if isinstance(value, str):
        return "{" in value or "}" in value or value.startswith("@")
    if isinstance(value, Mapping):
        return any(_has_template(inner) for inner in value.values())
    return isinstance(value, (list, tuple)) and any(_has_template(inner) for inner in value)
