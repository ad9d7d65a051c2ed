"""Documents → schemas: those of the simulator, the forms others publish, and those that mean harm."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import ProtocolError
from fal_nb.schemas.media import file_kind
from fal_nb.schemas.openapi import read_schema
from fal_nb.schemas.types import (
    MISSING,
    Anything,
    Choice,
    Flag,
    ListOf,
    Nothing,
    Number,
    ObjectOf,
    OneOf,
    Text,
)

ENDPOINT = "fal-ai/thing"


def document(properties, *, schemas=None, required=(), **more):
    body = {"type": "object", "properties": properties, "required": list(required), **more}
    return {
        "openapi": "3.0.4",
        "components": {"schemas": {"ThingInput": body, **(schemas or {})}},
        "paths": {
            f"/{ENDPOINT}": {
                "post": {
                    "requestBody": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingInput"}}}
                    }
                }
            }
        },
    }


def one(schema, **more):
    """Return the field an input's schema is read as."""
    return read_schema(ENDPOINT, document({"x": schema}, **more))["x"]


def test_every_simulated_endpoint_reads_as_its_models_say(simulated, schema_of):
    for endpoint_id, endpoint in simulated.items():
        schema = schema_of(endpoint_id)
        fields = endpoint.input_model.model_fields
        assert schema.names == list(fields), endpoint_id
        assert schema.required == [name for name, field in fields.items() if field.is_required()], endpoint_id
        for name, field in fields.items():
            if field.is_required() or (field.default is None and schema[name].default is MISSING):
                continue
            stated = json.loads(json.dumps(field.get_default(call_default_factory=True)))
            assert schema[name].default == stated, (endpoint_id, name)


def test_rows_say_name_type_default_values_and_required(schema_of):
    rows = {row["name"]: row for row in schema_of("fal-ai/flux/dev").rows()}
    steps = rows["num_inference_steps"]
    assert (steps["type"], steps["default"], steps["values"], steps["required"]) == ("integer", 28, "1–50", False)
    assert (rows["prompt"]["required"], rows["prompt"]["default"]) == (True, MISSING)
    assert rows["output_format"]["values"] == '"jpeg", "png"'
    size = rows["image_size"]
    assert size["type"] == "ImageSize object or choice"
    assert size["values"].startswith('{width, height}; "square_hd"')


def test_display_order_is_the_documents_then_what_it_forgot():
    schema = read_schema(
        ENDPOINT,
        document(
            {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}},
            **{"x-fal-order-properties": ["c", "gone", "a"]},
        ),
    )
    assert schema.names == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 4}, Number(True, 1, 4)),
        ({"type": "number", "exclusiveMinimum": 0}, Number(False, 0, None, True)),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, Number(False, 0, None, True)),
        ({"type": "number", "multipleOf": 0.5}, Number(False, multiple_of=0.5)),
        ({"type": "string", "minLength": 1, "maxLength": 9}, Text(1, 9)),
        ({"type": "boolean"}, Flag()),
        ({"enum": ["a", "b"], "type": "string"}, Choice(("a", "b"))),
        ({"enum": [512, 1024]}, Choice((512, 1024))),
        ({"const": "only"}, Choice(("only",))),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 3}, ListOf(Number(True), None, 3)),
        ({"type": "array"}, ListOf(Anything())),
        ({"type": ["string", "null"]}, OneOf((Text(), Nothing()))),
        ({"type": "string", "nullable": True}, OneOf((Text(), Nothing()))),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, OneOf((Number(True), Nothing()))),
        (
            {"oneOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"type": "string"}]},
            OneOf((Number(True), Text())),
        ),
        ({"anyOf": [{"type": "string"}]}, Text()),
        ({"type": "object"}, ObjectOf(others=Anything())),
        ({"type": "object", "additionalProperties": {"type": "number"}}, ObjectOf(others=Number(False))),
        ({}, Anything()),
        (True, Anything()),
        ({"type": "strange"}, Anything()),
        ({"enum": [{"no": "scalar"}]}, Anything()),
        ({"type": "integer", "minimum": "1", "maximum": True}, Number(True)),
    ],
)
def test_each_form_of_a_schema_is_read(schema, wanted):
    assert one(schema).type == wanted


def test_a_reference_is_followed_and_names_the_object():
    size = {"type": "object", "properties": {"width": {"type": "integer"}, "height": {"type": "integer"}}}
    field = one({"$ref": "#/components/schemas/ImageSize"}, schemas={"ImageSize": size})
    assert field.type.name == "ImageSize"
    assert [part.name for part in field.type.fields] == ["width", "height"]
    wrapped = one({"allOf": [{"$ref": "#/components/schemas/ImageSize"}], "default": None}, schemas={"ImageSize": size})
    assert wrapped.type == field.type
    assert wrapped.default is None


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("image_url", {}, "image"),
        ("end_image_url", {}, "image"),
        ("mask_url", {}, "image"),
        ("video_url", {}, "video"),
        ("audio_url", {}, "audio"),
        ("voice_url", {}, "audio"),
        ("training_data_url", {}, "archive"),
        ("lora_url", {}, "weights"),
        ("body_mesh_url", {}, "mesh"),
        ("pdf_url", {}, "file"),
        ("garment_image", {}, "image"),
        ("source", {"ui": {"field": "video"}}, "video"),
        ("prompt", {}, None),
        ("webhook_url", {}, None),
        ("anything", {"format": "uri"}, "file"),
    ],
)
def test_file_inputs_are_known_by_mark_or_name(name, schema, kind):
    field = read_schema(ENDPOINT, document({name: {"type": "string", **schema}}))[name]
    assert field.type.file == kind
    assert field.takes_file is (kind is not None)


def test_a_list_of_urls_takes_files():
    field = read_schema(ENDPOINT, document({"image_urls": {"type": "array", "items": {"type": "string"}}}))[
        "image_urls"
    ]
    assert field.type.item.file == "image"
    assert field.takes_file


def test_a_default_of_null_is_not_no_default():
    assert one({"type": "integer", "default": None}).default is None
    assert one({"type": "integer"}).default is MISSING
    assert one({"type": "integer", "default": 3}, required=["x"]).default is MISSING


def test_the_input_is_found_by_name_where_the_paths_say_nothing():
    found = read_schema(
        ENDPOINT, {"components": {"schemas": {"ThingInput": {"properties": {"a": {"type": "string"}}}}}}
    )
    assert found.names == ["a"]


@pytest.mark.parametrize(
    "nothing", [None, [], "text", {}, {"paths": [], "components": 3}, {"components": {"schemas": []}}]
)
def test_a_document_without_an_input_is_a_protocol_error(nothing):
    with pytest.raises(ProtocolError, match=ENDPOINT):
        read_schema(ENDPOINT, nothing)


def test_a_document_that_refers_to_itself_without_end_is_read_in_bounds():
    loop = {"properties": {name: {"$ref": "#/components/schemas/Loop"} for name in "abcdefgh"}}
    schema = read_schema(ENDPOINT, document({"x": {"$ref": "#/components/schemas/Loop"}}, schemas={"Loop": loop}))
    assert len(repr(schema["x"].type)) < 20_000_000
    assert schema["x"].type.field("a") is not None


def test_references_out_of_the_document_lead_nowhere():
    for ref in ("http://127.0.0.1:1/x", "file:///etc/passwd", "#/info", 7):
        assert one({"$ref": ref}).type == Anything()


def test_words_of_a_document_are_one_line_and_cut():
    field = one({"type": "string", "description": "a\nb\x00c" + "d" * 5_000})
    assert field.description.startswith("a b cd")
    assert len(field.description) <= 2_000


def test_the_table_escapes_what_the_document_says():
    schema = read_schema(ENDPOINT, document({"<img src=x>": {"type": "string", "description": "<script>1</script>"}}))
    html = schema._repr_html_()
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_the_digest_is_about_values_and_not_about_words():
    base = {"x": {"type": "integer", "default": 3, "description": "old words"}}
    reworded = {"x": {"type": "integer", "default": 3, "description": "new words", "title": "X", "examples": [9]}}
    digest = read_schema(ENDPOINT, document(base)).digest
    assert read_schema(ENDPOINT, document(reworded)).digest == digest
    for changed in ({"default": 4}, {"maximum": 9}, {"type": "number"}, {"enum": [3]}):
        other = read_schema(ENDPOINT, document({"x": {**base["x"], **changed}})).digest
        assert other != digest, changed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEYWORDS = st.sampled_from(
    [
        "type",
        "enum",
        "const",
        "default",
        "anyOf",
        "oneOf",
        "allOf",
        "properties",
        "items",
        "required",
        "$ref",
        "minimum",
        "maximum",
        "nullable",
        "ui",
        "title",
        "additionalProperties",
        "x-fal-order-properties",
        "minLength",
        "maxItems",
        "examples",
        "format",
    ]
)
WORDS = st.sampled_from(["string", "integer", "object", "array", "null", "#/components/schemas/ThingInput"])
SCHEMAS = st.recursive(
    st.dictionaries(KEYWORDS, JSON | WORDS, max_size=4),
    lambda inner: st.dictionaries(KEYWORDS, inner | st.lists(inner, max_size=3), max_size=4),
    max_leaves=10,
)


@given(SCHEMAS, SCHEMAS)
def test_whatever_a_document_holds_it_is_read_or_refused(first, second):
    try:
        schema = read_schema(ENDPOINT, document({"x": first, "y": second}, schemas={"Other": second}))
    except ProtocolError:
        return
    assert isinstance(repr(schema), str)
    assert isinstance(schema._repr_html_(), str)
    assert len(schema.digest) == 64


def test_a_format_that_is_no_text_says_nothing():
    assert [file_kind("x", {"format": each}) for each in ([], {"a": 1}, None, "uri")] == [None, None, None, "file"]
