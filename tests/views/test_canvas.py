import io
import json

import pytest
from PIL import Image

from fal_nb.views.canvas import DRAWING_BYTES, CanvasView
from fal_nb.views.canvas_look import CanvasLook, Pinned
from fal_nb.views.frame_window import FRAMES_AHEAD

from .fake_canvas import FakeCanvas, frame
from .test_board import say, wait_for

JPEG = b"\xff\xd8\xff drawing"


class Outlet:
    def __init__(self):
        self.changes, self.posts, self.frames = [], [], []

    def changed(self, view, *, settled):
        self.changes.append(settled)

    def post(self, view, content, buffer):
        self.posts.append((content, buffer))

    def frame(self, view, content, buffer):
        self.frames.append((content, buffer))


@pytest.fixture
def canvas(tmp_path):
    return FakeCanvas(folder=tmp_path / "inputs")


@pytest.fixture
def outlet():
    return Outlet()


@pytest.fixture
def view(canvas, outlet):
    view = CanvasView(canvas)
    view.outlet = outlet
    return view


def on_loop(runtime, function, *words):
    async def doing():
        function(*words)

    runtime.call(doing())


def an_input(number=1, **more):
    return {"kind": "input", "page": "p1", "input": number, **more}


def test_an_input_reaches_the_canvas_with_what_is_filled_in_and_what_is_drawn(view, canvas, runtime):
    on_loop(runtime, view.receive_bytes, an_input(1, edit=4, values=json.dumps({"prompt": "an owl"})), JPEG)
    on_loop(runtime, view.receive_bytes, an_input(2), JPEG)
    say(runtime, view, an_input(3, edit=5, values="{}"))
    assert canvas.told == [
        ("take", "p1", 1, {"prompt": "an owl"}, JPEG),
        ("take", "p1", 2, None, JPEG),
        ("take", "p1", 3, {}, None),
    ]
    assert view.state()["edit"] == ["p1", 5]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"kind": "input"},
        an_input("1"),
        an_input(True),
        an_input(-1),
        an_input(2**60),
        an_input(1, page="p" * 41),
        an_input(1, page=7),
        an_input(1, values="{}"),
        an_input(1, values="no JSON", edit=1),
        an_input(1, values="[1]", edit=1),
        {"kind": "pin", "frame": "1"},
        {"kind": "pin"},
        {"kind": "rate", "record": 1, "rating": 9},
        {"kind": "rate", "record": 1, "rating": "5"},
        {"kind": "rate", "record": None},
        {"kind": "start", "record": [1]},
        {"kind": "seen", "frame": {}},
        {"kind": "file"},
        {"kind": "preview", "value": 7},
        {"kind": ["pin"]},
    ],
)
def test_malformed_messages_do_nothing(view, canvas, outlet, runtime, content):
    say(runtime, view, content)
    on_loop(runtime, view.receive_bytes, content, JPEG)
    assert canvas.told == []
    assert outlet.posts == []


def test_bytes_that_are_no_drawing_do_nothing(view, canvas, runtime):
    for data in (b"", b"<svg>", b"\x89PNG", JPEG + bytes(DRAWING_BYTES)):
        on_loop(runtime, view.receive_bytes, an_input(), data)
    assert canvas.told == []


def test_clicks_reach_the_canvas(view, canvas, runtime):
    for content in (
        {"kind": "pause"},
        {"kind": "go"},
        {"kind": "stop"},
        {"kind": "pin", "frame": 7},
        {"kind": "rate", "record": 3, "rating": 5},
        {"kind": "rate", "record": 3, "rating": None},
        {"kind": "start", "record": 12},
    ):
        say(runtime, view, content)
    view.left()
    assert canvas.told == [
        ("pause",),
        ("go",),
        ("end",),
        ("pin_frame", 7),
        ("rate_pin", 3, 5),
        ("rate_pin", 3, None),
        ("start_from", 12),
        ("left", view),
    ]


def test_few_frames_are_on_their_way_to_a_page_and_the_newest_follows(view, canvas, outlet, runtime):
    for number in range(1, 9):
        on_loop(runtime, view.show_frame, frame(number))
    assert [content["frame"] for content, _ in outlet.frames] == [1, 2]
    assert len(outlet.frames) == FRAMES_AHEAD
    say(runtime, view, {"kind": "seen", "frame": 1})
    assert [content["frame"] for content, _ in outlet.frames] == [1, 2, 8]
    content, data = outlet.frames[-1]
    assert content == {
        "kind": "frame", "frame": 8, "page": "p", "input": 1, "content_type": "image/jpeg", "wire_ms": 20.0, "in_flight": 0,
    }  # fmt: skip
    assert data.startswith(b"\xff\xd8\xff")


def test_a_page_that_has_just_come_gets_what_is_drawn_on_and_the_newest_frame(view, canvas, outlet, runtime):
    canvas.start_picture = (2, JPEG)
    canvas.newest = frame(5)
    say(runtime, view, {"kind": "picture", "start": 0})
    assert outlet.posts == [({"kind": "start", "start": 2}, JPEG)]
    assert [content["frame"] for content, _ in outlet.frames] == [5]
    say(runtime, view, {"kind": "picture", "start": 2})
    assert len(outlet.posts) == 1


def test_pins_are_told_with_their_cells_and_their_pictures_when_asked_for(view, canvas, outlet, runtime):
    canvas.now = CanvasLook(pins=(Pinned(12, "%fal run a/b", 4, b"webp"), Pinned(13)))
    assert view.state()["pins"] == [
        {"record": 12, "cell": '"%fal run a/b"', "rating": 4},
        {"record": 13, "cell": '""', "rating": None},
    ]
    say(runtime, view, {"kind": "pinned"})
    assert outlet.posts == [({"kind": "pinned", "record": 12}, b"webp")]


def test_the_drawing_is_no_field_of_the_form(view):
    names = [field["name"] for field in json.loads(view.state()["fields"])]
    assert names == ["prompt", "strength", "mask_url"]
    assert view.state()["drawing"] == "image_url"


def test_the_twin_waits_for_a_hand_to_rest(view, outlet, runtime, monkeypatch):
    monkeypatch.setattr("fal_nb.views.canvas._QUIET_S", 0.2)
    say(runtime, view, an_input())
    on_loop(runtime, view.settle)
    assert True not in outlet.changes
    wait_for(lambda: True in outlet.changes)


def test_the_twin_shows_the_newest_frame_what_was_filled_in_and_how_fast_frames_came(view, canvas):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "WEBP")
    canvas.picture = buffer.getvalue()
    canvas.now = CanvasLook(line="closed", frames=1234, p50_ms=61.4, p95_ms=88.8, pins=(Pinned(12), Pinned(15)))
    twin = view.twin()
    assert 'src="data:image/webp;base64,' in twin
    for words in ("1,234 frames", "61 ms", "89 ms", "a fox", "#12, #15", "not connected"):
        assert words in twin
        assert words in view.text()
    canvas.now = CanvasLook(line="failed", why="No such endpoint.")
    assert "failed: No such endpoint." in view.text()


def test_a_file_of_another_input_comes_in_parts(view, canvas, outlet, runtime):
    part = {"kind": "file", "upload": "u", "name": "m.png", "size": 3, "part": 0, "data": "YWJj"}
    say(runtime, view, part)
    wait_for(lambda: outlet.posts)
    assert outlet.posts[0][0]["kind"] == "file-stored"
    view.close()
    assert canvas.told == [("left", view)]
