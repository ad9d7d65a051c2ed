import pytest

from fal_nb.forms.fields import form_fields
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.openapi import read_schema
from fal_nb.schemas.types import Anything, Field, ListOf, ObjectOf, Text


def fields_of(properties, required=(), order=None):
    """Return the form's fields by name, of inputs described as OpenAPI does."""
    inputs = {"type": "object", "properties": properties, "required": list(required)}
    if order:
        inputs["x-fal-order-properties"] = order
    body = {"content": {"application/json": {"schema": inputs}}}
    document = {"paths": {"/a/b": {"post": {"requestBody": body}}}}
    return {field.name: field for field in form_fields(read_schema("a/b", document))}


SIZE = {
    "anyOf": [
        {"type": "object", "properties": {"width": {"type": "integer"}, "height": {"type": "integer"}}},
        {"enum": ["square", "portrait"]},
    ]
}


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("style", {"type": "string"}, "text"),
        ("prompt", {"type": "string"}, "long text"),
        ("negative_prompt", {"type": "string"}, "long text"),
        ("notes", {"type": "string", "examples": ["long " * 40]}, "long text"),
        ("scale", {"type": "number"}, "number"),
        ("steps", {"type": "integer", "minimum": 1}, "number"),
        ("steps", {"type": "integer", "minimum": 1, "maximum": 50}, "slider"),
        ("big", {"type": "integer", "minimum": 0, "maximum": 10**9}, "number"),
        ("seed", {"type": "integer", "minimum": 0, "maximum": 100}, "seed"),
        ("sync", {"type": "boolean"}, "flag"),
        ("format", {"enum": ["jpeg", "png"]}, "choice"),
        ("many", {"enum": [f"v{number}" for number in range(2000)]}, "json"),
        ("image_size", SIZE, "size"),
        ("image_url", {"type": "string"}, "file"),
        ("voice", {"type": "string", "ui": {"field": "audio"}}, "file"),
        ("tags", {"type": "array", "items": {"type": "string"}}, "list"),
        ("embedding", {"type": "object", "properties": {"path": {"type": "string"}}}, "group"),
        ("duration", {"anyOf": [{"type": "number"}, {"enum": ["auto"]}]}, "union"),
        ("extra", {"type": "object", "additionalProperties": True}, "json"),
        ("anything", {}, "json"),
        ("never", {"type": "null"}, "nothing"),
    ],
)
def test_every_type_has_the_field_that_fits_it(name, schema, kind):
    assert fields_of({name: schema})[name].kind == kind


def test_required_inputs_come_first_then_the_documents_own_order():
    names = [*fields_of({key: {"type": "string"} for key in "abcd"}, required=["c", "a"], order=["d", "c", "b", "a"])]
    assert names == ["c", "a", "d", "b"]


def test_a_slider_has_the_range_and_a_step_of_a_round_number():
    field = fields_of({"s": {"type": "number", "minimum": 0, "maximum": 20}})["s"]
    assert (field.low, field.high, field.step) == (0, 20, 0.2)
    assert fields_of({"s": {"type": "integer", "minimum": 1, "maximum": 50}})["s"].step == 1
    whole = {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.25}
    assert fields_of({"s": whole})["s"].step == 0.25


def test_what_is_neither_required_nor_marked_nor_looked_for_first_is_folded_away():
    others = {key: {"type": "string"} for key in ("sync", "safety", "scheduler", "format", "steps")}
    fields = fields_of({**others, "prompt": {"type": "string"}, "image_size": SIZE}, required=["prompt"])
    assert [name for name, field in fields.items() if not field.is_advanced] == ["prompt", "image_size"]
    marked = {**others, "steps": {"type": "integer", "ui": {"important": True}}, "image_size": SIZE, "n": {}}
    assert [name for name, field in fields_of(marked).items() if not field.is_advanced] == ["steps"]


def test_of_few_inputs_none_is_folded_away_but_hidden_ones():
    fields = fields_of({"a": {"type": "string"}, "b": {"type": "string", "ui": {"hidden": True}}})
    assert [field.is_advanced for field in fields.values()] == [False, True]


def test_null_is_a_choice_of_its_own_only_where_it_says_more_than_leaving_out():
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    fields = fields_of({"a": nullable, "b": {**nullable, "default": "x"}, "c": nullable}, required=["c"])
    assert {name: field.is_nullable for name, field in fields.items()} == {"c": True, "a": False, "b": True}


def test_parts_of_objects_and_items_of_lists_are_fields_themselves():
    lora = {"type": "object", "properties": {"path": {"type": "string"}, "scale": {"type": "number", "default": 1}}}
    field = fields_of({"loras": {"type": "array", "items": lora, "maxItems": 3}})["loras"]
    assert (field.kind, field.max_items, field.item.kind) == ("list", 3, "group")
    assert [(part.name, part.kind, part.default) for part in field.item.fields][1] == ("scale", "number", 1)


def test_options_of_a_union_are_named_by_their_types():
    field = fields_of({"d": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}]}})["d"]
    assert [(option.label, option.kind) for option in field.options] == [
        ("integer", "number"),
        ("list of texts", "list"),
    ]


def test_the_form_of_a_huge_document_stays_small():
    deep = ObjectOf(fields=tuple(Field(f"f{number}", Text()) for number in range(30)))
    for _ in range(3):
        deep = ObjectOf(fields=tuple(Field(f"g{number}", ListOf(deep)) for number in range(30)))
    fields = form_fields(EndpointSchema("a/b", deep, Anything()))
    assert 400 < sum(map(_count, fields)) < 2000
    assert {field.kind for field in _all(fields)} >= {"list", "json"}


def _all(fields):
    for field in fields:
        yield field
        yield from _all((*field.fields, *field.options, *([field.item] if field.item else [])))


def _count(field):
    return len(list(_all([field])))
