"""Amounts and what a card's head line says of money; the page writes them the same way."""

from dataclasses import replace

import pytest

from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.views.format import money, summary
from fal_nb.views.twin import card_html

JOB = JobSnapshot(
    record_id=3, endpoint="a/b", backend="fal", kind="queue", state="QUEUED", arguments={}, created=1.0, estimate=0.03
)


@pytest.mark.parametrize(
    ("value", "currency", "words"),
    [
        (0.025, "USD", "0.025 USD"),
        (0.03, "USD", "0.03 USD"),
        (0.1, "USD", "0.10 USD"),
        (0, "USD", "0.00 USD"),
        (1, None, "1.00 USD"),
        (12.345, "EUR", "12.35 EUR"),
        (0.0000123, "USD", "0.000012 USD"),
        (None, "USD", ""),
        (float("nan"), "USD", ""),
    ],
)
def test_amounts(value, currency, words):
    assert money(value, currency) == words


def test_the_estimate_stands_before_and_the_cost_after():
    assert "est. ≤ 0.03 USD" in summary(JOB)
    assert "est. ≤ 0.03 USD" in card_html(JOB)
    ended = replace(JOB, state="SUCCEEDED", cost=0.0212)
    assert "0.0212 USD" in summary(ended)
    assert "est." not in card_html(ended)


def test_what_was_simulated_says_that_it_is_not_billed():
    simulated = replace(JOB, backend="simulator", state="SUCCEEDED", cost=0.03)
    assert "0.03 USD, not billed" in summary(simulated)
    assert "simulated" in card_html(simulated)
