"""An endpoint's OpenAPI document → `EndpointSchema`.

The document is a stranger's: whatever it holds, reading it ends, stays small, and what is not understood becomes
`Anything`, so that a call is never refused for a schema this reader cannot follow.
Source: fal's published queue documents (OpenAPI 3.0.4, some 3.1), fal 1.83.0 for the ``x-fal-`` extensions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from fal_nb.errors import ProtocolError
from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.media import file_kind
from fal_nb.schemas.types import (
    MISSING,
    Anything,
    Choice,
    Field,
    Flag,
    InputType,
    ListOf,
    Nothing,
    Number,
    ObjectOf,
    OneOf,
    Text,
    options_of,
)

__all__ = ["read_schema"]

_REF = "#/components/schemas/"
_MOST_DEPTH = 12
_MOST_NODES = 20_000
_WORDS_CHARS = 2_000
_EXAMPLES = 20

Schema = Mapping[str, JSON]


def read_schema(endpoint: str, document: JSON) -> EndpointSchema:
    """Return what an endpoint takes and answers, by its OpenAPI document.

    Raises
    ------
    ProtocolError
        Where the document describes no input.
    """
    root = _mapping(document)
    schemas = _mapping(_mapping(root.get("components")).get("schemas"))
    paths = _mapping(root.get("paths"))
    body = _request_body(paths, endpoint) or _by_name(schemas, "input", "request")
    if body is None:
        raise ProtocolError(f"The OpenAPI document of {endpoint} describes no input.", endpoint=endpoint)
    reader = _Reader(schemas)
    inputs = reader.read("", body, 0)
    if not isinstance(inputs, ObjectOf):
        inputs = ObjectOf(others=Anything())
    answer = _answer_body(paths, endpoint) or _by_name(schemas, "output", "response")
    info = _mapping(root.get("info"))
    metadata = _mapping(info.get("x-fal-metadata"))
    return EndpointSchema(
        endpoint=endpoint,
        inputs=inputs,
        output=Anything() if answer is None else reader.read("", answer, 0),
        category=_words(metadata.get("category")),
        description=_words(metadata.get("about") or info.get("description")),
        documentation_url=_words(metadata.get("documentationUrl")),
    )


class _Reader:
    """Reads the schemas of one document, within a budget of nodes."""

    def __init__(self, schemas: Schema) -> None:
        self._schemas = schemas
        self._left = _MOST_NODES

    def read(self, name: str, schema: JSON, depth: int) -> InputType:
        """Return the type that a schema describes.

        Parameters
        ----------
        name
            Of the input, or of the list or object part it stands in.
        """
        self._left -= 1
        if depth > _MOST_DEPTH or self._left < 0 or not isinstance(schema, Mapping):
            return Anything()
        found = self._read_known(name, schema, depth)
        return _union((found, Nothing())) if schema.get("nullable") is True else found

    def _read_known(self, name: str, schema: Schema, depth: int) -> InputType:
        target = self._target(schema)
        if target is not None:
            title, inner = target
            found = self.read(name, inner, depth + 1)
            return _named(found, title)
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list):
                return _union(self.read(name, option, depth + 1) for option in schema[key])
        if isinstance(schema.get("allOf"), list) and schema["allOf"]:
            return self._all_of(name, schema, depth)
        if "const" in schema:
            return _choice([schema["const"]])
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return _choice(schema["enum"])
        return self._read_type(name, schema, depth)

    def _read_type(self, name: str, schema: Schema, depth: int) -> InputType:
        kind = schema.get("type")
        if isinstance(kind, list):
            return _union(self.read(name, {**schema, "type": one}, depth + 1) for one in kind)
        match kind:
            case "integer" | "number":
                return _number(schema, is_integer=kind == "integer")
            case "string":
                length = (_count(schema.get("minLength")), _count(schema.get("maxLength")))
                return Text(*length, pattern=_words(schema.get("pattern")) or None, file=file_kind(name, schema))
            case "boolean":
                return Flag()
            case "null":
                return Nothing()
            case "array":
                item = self.read(name, schema.get("items", True), depth + 1)
                return ListOf(item, _count(schema.get("minItems")), _count(schema.get("maxItems")))
            case "object":
                return self._object(schema, depth)
            case _:
                return self._object(schema, depth) if isinstance(schema.get("properties"), Mapping) else Anything()

    def _object(self, schema: Schema, depth: int) -> ObjectOf:
        properties = _mapping(schema.get("properties"))
        required = {name for name in _list(schema.get("required")) if isinstance(name, str)}
        fields = tuple(
            self._field(name, properties[name], depth, required=name in required) for name in _ordered(schema)
        )
        others = schema.get("additionalProperties", None if fields else True)
        kept = None if others is None or others is False else self.read("", others, depth + 1)
        return ObjectOf(_words(schema.get("title")), fields, kept)

    def _field(self, name: str, schema: JSON, depth: int, *, required: bool) -> Field:
        own = _mapping(schema)
        found = self.read(name, schema, depth + 1)
        target = self._target(own)
        words = own if target is None else {**target[1], **own}
        ui = _mapping(own.get("ui"))
        return Field(
            name=name,
            type=found,
            required=required,
            default=_default(own, required=required),
            title=_words(own.get("title")),
            description=_words(words.get("description")),
            examples=tuple(_list(own.get("examples"))[:_EXAMPLES]),
            is_hidden=ui.get("hidden") is True,
            is_important=ui.get("important") is True,
        )

    def _all_of(self, name: str, schema: Schema, depth: int) -> InputType:
        parts = [self.read(name, part, depth + 1) for part in schema["allOf"]]
        objects = [part for part in parts if isinstance(part, ObjectOf)]
        if len(parts) == 1 or len(objects) < len(parts):
            return parts[0]
        fields = {field.name: field for part in objects for field in part.fields}
        return ObjectOf(objects[0].name, tuple(fields.values()), objects[-1].others)

    def _target(self, schema: Schema) -> tuple[str, Schema] | None:
        """Return (name, schema) that a reference leads to, within the document alone."""
        ref = schema.get("$ref")
        if not isinstance(ref, str):
            return None
        name = ref.removeprefix(_REF)
        found = self._schemas.get(name) if ref.startswith(_REF) else None
        return name, (found if isinstance(found, Mapping) else {})


def _request_body(paths: Schema, endpoint: str) -> JSON:
    """Return the schema of what is posted to the endpoint, or of the only thing that is posted at all."""
    candidates = (paths.get(f"/{endpoint}"), *paths.values())
    bodies = (_json_schema(_mapping(_mapping(_mapping(path).get("post")).get("requestBody"))) for path in candidates)
    return next(filter(None, bodies), None)


def _answer_body(paths: Schema, endpoint: str) -> JSON:
    path = paths.get(f"/{endpoint}/requests/{{request_id}}")
    return _json_schema(_mapping(_mapping(_mapping(_mapping(path).get("get")).get("responses")).get("200")))


def _json_schema(body: Schema) -> JSON:
    return _mapping(_mapping(body.get("content")).get("application/json")).get("schema")


def _by_name(schemas: Schema, *endings: str) -> JSON:
    """Return the component whose name ends as those of inputs and outputs do. Source: genmedia-cli 0.7.0."""
    for name, schema in schemas.items():
        if name.lower().endswith(endings):
            return schema
    return None


def _ordered(schema: Schema) -> list[str]:
    """Return the names of an object's parts in display order."""
    properties = _mapping(schema.get("properties"))
    listed = (name for name in _list(schema.get("x-fal-order-properties")) if isinstance(name, str))
    return [name for name in dict.fromkeys((*listed, *properties)) if name in properties]


def _default(schema: Schema, *, required: bool) -> JSON:
    """Return the stated default. Of a required input there is none, and a null is one only where it is said."""
    if required or "default" not in schema:
        return MISSING
    return schema["default"]


def _number(schema: Schema, *, is_integer: bool) -> Number:
    low, high = _finite(schema.get("minimum")), _finite(schema.get("maximum"))
    over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    low_open, high_open = over is True, under is True
    if _finite(over) is not None:
        low, low_open = _finite(over), True
    if _finite(under) is not None:
        high, high_open = _finite(under), True
    multiple = _finite(schema.get("multipleOf"))
    return Number(is_integer, low, high, low_open, high_open, multiple if multiple and multiple > 0 else None)


def _choice(values: Iterable[JSON]) -> InputType:
    known = tuple(value for value in values if value is None or isinstance(value, (str, int, float, bool)))
    if not known:
        return Anything()
    if set(map(type, known)) == {bool} and len(known) == 2:
        return Flag()
    return Choice(known)


def _union(options: Iterable[InputType]) -> InputType:
    """Return the union of some types, flattened and without repetitions."""
    flat: list[InputType] = []
    # By equality: a field's default may be a list or an object, which cannot be hashed.
    for inner in (inner for option in options for inner in options_of(option)):
        if inner not in flat:
            flat.append(inner)
    if not flat:
        return Anything()
    return flat[0] if len(flat) == 1 else OneOf(tuple(flat))


def _named(found: InputType, title: str) -> InputType:
    return ObjectOf(title, found.fields, found.others) if isinstance(found, ObjectOf) else found


def _finite(value: JSON) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value


def _count(value: JSON) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _words(value: JSON) -> str:
    """Return a text of the document on one line, cut; nothing where it is no text."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(char if char.isprintable() else " " for char in value[:_WORDS_CHARS]).split())


def _mapping(value: Any) -> Schema:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[JSON]:
    return value if isinstance(value, list) else []
