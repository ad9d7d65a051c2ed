"""Uploads in several requests, as both official clients make them."""

import hashlib
import json
import os

import pytest

MIB = 1024 * 1024


@pytest.fixture
def token(caller):
    """Headers that bear the CDN's token."""
    answer = caller.http.post("/rest/storage/auth/token?storage_type=fal-cdn-v3", json={}).json()
    return {"authorization": f"{answer['token_type']} {answer['token']}"}


def begin_parts(caller, headers, **more):
    answer = caller.http.post(
        "/cdn/files/upload/multipart",
        headers={**headers, "content-type": "video/mp4", "x-fal-file-name": "film.mp4", **more},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def put_part(caller, begun, number, data, headers):
    return caller.http.put(
        f"{begun['access_url']}/multipart/{begun['uploadId']}/{number}", content=data, headers=headers
    )


def complete(caller, begun, parts, headers):
    return caller.http.post(
        f"{begun['access_url']}/multipart/{begun['uploadId']}/complete", json={"parts": parts}, headers=headers
    )


def initiate(caller, kind="initiate", headers=None, **query):
    answer = caller.http.post(
        f"/rest/storage/upload/{kind}",
        params={"storage_type": "fal-cdn-v3", **query},
        json={"file_name": "film.mp4", "content_type": "video/mp4"},
        headers=headers,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_parts_named_in_any_order_become_one_file(caller, token):
    pieces = [os.urandom(size) for size in (3 * MIB, 9 * MIB, 5)]
    begun = begin_parts(caller, token)
    assert caller.http.get(begun["access_url"]).status_code == 404, "not there before it is complete"
    parts = []
    for number in (2, 3, 1):
        answer = put_part(caller, begun, number, pieces[number - 1], token)
        assert answer.json() == {"partNumber": number, "etag": answer.headers["etag"]}
        parts.append(answer.json())
    answer = complete(caller, begun, parts, token)
    assert answer.json() == {"access_url": begun["access_url"]}
    whole = b"".join(pieces)
    file = caller.http.get(begun["access_url"])
    assert hashlib.sha256(file.content).digest() == hashlib.sha256(whole).digest()
    assert file.headers["content-type"] == "video/mp4"
    assert file.headers["content-length"] == str(len(whole))
    middle = caller.http.get(begun["access_url"], headers={"range": f"bytes={3 * MIB - 3}-{12 * MIB + 2}"})
    assert middle.content == whole[3 * MIB - 3 : 12 * MIB + 3]
    assert complete(caller, begun, parts, token).status_code == 404, "it is over"


def test_a_part_sent_again_replaces_the_one_before(caller, token):
    begun = begin_parts(caller, token)
    old = put_part(caller, begun, 1, b"old", token).json()
    new = put_part(caller, begun, 1, b"new", token).json()
    assert complete(caller, begun, [old], token).status_code == 400
    assert complete(caller, begun, [new], token).status_code == 200
    assert caller.http.get(begun["access_url"]).content == b"new"


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"partNumber": 1, "etag": '"0"'}],
        [{"partNumber": 2, "etag": "REAL"}],
        [{"partNumber": 1, "etag": "REAL"}, {"partNumber": 2, "etag": "REAL"}],
        [{"etag": "REAL"}],
        [7],
    ],
)
def test_a_completion_that_names_other_parts_is_refused_and_can_be_mended(caller, token, parts):
    begun = begin_parts(caller, token)
    real = put_part(caller, begun, 1, b"x", token).json()
    named = json.loads(json.dumps(parts).replace('"REAL"', json.dumps(real["etag"])))
    assert complete(caller, begun, named, token).status_code == 400
    assert complete(caller, begun, [real], token).status_code == 200


def test_parts_bear_the_token(caller, token):
    assert caller.http.post("/cdn/files/upload/multipart").status_code == 401
    begun = begin_parts(caller, token)
    assert put_part(caller, begun, 1, b"x", {}).status_code == 401
    assert put_part(caller, begun, 1, b"x", {"authorization": "Key a:b"}).status_code == 401
    assert complete(caller, begun, [], {}).status_code == 401
    assert put_part(caller, begun, 0, b"x", token).status_code == 400
    assert put_part(caller, {**begun, "uploadId": "0" * 32}, 1, b"x", token).status_code == 404


@pytest.mark.parametrize("storage_type", ["fal-cdn-v3", "gcs"])
def test_a_signed_url_takes_the_bytes_with_no_key_and_with_a_stray_one(caller, storage_type):
    for headers in ({}, {"authorization": "Key stray:key"}):
        begun = initiate(caller, storage_type=storage_type)
        assert caller.http.get(begun["file_url"]).status_code == 404
        assert caller.http.put(begun["upload_url"], content=b"film", headers=headers).status_code == 200
        file = caller.http.get(begun["file_url"])
        assert (file.content, file.headers["content-type"]) == (b"film", "video/mp4")
        assert begun["file_url"].endswith("/film.mp4")


def test_a_signed_url_is_taken_only_as_it_was_given(caller):
    begun = initiate(caller)
    url = begun["upload_url"]
    assert "%2F" in url, "an escape that must not be written anew"
    for wrong in (url[:-1], url.replace("%2F", "/"), url.partition("?")[0], f"{url}&x=1"):
        assert caller.http.put(wrong, content=b"x").status_code == 403
    assert caller.http.put(url, content=b"x").status_code == 200
    assert caller.http.put(url, content=b"y").status_code == 404, "once"


def test_a_signed_upload_in_parts(caller):
    begun = initiate(caller, "initiate-multipart")
    base, _, query = begun["upload_url"].partition("?")
    parts = [caller.http.put(f"{base}/{n}?{query}", content=bytes([n]) * 7).json() for n in (1, 2)]
    assert caller.http.put(f"{base}/1?{query[:-1]}", content=b"x").status_code == 403
    assert caller.http.put(f"{base}?{query}", content=b"x").status_code == 400
    answer = caller.http.post(f"{base}/complete?{query}", json={"parts": parts})
    assert answer.status_code == 200
    assert caller.http.get(begun["file_url"]).content == b"\x01" * 7 + b"\x02" * 7


def test_initiating_needs_the_key_and_a_json_body(serve):
    caller = serve(require_key="right:key")
    refused = caller.http.post("/rest/storage/upload/initiate", json={})
    assert refused.status_code == 401
    key = {"authorization": "Key right:key"}
    assert caller.http.post("/rest/storage/upload/initiate", content=b"[", headers=key).status_code == 422
    assert initiate(caller, headers=key)["upload_url"].startswith(caller.server.base_url)


@pytest.mark.parametrize("name", ["x-fal-object-lifecycle", "x-fal-object-lifecycle-preference"])
def test_a_file_is_gone_when_its_life_is_over(caller, token, monkeypatch, name):
    lifecycle = {name: json.dumps({"expiration_duration_seconds": 60})}
    begun = begin_parts(caller, token, **lifecycle)
    part = put_part(caller, begun, 1, b"x", token).json()
    complete(caller, begun, [part], token)
    signed = initiate(caller, headers=lifecycle)
    caller.http.put(signed["upload_url"], content=b"x")
    made = caller.finished("fal-ai/flux/schnell", {"prompt": "x", "image_size": "square"}, lifecycle).json()
    urls = [begun["access_url"], signed["file_url"], made["images"][0]["url"]]
    kept = caller.upload(b"x", "text/plain").json()["access_url"]
    assert [caller.http.get(url).status_code for url in urls] == [200, 200, 200]
    import time

    later = time.time() + 61
    monkeypatch.setattr("fal_nb.simulator.storage.time.time", lambda: later)
    assert [caller.http.get(url).status_code for url in urls] == [404, 404, 404]
    assert caller.http.get(kept).status_code == 200


def test_uploads_are_counted_by_kind(caller, token):
    begun = begin_parts(caller, token)
    part = put_part(caller, begun, 1, b"x", token).json()
    complete(caller, begun, [part], token)
    caller.http.put(initiate(caller)["upload_url"], content=b"x")
    counted = caller.server.counters()
    for kind in ("upload_begin_parts", "upload_part", "upload_complete", "upload_initiate", "upload_signed"):
        assert counted[kind] == 1, kind
