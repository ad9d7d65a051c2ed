import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.protocol.retry import backoff_s, may_repeat, retry_after_s


@given(
    st.none() | st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["x-fal-request-id", "x-fal-needs-retry", "x-fal-retryable", "retry-after"]),
        st.sampled_from(["1", "true", "0"]),
    ),
)
def test_a_paid_post_that_may_have_left_is_repeated_only_when_refused(status, headers):
    assert may_repeat(paid=True, sent=True, status=status, headers=headers) == (status == 429)


@pytest.mark.parametrize("paid", [True, False])
def test_what_never_left_may_be_sent_again(paid):
    assert may_repeat(paid=paid, sent=False, status=None, headers={})


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (None, {}, True),
        (503, {}, True),
        (500, {"x-fal-request-id": "a", "x-fal-retryable": "false"}, False),
        (504, {"x-fal-request-timeout-type": "user"}, False),
        (404, {}, False),
        (422, {}, False),
        (429, {}, True),
        (408, {}, True),
        (409, {}, True),
    ],
)
def test_repeatable_requests_are_repeated_on_passing_faults(status, headers, expected):
    assert may_repeat(paid=False, sent=True, status=status, headers=headers) == expected


@given(st.integers(1, 1000), st.none() | st.floats(0, 1e9), st.floats(0, 1))
def test_waits_are_bounded_and_never_negative(attempt, retry_after, jitter):
    assert 0 <= backoff_s(attempt, retry_after=retry_after, jitter=jitter) <= 132


def test_waits_grow_and_honour_what_the_server_asks():
    assert backoff_s(1, retry_after=None, jitter=0.5) < backoff_s(3, retry_after=None, jitter=0.5)
    assert backoff_s(1, retry_after=7.0, jitter=0.0) == 7.0


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"retry-after": "3"}, b"", 3.0),
        ({}, b'{"retry_after": 2.5}', 2.5),
        ({}, b'{"detail": "no"}', None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"", None),
        ({"retry-after": "nan"}, b"", None),
        ({"retry-after": "-1"}, b"", None),
        ({}, b"retry_after broken", None),
    ],
)  # fmt: skip
def test_the_asked_wait_is_read_from_header_and_body(headers, body, expected):
    assert retry_after_s(headers, body) == expected
