"""Cells: what each would send, under a key that stays the same however the plan grows."""

import tracemalloc

import pytest

from fal_nb.errors import GrammarError
from fal_nb.sweeps.cells import Cells
from fal_nb.sweeps.inputs import Surroundings
from fal_nb.sweeps.plan import SweepPlan

DEV = "fal-ai/flux/dev"
SCHNELL = "fal-ai/flux/schnell"


@pytest.fixture
def cells_of(plan_of, schemas):
    return lambda text, endpoint=DEV, **notebook: list(Cells(plan_of(text, endpoint, **notebook), schemas))


def keys(cells):
    return {cell.key for cell in cells}


def test_every_combination_becomes_a_cell_with_its_texts_worked_out(cells_of):
    cells = cells_of("prompt: a {animal} in {style} style\nanimal: [fox, owl]\nstyle: [ink, oil]\nseed: [1, 2]")
    assert len(cells) == len(keys(cells)) == 8
    assert [cell.index for cell in cells] == list(range(8))
    assert cells[3].arguments == {"prompt": "a fox in oil style", "seed": 2}
    assert cells[3].coordinates == {"animal": "fox", "style": "oil", "seed": 2}


def test_texts_may_use_texts_and_parts_of_values(cells_of):
    cells = cells_of(
        "prompt: {subject} {{x}} {size[width]}\nsubject: ['a {colour} fox', an owl]\ncolour: [red]\nsize: {size}",
        size={"width": 512},
    )
    assert [cell.arguments["prompt"] for cell in cells] == ["a red fox {x} 512", "an owl {x} 512"]


def test_a_text_that_is_one_name_is_the_value_itself(cells_of):
    cells = cells_of("prompt: x {n}\nseed: {n}\nn: [1, 2]")
    assert [cell.arguments["seed"] for cell in cells] == [1, 2]


def test_dotted_names_are_parts_of_one_argument(cells_of):
    cells = cells_of("prompt: x\nimage_size.width: [512, 768]\nimage_size.height: 640")
    assert [cell.arguments["image_size"] for cell in cells] == [
        {"height": 640, "width": 512},
        {"height": 640, "width": 768},
    ]


def test_zipped_axes_go_in_step(cells_of):
    cells = cells_of(
        "prompt: a {animal}\nanimal: [fox, owl]\nseed: [1, 2]\nguidance_scale: [2, 3]\nzip: [animal, seed]"
    )
    assert [tuple(cell.coordinates.values()) for cell in cells] == [
        ("fox", 1, 2),
        ("fox", 1, 3),
        ("owl", 2, 2),
        ("owl", 2, 3),
    ]


def test_rows_are_crossed_with_axes_and_leave_out_what_they_lack(cells_of):
    cells = cells_of("rows: [{prompt: a, seed: 1}, {prompt: b}]\nguidance_scale: [2, 3]")
    assert [cell.arguments for cell in cells] == [
        {"prompt": "a", "seed": 1, "guidance_scale": 2},
        {"prompt": "a", "seed": 1, "guidance_scale": 3},
        {"prompt": "b", "guidance_scale": 2},
        {"prompt": "b", "guidance_scale": 3},
    ]


def test_a_row_without_a_name_that_a_text_uses_is_a_mistake(cells_of):
    with pytest.raises(GrammarError, match="a row has no animal, which a text uses"):
        cells_of("prompt: a {animal}\nrows: [{animal: fox}, {seed: 2}]")


def test_search_and_replace_takes_whole_words_of_the_finished_text(cells_of):
    cells = cells_of("prompt: an incredible red {x}, red\nx: red fox\nreplace red: [red, sky blue]")
    assert [cell.arguments["prompt"] for cell in cells] == [
        "an incredible red red fox, red",
        "an incredible sky blue sky blue fox, sky blue",
    ]
    assert cells[1].coordinates == {"replace red": "sky blue"}


def test_replacing_in_another_input_is_said(cells_of, schemas):
    text = "prompt: red\nnegative_prompt: red, blurred\nreplace red in negative_prompt: [red, green]"
    cells = cells_of(text, "fal-ai/fast-sdxl")
    assert [cell.arguments["negative_prompt"] for cell in cells] == ["red, blurred", "green, blurred"]
    assert {cell.arguments["prompt"] for cell in cells} == {"red"}


def test_rules_leave_cells_out(cells_of):
    cells = cells_of(
        "prompt: a {style}\nstyle: [ink, oil]\nguidance_scale: 2..5\nskip: style == ink and guidance_scale > 3"
    )
    assert len(cells) == 6
    assert all(cell.coordinates["style"] == "oil" or cell.coordinates["guidance_scale"] <= 3 for cell in cells)


def test_what_one_endpoint_lacks_is_left_out_there_and_paid_once(plan_of, schemas):
    plan = plan_of(f"endpoint: [{DEV}, fal-ai/flux-pro/v1.1]\nprompt: x\nguidance_scale: [2, 3]", None)
    cells = list(Cells(plan, schemas))
    steps = list(Cells(plan, schemas).walk())
    assert [(cell.endpoint, cell.arguments, cell.dropped) for cell in cells] == [
        (DEV, {"prompt": "x", "guidance_scale": 2}, ()),
        (DEV, {"prompt": "x", "guidance_scale": 3}, ()),
        ("fal-ai/flux-pro/v1.1", {"prompt": "x"}, ("guidance_scale",)),
    ]
    assert steps[2].key == steps[3].key
    assert steps[3].cell is None


BASE = "prompt: a {animal} in ink\nanimal: [fox, owl]\nseed: [1, 2]"
GROWN = {
    "values": "prompt: a {animal} in ink\nanimal: [cat, owl, fox]\nseed: [3, 2, 1]",
    "axes in another order": "seed: [2, 1]\nanimal: [fox, owl]\nprompt: a {animal} in ink",
    "an axis with the endpoint's default": f"{BASE}\nguidance_scale: [2, 3.5]",
    "an axis with null for what was left out": f"{BASE}\nimage_size: [~, square]",
    "a text that becomes a template": "prompt: a {animal} in {style}\nanimal: [fox, owl]\nstyle: [oil, ink]\nseed: [1, 2]",
    "an endpoint that becomes an axis": f"endpoint: [{SCHNELL}, {DEV}]\n{BASE}",
    "rows for axes": "prompt: a {animal} in ink\nrows: [{animal: fox}, {animal: owl}, {animal: cat}]\nseed: [1, 2]",
    "search and replace": f"{BASE}\nreplace ink: [ink, oil]",
    "another spelling": "prompt: a {a} in ink\na: [fox, owl]\nseed: ['1', 2.0]",
    "its defaults written out": f"{BASE}\nnum_inference_steps: 28\nnum_images: 1",
}


@pytest.mark.parametrize("text", GROWN.values(), ids=GROWN.keys())
def test_a_plan_that_grows_keeps_the_keys_of_its_cells(cells_of, text):
    endpoint = None if text.startswith("endpoint") else DEV
    assert len(cells_of(BASE)) == 4
    assert keys(cells_of(BASE)) <= keys(cells_of(text, endpoint))


@pytest.mark.parametrize("other", ["seed: 3", "guidance_scale: 3", "prompt: a cat", "num_images: 2"])
def test_another_call_has_another_key(cells_of, other):
    prompt = "" if other.startswith("prompt") else "prompt: a fox\n"
    assert keys(cells_of("prompt: a fox")).isdisjoint(keys(cells_of(prompt + other)))


def test_labels_tell_cells_with_the_same_call_apart(cells_of):
    assert len(cells_of("rows: [{prompt: a, take: 1}, {prompt: a, take: 2}, {prompt: a, take: 1}]")) == 2


def test_refined_plans_hold_the_cells_there_were(plan_of, schemas):
    plan = plan_of(f"{BASE}\nnum_inference_steps: 20")
    new = {"animal": ["cat", "fox"], "guidance_scale": [5], "num_inference_steps": [30], "image_size": ["square"]}
    refined = plan.refined(new, Surroundings(schemas))
    assert keys(Cells(plan, schemas)) < keys(Cells(refined, schemas))
    assert refined.combinations == 3 * 2 * 2 * 2 * 2


def test_a_local_file_stays_one_and_has_a_key(schemas, tmp_path):
    from pathlib import Path

    endpoint = "fal-ai/flux/dev/image-to-image"
    photos = [Path("a.png"), Path("b.png")]
    around = Surroundings(schemas)
    plan = SweepPlan.of(endpoint, {"prompt": "x"}, axes={"image_url": photos}, surroundings=around)
    cells = list(Cells(plan, schemas))
    assert [cell.arguments["image_url"] for cell in cells] == photos
    assert not any(cell.problems for cell in cells)
    assert 'image_url: ["@a.png", "@b.png"]' in plan.text()


def test_objects_of_python_are_cells_but_no_text(schemas):
    plan = SweepPlan.of("a/b", axes={"picture": [b"1", b"2", b"1"]})
    assert len(list(Cells(plan))) == 2
    with pytest.raises(GrammarError, match="picture holds a bytes, which cannot be written as a text"):
        plan.text()
    with pytest.raises(GrammarError, match="Nothing tells one object from another"):
        SweepPlan.of("a/b", axes={"picture": [object()]})


def test_cells_are_worked_out_one_by_one_in_little_memory(plan_of, schemas):
    plan = plan_of("prompt: a {a} {b}\na: 1..20\nb: 1..25\nseed: 1..20")
    cells = iter(Cells(plan, schemas))
    next(cells)
    tracemalloc.start()
    assert sum(1 for _ in cells) == 9_999
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
