"""A plan's text means what it looks like, YAML's traps included, or gets one clear line."""

import os
import random

import pytest

from fal_nb.errors import EndpointError, FileError
from fal_nb.sweeps.inputs import Surroundings
from fal_nb.sweeps.plan_text import read_endpoints, read_plan

DEV = "fal-ai/flux/dev"


def axes(plan):
    return {axis.name: list(axis.values) for axis in plan.axes}


TEXTS = [
    "a red fox",
    "no",
    "yes",
    "1e3",
    "08",
    "1..4",
    "random 8",
    "2024-01-31",
    "null",
    "true",
    "a fox: wide shot",
    "a fox #3, # no comment",
    '"Hello" she said',
    "'tis a fox",
    "[masterpiece] a fox",
    "@home in the snow",
    "*sparkles* & more",
    "!important",
    "%fal",
    "`code`",
    "- a dash",
    "? a question",
    "> louder",
    "| a pipe",
    "a fox, an owl",
    "it ends with a colon:",
    "🦊 in snow",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_plain_text_goes_to_the_end_of_its_line(plan_of, text):
    assert plan_of(f"prompt: {text}  ").fixed["prompt"] == text


@pytest.mark.parametrize("text", TEXTS)
def test_so_does_one_in_a_list_with_a_line_a_value(plan_of, text):
    plan = plan_of(f"prompt:\n  - {text}\n  # a comment\n\n  - another\n")
    assert axes(plan) == {"prompt": [text, "another"]}


def test_a_leading_brace_is_a_text_where_the_input_takes_one(plan_of):
    plan = plan_of("prompt: {animal}: a portrait, {{raw}}\nanimal: [fox, owl]")
    assert plan.fixed["prompt"] == "{animal}: a portrait, {{raw}}"


def test_lists_split_at_commas_and_leave_the_rest_alone(plan_of):
    plan = plan_of(
        "prompt: [no, don't, a: b, fox #1, {animal} x, \"a, b\", 'it''s', 1e3, 08]  # comment\nanimal: [a, b]"
    )
    expected = ["no", "don't", "a: b", "fox #1", "{animal} x", "a, b", "it's", "1e3", "08"]
    assert axes(plan)["prompt"] == expected


def test_a_list_may_go_over_several_lines(plan_of):
    plan = plan_of("prompt: [\n  a fox,   # the first\n  # nothing\n  an\n  owl,\n]\nseed: 1")
    assert axes(plan) == {"prompt": ["a fox", "an owl"]}
    assert plan.fixed["seed"] == 1


def test_values_are_typed_by_the_input_they_are_for(plan_of):
    plan = plan_of("prompt: 5\nseed: 08\nguidance_scale: 1e1\nnum_images: '2'\nenable_safety_checker: false")
    expected = {
        "endpoint": DEV, "prompt": "5", "seed": 8, "guidance_scale": 10, "num_images": 2, "enable_safety_checker": False
    }  # fmt: skip
    assert plan.fixed == expected


@pytest.mark.parametrize("written", ["", "~"])
def test_nothing_written_is_null_and_quotes_an_empty_text(plan_of, written):
    assert plan_of(f"prompt: {written}\nseed: {written}").fixed == {"endpoint": DEV, "prompt": None, "seed": None}
    assert plan_of('prompt: ""').fixed["prompt"] == ""


def test_a_block_is_a_text_of_several_lines(plan_of):
    assert plan_of("prompt: |\n  a {x}: b\n  # c\nx: fox").fixed["prompt"] == "a {x}: b\n# c"
    assert plan_of("prompt: >\n  a fox\n  in snow\n").fixed["prompt"] == "a fox in snow"


def test_objects_are_read_on_one_line_and_on_several(plan_of):
    flow = plan_of("prompt: x\nimage_size: {width: 512, height: 640}")
    assert flow == plan_of("prompt: x\nimage_size:\n  width: 512\n  height: 640\n")
    assert flow == plan_of('prompt: x\nimage_size: {"width":512,"height":640}')
    assert axes(plan_of("prompt: x\nimage_size: [square, {width: 512, height: 640}]"))["image_size"] == [
        "square",
        {"width": 512, "height": 640},
    ]


def test_a_flat_list_for_an_input_that_takes_a_list_is_one_value(plan_of):
    one = plan_of("prompt: x\nloras: [{path: a, scale: 1}]", "fal-ai/flux-lora")
    assert one.fixed["loras"] == [{"path": "a", "scale": 1}]
    several = plan_of("prompt: x\nloras: [[{path: a, scale: 1}], []]", "fal-ai/flux-lora")
    assert axes(several)["loras"] == [[{"path": "a", "scale": 1}], []]


def test_ranges_include_both_ends_and_are_exact(plan_of):
    plan = plan_of("prompt: x\nseed: 1..4\nguidance_scale: 1..2 step 0.1\nnum_inference_steps: [20..10 step 5, 3]")
    assert axes(plan) == {
        "seed": [1, 2, 3, 4],
        "guidance_scale": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0],
        "num_inference_steps": [20, 15, 10, 3],
    }


def test_a_range_leaves_out_an_end_that_its_steps_pass(plan_of):
    assert axes(plan_of("prompt: x\nguidance_scale: 2..5 step 2")) == {"guidance_scale": [2, 4]}


def test_random_values_are_drawn_once_and_are_part_of_the_plan(schemas):
    around = Surroundings(schemas, source=random.Random(7))
    plan = read_plan("prompt: x\nseed: random 8", DEV, around)
    drawn = axes(plan)["seed"]
    assert len(set(drawn)) == 8
    assert axes(read_plan(plan.text(), None, around))["seed"] == drawn
    assert axes(read_plan("prompt: x\nseed: random 8", DEV, around))["seed"] != drawn


def test_names_are_the_plans_first_then_the_notebooks(plan_of):
    plan = plan_of("prompt: a {animal} by {artist[name]}\nanimal: [fox, owl]", animal="cat", artist={"name": "{me}"})
    assert plan.fixed["prompt"] == "a {animal} by {{me}}"


def test_a_notebook_variable_alone_is_what_it_holds(plan_of):
    plan = plan_of("prompt: a {animal}\nanimal: {animals}\nseed: {n}", animals=["fox", "owl"], n=3)
    assert axes(plan) == {"animal": ["fox", "owl"]}
    assert plan.fixed["seed"] == 3
    assert plan.variables == {"animal"}


def test_variables_keep_how_they_are_written(plan_of):
    assert axes(plan_of("prompt: no. {n}\nn: [08, 1e3, 7, 1.5, 1.50]"))["n"] == ["08", "1e3", 7, 1.5, "1.50"]


def test_a_quoted_name_is_an_input_whatever_the_plan_calls_so():
    assert read_plan('"skip": 3\nskip: a == 1\na: [1, 2]', "a/b").fixed["skip"] == 3


def test_a_body_may_be_indented_and_comments_may_not_be(plan_of):
    plan = plan_of("# a comment\n\n    prompt: a\tfox\n    seed:\n\t- 1\n\t- 3..5\n# the end")
    assert plan.fixed["prompt"] == "a\tfox"
    assert axes(plan) == {"seed": [1, 3, 4, 5]}


def test_a_name_that_stands_for_itself_is_the_notebooks(plan_of, error_of):
    assert plan_of("prompt: x\nseed: {seed}", seed=[1, 2]).axes[0].values == (1, 2)
    assert "nothing is called {seed}" in error_of("prompt: x\nseed: {seed}")


def test_the_endpoint_may_stand_in_the_text_and_be_an_axis(schemas):
    text = "endpoint: [fal-ai/flux/dev, fal-ai/flux/schnell]\nprompt: x"
    assert read_endpoints(text) == ["fal-ai/flux/dev", "fal-ai/flux/schnell"]
    assert read_plan(text, None, Surroundings(schemas)).endpoints == ("fal-ai/flux/dev", "fal-ai/flux/schnell")
    with pytest.raises(EndpointError, match="is not an endpoint id"):
        read_plan("endpoint: nonsense\nprompt: x")


def test_rows_are_lists_of_objects_tables_and_files(plan_of, tmp_path):
    class Table:
        def to_dict(self, orient):
            assert orient == "records"
            return [{"animal": "fox", "seed": 1}, {"animal": "owl", "seed": float("nan")}]

    wanted = ({"animal": "fox", "seed": 1}, {"animal": "owl"})
    file = tmp_path / "rows.csv"
    file.write_text("animal,seed\nfox,1\nowl,\n", "utf-8")
    prompt = "prompt: a {animal}\n"
    assert plan_of(f"{prompt}rows: {{table}}", table=Table()).rows == wanted
    assert plan_of(f"{prompt}rows: @{file}").rows == wanted
    assert plan_of(f"{prompt}rows:\n  - animal: fox\n    seed: 1\n  - animal: owl\n").rows == wanted
    assert plan_of(f"{prompt}rows: [{{animal: fox, seed: 1}}, {{animal: owl}}]").rows == wanted
    with pytest.raises(FileError, match=r"rows: .*cannot be read as CSV"):
        plan_of(f"{prompt}rows: @{tmp_path / 'none.csv'}")


def test_a_column_that_is_no_input_goes_along_as_a_label(plan_of):
    plan = plan_of("rows: [{prompt: a, who: me}, {prompt: a, who: you}]")
    assert plan.variables == {"who"}
    assert "column who goes along as a label" in plan.notes[0]


MISTAKES = {
    "animal: [fox, owl]\nprompt: a {anmal}": "body line 2: prompt: nothing is called {anmal}; did you mean {animal}?",
    "prompt: a {fox}": "body line 1: prompt: nothing is called {fox}: neither this plan nor the notebook; the plan has",
    "prompt: a {fox": "body line 1: prompt: the { opened here is never closed: for a brace itself write {{ or }}.",
    "prompt: x\nguidance: [1, 2]": "guidance: no text uses {guidance}, and fal-ai/flux/dev has no such input; did you mean guidance_scale?",
    "prompt: a {animal}\nanimals: [a, b]\nanimal: x": "animals: no text uses {animals}, and fal-ai/flux/dev has no such input;",
    "prompt: x\nseed: []": "seed has no values: an axis needs at least one.",
    "prompt: x\nseed: 1..4 step 0": "body line 2: 1..4 step 0: the step must not be 0.",
    "prompt: x\nseed: 1..1000000000": "body line 2: 1..1000000000 has 1,000,000,000 values; an axis takes at most 100,000.",
    "prompt: x\nseed: 1..1000\nguidance_scale: 1..20 step 0.1\nnum_images: 1..4": "764,000 combinations are too many (seed 1,000 × guidance_scale 191 × num_images 4); a sweep takes at most 100,000",
    "prompt: x\nprompt: y": "body line 2: prompt is given twice.",
    "prompt: a fox\n  seed: 1": "body line 2: this line is indented and goes on with a text: several lines are written with | after the name.",
    "prompt:a fox": "body line 1: a space belongs after the colon, not 'prompt:a fox'.",
    "prompt=a fox": "body line 1: in a plan write NAME: VALUE, not 'prompt=a fox'.",
    "a red fox": "body line 1: write NAME: VALUE, for example prompt: a red fox, not 'a red fox'.",
    "prompt: [a, b": "body line 1: prompt: the [ is never closed; a text that begins with [ needs quotes.",
    "prompt: [a, , b]": "body line 1: prompt: a value is missing before a comma",
    "prompt: [a,\n b # c\n]": "body line 1: prompt: is the # in 'b # c' a comment or part of the text? Quotes make it a text.",
    "prompt: {a} x\na: {b}\nb: {a}": "texts use each other in a circle: ",
    "prompt: {a}{b}\na: [1, 2]\nb: [1, 2, 3]\nzip: [a, b]": "zip: axes that go in step have to be equally long; a has 2, b has 3.",
    "prompt: {a}\na: [1, 2]\nzip: [a, seeds]": "zip: seeds is no axis",
    "prompt: x\nseed: [1, 2]\nskip: sead == 1": "skip: sead == 1: the plan has no sead; did you mean seed?",
    "prompt: x\nseed: [1, 2]\nskip: seed = 1": "skip: seed = 1: after seed belongs ==, !=, <, <=, >, >= or in, not =; write == to compare.",
    "prompt: a red fox\nreplace green: [blue]": "replace green: prompt does not hold the word 'green'.",
    "seed: 1\nreplace red: [blue]": "replace red: the plan has no prompt to replace in",
    "prompt: x\nimage_size:\n  width: 1\nimage_size.height: 2": "image_size and image_size.height are both given",
    "prompt: x\nendpoint: fal-ai/flux/schnell": "The line says fal-ai/flux/dev, and the plan has endpoints of its own",
    "rows: []": "body line 1: rows: there are none.",
    "prompt: x\nrows: 5": "rows: 5 cannot be read as CSV: No such file or directory.",
    "prompt: x\nseed: random 0": "body line 2: random 0: between 1 and 100,000 values can be drawn.",
}  # fmt: skip


@pytest.mark.parametrize(("text", "line"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_nonsense_gets_one_clear_line(plan_of, text, line):
    with pytest.raises((ValueError, FileError)) as caught:
        plan_of(text)
    assert str(caught.value).startswith(line)
    assert len(str(caught.value).splitlines()) == 1


def said_of(plan_of, text):
    with pytest.raises(ValueError, match="things to mend") as caught:
        plan_of(text)
    return str(caught.value).splitlines()


def test_all_mistakes_of_a_plan_are_said_at_once_in_the_order_of_its_lines(plan_of):
    text = (
        "prompt: a {c} {dd}\nc: [red, gr\nseed: 1, 2\nguidance = 3\nnum_imags: 2\nnum_images: [1, 9, 10]\nkind: [a, b]"
    )
    lines = said_of(plan_of, text)
    assert lines[0] == "7 things to mend in the plan"
    for line, start in zip(
        lines[1:],
        (
            "body line 1: prompt: nothing is called {dd}",
            "body line 2: c: the [ is never closed",
            "body line 3: seed: '1, 2' is one value; a list of values is written [1, 2].",
            "body line 4: write NAME: VALUE",
            "num_imags: no text uses {num_imags}, and fal-ai/flux/dev has no such input; did you mean num_images?",
            "kind: no text uses {kind}",
            "num_images: 9 is too high",
        ),
        strict=True,
    ):
        assert line.strip().startswith(start)


def test_mistakes_about_the_whole_plan_are_said_with_those_of_its_names(plan_of):
    lines = said_of(plan_of, "prompt: a {c}\nc: [red, blue]\nstile: 3\nzip: [c, d]\nskip: q == 3")
    assert [line.split(":")[0].strip() for line in lines] == ["3 things to mend in the plan", "zip", "stile", "skip"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("seed: random four", "after random comes how many to draw, in digits: random 4."),
        ("seed: random", "in digits: random 4."),
        ("seed: random 8 seeds", "in digits: random 8."),
        ("seed: 1-4", "'1-4' is no number; a range is written 1..4."),
        ("guidance_scale: 1.5 to 3", "a range is written 1.5..3."),
        ("image_size: square, portrait_4_3", "a list of values is written [square, portrait_4_3]."),
    ],
)
def test_what_was_probably_meant_is_said_of_a_value_that_cannot_be(plan_of, written, meant):
    with pytest.raises(ValueError, match=rf"body line 2: {written.split(':')[0]}: ") as caught:
        plan_of(f"prompt: x\n{written}")
    assert str(caught.value).endswith(meant)


def test_a_variable_that_reads_like_a_list_is_one_text_and_the_plan_says_so(plan_of):
    plan = plan_of("prompt: a {c} fox, at dusk\nc: red, green")
    assert plan.fixed["c"] == "red, green"
    assert plan.notes == ("c is one text, 'red, green'; a list of values would be c: [red, green]",)
    assert plan_of('prompt: a {c} fox\nc: "red, green"').notes == ()


def test_values_an_axis_has_twice_are_taken_once_with_a_note(plan_of):
    plan = plan_of("prompt: x\nseed: [1, 2, 1.0, 01]")
    assert axes(plan) == {"seed": [1, 2]}
    assert plan.notes == ("seed had 2 values twice: taken once",)


def test_a_rule_about_a_value_that_never_occurs_gets_a_note(plan_of):
    plan = plan_of("prompt: a {style}\nstyle: [bauhaus, ukiyo-e]\nskip: style == bauhouse")
    assert plan.notes == ("skip: style is never 'bauhouse'; did you mean bauhaus?",)


def test_the_environment_and_keys_never_get_into_a_plan(error_of):
    assert "which never goes into an argument" in error_of("prompt: {env}", env=os.environ)
