"""Which operation a method and a path mean, for every spelling real clients use. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Operation", "classify", "classify_socket"]

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
    ("POST", "/rest/storage/upload/initiate"): "upload_initiate",
    ("POST", "/rest/storage/upload/initiate-multipart"): "upload_initiate_parts",
    ("POST", "/rest/tokens"): "token",
    ("POST", "/rest/tokens/realtime"): "token",
    ("POST", "/cdn/files/upload"): "upload",
    ("POST", "/cdn/files/upload/multipart"): "upload_begin_parts",
    ("GET", "/api/openapi/queue/openapi.json"): "openapi",
    ("GET", "/admin/health"): "health",
    ("GET", "/admin/counters"): "admin",
    ("GET", "/admin/ledger"): "admin",
    ("GET", "/admin/faults"): "admin",
    ("POST", "/admin/faults"): "admin",
    ("DELETE", "/admin/faults"): "admin",
    ("POST", "/admin/runners"): "admin",
    ("GET", "/admin/webhooks"): "admin",
    ("POST", "/admin/webhooks/rotate"): "admin",
    ("GET", "/rest/.well-known/jwks.json"): "webhook_keys",
}
_UPLOAD = re.compile(r"(?:uploads|files/.+/multipart)/(?P<upload_id>[0-9a-f]{32})(?:/(?P<part>[0-9]{1,6}|complete))?\Z")
_PLATFORM = {
    ("GET", "models"): "platform_models",
    ("GET", "models/usage"): "platform_usage",
    ("GET", "models/pricing"): "platform_pricing",
    ("POST", "models/pricing/estimate"): "platform_estimate",
    ("GET", "models/requests/by-endpoint"): "platform_requests",
    ("GET", "account/billing"): "platform_billing",
    ("GET", "meta"): "platform_meta",
}
_FIXED_PATHS = frozenset(path for _, path in _FIXED)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request asks for.

    Attributes
    ----------
    kind
        ``submit status status_stream result cancel run stream upload_token upload upload_initiate
        upload_initiate_parts upload_begin_parts upload_signed upload_part upload_complete cdn_get thumbnail openapi mcp
        mcp_docs webhook_keys health admin token realtime`` and the platform's ``platform_…``, ``not_allowed`` for a
        known path with the wrong method, ``unknown`` for the rest.
    path
        For calls and requests about them the endpoint as written; for files their key; for uploads in several
        requests their id; else the whole path.
    part
        Number of an upload's part.
    """

    kind: str
    path: str
    request_id: str | None = None
    part: str = ""

    @property
    def is_platform(self) -> bool:
        """Whether the platform API answers it, in its own shape of errors."""
        return self.kind.startswith("platform_") or (self.kind == "unknown" and self.path.startswith("/api/"))


def classify(method: str, path: str) -> Operation:
    """Return the operation of a request.

    Base ids and full ids, a trailing slash and ``/response`` are all seen in the wild.
    Source: fal docs "Inference API", "Asynchronous Inference"; fal 1.83.0 ``apps.py``.
    """
    plain = path.rstrip("/")
    fixed = _FIXED.get((method, plain))
    if fixed is not None:
        return Operation(fixed, plain)
    if plain in _FIXED_PATHS:
        return Operation("not_allowed", path)
    _, _, called = path.partition("/")
    service, slash, rest = called.partition("/")
    classify_rest = _SERVICES.get(service) if slash else None
    return Operation("unknown", path) if classify_rest is None else classify_rest(method, rest)


def classify_socket(path: str) -> Operation:
    """Return the operation of a WebSocket: under ``/ws``, or under ``/run`` whose host it shares at fal.

    Source: fal-client 1.0.3 ``REALTIME_URL_FORMAT``.
    """
    service, slash, rest = path.lstrip("/").partition("/")
    if service in {"ws", "run"} and slash:
        return Operation("realtime", rest.strip("/"))
    return Operation("unknown", path)


def _classify_cdn(method: str, path: str) -> Operation:
    if method in {"GET", "HEAD"} and path.startswith(("files/", "thumbnails/")):
        service, _, key = path.partition("/")
        return Operation("cdn_get" if service == "files" else "thumbnail", key)
    upload = _UPLOAD.match(path)
    if upload is None:
        return Operation("not_allowed", f"/cdn/{path}")
    return _classify_upload(method, upload["upload_id"], upload["part"] or "")


def _classify_run(method: str, path: str) -> Operation:
    called = path.strip("/")
    if method not in {"POST", "GET"}:
        return Operation("not_allowed", f"/run/{path}")
    return Operation("stream" if called.endswith("/stream") else "run", called.removesuffix("/stream"))


def _classify_mcp(_method: str, path: str) -> Operation:
    place = path.strip("/")
    return Operation("mcp_docs" if place == "docs" else "mcp", place)


def _classify_platform(method: str, path: str) -> Operation:
    kind = _PLATFORM.get((method, path.removeprefix("v1/").strip("/")))
    return Operation(kind or "unknown", f"/api/{path}")


def _classify_upload(method: str, upload_id: str, part: str) -> Operation:
    if part == "complete":
        return Operation("upload_complete" if method == "POST" else "not_allowed", upload_id)
    if method != "PUT":
        return Operation("not_allowed", upload_id)
    return Operation("upload_part" if part else "upload_signed", upload_id, part=part)


def _classify_queue(method: str, path: str) -> Operation:
    match = _REQUEST.match(path)
    if match is None:
        return Operation("submit" if method == "POST" else "not_allowed", path.strip("/"))
    kind = _REQUEST_KINDS.get((match["action"], method), "not_allowed")
    return Operation(kind, match["app"].strip("/"), match["request_id"])


_SERVICES: Mapping[str, Callable[[str, str], Operation]] = {
    "cdn": _classify_cdn,
    "api": _classify_platform,
    "queue": _classify_queue,
    "run": _classify_run,
    "mcp": _classify_mcp,
}
