"""Holes that were open once, each by the smallest thing that shows it."""

import json
import struct
import time
import zlib

import pytest

from fal_nb.artifacts.naming import name_part
from fal_nb.artifacts.sniff import plain_type, settle_type
from fal_nb.artifacts.thumbnails import preview_picture
from fal_nb.client.verdicts import Answer, Call, unreadable_error
from fal_nb.engine.inputs import read_inputs
from fal_nb.errors import ArgumentsError, SubmissionUnknown
from fal_nb.protocol.events import EventDecoder
from fal_nb.protocol.files import find_files, safe_file_name
from fal_nb.protocol.logs import read_progress
from fal_nb.protocol.status import parse_status
from fal_nb.views.fitting import last_lines, trim
from fal_nb.views.format import money, seconds
from fal_nb.views.media import send_media

from .judge import assert_sendable
from .media import chunk


def quickly(action, most_s=1.0):
    began = time.monotonic()
    value = action()
    assert time.monotonic() - began < most_s
    return value


@pytest.mark.parametrize(
    "line", ["step " + " " * 10**6 + "x", "step 1" + " " * 10**6, "1%|" * 300_000, "9" * 10**6, "steps" * 200_000]
)
def test_a_log_line_does_not_stop_the_loop(line):
    assert quickly(lambda: read_progress(line)) is None


def test_progress_is_still_read_at_the_end_of_a_long_line():
    assert read_progress("x" * 10**6 + " 46%|███ | 13/28") == (13, 28)


def test_one_long_line_of_an_event_stream_is_not_copied_with_every_chunk():
    decoder, block = EventDecoder(), b"x" * 8192

    def feed():
        for _ in range(2_000):
            decoder.feed(block)
        return decoder.feed(b"\n\n")

    decoder.feed(b"data: ")
    (event,) = quickly(feed, 3.0)
    assert len(event.data) == 2_000 * 8192


def test_nesting_that_cannot_be_read_is_no_json_and_leaves_a_paid_call_unknown():
    answer = Answer(200, {}, b"[" * 10**6)
    with pytest.raises(ValueError, match="nested"):
        answer.json()
    assert isinstance(unreadable_error(Call("POST", "x", "it", paid=True), {}, "it is not JSON"), SubmissionUnknown)


def test_files_are_found_among_any_numbers_and_at_bearable_depth():
    found = find_files(
        json.loads('{"image": {"url": "https://x/a.png", "file_size": 1e999, "width": -1e999, "height": NaN}}')
    )
    assert [(ref.file_size, ref.width, ref.height) for ref in found] == [(None, None, None)]
    value = {"url": "https://x/a.png"}
    for _ in range(900):
        value = {"in": value}
    assert find_files(value) == []


def test_numbers_that_are_none_are_left_out_of_a_status():
    assert parse_status({"status": "COMPLETED", "metrics": {"inference_time": float("nan"), "x": 1}}).metrics == {
        "x": 1
    }
    assert parse_status({"status": "IN_QUEUE", "queue_position": 10**300}).position == 0
    assert (seconds(float("inf")), seconds(float("nan")), money(float("nan"), "USD")) == ("", "", "")


def test_arguments_that_hold_themselves_are_refused():
    value = {}
    value["self"] = value
    with pytest.raises(ArgumentsError, match="levels"):
        read_inputs(value)


def test_to_see_that_a_picture_is_too_large_it_is_not_decoded(tmp_path):
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    path = tmp_path / "huge.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    )
    preview = quickly(lambda: preview_picture(path, "image/png"), 0.5)
    assert preview.thumbnail is None
    assert "too many" in preview.error


def test_a_picture_that_is_too_large_to_look_into_is_not_given_to_the_page(tmp_path):
    from fal_nb.artifacts import Artifact

    path = tmp_path / "blob"
    path.write_bytes(b"x")
    artifact = Artifact(
        index=0,
        where=("image",),
        url="",
        kind="image",
        content_type="image/png",
        file_name="x.png",
        digest="0" * 64,
        error="no preview, 60000×60000 pixels are too many",
    )
    posted = []
    send_media(
        [artifact],
        {"which": "original", "index": 0},
        lambda digest: path,
        lambda content, buffer: posted.append((content, buffer)),
    )
    ((content, buffer),) = posted
    assert (content["kind"], buffer) == ("media-error", None)


@pytest.mark.parametrize(
    "word", ["<script>", "text/<b>", "image/../x", "a/b/c", "\x1b[31m/x", "text/html\r\nx", "x" * 500 + "/y", "/"]
)
def test_a_content_type_is_a_type_or_nothing(word):
    assert plain_type(word) == ""
    assert settle_type("text/plain", plain_type(word)) == "text/plain"


@pytest.mark.parametrize("name", ["x" * 40 + "." + "y" * 99, "-rf", "--", "a" * 30 + "-" + "b" * 99])
def test_a_name_cut_to_length_begins_with_neither_dot_nor_hyphen(name):
    assert safe_file_name(name)[0] not in ".- "


def test_a_prompt_as_part_of_a_file_name_fits_on_disk_and_reads_one_way():
    assert len(name_part("🦊" * 80).encode()) <= 160
    assert name_part("photo\u202egnp.exe") == "photo_gnp.exe"
    assert name_part("a\x1b[31mb\x9bc") == "ab"


def test_what_a_view_sends_is_bounded_whatever_the_arguments_and_logs_are():
    wide = {f"{n}{'𝔘' * 200}": {"in": ["\x01𝔘" * 5_000] * 200} for n in range(500)}
    wide["huge"], wide["nan"] = 10**4000, float("inf")
    sent = {"arguments": trim(wide), "logs": last_lines(["\x01𝔘" * 1_000] * 200)}
    assert_sendable(sent, 480_000)
    deep = []
    deep.append(deep)
    assert "…" in str(trim(deep))


async def test_a_thousand_files_more_than_a_thousand_are_one_line(tmp_path):
    from fal_nb.artifacts.collect import collect
    from fal_nb.artifacts.store import ArtifactStore

    async def fetch(url, target):
        target.write_bytes(b"x")
        return "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", 1, "text/plain"

    found = await collect({"images": [{"url": f"https://x/{n}"} for n in range(3_000)]}, fetch, ArtifactStore(tmp_path))
    assert len(found) == 1_001
    assert "any after it" in found[-1].error
