"""Packed answers are unpacked in bounded steps, and only as they were asked for; the key is taken out on the way."""

import gzip
import tracemalloc
import zlib

import httpx
import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.decoding import unpacked
from fal_nb.client.redaction import KEY_FILTER_EXTENSION, KeyFilter
from fal_nb.errors import SubmissionUnknown


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces):
        self._pieces = pieces

    async def __aiter__(self):
        for piece in self._pieces:
            yield piece


def answer(*pieces, coding=None, key=None):
    headers = {"content-encoding": coding} if coding else {}
    extensions = {KEY_FILTER_EXTENSION: KeyFilter(key)} if key else {}
    request = httpx.Request("GET", "http://127.0.0.1/")
    return httpx.Response(200, headers=headers, stream=Pieces(*pieces), extensions=extensions, request=request)


async def read(response):
    return b"".join([piece async for piece in unpacked(response)])


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        (None, b"a red fox"),
        ("identity", b"a red fox"),
        ("gzip", gzip.compress(b"a red fox", mtime=0)),
        ("X-GZIP", gzip.compress(b"a red fox", mtime=0)),
        ("deflate", zlib.compress(b"a red fox")),
        ("deflate", zlib.compress(b"a red fox")[2:-4]),
    ],
)
async def test_it_is_unpacked_however_it_was_cut(coding, packed):
    assert await read(answer(packed, coding=coding)) == b"a red fox"
    assert await read(answer(*(bytes([byte]) for byte in packed), coding=coding)) == b"a red fox"


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd", "compress"])
async def test_what_nobody_asked_for_is_refused(coding):
    with pytest.raises(httpx.DecodingError, match="not asked for"):
        await read(answer(gzip.compress(gzip.compress(b"x")), coding=coding))


async def test_damaged_packing_is_an_error_of_the_request():
    with pytest.raises(httpx.DecodingError, match="damaged"):
        await read(answer(b"no gzip at all", coding="gzip"))


async def test_a_bomb_never_lies_unpacked_in_memory():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(64)) + packer.flush()
    tracemalloc.start()
    try:
        size = sum([len(piece) async for piece in unpacked(answer(bomb, coding="gzip"))])
        assert size == 64 * 1024 * 1024
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cut", range(1, 60, 7))
async def test_the_key_is_taken_out_wherever_the_answer_is_cut(cut):
    key = "0123456789abcdef:fedcba9876543210"
    body = f"sent: Key {key}, and fedcba9876543210 alone".encode()
    shown = await read(answer(body[:cut], body[cut:], key=key))
    assert shown == b"sent: Key [key], and [key] alone" or b"[key]:[key]" in shown
    assert b"9876" not in shown


async def test_a_beginning_of_the_key_that_is_none_is_not_lost():
    assert await read(answer(b"ends with 01234567", key="0123456789abcdef:x")) == b"ends with 01234567"


@pytest.mark.parametrize("request_id", ["\x1b[31m", "../..", "..", "<img>", "x" * 201, "", "a b", "\u202ex"])
async def test_a_request_id_that_can_be_none_leaves_the_submission_unknown(make_wire, kit, request_id):
    async def handler(request, writer):
        return kit.Reply(200, {"request_id": request_id})

    wire = await make_wire(handler)
    async with AsyncClient("a:b", base_url=wire.base) as client:
        with pytest.raises(SubmissionUnknown):
            await client.submit("fal-ai/x", {})
