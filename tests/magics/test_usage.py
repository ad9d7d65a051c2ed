"""``%fal usage``: the history's costs beside the account's, and what is said where the account keeps its own to itself."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fal_nb
from fal_nb.client.usage import Balance, UsageRow
from fal_nb.usage_report import UsageReport, account_costs
from fal_nb.workbench import current

SCHNELL = "fal-ai/flux/schnell"
TODAY = dt.datetime.now().astimezone().date().isoformat()


def test_what_was_called_here_is_what_the_account_came_to(run, simulator):
    simulator.reset()
    for seed in (1, 2):
        assert run(f"%fal run {SCHNELL} prompt=x seed={seed};")[1].success
    printed, done = run("%fal usage --days 3")
    report = done.result
    assert len(report.days) == 3
    assert report.ledger[TODAY, SCHNELL] == pytest.approx(report.account[TODAY, SCHNELL])
    assert "Both agree." in printed
    assert "left: 99.99" in printed
    assert "█" in printed
    assert list(report.frame.columns) == ["day", "endpoint", "ledger", "account"]
    assert "flex-end" in report._repr_html_()
    assert "difference" not in report._repr_html_()  # there is none, and a narrow window has no room for it
    assert repr(fal_nb.balance()).startswith("<Balance of simulator: 99.")
    assert fal_nb.balance().amount == pytest.approx(100 - report.account[TODAY, SCHNELL])


def test_what_was_called_elsewhere_is_named(run, simulator):
    simulator.reset()
    run(f"%fal run {SCHNELL} prompt=x;")
    with fal_nb.SyncClient(base_url=simulator.base_url) as elsewhere:
        elsewhere.subscribe("fal-ai/flux/dev", {"prompt": "y"})
    report = run("%fal usage days=1 -o kept")[1].result
    assert ("fal-ai/flux/dev", 0.0, pytest.approx(0.025)) in report.endpoints
    assert "0.025 USD more there: calls made elsewhere" in repr(report)
    assert "difference" in report._repr_html_()


def test_a_key_that_is_no_admins_shows_the_history_alone_and_says_what_is_needed(run, monkeypatch):
    current().close()
    current.forget()
    monkeypatch.setenv("FAL_KEY", "inference:key")
    run(f"%fal run {SCHNELL} prompt=x;")
    printed, done = run("%fal usage")
    assert done.result.account is None
    assert done.result.ledger
    assert "keys of scope ADMIN" in printed
    assert "HTTP 403" in printed
    assert "not known" in printed
    with pytest.raises(fal_nb.PermissionDeniedError):
        fal_nb.balance()


@pytest.mark.parametrize("days", [0, -1, 367, True, "7", 1.5, dt.timedelta(0)])
def test_no_number_of_days_is_refused(days, shell):
    with pytest.raises(fal_nb.ConfigError, match="1 to 366"):
        fal_nb.usage(days)


def test_hours_of_the_account_become_local_days_and_other_currencies_are_left_out():
    rows = [
        UsageRow("2026-01-01T10:00:00+00:00", "a/b", "images", 1, 0.5),
        UsageRow("2026-01-01T11:00:00+00:00", "a/b", "images", 1, 0.25),
        UsageRow("2026-01-01T11:00:00+00:00", "a/b", "images", 1, 9.0, "EUR"),
        UsageRow("soon", "a/b", "images", 1, 9.0),
    ]
    assert list(account_costs(rows).values()) == [0.75]


TEXTS = st.text(max_size=12) | st.sampled_from(["\x1b[31m", "<b>x</b>", "a/b"])
COSTS = st.dictionaries(st.tuples(st.sampled_from(["2026-01-01", "2026-01-02"]), TEXTS), st.floats(0, 1e6), max_size=12)


@settings(max_examples=40)
@given(COSTS, COSTS | st.none(), TEXTS)
def test_every_report_is_plain_text_and_inert(ledger, account, words):
    left = Balance(words, 1.0, words)
    report = UsageReport(("2026-01-01", "2026-01-02"), ledger, account, left, words)
    assert "\x1b" not in repr(report) + report._repr_html_() + repr(left)
    assert "<b>x" not in report._repr_html_()
