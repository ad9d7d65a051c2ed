"""Frames of a live picture: beside the ticks, few on the way, the newest wins."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.views import hub as hub_module
from fal_nb.views.frame_window import FRAMES_AHEAD, FrameWindow
from fal_nb.views.hub import Hub
from fal_nb.views.view import View

from .test_hub import _nothing, contents, wait_for


class Painting(View):
    name: ClassVar[str] = "card"
    is_settled = True

    def __init__(self):
        super().__init__()
        self.got, self.leaves = [], 0

    def state(self):
        return {"view": self.id}

    def receive(self, content: Mapping[str, Any]):
        self.got.append((content, None))

    def receive_bytes(self, content, data):
        self.got.append((content, data))

    def left(self):
        self.leaves += 1


class Page:
    """Keeps what is sent, and says that it has shown it when the test lets it."""

    def __init__(self, most=FRAMES_AHEAD):
        self.now = 0.0
        self.got = []
        self.window = FrameWindow(lambda content, _data: self.got.append(content["frame"]), most=most, clock=self.clock)

    def clock(self):
        return self.now


@pytest.fixture
def hub(runtime, wire, monkeypatch):
    monkeypatch.setattr(hub_module, "bundle_text", lambda name: f"export default {{}} // {name}")
    hub = Hub(runtime)
    yield hub
    hub.close()


def say(runtime, widget, content, buffers=()):
    widget._handle_custom_msg(content, list(buffers))
    runtime.call(_nothing())


def test_a_frame_goes_out_at_once_and_is_counted_apart_from_the_ticks(hub, wire, runtime):
    hub.open()
    view = Painting()
    hub.add(view)
    wait_for(lambda: contents(wire, "tick"))
    ticks = hub.sent
    runtime.post(hub.frame, view, {"kind": "frame", "frame": 1}, b"jpeg")
    wait_for(lambda: contents(wire, "frame"))
    _, content, buffers = contents(wire, "frame")[0]
    assert content == {"kind": "frame", "view": view.id, "content": {"kind": "frame", "frame": 1}}
    assert buffers == [b"jpeg"]
    assert (hub.frames_sent, hub.sent) == (1, ticks)


def test_a_view_that_is_a_widget_gets_its_frames_itself(hub, wire, runtime):
    view = Painting()
    widget = hub.widget(view)
    runtime.post(hub.frame, view, {"kind": "frame", "frame": 1}, b"jpeg")
    wait_for(lambda: contents(wire, "frame"))
    assert contents(wire, "frame")[0][1] == {"kind": "frame", "frame": 1}
    say(runtime, widget, {"kind": "input"}, [memoryview(b"drawing")])
    assert view.got == [({"kind": "input"}, b"drawing")]


def test_what_a_page_sends_with_bytes_reaches_the_view_with_them(hub, wire, runtime):
    hub.open()
    view = Painting()
    hub.add(view)
    event = {"kind": "event", "view": view.id, "content": {"kind": "input"}}
    say(runtime, hub._widget, event, [memoryview(b"drawing")])
    say(runtime, hub._widget, event)
    say(runtime, hub._widget, {**event, "content": "no object"}, [memoryview(b"drawing")])
    assert view.got == [({"kind": "input"}, b"drawing"), ({"kind": "input"}, None)]


def test_a_view_is_told_that_a_page_has_left_it(hub, wire, runtime):
    hub.open()
    view = Painting()
    hub.add(view)
    say(runtime, hub._widget, {"kind": "unmount", "view": view.id, "page": "p"})
    say(runtime, hub._widget, {"kind": "unmount", "view": "v-nobody", "page": "p"})
    assert view.leaves == 1


def test_no_more_frames_are_on_the_way_than_may_be_and_the_newest_follows():
    page = Page(most=2)
    for number in range(1, 7):
        page.window.offer(number, {}, b"")
    assert page.got == [1, 2]
    assert page.window.skipped == 3
    page.window.seen(1)
    assert page.got == [1, 2, 6]
    page.window.seen(6)
    assert page.window.on_way == 0


@given(st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=60))
def test_whatever_a_page_says_few_frames_are_on_the_way_and_none_goes_backwards(moves):
    page = Page(most=3)
    number = 0
    for seen in moves:
        if seen is None:
            number += 1
            page.window.offer(number, {}, b"")
        else:
            page.window.seen(seen)
        assert page.window.on_way <= 3
    assert page.got == sorted(set(page.got))
    page.window.seen(number)
    assert page.got[-1:] == ([number] if number else [])


def test_a_page_made_anew_is_sent_frames_again():
    page = Page(most=1)
    page.window.offer(1, {}, b"")
    page.window.offer(2, {}, b"")
    page.window.heard()
    assert page.got == [1]
    page.now = 1.5
    page.window.heard()
    assert page.got == [1, 2]
