import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.protocol.stream_text import StreamText, text_of


def piece(text):
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def read(events, limit=None):
    text = StreamText(limit)
    for event in events:
        text.take(event)
    return text


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=20))
def test_pieces_are_joined_and_repetitions_replaced(words):
    whole = "".join(words)
    in_pieces = read(map(piece, words))
    assert (in_pieces.text, in_pieces.is_in_pieces) == (whole, True)
    so_far = [{"output": "".join(words[: count + 1]), "partial": True} for count in range(len(words))]
    repeated = read(so_far)
    assert (repeated.text, repeated.is_in_pieces) == (whole, False)


def test_a_stream_that_does_not_say_so_but_goes_on_is_joined_too():
    assert read([{"output": "one "}, {"output": "two "}, {"output": "three"}]).text == "one two three"


def test_a_whole_text_after_pieces_that_did_not_say_so_is_not_said_twice():
    assert read([{"output": "one "}, {"output": "two"}, {"output": "one two"}]).text == "one two"


@given(st.lists(st.text(max_size=9), max_size=9), st.integers(1, 12))
def test_of_a_long_text_the_end_is_kept(words, limit):
    assert read(map(piece, words), limit).text == "".join(words)[-limit:]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (piece("a"), ("a", True)),
        ({"choices": [{"message": {"content": "whole"}}]}, ("whole", False)),
        ({"output": "o", "text": "t"}, ("o", False)),
        ({"choices": [{"delta": {"role": "assistant"}}]}, ("", False)),
        ({"output": {"images": []}}, ("", False)),
        ({"choices": [None]}, ("", False)),
        ({"choices": [{"delta": {"content": ["x"]}}]}, ("", False)),
        ("text", ("", False)),
        (None, ("", False)),
    ],
)
def test_where_the_text_of_an_event_stands(event, text):
    assert text_of(event) == text
