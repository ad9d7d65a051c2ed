"""What was filled in → the arguments of the call: only what differs from the defaults, files in their places.

A form holds JSON. A local file is the text ``@path`` in a place that takes a file; anywhere else such a text is a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.types import (
    Anything,
    Field,
    InputType,
    ListOf,
    Missing,
    ObjectOf,
    Text,
    options_of,
)

__all__ = ["arguments_of", "values_of"]

_FILE = "@"


def arguments_of(schema: EndpointSchema, values: Mapping[str, JSON]) -> dict[str, Any]:
    """Return the arguments that a form's values mean.

    Parameters
    ----------
    values
        Name → value of the fields that somebody has touched; not changed.

    Returns
    -------
    dict
        In the order of `schema`, JSON and `pathlib.Path`; unknown names stay, for a check to find.
    """
    return _object(schema.inputs, values)


def values_of(schema: EndpointSchema, arguments: Mapping[str, Any]) -> dict[str, JSON]:
    """Return what a form holds for these arguments, for a form that begins filled in.

    Parameters
    ----------
    arguments
        JSON and `pathlib.Path`.
    """
    ordered = _ordered(schema.inputs, arguments)
    return {name: _written(value) for name, value in ordered.items()}


def _object(wanted: ObjectOf, values: Mapping[str, Any], *, is_sure: bool = True) -> dict[str, Any]:
    """Return an object without what its defaults say.

    Parameters
    ----------
    is_sure
        Whether no other type is meant, whose defaults may be others.
    """
    keeps_all = not is_sure or {field.name for field in wanted.fields} == {"width", "height"}
    found: dict[str, Any] = {}
    for name, value in _ordered(wanted, values).items():
        known = wanted.field(name)
        if known is not None and not known.required and not keeps_all and _says_nothing(known, value):
            continue
        found[name] = _value(known.type if known is not None else wanted.others or Anything(), value)
    return found


def _value(wanted: InputType, value: Any) -> Any:
    if isinstance(value, str):
        return _text(wanted, value)
    if isinstance(value, Mapping):
        objects = [option for option in options_of(wanted) if isinstance(option, ObjectOf)]
        meant = [option for option in objects if all(option.field(str(name)) for name in value)] or objects
        return _object(meant[0], value, is_sure=len(objects) == 1) if meant else dict(value)
    if isinstance(value, (list, tuple)):
        lists = [option for option in options_of(wanted) if isinstance(option, ListOf)]
        return [_value(lists[0].item if len(lists) == 1 else Anything(), each) for each in value]
    return value


def _text(wanted: InputType, value: str) -> str | Path:
    is_file = any(isinstance(option, Text) and option.file for option in options_of(wanted))
    path = value.removeprefix(_FILE).strip()
    return Path(path) if is_file and value.startswith(_FILE) and path else value


def _says_nothing(known: Field, value: Any) -> bool:
    """Return whether leaving a part out says the same as this value of it."""
    if isinstance(known.default, Missing) or known.default is None:
        return value is None
    return _is_same(known.default, value)


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two values are the same JSON; 1.0 is 1, and true is not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _written(value: Any) -> JSON:
    if isinstance(value, Path):
        return f"{_FILE}{value}"
    if isinstance(value, Mapping):
        return {str(name): _written(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written(inner) for inner in value]
    return value


def _ordered(wanted: ObjectOf, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts in the order of the document, those it does not know last."""
    known = {field.name: values[field.name] for field in wanted.fields if field.name in values}
    return known | {str(name): value for name, value in values.items() if name not in known}
