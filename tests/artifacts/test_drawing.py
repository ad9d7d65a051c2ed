"""The process in which files are looked into: what it gives is what is given here, and no file takes the kernel along."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
import zlib

import pytest

from fal_nb.artifacts import drawing as room
from fal_nb.artifacts.drawing import DrawingProcess
from fal_nb.artifacts.media import look_inside

REAL_START = room._started


@pytest.fixture(autouse=True)
def _real_start(monkeypatch):
    monkeypatch.setattr(room, "_started", REAL_START)


@pytest.fixture
def drawing():
    process = DrawingProcess()
    yield process
    process.close()


def _file(tmp_path, data, name="file"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def _gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_it_gives_for_pictures_films_and_sounds_what_is_given_in_this_process(drawing, tmp_path, picture, film):
    files = [
        (picture(size=(640, 480)), "image/png"),
        (film(), "video/mp4"),
        (film("wav", None, sound="pcm_s16le"), "audio/wav"),
        (b"GIF89a and nothing of a picture", "image/gif"),
        (b"\0\0\0\0 film", "video/mp4"),
        (b"8BPS", "image/vnd.adobe.photoshop"),
    ]
    for data, content_type in files:
        path = _file(tmp_path, data)
        assert drawing.look(path, content_type) == look_inside(path, content_type)
    assert drawing.pid not in {None, os.getpid()}


def test_a_file_that_breaks_its_decoder_ends_that_process_and_the_next_gets_another(drawing, tmp_path, picture):
    good = _file(tmp_path, picture(), "good")
    drawing.warm()
    first = drawing.pid
    os.kill(first, signal.SIGSTOP)  # it holds the question when it dies, as with a decoder that crashes
    waiting = subprocess.Popen([sys.executable, "-c", f"import os,time; time.sleep(0.5); os.kill({first}, 9)"])
    preview = drawing.look(good, "image/png")
    assert waiting.wait(10) == 0
    assert preview.thumbnail is None
    assert "broke down" in preview.error
    assert drawing.look(good, "image/png").thumbnail
    assert drawing.pid != first


def test_a_file_that_takes_too_long_is_given_up(tmp_path):
    # A picture of 8,000 × 8,000 takes its decoder longer than these ten milliseconds wherever this runs.
    rows = zlib.compress(bytes(8_000 * 8_001), 1)
    head = struct.pack(">IIBBBBB", 8_000, 8_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")]
    data = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    slow = DrawingProcess(longest_s=0.01)
    try:
        preview = slow.look(_file(tmp_path, b"\x89PNG\r\n\x1a\n" + data), "image/png")
        assert "took too long" in preview.error
    finally:
        slow.close()


def test_it_leaves_when_it_is_idle_and_is_there_again_for_the_next_file(tmp_path, picture):
    short = DrawingProcess(idle_s=0.1)
    try:
        short.warm()
        first = short.pid
        deadline = time.monotonic() + 20
        while short.pid is not None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert short.look(_file(tmp_path, picture()), "image/png").thumbnail
        assert short.pid not in {None, first}
    finally:
        short.close()


def test_closing_ends_it_and_files_are_then_looked_into_here(drawing, tmp_path, picture):
    drawing.warm()
    pid = drawing.pid
    drawing.close()
    assert _gone(pid)
    assert drawing.look(_file(tmp_path, picture()), "image/png").thumbnail
    assert drawing.pid is None


def test_it_ends_with_its_kernel_however_that_ends():
    code = (
        "import os, signal; from fal_nb.artifacts.drawing import DrawingProcess\n"
        "process = DrawingProcess(); process.warm(); print(process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    pid = int(done.stdout)
    deadline = time.monotonic() + 20
    while not _gone(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_interrupt_of_the_kernel_does_not_reach_it(drawing):
    drawing.warm()
    assert os.getpgid(drawing.pid) != os.getpgid(0)
    os.kill(drawing.pid, signal.SIGINT)
    before = drawing.pid
    assert drawing.look(room.Path(room.__file__), "image/png").error
    assert drawing.pid == before


def test_no_key_is_handed_down(drawing, monkeypatch):
    monkeypatch.setenv("FAL_KEY", "an-id:a-secret")
    monkeypatch.setenv("MY_FAL_TOKEN", "another")
    drawing.warm()
    assert b"FAL" not in room.Path(f"/proc/{drawing.pid}/environ").read_bytes()


def test_where_no_process_can_be_started_files_are_looked_into_here(tmp_path, monkeypatch, picture):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    alone = DrawingProcess()
    assert alone.look(_file(tmp_path, picture()), "image/png").thumbnail
    assert alone.pid is None


@pytest.mark.parametrize(
    "told",
    [
        b"not json\n",
        b"[null]\n",
        b'[{"kind": "script", "width": 1, "height": 1, "duration_s": null, "error": null}, 0]\n',
        b'[{"kind": null, "width": "1", "height": 1, "duration_s": null, "error": null}, 0]\n',
        b'[{"kind": null, "width": 1, "height": 1, "duration_s": "long", "error": null}, 0]\n',
        b'[{"kind": null, "width": 1, "height": 1, "duration_s": null, "error": 5}, 0]\n',
        b'[{"kind": null}, 0]\n',
        b"x" * 70_000,
    ],
)
def test_a_process_that_answers_nonsense_is_not_believed(tmp_path, monkeypatch, told):
    answer = f"import sys; o = sys.stdout.buffer; o.write(b'ready\\n'); o.flush(); sys.stdin.readline(); o.write({told!r}); o.flush(); sys.stdin.read()"
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **more: real([sys.executable, "-c", answer], **more))
    liar = DrawingProcess()
    try:
        preview = liar.look(_file(tmp_path, b"x"), "image/png")
        assert preview.kind == "file"
        assert "broke down" in preview.error
    finally:
        liar.close()
