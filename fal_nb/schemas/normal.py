"""The normal form of arguments: two calls that mean the same have the same one.

What is left out and has a stated default gets it; a null that says no more than leaving out goes; 1.0 is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fal_nb.schemas.types import Field, InputType, ListOf, Missing, ObjectOf, options_of

__all__ = ["normal_arguments"]


def normal_arguments(inputs: ObjectOf | None, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked arguments in their normal form; what is neither JSON nor an object stays as it is.

    Parameters
    ----------
    inputs
        What the endpoint takes; None where that is not known, so that only numbers become normal.
    """
    return _object(inputs or ObjectOf(), arguments)


def _object(wanted: ObjectOf, value: Mapping[str, Any]) -> dict[str, Any]:
    normal: dict[str, Any] = {}
    for name, inner in value.items():
        known = wanted.field(str(name))
        if known is not None and inner is None and _is_null_absence(known):
            continue
        kind = known.type if known is not None else wanted.others
        normal[str(name)] = _value(kind, inner)
    for field in wanted.fields:
        if field.name not in normal and not isinstance(field.default, Missing) and field.default is not None:
            # A null that was given and means something else than the default is in `normal` already.
            normal[field.name] = _value(field.type, field.default)
    return normal


def _is_null_absence(field: Field) -> bool:
    """Whether null says what leaving out says: fal's documents leave out a default of null, as FastAPI does."""
    return not field.required and (isinstance(field.default, Missing) or field.default is None)


def _value(kind: InputType | None, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _object(_only(kind, ObjectOf) or ObjectOf(), value)
    if isinstance(value, (list, tuple)):
        items = _only(kind, ListOf)
        return [_value(items.item if items else None, inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _only(kind: InputType | None, wanted: Any) -> Any:
    """Return the one option of a type that is of a kind; None where there is none, or several to choose from."""
    found = [] if kind is None else [option for option in options_of(kind) if isinstance(option, wanted)]
    return found[0] if len(found) == 1 else None
