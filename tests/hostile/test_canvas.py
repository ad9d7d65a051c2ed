"""Hostile words as everything a canvas shows: names, values, errors, cells of pins; hostile bytes as frames."""

import asyncio

import pytest

from fal_nb.engine.live_picture import as_json, fitted_frame, picture_in, start_picture
from fal_nb.errors import FalError
from fal_nb.schemas.scalars import Problem
from fal_nb.views.canvas import CanvasView
from fal_nb.views.canvas_look import CanvasLook, Pinned
from tests.views.fake_canvas import FakeCanvas

from .judge import assert_inert, assert_plain, assert_sendable
from .test_form import WORDS, schema_of

RESULTS = [
    None, True, 7, "text", b"bytes", [], {}, {"images": None}, {"images": [{"url": 7}]}, {"images": [{"content": "text"}]},
    {"images": [{"content": b"<svg onload=1>"}]}, {"images": [{"url": "data:image/png;base64,!!"}]},
    {"image": {"url": "javascript:1"}}, {"a": {b"b": {1: b"\x00" * 100}}},
]  # fmt: skip
PICTURES = [
    b"", b"\xff\xd8\xff", b"\xff\xd8\xff" + b"\x00" * 500_000, b"\x89PNG\r\n\x1a\n" + b"\xff" * 600_000, b"GIF89a",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html><script>", b"RIFF\x00\x00\x00\x00WEBPVP8X" + b"\xff" * 500_000,
]  # fmt: skip


@pytest.mark.parametrize("words", WORDS.values(), ids=list(WORDS))
def test_a_canvas_is_text_whatever_it_shows(words):
    look = CanvasLook(
        line="failed",
        why=words,
        error=words,
        frames=3,
        problems=[Problem((words[:200], 0), words)] * 100,
        pins=[Pinned(number, words, 3) for number in range(100)],
    )
    canvas = FakeCanvas(schema_of(words), look)
    canvas.drawing_input = ""
    canvas.values = {"prompt": words[:2_000], words[:200]: words[:2_000], "parts": [{words[:200]: words[:2_000]}]}
    view = CanvasView(canvas)
    assert_sendable(view.state())
    assert_inert(view.twin())
    assert_plain(view.text())


@pytest.mark.parametrize("result", RESULTS, ids=range(len(RESULTS)))
def test_a_result_of_any_shape_is_a_picture_none_or_one_of_our_errors(result):
    async def read(ref):
        raise FalError("nothing is fetched here")

    try:
        found = asyncio.run(picture_in(result, read))
    except FalError:
        return
    if found is not None:  # whatever it says it is, its bytes are looked at before they go anywhere
        with pytest.raises(FalError):
            fitted_frame(found)
    assert_sendable({"result": as_json(result)})


@pytest.mark.parametrize("data", PICTURES, ids=range(len(PICTURES)))
def test_bytes_of_any_kind_go_to_the_page_as_a_small_picture_or_not_at_all(data):
    for function in (fitted_frame, lambda data: (start_picture(data, 512)[0], "image/jpeg")):
        try:
            fitted, content_type = function(data)
        except FalError as error:
            assert_plain(str(error))
        else:
            assert content_type in {"image/jpeg", "image/png", "image/gif"}
            assert fitted == data
