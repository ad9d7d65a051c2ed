"""Keeps pages of other sites out: a browser on this machine reaches loopback, whoever wrote the page it shows."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from fal_nb.protocol.urls import is_loopback
from fal_nb.simulator.answers import json_response

__all__ = ["refuse_stranger"]

_OPEN = frozenset({"cdn_get", "thumbnail"})
"""What any page may show: the addresses cannot be guessed, or hold nothing of anybody's."""


def refuse_stranger(request: HTTPConnection, kind: str) -> Response | None:
    """Return a refusal where the request was sent by a page from elsewhere, or under another host's name.

    The second is what a name that was first resolved elsewhere and then to 127.0.0.1 looks like (DNS rebinding).
    """
    if not is_loopback(f"http://{request.headers.get('host', '')}"):
        return json_response({"detail": "The simulator answers as 127.0.0.1 or localhost only."}, 421)
    origin = request.headers.get("origin")
    if origin is None or kind in _OPEN or (is_loopback(origin) and urlsplit(origin).scheme in {"http", "https"}):
        return None
    return json_response({"detail": "The simulator does not answer pages of other sites."}, 403)
