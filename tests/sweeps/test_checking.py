"""All cells are checked before any is sent: each thing to mend once, with how many cells have it."""

import pytest

from fal_nb.errors import ArgumentsError
from fal_nb.schemas import check
from fal_nb.sweeps import fitting
from fal_nb.sweeps.cells import Cells
from fal_nb.sweeps.checking import check_cells

DEV = "fal-ai/flux/dev"


@pytest.fixture
def checked(plan_of, schemas):
    return lambda text, endpoint=DEV: check_cells(Cells(plan_of(text, endpoint), schemas))


def test_what_fits_is_said_to_fit(checked):
    found = checked("prompt: a {x}\nx: [1, 2]\nseed: [1, 2, 3]")
    assert found
    assert (found.combinations, found.cells, found.skipped, found.repeated) == (6, 6, 0, 0)
    assert str(found) == "6 cells fit."


def test_problems_are_grouped_by_value_with_their_cells(checked):
    found = checked(
        "prompt: a {x}\nx: [1, 2]\nguidance_scale: [2, 40]\nimage_size: [square, squar_hd]\nskip: x == 2 and guidance_scale == 2"
    )
    assert found.lines == [
        'image_size: "squar_hd" is none of "square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"; did you mean "square_hd"? (3 of 6 cells)',
        "guidance_scale: 40 is too high, it takes 1–20 (4 of 6 cells)",
    ]
    assert found.skipped == 2
    with pytest.raises(ArgumentsError, match="40 is too high"):
        found.raise_for_problems()


def test_a_required_input_that_is_left_out_is_a_problem_once(checked):
    assert checked("seed: 1..4").lines == ["prompt: required; give a text (every cell)"]
    assert checked("rows: [{prompt: a}, {seed: 2}]").lines == ["prompt: required; give a text (1 of 2 cells)"]


def test_endpoints_are_named_where_their_problems_differ(checked):
    found = checked(f"endpoint: [{DEV}, fal-ai/flux/schnell]\nprompt: x\nnum_inference_steps: [20, 60]", None)
    assert found.lines == [
        "fal-ai/flux/dev: num_inference_steps: 60 is too high, it takes 1–50 (1 of 4 cells)",
        "fal-ai/flux/schnell: num_inference_steps: 20 is too high, it takes 1–12 (1 of 4 cells)",
        "fal-ai/flux/schnell: num_inference_steps: 60 is too high, it takes 1–12 (1 of 4 cells)",
    ]


def test_what_is_left_out_somewhere_is_noted(checked):
    found = checked(f"endpoint: [{DEV}, fal-ai/flux-pro/v1.1]\nprompt: x\nguidance_scale: [2, 3]", None)
    assert found.notes == (
        "fal-ai/flux-pro/v1.1 has no guidance_scale: left out there (1 cell)",
        "1 of 4 combinations repeat the call of another: made once",
    )


def test_an_endpoint_without_a_schema_takes_anything(schemas, plan_of):
    assert check_cells(Cells(plan_of("anything: [goes, too]", "my/app"), schemas))


def test_rules_that_leave_nothing_are_noted(checked):
    found = checked("prompt: x\nseed: [1, 2]\nskip: seed > 0")
    assert found.notes == ("the rules leave out every combination: there is nothing to call",)


def test_each_value_is_checked_once_however_many_cells_have_it(plan_of, schemas, monkeypatch):
    calls = []

    def counting(schema, arguments, **options):
        calls.append(arguments)
        return check.check_arguments(schema, arguments, **options)

    plan = plan_of("prompt: a {x}\nx: 1..10\nseed: 1..10\nguidance_scale: 1..20\nnum_inference_steps: 1..5")
    monkeypatch.setattr(fitting, "check_arguments", counting)
    assert check_cells(Cells(plan, schemas)).cells == 10_000
    assert len(calls) == 10 + 10 + 20 + 5
