"""Which operation a method and a path mean, for every spelling real clients use. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Operation", "classify"]

_REQUEST = re.compile(
    r"(?P<app>.+?)/requests/(?P<request_id>[^/]+)(?P<action>/status/stream|/status|/cancel|/response)?/?\Z"
)
_REQUEST_KINDS = {
    (None, "GET"): "result",
    ("/response", "GET"): "result",
    ("/status", "GET"): "status",
    ("/status/stream", "GET"): "status_stream",
    ("/cancel", "PUT"): "cancel",
}
_FIXED = {
    ("POST", "/rest/storage/auth/token"): "upload_token",
    ("POST", "/cdn/files/upload"): "upload",
    ("GET", "/api/openapi/queue/openapi.json"): "openapi",
    ("GET", "/admin/health"): "health",
    ("GET", "/admin/counters"): "admin",
    ("GET", "/admin/ledger"): "admin",
    ("GET", "/admin/faults"): "admin",
    ("POST", "/admin/faults"): "admin",
    ("DELETE", "/admin/faults"): "admin",
    ("POST", "/admin/runners"): "admin",
}
_FIXED_PATHS = frozenset(path for _, path in _FIXED)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request asks for.

    Attributes
    ----------
    kind
        ``submit status status_stream result cancel run stream upload_token upload cdn_get thumbnail openapi health
        admin``, ``not_allowed`` for a known path with the wrong method, ``unknown`` for the rest.
    path
        For calls and requests about them the endpoint as written; for files their key; else the whole path.
    """

    kind: str
    path: str
    request_id: str | None = None


def classify(method: str, path: str) -> Operation:
    """Return the operation of a request.

    Base ids and full ids, a trailing slash and ``/response`` are all seen in the wild.
    Source: fal docs "Inference API", "Asynchronous Inference"; fal 1.83.0 ``apps.py``.
    """
    fixed = _FIXED.get((method, path.rstrip("/")))
    if fixed is not None:
        return Operation(fixed, path.rstrip("/"))
    if method in {"GET", "HEAD"} and path.startswith(("/cdn/files/", "/cdn/thumbnails/")):
        kind = "cdn_get" if path.startswith("/cdn/files/") else "thumbnail"
        return Operation(kind, path.split("/", 3)[3])
    if path.rstrip("/") in _FIXED_PATHS or path.startswith("/cdn/"):
        return Operation("not_allowed", path)
    if path.startswith("/queue/"):
        return _classify_queue(method, path.removeprefix("/queue/"))
    if path.startswith("/run/"):
        called = path.removeprefix("/run/").strip("/")
        if method != "POST":
            return Operation("not_allowed", path)
        return Operation("stream" if called.endswith("/stream") else "run", called.removesuffix("/stream"))
    return Operation("unknown", path)


def _classify_queue(method: str, path: str) -> Operation:
    match = _REQUEST.match(path)
    if match is None:
        return Operation("submit" if method == "POST" else "not_allowed", path.strip("/"))
    kind = _REQUEST_KINDS.get((match["action"], method), "not_allowed")
    return Operation(kind, match["app"].strip("/"), match["request_id"])
