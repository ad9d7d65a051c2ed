import hashlib
import os

import pytest

from fal_nb.simulator.storage import FileStore


def test_bytes_uploaded_come_back_with_type_length_and_safe_headers(caller):
    answer = caller.upload(b"hello", "text/plain", "notes.txt")
    url = answer.json()["access_url"]
    file = caller.http.get(url)
    assert url.startswith(f"{caller.server.base_url}/cdn/files/")
    assert url.endswith("/notes.txt")
    assert file.content == b"hello"
    assert file.headers["content-type"] == "text/plain"
    assert file.headers["content-length"] == "5"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert caller.server.counters() == {"upload_token": 1, "upload": 1, "cdn_get": 1}


def test_a_token_says_where_how_and_until_when(caller):
    token = caller.http.post("/rest/storage/auth/token?storage_type=fal-cdn-v3", json={}).json()
    assert token["token_type"] == "Bearer"
    assert token["base_url"] == f"{caller.server.base_url}/cdn"
    assert token["expires_at"].endswith("+00:00")
    assert len(token["token"]) > 20


def test_an_upload_without_a_token_of_ours_is_refused(caller):
    for headers in ({}, {"authorization": "Bearer made-up"}, {"authorization": "Key test:key"}):
        answer = caller.http.post("/cdn/files/upload", content=b"x", headers=headers)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("asked", "status_code", "expected", "span"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=2-99", 206, b"23456789", "bytes 2-9/10"),
        ("bytes=0-", 200, b"0123456789", None),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=5-2", 416, b"", "bytes */10"),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_ranges_are_answered_as_players_expect(caller, asked, status_code, expected, span):
    url = caller.upload(b"0123456789", "video/mp4").json()["access_url"]
    answer = caller.http.get(url, headers={"range": asked})
    assert answer.status_code == status_code
    assert answer.headers.get("content-range") == span
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.content == expected


def test_head_tells_the_length_without_the_bytes(caller):
    url = caller.upload(b"0123456789", "image/png").json()["access_url"]
    answer = caller.http.head(url)
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "10", b"")


def test_a_file_known_by_its_tag_is_not_sent_again(caller):
    url = caller.upload(b"x", "image/png").json()["access_url"]
    tag = caller.http.get(url).headers["etag"]
    assert caller.http.get(url, headers={"if-none-match": tag}).status_code == 304


def test_an_unknown_file_is_404(caller):
    assert caller.http.get("/cdn/files/b/none/x.png").status_code == 404


def test_active_content_is_boxed_in(caller):
    url = caller.upload(b"<script>alert(1)</script>", "text/html", "page.html").json()["access_url"]
    assert caller.http.get(url).headers["content-security-policy"] == "sandbox"


def test_a_name_cannot_lead_out_of_the_store(caller):
    url = caller.upload(b"x", "text/plain", "../../etc/passwd").json()["access_url"]
    assert url.endswith("/passwd")
    assert caller.http.get(url).content == b"x"


def test_a_large_file_goes_to_disk_comes_back_whole_and_leaves_with_the_server(serve):
    caller = serve()
    data = os.urandom(9 * 1024 * 1024)
    url = caller.upload(data, "application/octet-stream", "big.bin").json()["access_url"]
    folder = caller.server._simulation.files.folder()
    assert len(list(folder.iterdir())) == 1
    assert hashlib.sha256(caller.http.get(url).content).digest() == hashlib.sha256(data).digest()
    assert caller.http.get(url, headers={"range": "bytes=9000000-9000009"}).content == data[9000000:9000010]
    caller.http.close()
    caller.server.close()
    assert not folder.exists()


def test_files_over_the_memory_bound_are_spilled():
    store = FileStore("http://127.0.0.1:1/cdn", memory_bytes=100)
    files = [store.add(bytes([index]) * 60, "image/png") for index in range(3)]
    assert [file.data is None for file in files] == [False, True, True]
    assert [file.read() for file in files] == [bytes([index]) * 60 for index in range(3)]
    assert store.find_url(store.url(files[1])) == files[1]
    assert store.find_url("http://elsewhere/cdn/files/" + files[1].key) is None
    store.close()
    assert files[1].path is not None
    assert not files[1].path.exists()


def test_a_thumbnail_stands_for_each_endpoint(caller):
    answer = caller.http.get("/cdn/thumbnails/fal-ai/flux/dev.jpg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert caller.http.get("/cdn/thumbnails/fal-ai/none.jpg").status_code == 404
