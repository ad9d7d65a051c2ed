"""A plan's text reads back as an equal plan, whatever is in it, and reading raises nothing but our own errors."""

import functools
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fal_nb.errors import FalError
from fal_nb.schemas.openapi import read_schema
from fal_nb.simulator.endpoints.registry import Registry
from fal_nb.simulator.openapi import openapi_document
from fal_nb.sweeps.inputs import Surroundings
from fal_nb.sweeps.plan import SweepPlan
from fal_nb.sweeps.plan_text import read_plan
from fal_nb.sweeps.values import double_braces

pytestmark = pytest.mark.slow


@functools.cache
def dev_schema():
    endpoint = next(one for one in Registry() if one.endpoint_id == "fal-ai/flux/dev")
    return {"fal-ai/flux/dev": read_schema("fal-ai/flux/dev", openapi_document(endpoint, "http://127.0.0.1:1"))}


NAMES = st.sampled_from(["prompt", "seed", "a", "style", "steps.x", "été", "zip", "skip", "rows", "replace x", "b-c"])
TRICKY = st.sampled_from(
    ["no", "08", "1e3", "1..4", "random 3", "~", "", " ", "a: b", "a #b", "{x}", "@a", "[a]", "'", '"', "a\nb", "- a", "true", "-", "\\", "a, b", "\u2028", "1_000", "0x1f", ".5", "a:"]
)  # fmt: skip
TEXTS = (st.text() | TRICKY | st.text(string.printable)).map(double_braces)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=5), SCALARS, max_size=3)


@st.composite
def plans(draw):
    names = draw(st.lists(NAMES.filter(lambda name: name != "replace x"), unique=True, max_size=5))
    kinds = draw(st.lists(st.sampled_from("fxr"), min_size=len(names), max_size=len(names)))
    by_kind = {kind: [name for name, other in zip(names, kinds, strict=True) if other == kind] for kind in "fxr"}
    fixed = {name: draw(VALUES) for name in by_kind["f"]}
    axes = {name: draw(st.lists(VALUES, min_size=1, max_size=4)) for name in by_kind["x"]}
    present = SCALARS.filter(lambda value: value is not None)
    row = st.fixed_dictionaries({}, optional=dict.fromkeys(by_kind["r"], present)).filter(bool)
    rows = draw(st.lists(row, min_size=1, max_size=3)) if by_kind["r"] else None
    return SweepPlan.of("a/b", fixed, axes=axes, rows=rows)


@given(plans())
@example(SweepPlan.of("a/b", {"prompt": ["x"], "seed": [[1]]}))
@example(SweepPlan.of(["a/b", "c/d"], {"p": "a\n\nb", "q": "a\nb"}))
def test_without_schemas(plan):
    assert read_plan(plan.text()) == plan


INPUTS = {
    "prompt": TEXTS,
    "seed": st.integers(0, 100) | st.sampled_from(["5", "08"]),
    "guidance_scale": st.floats(1, 20) | st.integers(1, 20),
    "image_size": st.sampled_from(["square", "512x512"]) | st.fixed_dictionaries({"width": st.integers(64, 999)}),
    "word": SCALARS,
}


AXES = st.fixed_dictionaries(
    {name: st.lists(values, min_size=1, max_size=3) for name, values in INPUTS.items() if name != "prompt"}
)


@given(axes=AXES, prompt=TEXTS)
def test_with_schemas(axes, prompt):
    around = Surroundings(dev_schema())
    arguments = {"prompt": f"{prompt} {{word}}"}
    plan = SweepPlan.of("fal-ai/flux/dev", arguments, axes=axes, skip="seed > 50", surroundings=around)
    assert read_plan(plan.text(), None, around) == plan


PIECES = [
    "prompt", "seed", ":", ": ", "\n", "  ", "- ", "[", "]", "{", "}", "{a}", ",", '"', "'", "#", " # ", "a", "1", "1..3", "random 2", "|", ">",
    "zip", "skip", "rows", "endpoint", "replace a", "==", "and", "\\", "@", "~", "\t", "\r\n", "🦊", "\u2028", "a: [1, 2]\n", "prompt: {a} x\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text())
def test_any_text_is_a_plan_or_gets_one_line_a_mistake(text):
    try:
        plan = read_plan(text, "x/y", Surroundings(notebook={"v": 1}))
    except FalError as error:
        said = str(error)
    else:
        said = ""
        assert read_plan(plan.text()) == plan
    lines = said.splitlines()
    assert len(lines) <= 1 or lines[0] == f"{len(lines) - 1} things to mend in the plan" or len(lines) == 22


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["[", "{", "[a,", "{a: ", "- ", '"', "a: ", "#", "{a}", "'", "\n ", "[]", ",", "a [", "((("]
)
def test_a_very_long_text_is_read_in_one_pass(piece):
    """The time limit stops a run that needs the square of the length, which would take minutes."""
    for text in (f"prompt: {piece * 30_000}", f"prompt: [{piece * 30_000}]", f"prompt:\n  - {piece * 30_000}"):
        said = ""
        try:
            read_plan(text, "x/y")
        except FalError as error:
            said = str(error)
        assert len(said) < 1000
