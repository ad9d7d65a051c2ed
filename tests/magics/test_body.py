import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fal_nb.errors import GrammarError
from fal_nb.magics.body import parse_body, plain_text


def message_of(body, mode, namespace=None):
    with pytest.raises(GrammarError) as caught:
        parse_body(body, mode, namespace or {})
    return str(caught.value)


def outcome(body, mode):
    try:
        parse_body(body, mode, {"n": 1})
    except GrammarError as error:
        return f"refused in {'one line' if len(str(error).splitlines()) == 1 else 'lines'}"
    return "read"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("a red fox\n", "a red fox"),
        ("a red fox", "a red fox"),
        ("a\n\n", "a\n"),
        ("  a\n    b\n\n  c\n", "a\n  b\n\nc"),
        ("\ta\n\t b\n", "a\n b"),
        ("  a\n\tb", "  a\n\tb"),
        ("  a\n \n  b", "a\n\nb"),
        ("  a\n     \n  b", "a\n   \nb"),
        ("a  \r\nb\r\n", "a  \r\nb"),
        ("\n  a", "\na"),
        ("# not a comment; = := @ --x", "# not a comment; = := @ --x"),
    ],
)
def test_a_text_loses_its_common_indentation_and_its_last_line_break_only(body, text):
    assert plain_text(body) == text
    assert parse_body(body, "text", {}) == text


@pytest.mark.slow
@given(st.text(alphabet=" \tab\n", max_size=30))
def test_indenting_a_text_changes_nothing(text):
    assume(text.strip())
    lines = plain_text(text + "\n").split("\n")
    indented = "\n".join(f"   {line}" for line in lines)
    assert plain_text(indented + "\n") == "\n".join(lines)


def test_a_text_is_a_template():
    assert parse_body("  a {n}\n  {{b}}\n", "text", {"n": "{x}"}) == "a {x}\n{b}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("a\n  b {x", "body line 2, column 5: the { opened here is never closed: for a brace itself write {{ or }}."),
        ("    a\n    b }", "body line 2, column 7: this } closes nothing: for a brace itself write {{ or }}."),
        ("{nn}", "body line 1, column 1: there is no variable nn in the notebook; did you mean {n}?"),
    ],
)
def test_a_mistake_in_a_text_is_placed_as_it_stands_in_the_cell(body, message):
    assert message_of(body, "text", {"n": 1}) == message


def test_json_is_an_object_without_templates():
    body = '\n{"prompt": "a {n}", "sizes": [1, 2.5, null], "on": true}\n'
    assert parse_body(body, "json", {"n": 1}) == {"prompt": "a {n}", "sizes": [1, 2.5, None], "on": True}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{\n  "a": 1\n  "b": 2\n}', "body line 3, column 3: not JSON: expecting ',' delimiter."),
        ("{\n  'a': 1}", 'body line 2, column 3: not JSON: texts stand in double quotes: "…".'),
        ('{"a": [1, 2', "body line 1, column 1: the { opened here is never closed."),
        ('{"a": "x\ny"}', "body line 1, column 9: not JSON: invalid control character at."),
        ('{"a": 1} x', "body line 1, column 10: not JSON: extra data."),
        ('{"a": 1, "a": 2}', "body line 1, column 1: not JSON: the key 'a' occurs twice in one object."),
        ("\n [1]", "body line 2, column 1: --json wants an object with the arguments: {…}."),
        ("5", "body line 1, column 1: --json wants an object with the arguments: {…}."),
        ('{"a": Infinity}', "body line 1, column 1: not JSON: Infinity has no place in it."),
        ('{"a": ' + "9" * 5000 + "}", "body line 1, column 1: not JSON: a number in it is too long."),
        ("{" * 200, "body line 1, column 101: brackets nest deeper than 100."),
        (" \n", '--json: the body is empty; write a JSON object, for example {"prompt": "a red fox"}.'),
    ],
)
def test_malformed_json_gets_exactly_this_line(body, message):
    assert message_of(body, "json") == message


YAML = """\
# a comment
prompt: a {animal} at night   # another
negative: 'it''s {{x}}'
quoted: "5"
date: 2026-01-31
yes_is_text: yes
time: 12:30
seed: 100
hex: 0x1F
octal: 0o17
leading: 012
plus: +3
guidance: -2.5e1
half: .5
on: true
nothing: ~
empty:
size: {width: 512, height: 256}
tags: [a, "b {animal}", 3]
7: seven
true: word
folded: >
  one
  two
literal: |
  {animal}
    b
again: &x [1, {y: 2}]
alias: *x
"""


def test_yaml_has_the_types_of_yaml_1_2_and_templates_in_its_texts():
    assert parse_body(YAML, "yaml", {"animal": "{fox}"}) == {
        "prompt": "a {fox} at night",
        "negative": "it's {x}",
        "quoted": "5",
        "date": "2026-01-31",
        "yes_is_text": "yes",
        "time": "12:30",
        "seed": 100,
        "hex": 31,
        "octal": 15,
        "leading": 12,
        "plus": 3,
        "guidance": -25.0,
        "half": 0.5,
        "on": True,
        "nothing": None,
        "empty": None,
        "size": {"width": 512, "height": 256},
        "tags": ["a", "b {fox}", 3],
        "7": "seven",
        "true": "word",
        "folded": "one two\n",
        "literal": "{fox}\n  b\n",
        "again": [1, {"y": 2}],
        "alias": [1, {"y": 2}],
    }


def test_an_alias_is_a_copy():
    built = parse_body("a: &x [1]\nb: *x", "yaml", {})
    built["a"].append(2)
    assert built["b"] == [1]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("prompt: a fox: red", ("body line 1, column 14: not YAML: mapping values are not allowed here; "
                               'a text that holds ": " needs quotes.')),
        ("a: 1\nb: @x", ("body line 2, column 4: not YAML: found character '@' that cannot start any token; "
                        "a text that begins with such a character needs quotes.")),
        ("p: {n: 1} in a hat", ("body line 1, column 11: not YAML: expected <block end>, but found '<scalar>'; "
                               "a text that begins with { or [ needs quotes.")),
        ("a: 1\np: {n}", ("body line 2, column 4: {n} without quotes is a mapping in YAML: put the whole text in quotes, "
                         "or write NAME={n} on the first line for the object itself.")),
        ("p: {n} in a hat", ("body line 1, column 4: {n} without quotes is a mapping in YAML: put the whole text in "
                            "quotes, or write NAME={n} on the first line for the object itself.")),
        ("a: 1\n  b: [1", ("body line 2, column 4: not YAML: mapping values are not allowed here; "
                          'a text that holds ": " needs quotes.')),
        ("a: 1\na: 2", "body line 2, column 1: a is given twice."),
        ("a: !!python/object:os.system x",
         "body line 1, column 4: tags such as tag:yaml.org,2002:python/object:os.system are not allowed."),
        ("a: !!int '5'", "body line 1, column 4: tags such as tag:yaml.org,2002:int are not allowed."),
        ("? [a]\n: 1", "body line 1, column 3: a name must be a plain text."),
        ("a: &x {b: 1}\nc:\n  <<: *x", "body line 3, column 3: merge keys (<<) are not part of YAML 1.2."),
        ("a: *b", "body line 1, column 4: *b names nothing above it."),
        ("a: &b [*b]", "body line 1, column 8: *b names nothing above it."),
        ("a: .nan", "body line 1, column 4: .nan is no number that can be sent."),
        ("a: 1e999", "body line 1, column 4: 1e999 is too large."),
        ("a: " + "9" * 5000, "body line 1, column 4: a number is too long."),
        ("a: 1\n---\nb: 1", "body line 2, column 1: --yaml wants one document, and here begins a second."),
        ("- a\n- b", "body line 1, column 1: --yaml wants a mapping with the arguments: one NAME: VALUE a line."),
        ("a red fox", "body line 1, column 1: --yaml wants a mapping with the arguments: one NAME: VALUE a line."),
        ("# nothing", "--yaml: the body is empty; write for example: prompt: a red fox"),
        ("a: 1\nb: {x: 1", "body line 2, column 9: not YAML: expected ',' or '}', but got '<stream end>'."),
        ("a: 1\nb: a {n.x}", ("body line 2, column 4: {n.x} cannot be read "
                             "(AttributeError: 'int' object has no attribute 'x').")),
        ("a: 1\nb: \x01", ("body line 2, column 1: not YAML: unacceptable character #x0001: "
                          "special characters are not allowed.")),
        ('a: "\\UFFFFFFFF"', "The body is not YAML: Python int too large to convert to C int."),
        ("a: " + "[" * 200, "body line 1, column 103: values nest deeper than 100."),
    ],
)  # fmt: skip
def test_malformed_yaml_gets_exactly_this_line(body, message):
    assert message_of(body, "yaml", {"n": 1}) == message


def test_aliases_cannot_make_a_small_body_large():
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "more than 100,000 values" in message_of("\n".join(levels), "yaml")


def test_aliases_cannot_nest_deeper_than_the_limit():
    levels = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]
    assert "values nest deeper than 100" in message_of("\n".join(levels), "yaml")


@pytest.mark.slow
@given(st.text(), st.sampled_from(["text", "json", "yaml"]))
def test_no_body_ever_raises_anything_but_a_grammar_error_of_one_line(body, mode):
    assert outcome(body, mode) in {"read", "refused in one line"}


PIECES = [
    "a",
    ": ",
    "- ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "&x ",
    "*x",
    "!",
    "%",
    "|",
    ">",
    "#",
    ",",
    "?",
    "n",
    "---\n",
]


@pytest.mark.slow
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_no_yaml_of_its_own_characters_raises_anything_else(body):
    assert outcome(body, "yaml") in {"read", "refused in one line"}
