import concurrent.futures
import gc
import itertools
import json
import time
import weakref

import pytest

from fal_nb.errors import HistoryError
from fal_nb.views import hub as hub_module
from fal_nb.views.card import CardView
from fal_nb.views.hub import MESSAGE_BYTES, Hub
from fal_nb.views.outputs import Outputs


def wait_for(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def _bundles(monkeypatch):
    monkeypatch.setattr(hub_module, "bundle_text", lambda name: f"export default {{}} // {name}" + "x" * 100)


@pytest.fixture
def hub(runtime, wire):
    hub = Hub(runtime)
    yield hub
    hub.close()


def contents(wire, kind=None):
    """The custom messages sent so far, oldest first."""
    found = [(at, data["content"], buffers) for at, _, data, buffers, _ in list(wire) if data.get("method") == "custom"]
    return [entry for entry in found if kind is None or entry[1]["kind"] == kind]


def say(runtime, hub, content):
    """What the front end does when it sends a message."""
    hub._widget._handle_custom_msg(content, [])
    runtime.call(_nothing())


async def _nothing():
    return None


def test_nothing_is_opened_before_it_is_asked_for(hub, wire, plain_job):
    hub.add(CardView(plain_job(), lambda digest: None))
    assert not wire
    assert not hub.is_open


def test_a_new_view_brings_its_bundle_and_its_whole_state_unasked(hub, wire, plain_job):
    hub.open()
    view = CardView(plain_job(), lambda digest: None)
    hub.add(view)
    wait_for(lambda: contents(wire, "tick"))
    assert contents(wire, "bundle")[0][1]["name"] == "card"
    state = contents(wire, "tick")[0][1]["views"][view.id]
    assert state["endpoint"] == "fal-ai/flux/dev"
    assert state["prompt"] == "a red fox"


def test_later_ticks_carry_only_what_changed(hub, wire, plain_job, runtime):
    hub.open()
    job = plain_job()
    view = CardView(job, lambda digest: None)
    hub.add(view)
    wait_for(lambda: contents(wire, "tick"))
    say(runtime, hub, {"kind": "hello", "page": "p"})
    say(runtime, hub, {"kind": "mount", "view": view.id, "page": "p"})
    wait_for(lambda: len(contents(wire, "tick")) >= 2)
    runtime.post(lambda: job.become(queue_position=4))
    wait_for(lambda: any(tick["views"].get(view.id) == {"queue_position": 4} for _, tick, _ in contents(wire, "tick")))


def test_a_hundred_changing_views_make_at_most_ten_messages_a_second(hub, wire, plain_job, runtime, make_handle):
    hub.open()
    jobs = [plain_job(record_id=number) for number in range(100)]
    for job in jobs:
        hub.add(CardView(job, lambda digest: None), make_handle())
    for step in range(60):
        runtime.post(lambda step=step: [job.become(progress=step / 60, state="RUNNING") for job in jobs])
        time.sleep(0.02)
    runtime.post(lambda: [job.become(state="SUCCEEDED") for job in jobs])
    time.sleep(0.8)
    times = sorted(
        [at for at, *_ in contents(wire)] + [at for handle in hub._handles.values() for at, _ in handle.updates]
    )
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(times) > 5
    assert min(gaps) > 0.09


def test_every_view_is_served_even_when_all_change_all_the_time(hub, wire, plain_job, runtime):
    hub.open()
    jobs = [plain_job(record_id=number) for number in range(50)]
    views = [CardView(job, lambda digest: None) for job in jobs]
    for view in views:
        hub.add(view)
    wait_for(
        lambda: {name for _, tick, _ in contents(wire, "tick") for name in tick["views"]} == {view.id for view in views}
    )


def test_no_message_is_over_the_limit_and_nothing_is_lost(hub, wire, plain_job, runtime):
    hub.open()
    jobs = [
        plain_job(record_id=number, logs=tuple("y" * 200 for _ in range(200)), log_count=200) for number in range(60)
    ]
    views = [CardView(job, lambda digest: None) for job in jobs]
    for view in views:
        hub.add(view)
    wait_for(
        lambda: {name for _, tick, _ in contents(wire, "tick") for name in tick["views"]} == {view.id for view in views}
    )
    assert max(len(json.dumps(tick)) for _, tick, _ in contents(wire, "tick")) < 512_000


def test_originals_travel_in_chunks_under_the_limit(hub, wire, plain_job, runtime, make_artifact, tmp_path):
    data = bytes(range(256)) * 6_000
    blob = tmp_path / "blob"
    blob.write_bytes(data)
    hub.open()
    view = CardView(plain_job(artifacts=(make_artifact(),)), lambda digest: blob)
    hub.add(view)
    say(runtime, hub, {"kind": "event", "view": view.id, "content": {"kind": "media", "which": "original", "index": 0}})
    wait_for(lambda: sum(len(buffers) for *_, buffers in contents(wire, "tick")) == 4)
    parts = [
        (message["content"], buffers[message["buffers"][0]])
        for _, tick, buffers in contents(wire, "tick")
        for message in tick["messages"]
    ]
    assert b"".join(bytes(buffer) for _, buffer in sorted(parts, key=lambda part: part[0]["part"])) == data
    assert all(len(buffer) <= MESSAGE_BYTES for _, buffer in parts)


def test_a_click_reaches_the_job_and_only_the_job_of_that_view(hub, wire, plain_job, runtime):
    hub.open()
    jobs = [plain_job(record_id=1), plain_job(record_id=2)]
    views = [CardView(job, lambda digest: None) for job in jobs]
    for view in views:
        hub.add(view)
    say(runtime, hub, {"kind": "event", "view": views[1].id, "content": {"kind": "cancel"}})
    assert [job.cancels for job in jobs] == [0, 1]


@pytest.mark.parametrize(
    "content",
    [None, [], "x", {}, {"kind": 1}, {"kind": "event"}, {"kind": "event", "view": 3}, {"kind": "event", "view": "v", "content": "x"},
     {"kind": "need", "bundle": "../../x"}, {"kind": "need", "bundle": ["x"]}, {"kind": "mount", "view": None}],
)  # fmt: skip
def test_malformed_messages_are_ignored(hub, wire, plain_job, runtime, content):
    hub.open()
    job = plain_job()
    view = CardView(job, lambda digest: None)
    hub.add(view)
    say(runtime, hub, content)
    say(
        runtime,
        hub,
        {"kind": "event", "view": view.id, "content": {"kind": "media", "which": "original", "index": "0"}},
    )
    say(runtime, hub, {"kind": "event", "view": view.id, "content": {"kind": "cancel"}})
    assert job.cancels == 1


def test_an_unknown_view_is_said_to_be_gone(hub, wire, runtime):
    hub.open()
    say(runtime, hub, {"kind": "mount", "view": "v123", "page": "p"})
    wait_for(lambda: contents(wire, "gone"))


def test_what_the_page_needs_is_pushed_again_until_it_has_said_hello(hub, wire, plain_job, monkeypatch):
    monkeypatch.setattr(hub_module, "_PUSH_AGAIN_S", (0.2, 0.4))
    hub.open()
    hub.add(CardView(plain_job(), lambda digest: None))
    # Again at least once: the first push may have come before the card.
    wait_for(lambda: len(contents(wire, "bundle")) >= 2)


def test_the_twin_is_updated_at_the_steps_that_matter_only(hub, wire, plain_job, runtime, make_handle):
    hub.open()
    handle = make_handle()
    job = plain_job()
    hub.add(CardView(job, lambda digest: None), handle)
    for position in range(5):
        runtime.post(lambda position=position: job.become(queue_position=position))
    runtime.call(_nothing())
    runtime.post(lambda: job.become(state="RUNNING"))
    wait_for(lambda: handle.updates)
    runtime.post(lambda: job.become(state="SUCCEEDED"))
    wait_for(lambda: len(handle.updates) == 2)
    bundle = handle.updates[-1][1]
    assert set(bundle) == {"text/html", "text/plain"}
    assert "done" in bundle["text/html"]
    assert hub.token in bundle["text/html"]


def test_without_a_hub_the_twin_is_all_there_is_and_names_no_token(hub, wire, plain_job, runtime, make_handle):
    handle = make_handle()
    job = plain_job()
    view = CardView(job, lambda digest: None)
    hub.add(view, handle)
    runtime.post(lambda: job.become(queue_position=2))
    wait_for(lambda: handle.updates)
    assert hub.token not in handle.updates[-1][1]["text/html"]
    assert not wire


def test_a_view_as_a_widget_of_its_own_is_fed_and_heard(hub, wire, plain_job, runtime):
    job = plain_job()
    view = CardView(job, lambda digest: None)
    view.outlet = hub
    widget = view.widget
    assert view.widget is widget
    runtime.post(lambda: job.become(state="RUNNING"))
    wait_for(lambda: widget.state["state"] == "RUNNING")
    widget._handle_custom_msg({"kind": "cancel"}, [])
    runtime.call(_nothing())
    assert job.cancels == 1


def test_the_newest_ipykernel_does_not_pin_clicks_to_the_main_shell(hub, wire):
    hub.open()
    comm = hub._widget.comm
    comm._reply_subshell_for = lambda data, default: "pinned"
    hub._send(hub._widget, {"kind": "tick"}, [])
    assert comm._reply_subshell_for is None


class CellShell:
    """What a notebook front end says of the cell that runs."""

    def __init__(self, cell, run):
        self.parent_header = {"header": {"msg_id": run}, "metadata": {"cellId": cell}}


@pytest.fixture
def outputs(hub):
    return Outputs(lambda view: hub.forget(view, is_shown=False))


def show(hub, outputs, job, cell, run, handle=None):
    view = CardView(job, lambda digest: None)
    hub.add(view, handle)
    outputs.add(view, CellShell(cell, run))
    return view


def test_a_cell_run_again_lets_its_earlier_cards_go(hub, outputs, wire, plain_job, runtime):
    hub.open()
    job = plain_job(state="SUCCEEDED")
    first = show(hub, outputs, job, "c1", "m1")
    beside = show(hub, outputs, job, "c1", "m1")
    elsewhere = show(hub, outputs, job, "c2", "m2")
    again = show(hub, outputs, job, "c1", "m3")
    wait_for(lambda: set(hub._views) == {elsewhere.id, again.id})
    assert len(job.observers) == 2
    for view in (first, beside):
        say(runtime, hub, {"kind": "mount", "view": view.id, "page": "p"})
    wait_for(lambda: {part["view"] for _, part, _ in contents(wire, "gone")} == {first.id, beside.id})


def test_all_cards_of_one_job_in_one_run_are_kept_true(hub, outputs, wire, plain_job, runtime, make_handle):
    hub.open()
    job = plain_job()
    handles = [make_handle() for _ in range(3)]
    for handle in handles:
        show(hub, outputs, job, "c1", "m1", handle)
    runtime.post(lambda: job.become(state="SUCCEEDED"))
    wait_for(lambda: all("done" in handle.updates[-1][1]["text/html"] for handle in handles if handle.updates))
    wait_for(lambda: all(handle.updates for handle in handles))


def test_an_earlier_card_of_a_job_that_goes_on_stays_until_it_has_ended(hub, outputs, wire, plain_job, runtime):
    hub.open()
    job = plain_job()
    first = show(hub, outputs, job, "c1", "m1")
    again = show(hub, outputs, job, "c1", "m2")
    wait_for(lambda: first.id in hub._leaving)
    say(runtime, hub, {"kind": "event", "view": first.id, "content": {"kind": "cancel"}})
    assert job.cancels == 1
    runtime.post(lambda: job.become(state="CANCELLED"))
    wait_for(lambda: set(hub._views) == {again.id})


def test_a_widget_whose_cell_was_run_again_is_closed(hub, outputs, wire, plain_job):
    job = plain_job(state="SUCCEEDED")
    view = CardView(job, lambda digest: None)
    view.outlet = hub
    widget = hub.widget(view)
    outputs.add(view, CellShell("c1", "m1"))
    show(hub, outputs, job, "c1", "m2")
    wait_for(lambda: widget.comm is None)


def test_where_the_front_end_names_no_cell_every_card_is_kept(hub, outputs, plain_job):
    first = show(hub, outputs, plain_job(), None, "m1")
    second = show(hub, outputs, plain_job(), None, "m2")
    assert set(hub._views) == {first.id, second.id}


def test_a_card_lets_an_ended_job_go_and_calls_it_back_when_it_is_asked(plain_job):
    job = plain_job(record_id=7)
    asked = []

    def recall(record_id):
        asked.append(record_id)
        return plain_job(record_id=7, state="SUCCEEDED", request_id="from the ledger")

    view = CardView(job, lambda digest: None, recall=recall)
    job.become(state="SUCCEEDED")
    reference = weakref.ref(job)
    del job
    gc.collect()
    assert reference() is None
    assert view.state()["request_id"] == "from the ledger"
    assert asked == [7]


def test_on_the_loop_a_card_asks_the_ledger_aside_and_is_drawn_again_when_its_job_is_back(runtime, plain_job):
    asked = []

    class Outlet:
        def changed(self, view, *, settled):
            drawn.set_result(view.state()["request_id"])

    def recall(record_id):
        asked.append(runtime.is_loop_thread)
        return plain_job(record_id=7, state="SUCCEEDED", request_id="from the ledger")

    async def on_the_loop(function, *args):
        return function(*args)

    drawn = concurrent.futures.Future()
    view = CardView(plain_job(state="SUCCEEDED"), lambda digest: None, recall=recall, runtime=runtime)
    view.outlet = Outlet()
    gc.collect()
    assert runtime.call(on_the_loop(view.state))["request_id"] is None
    assert drawn.result(20) == "from the ledger"
    gc.collect()
    runtime.call(on_the_loop(view.receive, {"kind": "media", "index": 0, "want": "thumbnail"}))
    wait_for(lambda: asked == [False, False])


def test_a_card_whose_job_the_ledger_cannot_give_back_shows_what_it_knows(plain_job):
    def recall(record_id):
        raise HistoryError("The history cannot be read.")

    view = CardView(plain_job(state="SUCCEEDED", arguments={"prompt": "a fox"}), lambda digest: None, recall=recall)
    gc.collect()
    assert view.state()["prompt"] == "a fox"
    assert "done" in view.twin()
