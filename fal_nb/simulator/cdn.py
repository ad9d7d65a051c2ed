"""Upload to the simulated CDN and reading from it, with the ranges that video players ask for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fal_nb.protocol import headers as names
from fal_nb.simulator.answers import json_response
from fal_nb.simulator.simulation import Simulation
from fal_nb.simulator.storage import StoredFile
from fal_nb.simulator.uploads import life_s_of

__all__ = ["issue_token", "read_file", "read_thumbnail", "upload_file"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")
_ACTIVE_TYPES = ("text/html", "image/svg+xml", "text/xml", "application/xml", "application/xhtml+xml")
_SMALL_BYTES = 1024 * 1024


async def issue_token(simulation: Simulation) -> Response:
    """Answer with a token for uploads. Source: fal-client 1.0.3 ``CDNTokenManager``."""
    token, expires_at = simulation.tokens.issue()
    body = {
        "token": token,
        "token_type": "Bearer",
        "base_url": f"{simulation.base_url}/cdn",
        "expires_at": expires_at,
    }
    return json_response(body)


async def upload_file(simulation: Simulation, request: Request) -> Response:
    """Store the raw bytes of the body and answer with their URL. Source: fal-client 1.0.3 ``FalV3Client``."""
    if not simulation.tokens.accepts(request.headers.get("authorization", "")):
        return json_response({"detail": "Invalid or expired upload token"}, 401)
    content_type = request.headers.get("content-type") or "application/octet-stream"
    writer = simulation.files.writer(
        content_type, request.headers.get(names.FILE_NAME, ""), life_s=life_s_of(request.headers)
    )
    try:
        async for piece in request.stream():
            writer.write(piece)
    except BaseException:
        writer.discard()
        raise
    return json_response({"access_url": simulation.files.url(writer.finish())})


async def read_file(simulation: Simulation, key: str, request: Request) -> Response:
    """Answer with a file or the asked range of it; no key is needed, as on the real CDN."""
    file = simulation.files.find(key)
    if file is None:
        return json_response({"detail": "File not found"}, 404)
    headers = _file_headers(file)
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    span = _range(request.headers.get("range", ""), file.size_bytes)
    if span is None:
        headers["content-range"] = f"bytes */{file.size_bytes}"
        return Response(status_code=416, headers=headers)
    start, stop = span
    status_code = 200
    if (start, stop) != (0, file.size_bytes):
        status_code = 206
        headers["content-range"] = f"bytes {start}-{stop - 1}/{file.size_bytes}"
    headers["content-length"] = str(stop - start)
    if request.method == "HEAD" or (file.data is not None and stop - start <= _SMALL_BYTES):
        body = b"" if request.method == "HEAD" else file.read(start, stop)
        return _exact(body, status_code, headers, file.content_type)
    return StreamingResponse(_pieces(file, start, stop), status_code, headers, file.content_type)


async def read_thumbnail(simulation: Simulation, path: str) -> Response:
    """Answer with the picture that stands for an endpoint in a catalogue."""
    found = await simulation.find_endpoint(path.removesuffix(".jpg"))
    if found is None:
        return json_response({"detail": "File not found"}, 404)
    data = await asyncio.to_thread(_draw_thumbnail, found[1].title)
    return Response(data, media_type="image/jpeg", headers={"x-content-type-options": "nosniff"})


@lru_cache(maxsize=64)
def _draw_thumbnail(title: str) -> bytes:
    from fal_nb.simulator.media.encoding import encode_picture  # noqa: PLC0415 - the server should start without it
    from fal_nb.simulator.media.picture import PictureSpec, paint  # noqa: PLC0415

    return encode_picture(paint(PictureSpec(title, 1, 512, 384)), "jpeg")[0]


def _file_headers(file: StoredFile) -> dict[str, str]:
    headers = {
        "accept-ranges": "bytes",
        "access-control-allow-origin": "*",
        "cache-control": "public, max-age=31536000, immutable",
        "content-disposition": f'inline; filename="{file.file_name}"',
        "etag": f'"{file.etag[:32]}"',
        "x-content-type-options": "nosniff",
    }
    if file.content_type.partition(";")[0].strip().lower() in _ACTIVE_TYPES:
        headers["content-security-policy"] = "sandbox"
    return headers


def _exact(body: bytes, status_code: int, headers: dict[str, str], content_type: str) -> Response:
    """Return a response whose length is that of the headers, also where the body is left out (HEAD)."""
    response = Response(body, status_code, media_type=content_type)
    for name, value in headers.items():
        response.headers[name] = value
    response.headers["content-type"] = content_type
    return response


def _range(text: str, size_bytes: int) -> tuple[int, int] | None:
    """Return (start, stop) of a range request, everything where there is none, None where it cannot be met."""
    match = _RANGE.match(text.strip())
    if match is None or not (match[1] or match[2]):
        return 0, size_bytes
    if not match[1]:
        length = int(match[2])
        return (max(0, size_bytes - length), size_bytes) if length and size_bytes else None
    start = int(match[1])
    stop = min(int(match[2]) + 1, size_bytes) if match[2] else size_bytes
    return (start, stop) if start < stop else None


async def _pieces(file: StoredFile, start: int, stop: int) -> AsyncIterator[bytes]:
    pieces = file.chunks(start, stop)
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
