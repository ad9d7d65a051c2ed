"""A schema that was kept reads back as the same schema, whatever an endpoint says in it."""

import json

import pytest

from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.openapi import read_schema
from fal_nb.schemas.types import Anything, Choice, Field, Flag, ListOf, Nothing, Number, ObjectOf, OneOf, Text
from fal_nb.schemas.written import read_written, write_schema
from fal_nb.simulator.endpoints.registry import Registry
from fal_nb.simulator.openapi import openapi_document

ODD = EndpointSchema(
    "a/b",
    ObjectOf(
        "In",
        (
            Field("null", OneOf((Nothing(), Flag())), default=None),
            Field("object", Anything(), default={"is": "Text", "type": ["x", {"fields": 1}]}),
            Field("list", ListOf(Choice((1, "1", None)), 0, 3), default=[], examples=({"is": "Field"}, [1])),
            Field("number", Number(is_integer=False, low=0.0, low_open=True), default=0, required=True),
        ),
        others=Text(pattern=".*", file="image"),
    ),
    ObjectOf(),
    description="<b>",
)


def through_text(schema):
    return read_written(json.loads(json.dumps(write_schema(schema))))


def test_every_simulated_endpoints_schema_comes_back_the_same():
    for endpoint in Registry():
        schema = read_schema(endpoint.endpoint_id, openapi_document(endpoint, "http://127.0.0.1:1"))
        assert through_text(schema) == schema
        assert through_text(schema).digest == schema.digest


def test_defaults_and_examples_that_look_like_types_stay_what_they_are():
    again = through_text(ODD)
    assert again == ODD
    assert again.defaults == ODD.defaults
    assert again["list"].examples == ODD["list"].examples
    assert again.digest == ODD.digest


@pytest.mark.parametrize("wrong", [None, [], 3, {}, {"is": "Path"}, {"is": "Text"}, {"is": "EndpointSchema", "x": 1}])
def test_what_is_no_schema_is_refused(wrong):
    with pytest.raises(ValueError, match="no schema"):
        read_written(wrong)
