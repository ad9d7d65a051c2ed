"""Uploads that take several requests: in parts with a token, or to a signed URL, whole or in parts.

Source: fal-client 1.0.3 ``MultipartUpload``, ``_upload_via_storage``; @fal-ai/client 1.10.1 ``storage.ts``.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from fal_nb.protocol import headers as names
from fal_nb.simulator.answers import json_response
from fal_nb.simulator.storage import FileStore, FileWriter, StoredFile

if TYPE_CHECKING:
    from fal_nb.simulator.simulation import Simulation

__all__ = ["PendingUpload", "PendingUploads", "Uploads", "life_s_of"]

_ANY_TYPE = "application/octet-stream"
_SIGNED_S = 3600.0
_MOST_PARTS = 10_000
_LIFECYCLE_NAMES = ("x-fal-object-lifecycle", "x-fal-object-lifecycle-preference")


@dataclass(slots=True)
class PendingUpload:
    """An upload that has begun.

    Attributes
    ----------
    writer
        Holds the place of the file that it will be.
    query
        Of its signed URL, exactly as given out; empty where a token is asked for instead.
    is_multipart
        Whether it comes in parts.
    """

    upload_id: str
    writer: FileWriter
    content_type: str
    is_multipart: bool
    query: str = ""
    ends_at: float = 0.0
    parts: dict[int, StoredFile] = field(default_factory=dict)


class PendingUploads:
    """The uploads that have begun and not ended."""

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self._pending: dict[str, PendingUpload] = {}

    def begin(
        self, content_type: str, file_name: str, life_s: float | None, *, is_multipart: bool, is_signed: bool
    ) -> PendingUpload:
        """Return a new upload; a signed one has a query that nobody can guess and an end."""
        upload_id = secrets.token_hex(16)
        ends_at = time.time() + _SIGNED_S
        # Escapes as real signatures have them: a client that writes them anew breaks the URL.
        query = f"X-Fal-Expires={int(ends_at)}&X-Fal-Credential=up%2Fload%3D1&X-Fal-Signature={secrets.token_hex(24)}"
        writer = self._files.writer(content_type, file_name, life_s=life_s)
        upload = PendingUpload(upload_id, writer, content_type, is_multipart, query if is_signed else "", ends_at)
        self._pending[upload_id] = upload
        return upload

    def find(self, upload_id: str) -> PendingUpload | None:
        """Return an upload that has not ended."""
        return self._pending.get(upload_id)

    def part_writer(self, content_type: str) -> FileWriter:
        """Return a place for a part."""
        return self._files.writer(content_type)

    def end(self, upload: PendingUpload) -> None:
        """Take an upload off the list."""
        self._pending.pop(upload.upload_id, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._pending.clear()


class Uploads:
    """Handlers; each returns the answer to one request."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._pending = simulation.uploads

    async def initiate(self, request: Request, *, is_multipart: bool) -> Response:
        """Give out the signed URL of an upload and the URL its file will have."""
        try:
            wanted = json.loads(await request.body())
        except ValueError:
            wanted = None
        if not isinstance(wanted, Mapping):
            return _refused("The body must be a JSON object with file_name and content_type.", 422)
        upload = self._pending.begin(
            str(wanted.get("content_type") or _ANY_TYPE),
            str(wanted.get("file_name") or ""),
            life_s_of(request.headers),
            is_multipart=is_multipart,
            is_signed=True,
        )
        cdn = f"{self._simulation.base_url}/cdn"
        body = {
            "upload_url": f"{cdn}/uploads/{upload.upload_id}?{upload.query}",
            "file_url": f"{cdn}/files/{upload.writer.key}",
        }
        return json_response(body)

    async def begin_parts(self, request: Request) -> Response:
        """Begin an upload in parts that bear the CDN's token."""
        if not self._has_token(request):
            return _no_token()
        upload = self._pending.begin(
            request.headers.get("content-type") or _ANY_TYPE,
            request.headers.get(names.FILE_NAME, ""),
            life_s_of(request.headers),
            is_multipart=True,
            is_signed=False,
        )
        url = f"{self._simulation.base_url}/cdn/files/{upload.writer.key}"
        return json_response({"access_url": url, "uploadId": upload.upload_id})

    async def put_signed(self, upload_id: str, request: Request) -> Response:
        """Take the whole of a file at its signed URL; an Authorization header is not looked at."""
        upload = self._pending.find(upload_id)
        refusal = self._refusal(upload, request)
        if refusal is not None:
            return refusal
        assert upload is not None  # noqa: S101 - the refusal looked
        if upload.is_multipart:
            return _refused("This upload comes in parts: name one in the path.", 400)
        await _receive(request, upload.writer)
        self._pending.end(upload)
        file = upload.writer.finish()
        return Response(status_code=200, headers={"etag": f'"{file.etag[:32]}"'})

    async def put_part(self, upload_id: str, part: str, request: Request) -> Response:
        """Take one part; sent again it replaces the one before."""
        upload = self._pending.find(upload_id)
        refusal = self._refusal(upload, request)
        if refusal is not None:
            return refusal
        assert upload is not None  # noqa: S101 - the refusal looked
        number = int(part)
        if not (upload.is_multipart and 1 <= number <= _MOST_PARTS):
            return _refused(f"There is no part {part[:20]} of this upload.", 400)
        writer = self._pending.part_writer(upload.content_type)
        await _receive(request, writer)
        stored = upload.parts[number] = writer.finish_part()
        etag = f'"{stored.etag[:32]}"'
        return json_response({"partNumber": number, "etag": etag}, 200, {"etag": etag})

    async def complete(self, upload_id: str, request: Request) -> Response:
        """Make a file of the parts named, in whatever order they are named."""
        upload = self._pending.find(upload_id)
        refusal = self._refusal(upload, request)
        if refusal is not None:
            return refusal
        assert upload is not None  # noqa: S101 - the refusal looked
        try:
            parts = _named_parts(upload, json.loads(await request.body()))
        except ValueError as error:
            return _refused(str(error), 400)
        self._pending.end(upload)
        file = upload.writer.finish_with(parts)
        return json_response({"access_url": self._simulation.files.url(file)})

    def _refusal(self, upload: PendingUpload | None, request: Request) -> Response | None:
        """Return why a request may not touch an upload, or None."""
        if upload is None:
            return _refused("No such upload.", 404)
        if not upload.query:
            return None if self._has_token(request) else _no_token()
        if not hmac.compare_digest(request.url.query, upload.query):
            return _refused("The signature does not match.", 403)
        return _refused("The signed URL has expired.", 403) if time.time() >= upload.ends_at else None

    def _has_token(self, request: Request) -> bool:
        return self._simulation.tokens.accepts(request.headers.get("authorization", ""))


def life_s_of(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a file is kept by the lifecycle headers, or None for ever.

    Source: fal docs "Platform Headers"; fal-client 1.0.3 ``_object_lifecycle_headers``.
    """
    for name in _LIFECYCLE_NAMES:
        try:
            wanted: Any = json.loads(headers.get(name, "null"))
        except ValueError:
            continue
        seconds = wanted.get("expiration_duration_seconds") if isinstance(wanted, dict) else None
        if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds > 0:
            return float(seconds)
    return None


async def _receive(request: Request, writer: FileWriter) -> None:
    try:
        async for piece in request.stream():
            writer.write(piece)
    except BaseException:
        writer.discard()
        raise


def _named_parts(upload: PendingUpload, body: Any) -> list[StoredFile]:
    """Return the parts a completion names, in the order of their numbers.

    Raises
    ------
    ValueError
        Where one is missing, unknown or not the one that was taken.
    """
    listed = body.get("parts") if isinstance(body, Mapping) else None
    if not isinstance(listed, list) or not listed:
        raise ValueError("The body must name the parts.")
    named: dict[int, str] = {}
    for entry in listed:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("partNumber"), int):
            raise ValueError("Each part must have partNumber and etag.")  # noqa: TRY004 - as above
        named[entry["partNumber"]] = str(entry.get("etag", "")).strip('"')
    if sorted(named) != list(range(1, len(named) + 1)):
        raise ValueError("The parts must be numbered from 1 on, without a gap.")
    for number, etag in named.items():
        stored = upload.parts.get(number)
        if stored is None or stored.etag[:32] != etag:
            raise ValueError(f"Part {number} is not the one that was uploaded.")
    return [upload.parts[number] for number in sorted(named)]


def _refused(detail: str, status_code: int) -> Response:
    return json_response({"detail": detail}, status_code)


def _no_token() -> Response:
    return _refused("Invalid or expired upload token", 401)
