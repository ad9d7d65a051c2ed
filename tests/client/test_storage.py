"""Uploads."""

import hashlib
import os

import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.bodies import FileBody
from fal_nb.errors import (
    AuthenticationError,
    ConfigError,
    FileError,
    ProtocolError,
    ServerError,
    TransferError,
)


@pytest.fixture
def make_file(tmp_path):
    def make(name, size):
        path = tmp_path / name
        path.write_bytes(os.urandom(size))
        return path

    return make


async def test_bytes_go_up_with_a_token_and_never_with_the_key(server, client):
    url = await client.upload(b"hello", "text/plain", "a note.txt")
    data, request = server.uploads[url]
    assert data == b"hello"
    assert request.headers["authorization"] == "Bearer t1"
    assert request.headers["content-type"] == "text/plain"
    assert request.headers["x-fal-file-name"] == "a note.txt"
    token = server.requests[0]
    assert (token.target, token.body) == ("/rest/storage/auth/token?storage_type=fal-cdn-v3", b"{}")
    assert token.headers["authorization"] == "Key id:secret"


async def test_a_text_goes_up_as_utf_8(server, client):
    assert server.uploads[await client.upload("é", "text/plain")][0] == "é".encode()


async def test_a_token_serves_until_it_is_about_to_expire(server, client):
    for _ in range(2):
        await client.upload(b"x", "text/plain")
    assert server.tokens == 1
    server.token_life_s = 10
    client.storage.tokens.forget()
    for _ in range(2):
        await client.upload(b"x", "text/plain")
    assert server.tokens == 3


async def test_uploads_at_once_share_one_token(server, client):
    import asyncio

    await asyncio.gather(*(client.upload(b"x", "text/plain") for _ in range(10)))
    assert server.tokens == 1


async def test_a_token_the_cdn_refuses_is_replaced_once(server, client, kit):
    server.script("POST", "/cdn", kit.Reply(401, {"detail": "expired"}))
    url = await client.upload(b"hello", "text/plain")
    assert server.uploads[url][1].headers["authorization"] == "Bearer t2"
    server.script("POST", "/cdn", *[kit.Reply(401, {"detail": "go away"})] * 2)
    with pytest.raises(AuthenticationError, match="go away"):
        await client.upload(b"hello", "text/plain")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a b.png", "image/png"),
        ("clip.mp4", "video/mp4"),
        ("mesh.glb", "model/gltf-binary"),
        ("x.unknown", "application/octet-stream"),
    ],
)
async def test_a_file_goes_up_under_its_name_and_type(server, client, make_file, name, content_type):
    path = make_file(name, 100)
    data, request = server.uploads[await client.upload_file(path)]
    assert data == path.read_bytes()
    assert (request.headers["x-fal-file-name"], request.headers["content-type"]) == (name, content_type)


async def test_a_name_that_cannot_be_a_header_is_made_one(server, client, make_file):
    _, request = server.uploads[await client.upload_file(make_file("Füchse\tam See.png", 3))]
    assert request.headers["x-fal-file-name"].endswith("chse_am See.png")


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 5_000_000])
async def test_files_of_every_size_arrive_whole_and_with_their_length(server, client, make_file, size):
    path = make_file("x.bin", size)
    data, request = server.uploads[await client.upload_file(path)]
    assert hashlib.sha256(data).digest() == hashlib.sha256(path.read_bytes()).digest()
    assert request.headers["content-length"] == str(size)
    assert "transfer-encoding" not in request.headers


async def test_progress_is_reported_up_to_the_end(client, make_file):
    seen = []
    await client.upload_file(make_file("x.bin", 3_000_000), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3_000_000, 3_000_000)
    assert seen == sorted(seen)
    assert len(seen) >= 3


async def test_a_file_is_handed_out_in_pieces_and_again_from_the_start(make_file):
    path = make_file("x.bin", 3_500_000)
    body = FileBody(path, 3_500_000)
    for _ in range(2):
        pieces = [piece async for piece in body]
        assert b"".join(pieces) == path.read_bytes()
        assert max(map(len, pieces)) <= 1024 * 1024


async def test_an_upload_that_breaks_is_sent_again_from_the_start(server, client, kit, make_file, recorded_pauses):
    recorded_pauses(client)
    path = make_file("x.bin", 2_000_000)
    server.script("POST", "/cdn", kit.reset_step, kit.Reply(503, b"<html>nginx</html>"))
    assert server.uploads[await client.upload_file(path)][0] == path.read_bytes()
    assert server.count("POST", "/cdn") == 3


async def test_an_upload_that_keeps_breaking_is_a_transfer_error(server, client, kit, recorded_pauses):
    recorded_pauses(client)
    server.script("POST", "/cdn", *[kit.reset_step] * 6)
    with pytest.raises(TransferError, match="the upload was lost"):
        await client.upload(b"x", "text/plain", fallback_repository=[])


async def test_an_upload_that_is_refused_is_the_servers_error(server, client, kit):
    server.script("POST", "/cdn", kit.Reply(507, {"detail": "full"}))
    with pytest.raises(ServerError, match="full"):
        await client.upload(b"x", "text/plain", fallback_repository=[])


async def test_a_file_that_cannot_be_read_is_named_and_nothing_is_sent(server, client, tmp_path):
    for path in (tmp_path / "absent.png", tmp_path):
        with pytest.raises(FileError, match=f"{path.name} cannot be read"):
            await client.upload_file(path)
    assert server.requests == []


@pytest.mark.parametrize("change", ["shrinks", "grows", "vanishes"])
async def test_a_file_that_changes_meanwhile_is_named_and_not_tried_again(
    server, client, make_file, change, monkeypatch
):
    path = make_file("x.bin", 3_000_000)
    fresh = client.storage.tokens.fresh

    async def change_first(**options):
        if change == "vanishes":
            path.unlink()
        else:
            path.write_bytes(b"y" * (2_000_000 if change == "shrinks" else 4_000_000))
        return await fresh(**options)

    monkeypatch.setattr(client.storage.tokens, "fresh", change_first)
    with pytest.raises(FileError, match=r"x\.bin"):
        await client.upload_file(path)
    assert server.uploads == {}


async def test_a_lifecycle_goes_along_under_both_names(server, client):
    url = await client.upload(b"x", "text/plain", lifecycle={"expiration_duration_seconds": 60})
    headers = server.uploads[url][1].headers
    wanted = '{"expiration_duration_seconds": 60}'
    assert headers["x-fal-object-lifecycle"] == headers["x-fal-object-lifecycle-preference"] == wanted


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("/rest", {"token": "t"}),
        ("/rest", b"?"),
        ("/rest", {"token": "a\nb", "token_type": "x"}),
        ("/cdn", {"url": "x"}),
        ("/cdn", []),
    ],
    ids=str,
)
async def test_an_answer_that_lacks_what_is_needed_is_a_protocol_error(server, client, kit, part, body):
    server.script("POST", part, kit.Reply(200, body))
    with pytest.raises(ProtocolError):
        await client.upload(b"x", "text/plain", fallback_repository=[])


async def test_a_repository_that_is_not_offered_is_refused(client):
    with pytest.raises(ConfigError, match="fal_v3"):
        await client.upload(b"x", "text/plain", repository="gcs")
    with pytest.warns(DeprecationWarning, match="fal_v3"):
        await client.upload(b"x", "text/plain", repository="cdn")


async def test_a_token_is_in_no_repr(client):
    await client.upload(b"x", "text/plain")
    assert "t1" not in repr(await client.storage.tokens.fresh())


async def test_a_wrong_key_is_the_servers_error(server, kit):
    server.script("POST", "/rest", kit.Reply(401, {"detail": "Invalid API key"}))
    async with AsyncClient("wrong:key", base_url=server.base) as client:
        with pytest.raises(AuthenticationError, match="Invalid API key"):
            await client.upload(b"x", "text/plain")
