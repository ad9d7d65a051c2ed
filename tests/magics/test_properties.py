"""What holds for every line: nothing but our own errors, one line each, and corrections that are right."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fal_nb.errors import FalError, GrammarError
from fal_nb.magics.arguments import build_arguments, read_arguments
from fal_nb.magics.grammar import parse_line
from fal_nb.magics.options import SUBCOMMANDS

pytestmark = pytest.mark.slow

NAMESPACE = {"n": 3, "text": "{n}", "d": {"k": [1]}, "ep": "a/b"}

PIECES = [
    *SUBCOMMANDS, "a/b", "fal-ai/flux/dev", "prompt", "size.w", "n", "12", "#12", "=", ":=", "--", "-o", "--json", "--to",
    "--timeout", "--seed", '"', "'", "“", "”", "\\", "\\n", "{", "}", "{{", "}}", "{n}", "{d[k]}", "{d[k", "[", "]", "[1, 2]",
    '{"a": 1}', "@", "@x.png", ";", " ;", " # ", "#", ",", ":", ".", "-", "—", "true", "5", "1e9", "🦊", "\t", "\n", "\u2028",
    "https://fal.ai/models/a/b", "True", "'a': 1", "None,",
]  # fmt: skip
LINES = st.lists(st.sampled_from(PIECES) | st.sampled_from([" "] * 20), max_size=25).map("".join)
CALLS = LINES.map(lambda rest: f"run a/b {rest}")


def outcome(call, *arguments):
    """Return (result, None) or (None, error of ours); any other exception fails the test."""
    try:
        return call(*arguments), None
    except FalError as error:
        return None, error


def read_and_build(line, cell=None):
    command = read_arguments(line, cell, NAMESPACE)
    return build_arguments(command, NAMESPACE) if hasattr(command, "inputs") else command


@given(st.text() | LINES | CALLS)
@example("run a/b p={'a': '\\\"'}")
@example('run a/b x:="\\')
@example("run a/b p={" + "9" * 5000)
def test_the_parser_raises_nothing_but_a_grammar_error_of_one_line(line):
    parsed, error = outcome(parse_line, line)
    if error:
        assert isinstance(error, GrammarError)
        assert len(str(error).splitlines()) == 1
        assert re.match(r"column \d+: \S", str(error))
        assert 0 <= error.column <= len(line)
        return
    for item in parsed.items:
        assert line[item.column : item.column + len(item.raw)] == item.raw
    for item in parsed.inputs:
        assert item.column < item.value_column <= item.column + len(item.raw)


@given(LINES | CALLS)
def test_a_line_that_a_message_proposes_has_no_mistake(line):
    _, error = outcome(parse_line, line)
    _, found, corrected = str(error).partition(" Write: %fal ")
    if found:
        parse_line(corrected)


@given(LINES | CALLS, st.none() | st.text() | LINES)
def test_reading_and_building_raise_nothing_but_our_own_errors(line, cell):
    _, error = outcome(read_and_build, line, cell)
    assert len(str(error).splitlines()) == 1


@given(CALLS)
def test_what_was_read_is_read_again_from_the_items_as_written(line):
    parsed, error = outcome(parse_line, line)
    assume(not error)
    again = parse_line(" ".join(["run", *(item.raw for item in parsed.items)]))
    assert [item.raw for item in again.items] == [item.raw for item in parsed.items]


SIZE = 100_000
LONG = {
    "white space": " " * SIZE,
    "a bare value": "p=" + "a" * SIZE,
    "digits": "p:=" + "9" * SIZE,
    "an unclosed text": 'p="' + "a " * (SIZE // 2),
    "unclosed escapes": 'p="' + '\\"' * (SIZE // 2),
    "unclosed escapes in single quotes": "p=['" + "\\'" * (SIZE // 2) + "]",
    "white space in a text": 'p="x' + " " * SIZE + "x",
    "quotes": "p='" + "a'b " * (SIZE // 4),
    "glued texts": 'p="' + 'a"b" ' * (SIZE // 5),
    "open brackets": "p=" + "[" * SIZE,
    "pairs of brackets": "p=" + "[]" * (SIZE // 2),
    "strings in a list": "p=[" + '"a",' * (SIZE // 4),
    "single quotes in a list": "p=[" + "'a'," * (SIZE // 4) + "]",
    "JSON of escapes": "p:='" + '"\\' * (SIZE // 2) + "'",
    "commas": "p=[" + ", " * (SIZE // 2) + "x]",
    "words": "a " * (SIZE // 2),
    "items": " ".join(f"a{number}={number}" for number in range(SIZE // 10)),
    "one name again and again": "a=1 " * (SIZE // 4),
    "a dotted name": "a." * (SIZE // 2) + "a=1",
    "options": " ".join(f"--a{number}" for number in range(SIZE // 10)),
    "hyphens": "-" * SIZE,
    "open braces": 'p="' + "{" * (SIZE + 1) + '"',
    "references": 'p="' + "{n}" * (SIZE // 3) + '"',
    "open keys": 'p="' + "{a['" * (SIZE // 4) + '"',
    "a long name in braces": 'p="{' + "a" * SIZE + '"',
    "escapes before a brace": 'p="' + "\\n" * (SIZE // 2) + '{"',
    "semicolons": ";" * SIZE,
    "spaced semicolons": 'p="a"' + ";   " * (SIZE // 4),
    "equals signs": "=" * SIZE,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("rest", LONG.values(), ids=LONG.keys())
def test_a_very_long_line_is_read_in_one_pass(rest):
    """The time limit stops a run that needs the square of the length, which would take minutes."""
    _, error = outcome(read_and_build, f"run a/b {rest}")
    assert len(str(error)) < 1000


@pytest.mark.timeout(20)
def test_very_many_jobs_are_read_in_one_pass():
    assert len(read_arguments("wait " + "#1 " * 30_000).jobs) == 30_000
