"""URLs that a server named: where they may lead. Without key, without cookies, and never into a private network."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from fal_nb.client.http import Http
from fal_nb.errors import TransferError
from fal_nb.protocol.urls import is_loopback, origin

__all__ = ["is_public_only", "shown_host"]


def is_public_only(http: Http, url: str) -> bool:
    """Return whether a URL may be followed to public addresses only.

    The configured hosts are exempt, and so is everything where the configured base is on this machine.

    Raises
    ------
    TransferError
        Where it may not be followed at all: it is no https address, or hides something in it.
    """
    base = http.settings.hosts.base
    is_exempt = (base is not None and is_loopback(base)) or http.trusts(url)
    scheme = urlsplit(url).scheme if origin(url) else ""
    if scheme not in ({"http", "https"} if is_exempt else {"https"}) or not _is_plain(url):
        raise TransferError(f"The file at {shown_host(url)} is not asked for: its address is not an https address.")
    return not is_exempt


def shown_host(url: str) -> str:
    """Return the host of a URL for a message; what follows it may be a secret."""
    found = origin(url)
    return found[1] if found else "an unreadable address"


def _is_plain(url: str) -> bool:
    try:
        return bool(httpx.URL(url).host)
    except httpx.InvalidURL:
        return False
