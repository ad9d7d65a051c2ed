"""A schema as plain JSON and back, so that what calls were made under can be kept beside them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from fal_nb.protocol.status import JSON
from fal_nb.schemas import types
from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["read_written", "write_schema"]

_IS = "is"
_TYPED = frozenset({"inputs", "output", "fields", "others", "type", "item", "options"})
"""Attributes that hold types; all others hold numbers, texts, and values of endpoints, which may look like anything."""
_KINDS: tuple[Any, ...] = (
    types.Anything,
    types.Choice,
    types.Field,
    types.Flag,
    types.ListOf,
    types.Nothing,
    types.Number,
    types.ObjectOf,
    types.OneOf,
    types.Text,
    EndpointSchema,
)
_BY_NAME = {kind.__name__: kind for kind in _KINDS}


def write_schema(schema: EndpointSchema) -> JSON:
    """Return a schema as JSON; what is at its default is left out."""
    return _written(schema)


def read_written(written: JSON) -> EndpointSchema:
    """Return the schema that `write_schema` wrote.

    Raises
    ------
    ValueError
        Where it wrote no such thing.
    """
    try:
        schema = _read(written)
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"this is no schema: {type(error).__name__}") from error
    if not isinstance(schema, EndpointSchema):
        raise ValueError("this is no schema")  # noqa: TRY004 - it is what was kept that is wrong
    return schema


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_written(inner) for inner in value]
    if type(value) not in _KINDS:
        return value
    told = {field.name: getattr(value, field.name) for field in fields(value)}
    left = {name: part for name, part in told.items() if part != _default(value, name)}
    parts = {name: _written(part) if name in _TYPED else part for name, part in left.items()}
    return {_IS: type(value).__name__, **parts}


def _default(value: Any, name: str) -> Any:
    return next(field.default for field in fields(value) if field.name == name)


def _read(written: Any) -> Any:
    if isinstance(written, list):
        return tuple(_read(inner) for inner in written)
    if not isinstance(written, dict):
        return written
    kind = _BY_NAME[written[_IS]]
    return kind(**{name: _part(name, part) for name, part in written.items() if name != _IS})


def _part(name: str, part: Any) -> Any:
    if name in _TYPED:
        return _read(part)
    return tuple(part) if name in {"values", "examples"} else part
