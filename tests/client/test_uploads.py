"""Large files in parts, signed URLs and fallbacks, against the simulator over real sockets."""

import asyncio
import hashlib
import json
import math
import os
import subprocess
import sys

import httpx
import pytest
from PIL import Image

from fal_nb.client import parts
from fal_nb.client.async_client import AsyncClient
from fal_nb.client.lifecycle import StorageACL, StorageACLRule, StorageSettings, lifecycle_body, lifecycle_header
from fal_nb.errors import ConfigError, FileError, ProtocolError, TransferError
from fal_nb.simulator.server import SimulatorServer

KEY = "id:secret-of-mine"
LARGE_MB = 1024 if os.environ.get("FAL_NB_TEST_SIZE") == "full" else 256


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(speed=20, require_key=KEY) as server:
        yield server


@pytest.fixture
async def uploader(simulator, monkeypatch):
    """A client whose files are large from 3 MB on."""
    simulator.reset()
    monkeypatch.setattr(parts, "PART_BYTES", 1_000_000)
    monkeypatch.setattr("fal_nb.client.storage.PARTS_ABOVE_BYTES", 3_000_000)
    async with AsyncClient(KEY, base_url=simulator.base_url) as client:
        yield client


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(4_500_001))
    return path


def got(url):
    return httpx.get(url)


def fetched(url):
    return hashlib.sha256(got(url).content).hexdigest()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_a_large_file_goes_in_parts_and_comes_back_the_same(uploader, simulator, large):
    seen = []
    url = await uploader.upload_file(large, progress=lambda done, total: seen.append((done, total)))
    assert fetched(url) == digest(large)
    assert simulator.counters()["upload_part"] == 5
    assert seen[-1] == (4_500_001, 4_500_001)
    assert seen == sorted(seen)
    assert url.endswith("/large.bin")


async def test_large_bytes_go_in_parts(uploader, simulator, large):
    data = large.read_bytes()
    assert fetched(await uploader.upload(data, "video/mp4")) == digest(large)
    assert simulator.counters()["upload_complete"] == 1


@pytest.mark.parametrize("kind", ["reset", "lost-reply", "unavailable"])
async def test_a_lost_part_is_sent_again_alone(uploader, simulator, large, kind):
    simulator.fault(kind, on="upload_part", after=2, times=1)
    assert fetched(await uploader.upload_file(large)) == digest(large)
    assert simulator.counters()["upload_part"] == 6
    assert simulator.counters()["upload_begin_parts"] == 1


async def test_a_refused_token_is_fetched_anew_in_the_middle(uploader, simulator, large):
    simulator.fault("status", on="upload_part", status=401, after=1, times=1)
    assert fetched(await uploader.upload_file(large)) == digest(large)
    assert simulator.counters()["upload_token"] == 2


async def test_a_part_that_fails_for_good_ends_the_upload(uploader, simulator, large):
    simulator.fault("status", on="upload_part", status=400)
    with pytest.raises(Exception, match="Refused on purpose"):
        await uploader.upload_file(large, fallback_repository=[])
    assert simulator.counters().get("upload_complete", 0) == 0


async def test_a_signed_url_sees_neither_key_nor_token(uploader, simulator, large, monkeypatch):
    sent = []
    ask = uploader.http._request
    monkeypatch.setattr(uploader.http, "_request", lambda call: sent.append(ask(call)) or sent[-1])
    assert (
        fetched(await uploader.upload(b"small", "text/plain", "a.txt", repository="fal"))
        == hashlib.sha256(b"small").hexdigest()
    )
    assert fetched(await uploader.upload_file(large, repository="fal")) == digest(large)
    assert simulator.counters()["upload_part"] == 5
    for request in sent:
        signed = "/cdn/uploads/" in str(request.url)
        assert ("authorization" in request.headers) is not signed
        if signed:
            assert "%2F" in str(request.url)


async def test_where_the_first_way_fails_the_second_is_taken_with_a_warning(uploader, simulator, large):
    simulator.fault("status", on="upload|upload_begin_parts", status=400)
    for upload in (uploader.upload(b"x", "text/plain"), uploader.upload_file(large)):
        with pytest.warns(UserWarning, match="'fal_v3' failed"):
            assert await upload
    assert simulator.counters()["upload_signed"] == 1
    with pytest.raises(Exception, match="Refused on purpose"):
        await uploader.upload(b"x", "text/plain", fallback_repository="fal_v3")


async def test_a_file_that_changes_between_its_parts_is_refused(uploader, simulator, large, monkeypatch):
    part = parts.Source.part

    def touch(self, number, progress=None):
        os.utime(large, ns=(1, number))
        return part(self, number, progress)

    monkeypatch.setattr(parts.Source, "part", touch)
    with pytest.raises(FileError, match="changed while it was being uploaded"):
        await uploader.upload_file(large)
    assert simulator.counters().get("upload_complete", 0) == 0
    assert simulator.counters().get("upload_initiate_parts", 0) == 0, "another way would not mend it"


async def test_cancelling_an_upload_stops_its_parts(uploader, simulator, large):
    simulator.fault("slow", on="upload_part", seconds=30)
    task = asyncio.ensure_future(uploader.upload_file(large))
    async with asyncio.timeout(20):
        while not simulator.counters().get("upload_part"):  # noqa: ASYNC110 - counted by the server
            await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [other for other in asyncio.all_tasks() if other is not asyncio.current_task()] == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "http://example.com/x", "https://user:pw@example.com/x", ""]
)
async def test_a_place_to_upload_to_that_is_no_place_is_refused(server, client, kit, url):
    server.script("POST", "/rest", kit.Reply(200, {"upload_url": url, "file_url": "https://x.org/y"}))
    client.http.settings  # noqa: B018 - resolved while the base is on this machine
    object.__setattr__(client.http.settings.hosts, "base", "https://fal.example")
    with pytest.raises((TransferError, ProtocolError)):
        await client.upload(b"x", "text/plain", repository="fal", fallback_repository="fal")
    assert server.count("PUT") == 0


async def test_parts_go_to_no_other_host_than_the_cdn(server, client, kit, monkeypatch):
    monkeypatch.setattr("fal_nb.client.storage.PARTS_ABOVE_BYTES", 0)
    server.script("POST", "/cdn", kit.Reply(200, {"access_url": "https://evil.example/x", "uploadId": "abc"}))
    with pytest.raises(ProtocolError, match="no place at the CDN"):
        await client.upload(b"x", "text/plain", fallback_repository=[])


async def test_pictures_and_data_uris_as_in_the_official_client(uploader):
    picture = Image.new("RGB", (8, 8), "red")
    answer = got(await uploader.upload_image(picture))
    assert answer.headers["content-type"] == "image/jpeg"
    assert got(await uploader.upload_image(picture, format="png")).content.startswith(b"\x89PNG")
    with pytest.raises(FileError, match="cannot be encoded as jpeg"):
        await uploader.upload_image(Image.new("RGBA", (8, 8)))
    with pytest.raises(FileError, match=r"A int is no Pillow picture: .*upload_file"):
        await uploader.upload_image(7)


def test_a_lifecycle_is_what_the_official_client_sends():
    acl = StorageACL("hide", [StorageACLRule("someone", "allow")])
    wanted = {"expiration_duration_seconds": 3600, "initial_acl": {"default": "hide", "rules": [
        {"user": "someone", "decision": "allow"}]}}  # fmt: skip
    assert lifecycle_body(StorageSettings("1h", acl)) == wanted
    assert json.loads(lifecycle_header(StorageSettings("1h", acl))) == wanted
    assert lifecycle_body(StorageSettings("immediate")) == {"expiration_duration_seconds": 60}
    assert lifecycle_body(StorageSettings(5)) == {"expiration_duration_seconds": 5}
    assert lifecycle_header(StorageSettings("never")) is lifecycle_header(StorageSettings()) is lifecycle_header(None)


@pytest.mark.parametrize("expires_in", [0, -1, True, "2h", 1.5])
def test_a_lifecycle_that_is_none_is_refused_at_once(expires_in):
    with pytest.raises(ConfigError, match="expires_in"):
        StorageSettings(expires_in)


async def test_a_lifecycle_ends_an_uploaded_file(uploader, simulator, monkeypatch):
    import time

    url = await uploader.upload(b"x", "text/plain", lifecycle=StorageSettings(60))
    assert got(url).status_code == 200
    later = time.time() + 61
    monkeypatch.setattr("fal_nb.simulator.storage.time.time", lambda: later)
    assert got(url).status_code == 404


_LARGE = """
import asyncio, os, resource, sys
from fal_nb.client.async_client import AsyncClient
path, base = sys.argv[1:]
async def main():
    async with AsyncClient("id:secret-of-mine", base_url=base) as client:
        await client.upload(b"warm", "text/plain")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seen = []
        url = await client.upload_file(path, progress=lambda done, total: seen.append(done))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert seen == sorted(seen) and seen[-1] == os.path.getsize(path), "progress"
        print(url, grown, len(seen))
asyncio.run(main())
"""


@pytest.mark.slow
def test_a_large_file_grows_the_process_by_less_than_100_mb_and_survives_a_lost_part(simulator, tmp_path):
    simulator.reset()
    path = tmp_path / "sparse.bin"
    with path.open("wb") as file:
        file.truncate(LARGE_MB * 1024**2)
        for at in range(0, LARGE_MB * 1024**2, 64 * 1024**2 + 7):
            file.seek(at)
            file.write(os.urandom(64))
    simulator.fault("reset", on="upload_part", after=10, times=1)
    done = subprocess.run(
        [sys.executable, "-c", _LARGE, str(path), simulator.base_url], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    url, grown_kb, reports = done.stdout.split()
    assert int(grown_kb) < 100 * 1024
    assert int(reports) > LARGE_MB / 2
    assert simulator.counters()["upload_part"] == math.ceil(LARGE_MB / 10) + 1
    received, sent = hashlib.sha256(), hashlib.sha256()
    with httpx.stream("GET", url) as answer:
        for chunk in answer.iter_bytes():
            received.update(chunk)
    with path.open("rb") as file:
        while piece := file.read(1024**2):
            sent.update(piece)
    assert received.digest() == sent.digest()
    simulator.reset()
