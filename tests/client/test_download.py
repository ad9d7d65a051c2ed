"""Fetching outputs into files."""

import asyncio
import hashlib
import os
import socket

import httpx
import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.errors import FileError, NotFoundError, TransferError

DATA = os.urandom(3_000_000)


@pytest.fixture
async def files(make_wire, kit):
    """A server of files: whatever path, the same bytes, unless told otherwise."""

    async def answer(request, writer):
        if wire.steps:
            step = wire.steps.pop(0)
            return step if isinstance(step, kit.Reply) else await step(request, writer)
        return kit.Reply(200, DATA, {"content-type": "image/png", "set-cookie": "a=b"})

    wire = await make_wire(answer)
    wire.steps = []
    return wire


@pytest.fixture
async def downloads(client):
    return client.downloads


@pytest.fixture
async def careful():
    """Downloads of a client whose base is fal itself, not this machine."""
    async with AsyncClient("id:secret") as client:
        yield client.downloads


def left_over(folder):
    return sorted(path.name for path in folder.iterdir())


async def test_a_file_arrives_whole_with_its_digest(files, downloads, tmp_path):
    target = tmp_path / "a.png"
    done = await downloads.download(f"{files.base}/a.png", target)
    assert target.read_bytes() == DATA
    assert (done.path, done.size_bytes, done.content_type) == (target, len(DATA), "image/png")
    assert done.sha256 == hashlib.sha256(DATA).hexdigest()
    assert left_over(tmp_path) == ["a.png"]


async def test_no_key_and_no_cookie_goes_along(files, server, client, downloads, tmp_path, kit):
    for _ in range(2):
        await downloads.download(f"{files.base}/a.png", tmp_path / "a.png")
    url = await client.upload(b"x", "text/plain")
    await downloads.download(url, tmp_path / "b.txt")
    for request in (*files.requests, server.requests[-1]):
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers


async def test_what_was_there_stays_until_all_has_arrived(files, downloads, tmp_path, kit, recorded_pauses, client):
    recorded_pauses(client)
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    async def break_off(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_500_000)
        await writer.drain()
        assert target.read_bytes() == b"old"
        kit.reset(writer)

    files.steps = [break_off] * 6
    with pytest.raises(TransferError, match="tried 6 times"):
        await downloads.download(f"{files.base}/a.png", target)
    assert target.read_bytes() == b"old"
    assert left_over(tmp_path) == ["a.png"]


async def test_a_download_that_breaks_starts_again(files, downloads, tmp_path, kit, recorded_pauses, client):
    recorded_pauses(client)

    async def break_off(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf")
        await writer.drain()

    files.steps = [kit.Reply(503, b""), break_off, kit.reset_step]
    done = await downloads.download(f"{files.base}/a.png", tmp_path / "a.png")
    assert done.sha256 == hashlib.sha256(DATA).hexdigest()
    assert len(files.requests) == 4


async def test_a_file_that_is_gone_is_not_found(files, downloads, tmp_path, kit):
    files.steps = [kit.Reply(404, b"")]
    with pytest.raises(NotFoundError):
        await downloads.download(f"{files.base}/a.png", tmp_path / "a.png")
    assert left_over(tmp_path) == []


async def test_redirects_are_followed_a_few_times(files, downloads, tmp_path, kit):
    hops = [kit.Reply(status, b"", {"location": f"/{status}"}) for status in (301, 302, 303, 307, 308)]
    files.steps = list(hops)
    await downloads.download(f"{files.base}/start", tmp_path / "a.png")
    assert [request.path for request in files.requests] == ["/start", "/301", "/302", "/303", "/307", "/308"]
    files.steps = [*hops, hops[0]]
    with pytest.raises(TransferError, match="redirected more than 5 times"):
        await downloads.download(f"{files.base}/start", tmp_path / "b.png")


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_over_the_limit_is_not_fetched(files, downloads, tmp_path, announced):
    async def announce(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
        await writer.drain()
        await asyncio.Event().wait()

    async def send(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2_000_000)
        await writer.drain()

    files.steps = [announce if announced else send]
    with pytest.raises(TransferError, match="over 1500000 bytes"):
        await downloads.download(f"{files.base}/a.png", tmp_path / "a.png", max_bytes=1_500_000, timeout_s=10)
    assert left_over(tmp_path) == []
    assert len(files.requests) == 1


async def test_a_download_over_its_time_is_given_up(files, downloads, tmp_path):
    async def silence(request, writer):
        await asyncio.Event().wait()

    files.steps = [silence]
    with pytest.raises(TransferError, match=r"took over 0\.1 s"):
        await downloads.download(f"{files.base}/a.png", tmp_path / "a.png", timeout_s=0.1)
    assert left_over(tmp_path) == []


async def test_a_cancelled_download_leaves_nothing(files, downloads, tmp_path):
    half = asyncio.Event()

    async def stop_half_way(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n" + b"x" * 3_000_000)
        await writer.drain()
        half.set()
        await asyncio.Event().wait()

    files.steps = [stop_half_way]
    seen = []
    task = asyncio.create_task(
        downloads.download(f"{files.base}/a", tmp_path / "a", progress=lambda done, total: seen.append((done, total)))
    )
    await half.wait()
    async with asyncio.timeout(5):
        while not seen:  # noqa: ASYNC110 - a plain list
            await asyncio.sleep(0.005)
    assert seen[0][1] == 20_000_000
    assert len(left_over(tmp_path)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left_over(tmp_path) == []


async def test_a_target_that_cannot_be_written_is_named(files, downloads, tmp_path):
    for target in (tmp_path / "absent" / "a.png", tmp_path):
        with pytest.raises(FileError, match="cannot be written"):
            await downloads.download(f"{files.base}/a.png", target)
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example/x",
        "ftp://files.example/x",
        "file:///etc/passwd",
        "https://me@files.example/x",
        "data:,x",
        "https://",
        "https://[::1",
        "no url",
    ],
)
async def test_only_https_addresses_are_fetched(careful, tmp_path, url):
    with pytest.raises(TransferError, match="not an https address"):
        await careful.download(url, tmp_path / "x")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254"])
async def test_only_public_hosts_are_fetched_and_asked_once(careful, tmp_path, host):
    with pytest.raises(TransferError, match="not a public address"):
        await careful.download(f"https://{host}/x?token=abc", tmp_path / "x")


async def test_a_name_that_leads_to_this_machine_is_not_fetched(careful, files, tmp_path, monkeypatch):
    async def getaddrinfo(host, port, **options):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(TransferError, match="not public"):
        await careful.download(f"https://files.example:{files.port}/x", tmp_path / "x")
    assert files.connections == 0


@pytest.mark.parametrize("location", ["https://127.0.0.1/x", "http://files.example/x", "//169.254.169.254/latest"])
async def test_a_redirect_is_held_to_the_same_rules(tmp_path, location):
    asked = []

    def answer(request):
        asked.append(request.url.host)
        if request.url.host in {"127.0.0.1", "169.254.169.254"}:
            assert request.extensions["fal_public_only"] is True
            raise httpx.UnsupportedProtocol("refused as the real transport does")
        return httpx.Response(302, headers={"location": location})

    async with AsyncClient("id:secret", transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(TransferError):
            await client.downloads.download("https://files.example/x", tmp_path / "x")
    assert len(asked) <= 2


async def test_a_message_about_a_download_does_not_show_what_follows_the_host(files, downloads, tmp_path, kit):
    files.steps = [kit.Reply(400, {"detail": "no"})]
    with pytest.raises(Exception, match="no") as caught:
        await downloads.download(f"{files.base}/a.png?signature=hush", tmp_path / "a.png")
    assert "hush" not in str(caught.value)


async def test_an_empty_file_is_a_file(files, downloads, tmp_path, kit):
    files.steps = [kit.Reply(200, b"")]
    done = await downloads.download(f"{files.base}/a", tmp_path / "a")
    assert (done.size_bytes, (tmp_path / "a").read_bytes()) == (0, b"")


async def test_progress_ends_with_the_whole(files, downloads, tmp_path):
    seen = []
    await downloads.download(f"{files.base}/a", tmp_path / "a", progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (len(DATA), len(DATA))
