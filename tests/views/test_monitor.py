import json
import re
from html.parser import HTMLParser

import pytest

from fal_nb.engine.open_work import OpenRow, WorkMoment
from fal_nb.engine.stalls import Stalled
from fal_nb.ledger.budgets import Spending
from fal_nb.views.monitor import MonitorView

NOW = 1_750_000_000.0
EVIL = '"><img src=x onerror="hacked()"><script>hacked()</script>\x1b[2J'


def row(number, **changes):
    known = {
        "record_id": number, "endpoint": "fal-ai/flux/dev", "backend": "fal", "state": "RUNNING", "whose": "here",
        "created": NOW - 20, "submitted": NOW - 12, "started": NOW - 10, "estimate": 0.025, "currency": "USD",
        "can_cancel": True,
    }  # fmt: skip
    return OpenRow(**(known | changes))


def moment(*rows, **changes):
    counts = {}
    for each in rows:
        if each.ended is None:
            counts[each.state] = counts.get(each.state, 0) + 1
    return WorkMoment(**({"at": NOW, "rows": rows, "counts": counts} | changes))


class Work:
    def __init__(self, now):
        self.moment, self.observers, self.asked = now, [], []

    def observe(self, observer):
        self.observers.append(observer)

    def unobserve(self, observer):
        self.observers.remove(observer)

    def cancel(self, record_id):
        self.asked.append(("cancel", record_id))

    def keep_waiting(self, record_id):
        self.asked.append(("keep-waiting", record_id))


class Outlet:
    def __init__(self):
        self.changes = []

    def changed(self, view, *, settled):
        self.changes.append(settled)


@pytest.fixture
def make():
    def make(*rows, limit=None, **changes):
        work = Work(moment(*rows, **changes))
        return MonitorView(work, lambda function, *args: function(*args), limit), work

    return make


def test_each_row_says_what_how_far_how_long_and_how_much(make):
    view, _ = make(
        row(1, steps=(7, 28), progress=0.25),
        row(2, state="QUEUED", queue_position=2, started=None, whose="elsewhere"),
        row(3, backend="simulator", stalled=Stalled(NOW - 40, 12.0)),
        spending={"daily": Spending("daily", 0.5, 0.1, 2.0)},
        paused_until=NOW + 3,
        held_back=4,
    )
    lines = view.text().splitlines()
    assert lines[0] == "3 open: 2 running, 1 queued"
    assert lines[1] == "today, all kernels: spent 0.50 USD, reserved 0.10 USD, 1.40 USD left of 2.00 USD"
    assert lines[2] == "fal's limit holds calls back for 3.00 s; 4 wait here"
    assert re.match(r"#1  fal-ai/flux/dev +running  step 7 of 28 +12\.0 s  est\. ≤ 0\.025 USD$", lines[3])
    assert "position 3 · another kernel" in lines[4]
    assert "(simulated)" in lines[5]
    assert "nothing has moved for 40 s; 95 of 100 such calls are over within 12 s" in lines[5]
    twin = view.twin()
    for words in (
        "3 open",
        "step 7 of 28",
        "position 3 · another kernel",
        "nothing has moved for 40 s",
        "1.40 USD left",
    ):
        assert words in twin
    assert len(lines) == 6


def test_nothing_open_is_one_sentence(make):
    view, _ = make()
    assert view.text() == "No job is open."
    assert "No job is open." in view.twin()
    assert view.is_settled


def test_the_page_gets_bounded_rows_each_under_its_place_and_is_told_of_the_rest(make):
    view, _ = make(*(row(number) for number in range(50)), counts={"RUNNING": 9_000}, limit=20)
    state = view.state()
    assert [key for key in state if key.startswith("r") and key[1:].isdigit()] == [f"r{place}" for place in range(20)]
    assert (state["count"], state["more"]) == (20, 8_980)
    assert len(json.dumps(state)) < 12_000
    assert "8980 more" in view.text()


def test_a_click_counts_only_for_a_row_that_is_shown_and_can_be_meant(make):
    view, work = make(row(1), row(2, can_cancel=False), row(3, stalled=Stalled(NOW, None)), row(4), limit=3)
    for number in (1, 2, 3, 4, 5, True, "1", None):
        view.receive({"kind": "cancel", "record_id": number})
        view.receive({"kind": "keep-waiting", "record_id": number})
    view.receive({"kind": "anything", "record_id": 1})
    assert work.asked == [("cancel", 1), ("cancel", 3), ("keep-waiting", 3)]


def test_it_follows_from_when_it_is_shown_until_it_is_closed_and_the_twin_is_renewed_at_rest(make):
    view, work = make(row(1))
    assert work.observers == []
    view.follow()
    view.follow()
    view.outlet = outlet = Outlet()
    for now in (moment(row(1, progress=0.5)), moment(row(1, state="SUCCEEDED", ended=NOW)), moment()):
        work.observers[0](now)
    assert outlet.changes == [False, True, False]
    view.close()
    assert work.observers == []


def test_hostile_text_never_becomes_html_or_a_command(make):
    evil = row(1, endpoint=EVIL, currency=EVIL, cancel=EVIL, estimate=float("nan"))
    view, _ = make(evil, row(2, estimate=0.1, currency=EVIL), trouble=EVIL)
    tags = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.add(tag)
    parser.feed(view.twin())
    assert tags <= {"div", "b", "span", "table", "tr", "td"}
    assert "\x1b" not in view.text() + view.twin() + json.dumps(view.state(), ensure_ascii=False, allow_nan=False)
