"""The same bytes go up once; how they are known depends on how long it would take to read them. Options of uploads."""

import asyncio
import hashlib
import os
import threading
import time

import httpx
import pytest

import fal_nb as fal
from fal_nb import workbench
from fal_nb.engine.inputs import LocalFile, local_file, read_inputs
from fal_nb.engine.memo import sealed
from fal_nb.engine.uploading import UploadOptions
from fal_nb.errors import ConfigError
from fal_nb.workbench import current


@pytest.fixture
def api(simulator, monkeypatch):
    simulator.clear_faults()
    monkeypatch.setenv("FAL_NB_BASE_URL", simulator.base_url)
    monkeypatch.setattr(workbench, "_shell", lambda: None)
    current.forget()
    yield fal
    current().close()
    current.forget()


def test_small_files_are_known_by_their_bytes(session, simulator, tmp_path):
    before = simulator.counters().get("upload", 0)
    for name in ("a.bin", "b.bin", "a.bin"):
        (tmp_path / name).write_bytes(b"the same")
        session.upload(tmp_path / name)
    session.upload(b"the same")
    assert simulator.counters()["upload"] == before + 1
    (tmp_path / "a.bin").write_bytes(b"another!")
    session.upload(tmp_path / "a.bin")
    assert simulator.counters()["upload"] == before + 2


def test_large_files_are_known_without_being_read(session, simulator, tmp_path, monkeypatch):
    path = tmp_path / "large.bin"
    path.write_bytes(b"x" * (8 * 1024 * 1024 + 1))
    monkeypatch.setattr(LocalFile, "digest", lambda self: (_ for _ in ()).throw(AssertionError("read to be known")))
    before = simulator.counters().get("upload", 0)
    first = session.upload(path)
    assert session.upload(path) == first
    assert simulator.counters()["upload"] == before + 1
    os.utime(path, ns=(1, 1))
    assert session.upload(path) != first
    assert simulator.counters()["upload"] == before + 2


@pytest.mark.parametrize("size_bytes", [1000, 8 * 1024 * 1024 + 1])
def test_a_file_at_rest_is_read_once_for_all_that_a_call_asks_of_it(tmp_path, monkeypatch, size_bytes):
    path, read, digest = tmp_path / "still.png", [], LocalFile.digest
    monkeypatch.setattr(LocalFile, "digest", lambda self: read.append(self.path) or digest(self))
    path.write_bytes(b"x" * size_bytes)
    os.utime(path, (1, 1))
    inputs = sealed(read_inputs({"image_url": path, "again": [path]}))
    file = inputs["image_url"]
    assert file.identity()
    assert file.content_digest() == file.sha256 == hashlib.sha256(b"x" * size_bytes).hexdigest()
    assert read == [path]
    path.write_bytes(b"y" * size_bytes)
    assert file.content_digest() == hashlib.sha256(b"y" * size_bytes).hexdigest()


def test_a_file_that_went_meanwhile_is_named(tmp_path):
    from fal_nb.errors import FileError

    path = tmp_path / "gone.bin"
    path.write_bytes(b"x")
    file = local_file(path)
    path.unlink()
    with pytest.raises(FileError, match="gone"):
        file.identity()


def test_progress_is_told_on_the_calling_thread_up_to_the_end(api, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(b"x" * 3_000_000)
    seen = []

    def progress(done, size):
        seen.append((done, size, threading.current_thread()))

    url = api.upload_file(path, progress=progress)
    assert [(done, size) for done, size, _ in seen] == sorted((done, size) for done, size, _ in seen)
    assert seen[-1] == (3_000_000, 3_000_000, threading.current_thread())
    del seen[:]
    assert api.upload_file(path, progress=progress) == url
    assert [entry[:2] for entry in seen] == [(3_000_000, 3_000_000)]


def test_progress_may_make_blocking_calls_and_its_error_ends_the_upload(api, simulator):
    def progress(_done, _size):
        assert api.schema("simulator/sleep")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        api.upload(b"x" * 2_000_000, "text/plain", progress=progress)


def test_an_error_in_progress_stops_what_is_still_to_be_sent(session, wait_for):
    called = []

    def progress(done, _size):
        called.append(done)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        session.upload(b"y" * 90_000_000, options=UploadOptions(progress=progress))
    (upload,) = session._wire._uploaded.values()
    wait_for(lambda: upload.has_failed)
    assert len(called) == 1
    assert called[0] < 90_000_000
    assert session.upload(b"y" * 90_000_000)


def test_the_way_and_the_lifecycle_are_those_asked_for(api, simulator):
    before = dict(simulator.counters())
    url = api.upload("text", "text/plain", "a.txt", repository="fal", fallback_repository=[])
    assert simulator.counters()["upload_signed"] == before.get("upload_signed", 0) + 1
    assert httpx.get(url).text == "text"
    lifecycle = api.StorageSettings(expires_in=3600, initial_acl=api.StorageACL(default="allow"))
    first = api.upload(b"lives an hour", "text/plain", lifecycle=lifecycle)
    assert api.upload(b"lives an hour", "text/plain", lifecycle=lifecycle) != first


@pytest.mark.parametrize(
    "options",
    [{"repository": "moon"}, {"fallback_repository": "moon"}, {"lifecycle": "1h"}, {"lifecycle": {"x": object()}}],
)
def test_an_option_that_is_none_is_refused_before_anything_is_sent(api, simulator, options):
    before = dict(simulator.counters())
    with pytest.raises(ConfigError) as caught:
        api.upload(b"never", "text/plain", **options)
    assert "\n" not in str(caught.value)
    assert dict(simulator.counters()) == before


async def test_the_coroutines_take_the_same(api, tmp_path):
    from PIL import Image

    seen = []

    async def note(done, size):
        await asyncio.sleep(0)
        seen.append((done, size, threading.current_thread()))

    (tmp_path / "a.bin").write_bytes(b"abc")
    await api.upload_async("abc", "text/plain", repository="fal", progress=note)
    await api.upload_file_async(tmp_path / "a.bin", lifecycle=api.StorageSettings(expires_in="1h"), progress=note)
    await api.upload_image_async(Image.new("RGB", (8, 8)), "png", repository="fal_v3", progress=note)
    ends = [entry for entry in seen if entry[0] == entry[1]]
    assert len(ends) >= 3
    assert {entry[2] for entry in seen} == {threading.current_thread()}


async def test_whoever_still_waits_for_a_shared_upload_gets_it(session, simulator, tmp_path):
    path = tmp_path / "s.bin"
    path.write_bytes(b"shared" * 1000)
    simulator.fault("slow", seconds=0.5, on="upload", times=1)
    session.client()
    first = session.runtime.start_soon(session._wire.upload(local_file(path)))
    second = session.runtime.start_soon(session._wire.upload(local_file(path)))
    deadline = time.monotonic() + 10
    while not session._wire._uploaded and time.monotonic() < deadline:  # noqa: ASYNC110 - changes elsewhere
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    first.cancel()
    assert await asyncio.wrap_future(second)
