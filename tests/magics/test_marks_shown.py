"""A rating, a tag or a note given in one place is shown in every open view of the same call."""

import gc
import time

import fal_nb as fal
from fal_nb.frames.shown_records import ShownRecords
from fal_nb.shown_sweep import ShownSweep
from fal_nb.workbench import current

SCHNELL = "fal-ai/flux/schnell"


def until(condition):
    deadline = time.monotonic() + 30
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return value


def heard(view):
    """Keep the rows of tiles that a gallery sends."""
    rows = []
    view._post = lambda content, buffer=None: rows.extend(content["items"]) if content["kind"] == "items" else None
    return rows


def test_a_mark_in_one_gallery_or_in_python_is_sent_to_the_others(run):
    for seed in (1, 2):
        run(f"%fal run {SCHNELL} 'a fox' seed={seed}")
    first, second = run("%fal gallery")[1].result, run("%fal gallery")[1].result
    rows, others = heard(first), heard(second)
    newest, oldest = first._outputs.records
    current().session.runtime.call(receive(first, {"kind": "rate", "cells": [0], "rating": 4}))
    until(lambda: any(row[0] == 0 and 4 in row for row in others))
    del rows[:], others[:]
    fal.tag(oldest, "keeper")
    until(lambda: any(row[0] == 1 and "keeper" in str(row) for row in others))
    until(lambda: any(row[0] == 1 and "keeper" in str(row) for row in rows))
    fal.note(newest, "the best")
    until(lambda: any(row[0] == 0 for row in others))


async def receive(view, content):
    view.receive(content)


def test_more_marks_at_once_than_one_message_holds_are_all_sent(run, monkeypatch):
    monkeypatch.setattr("fal_nb.views.gallery._ASKED", 2)
    run(f"%fal run {SCHNELL} 'a fox' num_images=3")
    view = run("%fal gallery")[1].result
    rows = heard(view)
    fal.rate(1, 4)
    until(lambda: sorted(row[0] for row in rows) == [0, 1, 2])


def test_a_board_shows_a_rating_that_was_given_elsewhere_and_keeps_it(run):
    _, done = run(f"%%fal sweep {SCHNELL} --yes\nprompt: [a fox, an owl]")
    board, other = ShownSweep(done.result), ShownSweep(done.result)
    told = []
    other.observe(told.append)
    key, look = next(iter(board.cells.items()))
    board.rate(key, 5)
    until(lambda: told)
    assert (board.cells[key].rating, other.cells[key].rating) == (5, 5)
    board._changed({key})
    assert board.cells[key].rating == 5
    calls = ShownRecords(current().session, fal.history(), ["prompt"])
    assert calls.cells[f"r{look.record_id}"].rating == 5
    fal.rate(look.record_id, None)
    until(lambda: board.cells[key].rating is None and calls.cells[f"r{look.record_id}"].rating is None)


def test_views_that_are_gone_are_forgotten(run):
    session = current().session
    run(f"%fal run {SCHNELL} 'a fox'")
    for _ in range(5):
        ShownRecords(session, fal.history(), ["prompt"])
        gc.collect()
    fal.rate(1, 3)
    assert len(session._mark_observers) <= 2
