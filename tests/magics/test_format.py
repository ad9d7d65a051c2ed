import ast
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from fal_nb.errors import GrammarError
from fal_nb.magics.arguments import build_arguments, read_arguments
from fal_nb.magics.format import format_item, format_line, format_value, split_cell

TEXTS = st.text(max_size=40) | st.text(alphabet="ab \t\n\r\\\"'“”{}[]@#;=:-%$,.5\u2028\x00🦊", max_size=25)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
PASTED = st.lists(
    st.sampled_from(["a", "\n", " ", ">>> ", "...", "In [1]: ", "?", "!", "%", "\\", ";"]), max_size=12
).map("".join)
NAMES = st.sampled_from(["prompt", "seed", "image_size", "größe", "a-b", "json", "timeout", "run"])


def read_back(source, namespace=None):
    line, body = split_cell(source)
    return build_arguments(read_arguments(line, body), namespace or {})


@pytest.mark.parametrize(
    ("arguments", "source"),
    [
        ({}, "%fal run a/b"),
        ({"prompt": "a red fox", "seed": 7}, '%fal run a/b prompt="a red fox" seed=7'),
        ({"prompt": 'it\'s a "fox"'}, '%fal run a/b prompt="it\'s a \\"fox\\""'),
        ({"prompt": 'say "hi"'}, "%fal run a/b prompt='say \"hi\"'"),
        ({"prompt": "{x}", "on": True, "none": None}, '%fal run a/b prompt="{{x}}" on=true none=null'),
        ({"size": {"width": 5}, "tags": ["é {x}", 1.5]}, '%fal run a/b size={"width": 5} tags=["é {x}", 1.5]'),
        ({"prompt": "a\n  b {c}", "seed": 1}, "%%fal run a/b seed=1\na\n  b {{c}}\n"),
        ({"prompt": "  a\n  b"}, '%fal run a/b prompt="  a\\n  b"'),
        ({"prompt": "a\nb\n"}, '%fal run a/b prompt="a\\nb\\n"'),
        ({"prompt": "a\nb;"}, '%fal run a/b prompt="a\\nb;"'),
        ({"prompt": "... a\nb"}, '%fal run a/b prompt="... a\\nb"'),
        ({"text": "a\nb"}, '%fal run a/b text="a\\nb"'),
        ({"prompt": "a\u2028'b'"}, "%fal run a/b prompt:='\"a\\u2028\\u0027b\\u0027\"'"),
        ({"a.b": 1, "x": "y"}, '%%fal run a/b --json\n{\n  "a.b": 1,\n  "x": "y"\n}\n'),
        ({"image": Path("cat.png"), "mask": Path("my cat.png")}, '%fal run a/b image=@cat.png mask=@"my cat.png"'),
        ({"image": Path('a "b".png')}, "%fal run a/b image=@'a \"b\".png'"),
    ],
)
def test_arguments_are_written_as_a_person_would(arguments, source):
    assert format_line("run", "a/b", arguments) == source


@pytest.mark.slow
@given(st.dictionaries(NAMES | TEXTS, VALUES, max_size=5), st.sampled_from(["run", "submit"]))
@example({"prompt": "[1]\r"}, "run")
@example({"prompt": "a\n\x0bb"}, "run")
@example({"prompt": "\n\n"}, "run")
@example({"prompt": " \na"}, "run")
@example({"a": "x\\", "b": "\\n", "c": "\\"}, "run")
@example({"a": 1e16, "b": -0.0, "c": 10**400}, "run")
def test_any_json_arguments_read_back_as_they_were(arguments, subcommand):
    source = format_line(subcommand, "fal-ai/flux/dev", arguments)
    back = read_back(source)
    assert {name: repr(value) for name, value in back.items()} == {
        name: repr(value) for name, value in arguments.items()
    }


@pytest.mark.slow
@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_a_line_holds_nothing_that_ipython_takes_for_a_line_break(arguments):
    source = format_line("run", "a/b", arguments)
    line, body = split_cell(source)
    assert len(line.splitlines()) == 1
    assert source.splitlines() == source.removesuffix("\n").split("\n")
    assert (body is None) == source.startswith("%fal ")


@pytest.mark.slow
@given(st.dictionaries(NAMES | TEXTS, VALUES | PASTED, max_size=4))
@example({"prompt": "a\n>>> b"})
@example({"prompt": "a\nIn [1]: b"})
@example({"prompt": "a\nb ", "x": "what?"})
@example({"prompt": "what?"})
@example({"prompt": "a\n \nb"})
@example({"prompt": "a\n\n\t\nb"})
def test_ipython_hands_the_line_and_the_body_to_the_magic_unchanged(arguments):
    source = format_line("run", "a/b", arguments)
    call = ast.parse(TransformerManager().transform_cell(source)).body[-1].value
    assert call.func.attr == ("run_cell_magic" if source.startswith("%%") else "run_line_magic")
    name, line, *body = [argument.value for argument in call.args]
    assert name == "fal"
    back = build_arguments(read_arguments(line, *body), {})
    assert repr(sorted(back.items())) == repr(sorted(arguments.items()))


@pytest.mark.slow
@given(VALUES)
def test_any_json_value_reads_back_after_a_name(value):
    line = f"run a/b x={format_value(value)} y=1"
    assert repr(read_back(f"%fal {line}")["x"]) == repr(value)


@pytest.mark.slow
@given(VALUES)
def test_an_item_reads_back_at_the_end_of_a_line_too(value):
    assert repr(read_back(f"%fal run a/b {format_item('x', value)}; # c")["x"]) == repr(value)


def test_a_path_reads_back_as_a_file(tmp_path):
    for name in ("cat.png", "my cat.png", 'a "b".png', "it's {x}; #1.png", "“x”.png", "a\\nb.png"):
        path = tmp_path / name
        path.write_bytes(b"x")
        assert read_back(f"%fal run a/b {format_item('x', path)}") == {"x": path}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "Out of range float values are not JSON compliant"),
        (object(), "Object of type object is not JSON serializable"),
        ({"a": {1, 2}}, "Object of type set is not JSON serializable"),
        ("\ud800", "half a character"),
        (["\udfff"], "half a character"),
        (Path("a\nb"), "a path with such characters"),
        (Path("'\""), "a path with such characters"),
        (json.loads("[" * 101 + "]" * 101), "brackets nest deeper than 100"),
        (10**5000, "4300 digits"),
    ],
    ids=["nan", "object", "set", "surrogate", "nested surrogate", "path", "quotes in a path", "deep", "long"],
)
def test_what_no_line_can_hold_is_refused_by_name(value, why):
    with pytest.raises(GrammarError, match="x cannot be written into a line") as caught:
        format_item("x", value)
    assert why in str(caught.value)


def test_a_list_that_holds_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(GrammarError, match="Circular reference"):
        format_line("run", "a/b", {"x": endless})


def test_splitting_a_cell_gives_what_ipython_hands_to_the_magic():
    assert split_cell("%fal run a/b x=1") == ("run a/b x=1", None)
    assert split_cell("%%fal run a/b  \nx\ny\n") == ("run a/b", "x\ny\n")
    assert split_cell("%%fal run a/b") == ("run a/b", "")
