"""Hostile texts as everything the jobs monitor shows, read back from a real ledger."""

import time

import pytest

from fal_nb.engine.open_work import OpenWork
from fal_nb.engine.session import Session
from fal_nb.ledger.records import NewRecord
from fal_nb.views.monitor import MonitorView

from .judge import assert_inert, assert_plain, assert_sendable
from .words import EVERYTHING, LONG


@pytest.fixture
def session(tmp_path):
    session = Session(base_url="http://127.0.0.1:9", home=tmp_path, notify=lambda line: None)
    yield session
    session.close()


def test_a_monitor_is_text_whatever_is_open(session):
    for words in (*EVERYTHING.values(), LONG):
        number = session.history.add(
            NewRecord(endpoint=words, created=time.time(), backend=words, arguments={"prompt": words}, state="RUNNING")
        )
        session.history.update(number, cancel=words, currency=words, estimate_high=1.0)
    work = OpenWork(session)
    assert len(work.look().rows) == len(EVERYTHING) + 1
    view = MonitorView(work, session.runtime.post)
    assert_sendable(view.state())
    for token in ("falnb-0123", None):
        bundle = view.mimebundle(token)
        assert_inert(bundle["text/html"])
        assert_plain(bundle["text/plain"], 20_000)
    for content in ({"kind": word, "record_id": word} for word in EVERYTHING.values()):
        view.receive(content)
