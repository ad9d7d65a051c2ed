"""Whatever comes in a realtime frame is a message or our own error; what is written is read back."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.protocol.realtime import (
    Failure,
    Notice,
    Output,
    Timings,
    Unauthorized,
    decode_output,
    encode_input,
    read_text,
    with_realtime,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
    | st.binary(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc_é", max_size=6), inner, max_size=3),
    max_leaves=10,
)
WORDS = st.sampled_from(["x-fal-error", "x-fal-message", "timings", "error", "Unauthorized", "TIMEOUT", "text", ""])
WORDED = st.dictionaries(
    st.sampled_from(["type", "action", "timing", "status", "error", "reason", "payload"]),
    WORDS | st.none() | st.integers() | st.lists(st.none(), max_size=1),
    max_size=5,
)


@given(VALUES)
def test_what_is_written_is_read_back(value):
    assert decode_output(encode_input(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_value_error(data):
    with contextlib.suppress(ValueError):
        decode_output(data)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=3).map(encode_input), st.data())
def test_a_frame_that_is_cut_short_is_a_value_error(frame, data):
    cut = data.draw(st.integers(0, len(frame) - 1))
    with pytest.raises(ValueError, match=r"."):
        decode_output(frame[:cut])


@given(st.text(max_size=60) | WORDED.map(json.dumps) | st.integers().map(str))
def test_any_text_is_a_message(text):
    message = read_text(text)
    assert isinstance(message, (Output, Timings, Notice, Failure, Unauthorized))
    if isinstance(message, Failure):
        assert message.error
        assert isinstance(message.reason, str)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type": "x-fal-message", "action": "timings", "timing": 0.25}', Timings(0.25)),
        ('{"type": "x-fal-message", "action": "hello"}', Notice({"type": "x-fal-message", "action": "hello"})),
        ('{"status": "error", "error": "Unauthorized"}', Unauthorized()),
        ('{"a": 1}', Output({"a": 1})),
        ("[1]", Output([1])),
        ("not JSON", Output({"type": "text", "payload": "not JSON"})),
        ("[" * 100_000, Output({"type": "text", "payload": "[" * 100_000})),
    ],
)
def test_each_word_of_the_runtime_has_its_type(text, message):
    assert read_text(text) == message


def test_an_end_is_told_from_a_failure():
    end = read_text('{"type": "x-fal-error", "error": "TIMEOUT", "reason": "no inputs, reconnect when needed!"}')
    failure = read_text('{"type": "x-fal-error", "error": "INTERNAL_ERROR", "reason": null}')
    assert (end.is_end, end.reason) == (True, "no inputs, reconnect when needed!")
    assert (failure.is_end, failure.reason) == (False, "")


@pytest.mark.parametrize(
    ("endpoint", "path", "where"),
    [("a/b", "/realtime", "a/b/realtime"), ("a/b/realtime", "/realtime", "a/b/realtime"), ("a/b", "", "a/b")],
)
def test_the_path_is_appended_once(endpoint, path, where):
    assert with_realtime(endpoint, path) == where
