"""Bodies of answers, unpacked in bounded steps: a kilobyte of zeros packed three times is a gigabyte of memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator

import httpx

from fal_nb.client.redaction import KEY_FILTER_EXTENSION, KeyFilter

__all__ = ["unpacked"]

_STEP_BYTES = 1024 * 1024
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


async def unpacked(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield an open answer's body in bounded pieces, unpacked if it was packed once by gzip or deflate.

    The key is taken out where the request bore it.

    Raises
    ------
    httpx.DecodingError
        Where it was packed in another way, or more than once: nobody asked for that.
    httpx.RequestError
        Where the answer broke off.
    """
    key_filter: KeyFilter | None = response.extensions.get(KEY_FILTER_EXTENSION)
    async for piece in _pieces(response):
        clean = piece if key_filter is None else key_filter.feed(piece)
        if clean:
            yield clean
    if key_filter is not None and (rest := key_filter.rest()):
        yield rest


async def _pieces(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    if response.is_stream_consumed:  # in memory already, as from a transport that stands in for the real one
        yield response.content
        return
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding in {"", "identity"}:
        async for chunk in response.aiter_raw():
            yield chunk
        return
    if coding not in _WINDOWS:
        raise httpx.DecodingError("its encoding was not asked for", request=response.request)
    unpacker = zlib.decompressobj(_WINDOWS[coding])
    is_first = True
    try:
        async for chunk in response.aiter_raw():
            if is_first and chunk and coding == "deflate" and chunk[0] & 0x0F != 8:
                unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # as some servers mean it
            is_first = is_first and not chunk
            packed = chunk
            while packed:
                yield unpacker.decompress(packed, _STEP_BYTES)
                packed = unpacker.unconsumed_tail
        while rest := unpacker.decompress(unpacker.unconsumed_tail, _STEP_BYTES):
            yield rest
    except zlib.error:
        raise httpx.DecodingError("its packing is damaged", request=response.request) from None
