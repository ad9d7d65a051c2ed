"""Numbers and moments of the platform, and what is none of them."""

import pytest

from fal_nb.protocol.values import moment_in, number_in


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3.0), (0.25, 0.25), (-1, None), (True, None), ("3", None), (None, None), (float("nan"), None),
     (float("inf"), None), (10**400, None)],
)  # fmt: skip
def test_a_number_is_finite_and_not_below_zero(value, number):
    assert number_in(value) == number


def test_a_balance_may_be_below_zero():
    assert number_in(-1.5, is_signed=True) == -1.5
    assert number_in(float("-inf"), is_signed=True) is None


@pytest.mark.parametrize(
    ("value", "moment"),
    [("1970-01-01T00:01:00", 60.0), ("1970-01-01T01:00:00+01:00", 0.0), ("1970-01-01", 0.0), ("soon", None),
     ("1" * 65, None), (60, None)],
)  # fmt: skip
def test_a_moment_is_in_utc_where_it_says_no_zone(value, moment):
    assert moment_in(value) == moment
