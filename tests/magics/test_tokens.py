import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.magics.tokens import Chunk, close_bracket, tokenize
from fal_nb.templates.mistakes import Mistake


def test_tokens_keep_name_operator_value_and_place():
    line = tokenize('run a/b size.w="x y" --seed 5 -o out # c')
    assert [(t.kind, t.column, t.raw, t.name, t.operator) for t in line.tokens] == [
        ("word", 0, "run", "", ""),
        ("word", 4, "a/b", "", ""),
        ("assign", 8, 'size.w="x y"', "size.w", "="),
        ("option", 21, "--seed", "seed", ""),
        ("word", 28, "5", "", ""),
        ("option", 30, "-o", "-o", ""),
        ("word", 33, "out", "", ""),
    ]
    assert line.tokens[2].chunk == Chunk("quoted", 15, '"x y"')
    assert line.comment_column == 37


@pytest.mark.parametrize(
    ("text", "last", "begins_at"),
    [
        ('run a/b prompt="a fo', 'prompt="a fo', 15),
        ("run a/b image=@my", "image=@my", 14),
        ("run a/b prompt=", "prompt=", 15),
        ("run a/b size={fo", "size={fo", 13),
        ("run fal-ai/fl", "fal-ai/fl", 4),
    ],
)
def test_a_line_still_being_typed_has_tokens_too(text, last, begins_at):
    token = tokenize(text).tokens[-1]
    assert token.raw == last
    assert token.chunk.column == begins_at
    assert token.chunk.raw == text[begins_at:]


def test_no_token_follows_one_with_a_mistake():
    line = tokenize('run a/b x="a"b y=1')
    assert [token.mistake is None for token in line.tokens] == [True, True, False]


@pytest.mark.slow
@given(st.text())
def test_tokens_never_raise_and_lie_in_the_line_one_after_the_other(text):
    line = tokenize(text)
    position = 0
    for token in line.tokens:
        assert token.column >= position
        assert not text[position : token.column].strip()
        assert text[token.column : token.end] == token.raw != ""
        assert token.chunk is None or text[token.chunk.column : token.chunk.end] == token.chunk.raw
        position = token.end


def test_a_bracket_is_closed_by_its_own_kind_outside_strings():
    text = r"""[{"a]}\"": '}]'}, [1]] tail"""
    assert text[: close_bracket(text, 0)] == text.removesuffix(" tail")


def test_brackets_nest_up_to_a_hundred_deep():
    assert close_bracket("[" * 100 + "]" * 100, 0) == 200
    with pytest.raises(Mistake, match="nest deeper than 100"):
        close_bracket("[" * 101 + "]" * 101, 0)
