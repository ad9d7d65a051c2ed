"""The normal form: what means the same is the same."""

import pytest

from fal_nb.schemas.normal import normal_arguments
from fal_nb.schemas.types import MISSING, Choice, Field, ListOf, Nothing, Number, ObjectOf, OneOf, Text

NUMBER = Number(is_integer=False)
MAYBE = OneOf((NUMBER, Nothing()))
SIZE = ObjectOf("Size", (Field("width", NUMBER, default=512), Field("height", NUMBER, default=512)))
INPUTS = ObjectOf(
    fields=(
        Field("prompt", Text(), required=True),
        Field("seed", MAYBE),
        Field("scale", MAYBE, default=3.5),
        Field("mask", OneOf((Text(), Nothing())), default=None),
        Field("size", OneOf((SIZE, Choice(("square", "wide")))), default="square"),
        Field("parts", ListOf(ObjectOf("Part", (Field("weight", NUMBER, default=1.0),)))),
        Field("either", OneOf((ObjectOf("A", (Field("a", NUMBER, default=1),)), ObjectOf("B")))),
        Field("must", OneOf((Text(), Nothing())), required=True, default=MISSING),
    )
)
PLAIN = {"prompt": "x", "scale": 3.5, "size": "square"}


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        ({}, {}),
        ({"seed": None}, {}),
        ({"seed": 3.0}, {"seed": 3}),
        ({"mask": None}, {}),
        ({"scale": 3.5}, {}),
        ({"scale": None}, {"scale": None}),
        ({"must": None}, {"must": None}),
        ({"size": {"width": 512.0}}, {"size": {"width": 512, "height": 512}}),
        ({"size": "square"}, {}),
        ({"parts": [{}, {"weight": 2}]}, {"parts": [{"weight": 1}, {"weight": 2}]}),
        ({"either": {}}, {"either": {}}),
        ({"unknown": {"a": 1.0}}, {"unknown": {"a": 1}}),
        ({"flag": True}, {"flag": True}),
    ],
)
def test_defaults_nulls_and_numbers_become_normal(arguments, more):
    assert normal_arguments(INPUTS, {"prompt": "x", **arguments}) == {**PLAIN, **more}


def test_truth_stays_apart_from_one():
    assert repr(normal_arguments(None, {"a": True, "b": 1.0})) == "{'a': True, 'b': 1}"
