"""Form → cell → arguments is the identity: for every schema, every value, through IPython's own transformations."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fal_nb.forms.fields import form_fields
from fal_nb.forms.values import arguments_of, values_of
from fal_nb.magics.format import format_line
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.normal import normal_arguments
from fal_nb.schemas.types import (
    MISSING,
    Anything,
    Choice,
    Field,
    Flag,
    ListOf,
    Nothing,
    Number,
    ObjectOf,
    OneOf,
    Text,
)
from fal_nb.simulator.endpoints.registry import Registry
from tests.forms.cells import ANY_JSON, TEXTS, read_cell, values_for

SIZE = 10 if os.environ.get("FAL_NB_TEST_SIZE") == "full" else 1
NAMES = st.sampled_from(
    ["prompt", "text", "seed", "image_size", "image_url", "größe", "a-b", "json", "timeout", "to", "_x", "loras"]
)
ODD_NAMES = TEXTS | st.just("a b")
"""No line can hold these: they make the cell a JSON body."""
SCALARS = st.sampled_from([
    Number(is_integer=True), Number(is_integer=False), Number(is_integer=True, low=1, high=9), Number(is_integer=False, low=-1.5, high=1.5),
    Text(), Text(min_length=2), Text(max_length=5), Text(file="image"), Text(file="weights"), Flag(), Nothing(), Anything(),
    Choice(("a", "b c", "null", "1")), Choice((1, 2.5, None)), Choice((1, "1", True, "true")),
])  # fmt: skip


@st.composite
def _objects(draw, inner, names=NAMES | ODD_NAMES, fewest=0):
    names = draw(st.lists(names, min_size=fewest, max_size=4, unique=True))
    fields = []
    for name in names:
        wanted = draw(inner)
        default = draw(st.just(MISSING) | st.none() | values_for(wanted))
        required = draw(st.booleans())
        fields.append(Field(name, wanted, required, MISSING if required else default))
    return ObjectOf("", tuple(fields), draw(st.none() | inner))


@st.composite
def _unions(draw, inner):
    options = draw(
        st.lists(inner.filter(lambda one: not isinstance(one, OneOf)), min_size=2, max_size=4, unique_by=repr)
    )
    return OneOf(tuple(options))


TYPES = st.recursive(
    SCALARS,
    lambda inner: st.builds(ListOf, inner, st.none() | st.integers(0, 2)) | _objects(inner) | _unions(inner),
    max_leaves=6,
)
INPUTS = st.one_of(*[_objects(SCALARS | TYPES, NAMES, 2)] * 5, _objects(TYPES))
SCHEMAS = INPUTS.map(lambda inputs: EndpointSchema("fal-ai/flux/dev", inputs, Anything()))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    paths = [folder / name for name in ("cat.png", "my cat.png", "it's {x}; #1.png", 'a "b".png')]
    for path in paths:
        path.write_bytes(b"x")
    return paths


def assert_reads_back(schema, values):
    arguments = arguments_of(schema, values)
    source = format_line("run", schema.endpoint, arguments, schema)
    assert repr(read_cell(source, schema)) == repr(_ordered(arguments, source))


def _ordered(arguments, source):
    """Return the arguments with the body's first, as a cell with a body is read."""
    if source.startswith("%%fal") and "--json" not in source.partition("\n")[0]:
        return {"prompt": arguments["prompt"], **arguments}
    return arguments


@pytest.mark.slow
@settings(
    max_examples=80 * SIZE,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(st.data())
def test_what_is_filled_in_is_what_the_cell_sends(files, data):
    schema = data.draw(SCHEMAS)
    values = data.draw(values_for(schema.inputs, files))
    form_fields(schema)
    try:
        assert_reads_back(schema, values)
    except Exception as error:
        if "cannot be written into a line" not in str(error):
            raise


@pytest.mark.slow
@settings(
    max_examples=40 * SIZE,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(st.data())
def test_leaving_out_what_the_defaults_say_changes_nothing(data):
    schema = data.draw(SCHEMAS)
    values = data.draw(values_for(schema.inputs))
    lean = arguments_of(schema, values)
    assert normal_arguments(schema.inputs, lean) == normal_arguments(schema.inputs, values)
    assert arguments_of(schema, values_of(schema, lean)) == lean


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", sorted(endpoint.endpoint_id for endpoint in Registry()))
def test_of_every_simulated_endpoint_what_is_filled_in_is_what_the_cell_sends(endpoint, schema_of, files):
    schema = schema_of(endpoint)

    @settings(max_examples=5 * SIZE, database=None, suppress_health_check=list(HealthCheck))
    @given(values_for(schema.inputs, files))
    def tried(values):
        assert_reads_back(schema, values)

    tried()
    assert next(field.name for field in form_fields(schema)) in (schema.required or schema.names)


def schema_with(*fields):
    return EndpointSchema("a/b", ObjectOf(fields=fields), Anything())


@pytest.mark.parametrize(
    ("field", "value", "cell"),
    [
        (Field("x", OneOf((Text(), Nothing())), default="y"), None, "%fal run a/b x:=null"),
        (Field("x", OneOf((Text(), Nothing())), default="y"), "null", '%fal run a/b x="null"'),
        (Field("x", OneOf((Text(), Number(is_integer=True)))), 5, "%fal run a/b x:=5"),
        (Field("x", OneOf((Text(), Number(is_integer=True)))), "5", '%fal run a/b x="5"'),
        (Field("x", Choice(("1", 1))), 1, "%fal run a/b x:=1"),
        (Field("x", Number(is_integer=False), default=3.5), 3.5, "%fal run a/b"),
        (Field("x", Number(is_integer=False), default=3), 3.0, "%fal run a/b"),
        (Field("x", Flag(), default=False), False, "%fal run a/b"),
        (Field("x", Number(is_integer=True), default=0), False, "%fal run a/b x=false"),
        (Field("x", Text(), default="y"), "", '%fal run a/b x=""'),
        (Field("x", Number(is_integer=True)), None, "%fal run a/b"),
        (Field("x", Text(file="image")), "@my cat.png", '%fal run a/b x=@"my cat.png"'),
        (Field("x", Text()), "@my cat.png", '%fal run a/b x="@my cat.png"'),
        (Field("prompt", Text()), "a fox\n  in {snow}", "%%fal run a/b\na fox\n  in {{snow}}\n"),
        (
            Field("x", ListOf(ObjectOf(fields=(Field("p", Text(), True), Field("s", Flag(), default=True))))),
            [{"p": "a", "s": True}, {"s": False, "p": "b"}],
            '%fal run a/b x=[{"p": "a"}, {"p": "b", "s": false}]',
        ),
        (
            Field("image_urls", ListOf(Text(file="image"))),
            ["@a.png", "https://x.org/b.png"],
            ("from pathlib import Path\nmy_image_urls = [Path('a.png'), 'https://x.org/b.png']\n"
            "%fal run a/b image_urls={my_image_urls}"),
        ),
    ],
)  # fmt: skip
def test_the_cell_says_only_what_differs_from_the_defaults(field, value, cell):
    schema = schema_with(field)
    assert format_line("run", "a/b", arguments_of(schema, {field.name: value}), schema) == cell


def test_a_named_size_and_width_and_height_stay_whole():
    size = ObjectOf(
        fields=(
            Field("width", Number(is_integer=True), default=512),
            Field("height", Number(is_integer=True), default=512),
        )
    )
    schema = schema_with(Field("image_size", OneOf((size, Choice(("square", "wide")))), default="wide"))
    assert arguments_of(schema, {"image_size": {"width": 512, "height": 512}}) == {
        "image_size": {"width": 512, "height": 512}
    }
    assert arguments_of(schema, {"image_size": "wide"}) == {}


def test_a_file_in_one_of_several_objects_is_found_by_the_parts_that_are_given():
    one = ObjectOf(fields=(Field("image_url", Text(file="image")), Field("n", Number(is_integer=True), default=1)))
    other = ObjectOf(fields=(Field("video_url", Text(file="video")),))
    schema = schema_with(Field("x", OneOf((one, other))))
    assert arguments_of(schema, {"x": {"video_url": "@a.mp4"}}) == {"x": {"video_url": Path("a.mp4")}}
    # Which one is meant is not sure enough to leave a default out.
    assert arguments_of(schema, {"x": {"image_url": "@a.png", "n": 1}}) == {"x": {"image_url": Path("a.png"), "n": 1}}


@given(ANY_JSON)
@example({"a": {"b": [{"c": None}]}})
def test_values_that_do_not_fit_are_kept_for_the_check_to_find(value):
    schema = schema_with(Field("x", Number(is_integer=True), default=7))
    found = arguments_of(schema, {"unknown": value, "x": [value]})
    assert found == {"x": [value], "unknown": value}
