"""Text of anybody, made fit to be shown."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import FalClientHTTPError, FalError, error_from_response
from fal_nb.plain import is_plain, one_line, plain_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a red fox\n\tin snow", "a red fox\n\tin snow"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;never ended\nnext line", "\nnext line"),
        ("\x9b31mred", "red"),
        ("\x1bc\x1b(B\x1b=text", "text"),
        ("10%\r20%\r30%", "30%"),
        ("10%\r20%\r", "20%"),
        ("one\r\ntwo\x85three\u2028four", "one\ntwo\nthree\nfour"),
        ("bell\x07 nul\x00 del\x7f", "bell\ufffd nul\ufffd del\ufffd"),
        ("gpj\u202egnp.exe \u2066x\u2069", "gpj\ufffdgnp.exe \ufffdx\ufffd"),
        ("half \ud800", "half \ufffd"),
        ("👩‍🚀 éłüض 漢字", "👩‍🚀 éłüض 漢字"),
    ],
)
def test_commands_go_and_the_rest_stays(text, shown):
    assert plain_text(text) == shown
    assert one_line(text) == " ".join(shown.split())


@given(st.text(), st.none() | st.integers(1, 50))
def test_whatever_comes_in_what_comes_out_is_plain_and_no_longer_than_allowed(text, limit):
    shown = plain_text(text, limit)
    assert is_plain(shown)
    assert plain_text(shown, limit) == shown
    assert limit is None or len(shown) <= limit
    assert "\n" not in one_line(text, limit)


@pytest.mark.parametrize(
    "text",
    ["\x1b[" * 500_000, "\x1b]" * 500_000, "x" * 10**6 + "\x01", "a\r" * 500_000, "\x1b[0;" * 300_000, "\x9d" * 10**6],
)
def test_a_megabyte_of_it_takes_no_time_to_speak_of(text):
    began = time.monotonic()
    plain_text(text)
    one_line(text, 100)
    assert time.monotonic() - began < 2


def test_no_error_of_ours_holds_a_command():
    error = FalError("the server said \x1b[2J\x1b]0;x\x07nothing\nat all")
    assert str(error) == "the server said nothing\nat all"
    assert len(str(FalError("x" * 10**6))) <= 20_000


def test_an_error_body_nested_deeper_than_can_be_read_is_an_error_like_any_other():
    body = b'{"detail":' + b"[" * 100_000
    error = error_from_response(422, {}, body)
    assert isinstance(error, FalClientHTTPError)
    assert len(str(error)) < 700


def test_words_for_the_kind_of_error_are_short_and_plain_and_units_are_numbers():
    error = error_from_response(
        500, {"x-fal-billable-units": "nan"}, b'{"detail": "x", "error_type": "\\u001b[31m%s"}' % (b"y" * 10**6)
    )
    assert error.error_type.startswith("yyy")
    assert len(error.error_type) <= 100
    assert error.billable_units is None
