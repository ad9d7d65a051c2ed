"""One argument of a cell against its endpoint's schema: as the endpoint wants it, and what it adds to the cell's key.

Arguments are checked one by one and each value once: nothing in a schema binds two of them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fal_nb.schemas.check import check_arguments
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.normal import normal_arguments
from fal_nb.schemas.scalars import Problem
from fal_nb.schemas.types import ObjectOf
from fal_nb.sweeps.inputs import Schemas
from fal_nb.sweeps.values import canonical, is_object

__all__ = ["ABSENT", "Fitted", "Fitter"]


class _Absent:
    """No value: not null, which is one."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Fitted:
    """An argument of a cell.

    Attributes
    ----------
    value
        `ABSENT` where nothing is sent under its name.
    identity
        What it adds to the key; nothing where it says no more than leaving it out does, such as a default.
    is_dropped
        Whether the endpoint has no such input.
    """

    value: Any
    identity: str
    problems: tuple[Problem, ...] = ()
    is_dropped: bool = False


class Fitter:
    """Fits arguments of the endpoints whose schemas it has."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._single: dict[tuple[str, str], EndpointSchema | None] = {}
        self._defaults: dict[tuple[str, str], str] = {}

    def fit(self, endpoint: str, name: str, value: Any) -> Fitted:
        """Return the argument as the endpoint wants it; without a schema as it is.

        Raises
        ------
        GrammarError
            For an object that nothing tells from another one of its kind.
        """
        schema = self._schemas.get(endpoint)
        if value is ABSENT:
            return Fitted(ABSENT, "", self._lacking(schema, name))
        if schema is None:
            return Fitted(value, _identity(name, value))
        if name not in schema and schema.inputs.others is None:
            return Fitted(ABSENT, "", is_dropped=True)
        single = self._only(schema, name)
        if name in schema and schema[name].takes_file:
            value = _with_paths(value)
        checked = check_arguments(single, {name: value}, is_file=is_object)
        if checked.problems:
            return Fitted(value, _identity(name, value), checked.problems)
        normal = normal_arguments(single.inputs, checked.arguments)
        identity = _identity(name, normal[name]) if name in normal else ""
        sent = checked.arguments.get(name, ABSENT)
        return Fitted(sent, "" if identity == self._default(single, name) else identity)

    def missing(self, endpoint: str, names: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Return a problem for each required input that is not among `names`."""
        schema = self._schemas.get(endpoint)
        if schema is None:
            return ()
        return tuple(
            problem for name in schema.required if name not in names for problem in self._lacking(schema, name)
        )

    def _lacking(self, schema: EndpointSchema | None, name: str) -> tuple[Problem, ...]:
        if schema is None or name not in schema:
            return ()
        return check_arguments(self._only(schema, name), {}).problems

    def _only(self, schema: EndpointSchema, name: str) -> EndpointSchema:
        """Return the schema with one of its inputs alone."""
        known = self._single.get((schema.endpoint, name))
        if known is None:
            fields = (schema[name],) if name in schema else ()
            known = EndpointSchema(schema.endpoint, ObjectOf(fields=fields, others=schema.inputs.others), schema.output)
            self._single[schema.endpoint, name] = known
        return known

    def _default(self, single: EndpointSchema, name: str) -> str:
        """Return what an argument would add to the key that is at its default; nothing where it has none."""
        place = single.endpoint, name
        if place not in self._defaults:
            normal = normal_arguments(single.inputs, {})
            self._defaults[place] = _identity(name, normal[name]) if name in normal else ""
        return self._defaults[place]


def _identity(name: str, value: Any) -> str:
    return f"{canonical(name)}:{canonical(value)}"


def _with_paths(value: Any) -> Any:
    """Return a value of an input for files with ``@path`` as the path it stands for."""
    if isinstance(value, str):
        return Path(value[1:].strip().strip("\"'")) if value[:1] == "@" and len(value) > 1 else value
    if isinstance(value, list):
        return [_with_paths(inner) for inner in value]
    return value
