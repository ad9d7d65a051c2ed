import json
import time

import pytest

from fal_nb.views.board import BoardView, CellArtifact
from fal_nb.views.hub import MESSAGE_BYTES, Hub

from .fake_sweep import FakeSweep, styles, thousand


class Outlet:
    """Keeps what a view says."""

    def __init__(self):
        self.changes, self.posts = [], []

    def changed(self, view, *, settled):
        self.changes.append(settled)

    def post(self, view, content, buffer):
        self.posts.append((content, buffer))


@pytest.fixture
def outlet():
    return Outlet()


@pytest.fixture
def show(outlet):
    def show(sweep):
        view = BoardView(sweep, sweep.path, sweep.thumbnail)
        view.outlet = outlet
        return view

    return show


def wait_for(condition, timeout_s=5.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def say(runtime, view, content):
    async def receive():
        view.receive(content)

    runtime.call(receive())


def changed_keys(before, after):
    return {key for key in after if before.get(key) != after[key]}


def test_a_change_of_cells_changes_only_their_rows_and_the_totals(show):
    sweep = styles()
    view = show(sweep)
    before = view.state()
    sweep.tell(sweep.become("k3", state="QUEUED"), sweep.become("k7", state="RUNNING", progress=0.25))
    after = view.state()
    assert changed_keys(before, after) == {"c3", "c7", "counts", "reserved"}
    assert after["c7"][:3] == [[0, 0, 1, 3], "RUNNING", 0.25]


def test_the_state_of_a_thousand_finished_cells_fits_one_message_and_holds_no_image_bytes(show):
    sweep = thousand()
    for key in sweep.cells:
        sweep.finish(key, look=(1, (1, 1)), size=(64, 64))
        sweep.become(key, reason="r" * 400)
    text = json.dumps(show(sweep).state())
    assert len(text) < MESSAGE_BYTES
    assert "RIFF" not in text


def test_cells_that_come_later_keep_the_places_of_those_before(show):
    sweep = styles()
    view = show(sweep)
    first = view.state()["c0"]
    sweep.cells = {"new": sweep._cell(99, (1, 1, 1, 1), "QUEUED")} | sweep.cells
    sweep.tell("new")
    state = view.state()
    assert state["count"] == 49
    assert state["c0"] == first
    assert state["c48"][1] == "QUEUED"


def test_numbers_that_json_cannot_hold_are_left_out(show):
    sweep = styles()
    sweep.become("k0", cost=float("nan"), scores={"a": float("inf"), "b": 0.123456789})
    state = show(sweep).state()
    assert state["scores"] == ["a", "b"]
    assert state["c0"][3] is None
    assert state["c0"][8] == [None, 0.123457]
    json.dumps(state, allow_nan=False)


@pytest.mark.parametrize("command", ["pause", "resume", "cancel", "retry"])
def test_commands_reach_the_sweep(runtime, show, command):
    sweep = styles()
    say(runtime, show(sweep), {"kind": command})
    assert sweep.commands == [command]


def test_cells_are_cancelled_and_rated_by_their_places(show):
    sweep = styles()
    view = show(sweep)
    view.receive({"kind": "cancel-cell", "cell": 4})
    view.receive({"kind": "rate", "cell": 2, "rating": 5})
    view.receive({"kind": "rate", "cell": 2, "rating": None})
    assert sweep.commands == [("cancel", "k4"), ("rate", "k2", 5), ("rate", "k2", None)]


@pytest.mark.parametrize(
    "content",
    [{}, {"kind": None}, {"kind": "close"}, {"kind": "__init__"}, {"kind": "cancel-cell"}, {"kind": "cancel-cell", "cell": -1},
     {"kind": "cancel-cell", "cell": True}, {"kind": "cancel-cell", "cell": 48}, {"kind": "rate", "cell": 0, "rating": 6},
     {"kind": "rate", "cell": 0, "rating": "5"}, {"kind": "rate", "cell": "0", "rating": 5}, {"kind": "details", "cells": "0"},
     {"kind": "details", "cells": [None, 1e9, [0]]}, {"kind": "media", "which": "thumbnail", "index": 0},
     {"kind": "media", "which": "../../etc", "index": 0}, {"kind": "thumbnails", "cells": {"0": 1}}],
)  # fmt: skip
def test_malformed_messages_do_nothing(show, outlet, runtime, content):
    sweep = styles()
    say(runtime, show(sweep), content)
    assert sweep.commands == []
    assert outlet.posts == []


def test_thumbnails_come_in_batches_of_at_most_fifty_and_400_kilobytes(show, outlet, runtime):
    sweep = thousand()
    for number, key in enumerate(list(sweep.cells)[:120]):
        artifact = CellArtifact(kind="image", content_type="image/png", digest=f"{number:064x}")
        sweep.become(key, state="SUCCEEDED", artifact=artifact)
        sweep.pictures[artifact.digest] = bytes([number]) * 9000
    view = show(sweep)
    say(runtime, view, {"kind": "thumbnails", "cells": [*range(121), 5000]})
    wait_for(lambda: sum(len(content["pictures"]) for content, _ in outlet.posts) == 121)
    places = []
    for content, buffer in outlet.posts:
        assert len(content["pictures"]) <= 50
        assert len(buffer) <= 400_000
        at = 0
        for place, _, length in content["pictures"]:
            assert buffer[at : at + length] == bytes([place % 256]) * length
            at += length
            places.append((place, length))
        assert at == len(buffer)
    assert places == [(place, 9000) for place in range(120)] + [(120, 0)]


def test_an_original_comes_in_parts_under_its_place(show, outlet, runtime, tmp_path):
    sweep = styles(folder=tmp_path)
    artifact = CellArtifact(kind="image", content_type="image/png", digest="ab" * 32)
    sweep.become("k5", state="SUCCEEDED", artifact=artifact)
    (tmp_path / artifact.digest).write_bytes(b"x" * 1_000_000)
    say(runtime, show(sweep), {"kind": "media", "which": "original", "index": 5})
    wait_for(lambda: len(outlet.posts) == 3)
    assert {content["index"] for content, _ in outlet.posts} == {5}
    assert b"".join(buffer for _, buffer in outlet.posts) == b"x" * 1_000_000


def test_arguments_are_told_when_asked_for_with_long_texts_cut(show, outlet, runtime):
    sweep = styles()
    sweep.become("k1", arguments={"prompt": "p" * 100_000, "nested": {"a": [1, 2]}}, request_id="r1", reason="why")
    say(runtime, show(sweep), {"kind": "details", "cells": [1]})
    ((content, buffer),) = outlet.posts
    assert buffer is None
    assert content["arguments"]["nested"] == {"a": [1, 2]}
    assert len(content["arguments"]["prompt"]) < 1000
    assert (content["cell"], content["request_id"], content["reason"]) == (1, "r1", "why")


def test_the_twin_is_brought_up_to_date_when_the_sweep_comes_to_rest_and_not_before(show, outlet, runtime):
    sweep = FakeSweep({"seed": ("1", "2")})
    view = show(sweep)
    sweep.become("k1", state="RUNNING")

    async def finish(key):
        sweep.tell(sweep.finish(key))

    runtime.call(finish("k0"))
    assert outlet.changes == [False]
    assert not view.is_settled
    runtime.call(finish("k1"))
    wait_for(lambda: True in outlet.changes)
    assert view.is_settled


def test_a_closed_board_follows_no_longer(show):
    sweep = styles()
    show(sweep).close()
    assert sweep.observers == []


def test_many_changes_of_many_cells_are_few_messages_and_small_ones(wire, runtime):
    hub = Hub(runtime)
    sweep = thousand()
    hub.open()
    hub.add(BoardView(sweep, sweep.path, sweep.thumbnail))

    def ticks():
        return [data["content"] for _, _, data, _, _ in list(wire) if data.get("content", {}).get("kind") == "tick"]

    wait_for(lambda: len(ticks()) == 1)
    for number in range(300):
        runtime.post(lambda key=f"k{number}": sweep.tell(sweep.become(key, state="QUEUED")))
    wait_for(lambda: "c299" in ticks()[-1]["views"].get(next(iter(ticks()[-1]["views"])), {}))
    assert len(ticks()) <= 4
    assert all(len(json.dumps(tick)) < 30_000 for tick in ticks()[1:])
    hub.close()


def test_a_state_too_long_for_one_message_goes_out_over_several_ticks(wire, runtime):
    hub = Hub(runtime)
    sweep = FakeSweep({"a": [str(n) for n in range(60)], "b": [str(n) for n in range(60)]})
    for key in sweep.cells:
        sweep.become(key, state="FAILED", reason="r" * 160)
    view = BoardView(sweep, sweep.path, sweep.thumbnail)
    hub.open()
    hub.add(view)
    seen = {}

    def is_whole():
        for _, _, data, _, _ in list(wire):
            content = data.get("content", {})
            if content.get("kind") == "tick":
                assert len(json.dumps(content)) < 512_000
                seen.update(content["views"].get(view.id, {}))
        return len([key for key in seen if key[0] == "c" and key[1:].isdigit()]) == 3600

    wait_for(is_whole)
    hub.close()


def test_as_a_widget_of_its_own_the_board_holds_its_state_and_answers_there(wire, runtime):
    hub = Hub(runtime)
    sweep = styles()
    view = BoardView(sweep, sweep.path, sweep.thumbnail)
    view.outlet = hub
    widget = view.widget
    runtime.post(lambda: sweep.tell(sweep.become("k2", state="QUEUED")))
    wait_for(lambda: widget.state["c2"][1] == "QUEUED")
    widget._handle_custom_msg({"kind": "details", "cells": [2]}, [])
    wait_for(lambda: any(data.get("content", {}).get("kind") == "details" for _, _, data, _, _ in list(wire)))
    hub.close()
