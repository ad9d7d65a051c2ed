"""A bare value of a magic's line, by the type of the input it is for: ``2`` is a text where a text is wanted."""

from __future__ import annotations

import json

from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.types import Choice, InputType, ListOf, ObjectOf, Text, options_of

__all__ = ["is_text", "text_input_of"]


def is_text(schema: EndpointSchema, name: str, text: str) -> bool:
    """Return whether a bare value is meant as it is written, rather than as JSON.

    Parameters
    ----------
    name
        Dotted, as on the line.
    """
    wanted = _type_of(schema.inputs, name.split("."))
    if wanted is None:
        return False
    for option in _leaves(wanted):
        if isinstance(option, Choice):
            if text in option.values:
                return True
            if _as_json(text) in option.values:
                return False
    return any(isinstance(option, Text) for option in _leaves(wanted))


def text_input_of(schema: EndpointSchema) -> str | None:
    """Return the input that takes a cell's body: ``prompt``, else the only required text, else None."""
    if "prompt" in schema:
        return "prompt"
    texts = [
        field.name
        for field in schema
        if field.required and any(isinstance(option, Text) and not option.file for option in options_of(field.type))
    ]
    return texts[0] if len(texts) == 1 else None


def _type_of(wanted: InputType | None, names: list[str]) -> InputType | None:
    for name in names:
        objects = [option for option in options_of(wanted) if isinstance(option, ObjectOf)] if wanted else []
        field = next((found for found in (option.field(name) for option in objects) if found), None)
        wanted = field.type if field else None
    return wanted


def _leaves(wanted: InputType) -> list[InputType]:
    """Return the options of a type; of a list those of its items, since one value stands for a list of one."""
    found: list[InputType] = []
    for option in options_of(wanted):
        found += _leaves(option.item) if isinstance(option, ListOf) else [option]
    return found


def _as_json(text: str) -> JSON:
    try:
        return json.loads(text)
    except ValueError:
        return text
