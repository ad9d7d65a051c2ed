"""Which proxy serves which URL, by the environment, in the terms of httpx's ``mounts``."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies

from fal_nb.errors import ConfigError
from fal_nb.protocol.urls import is_loopback

__all__ = ["environment_proxies", "proxy_for"]

_SUPPORTED = frozenset({"http", "https"})
_LOOPBACK_PATTERNS = ("all://localhost", "all://127.0.0.1", "all://[::1]")


def environment_proxies(settings: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Return httpx mount patterns with the proxy for each, or None for "no proxy here".

    ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` mean what they mean to httpx, with one
    difference: a proxy on another machine is never asked for an address on this one, which it cannot reach.

    Parameters
    ----------
    settings
        Names in lower case without ``_proxy``; by default those of the environment or the system.

    Raises
    ------
    ConfigError
        Where a proxy is of a kind that is not supported.

    Source: httpx documentation, "Environment Variables"; curl manual, ``CURLOPT_NOPROXY``.
    """
    found = getproxies() if settings is None else settings
    proxies: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        address = found.get(scheme)
        if address:
            proxies[f"{scheme}://"] = _whole(address)
    odd = {kind for proxy in proxies.values() if proxy and (kind := _kind(proxy)) not in _SUPPORTED}
    if odd:
        # Their addresses can hold a password, which a traceback with variables would show.
        del found, proxies, address
        kinds = " and ".join(sorted(odd))
        raise ConfigError(f"{kinds} proxies are not supported: set HTTPS_PROXY to an http:// or https:// proxy.")
    exceptions = [entry.strip() for entry in found.get("no", "").split(",")]
    if not proxies or "*" in exceptions:
        return {}
    if not all(is_loopback(proxy) for proxy in proxies.values() if proxy):
        proxies |= dict.fromkeys(_LOOPBACK_PATTERNS)
    proxies |= {_pattern(entry): None for entry in exceptions if entry}
    return proxies


def proxy_for(url: str, proxies: Mapping[str, str | None]) -> str | None:
    """Return the proxy of a URL by such patterns, or None; a WebSocket goes the way of the HTTP it begins as."""
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "").lower()
    found: list[tuple[bool, bool, str | None]] = []
    for pattern, proxy in proxies.items():
        wanted_scheme, _, wanted_host = pattern.partition("://")
        if wanted_scheme in {"all", scheme} and _covers(wanted_host.lower(), host, parts.port):
            found.append((bool(wanted_host), wanted_scheme != "all", proxy))
    return max(found, key=lambda each: each[:2])[2] if found else None


def _covers(wanted: str, host: str, port: int | None) -> bool:
    """Return whether a pattern's host, with a star for whatever lies below it, means this one."""
    name, colon, wanted_port = wanted.rpartition(":") if not wanted.endswith("]") else (wanted, "", "")
    if colon and wanted_port.isdigit():
        return _covers(name, host, None) and port == int(wanted_port)
    if wanted.startswith("*."):
        return host.endswith(wanted[1:])
    bare = wanted.removeprefix("*")
    return not wanted or host == bare or (wanted.startswith("*") and host.endswith(f".{bare}"))


def _whole(address: str) -> str:
    return address if "://" in address else f"http://{address}"


def _kind(address: str) -> str:
    """Return the scheme of a proxy's address; a word for it where it is none."""
    try:
        scheme = urlsplit(address).scheme
    except ValueError:
        return "unreadable"
    return scheme if scheme.isalnum() and len(scheme) <= 8 else "unreadable"


def _pattern(entry: str) -> str:
    """Return the mount pattern of one ``NO_PROXY`` entry."""
    if "://" in entry:
        return entry
    try:
        address = ipaddress.ip_address(entry.partition("/")[0])
    except ValueError:
        return f"all://{entry}" if entry.lower() == "localhost" else f"all://*{entry}"
    return f"all://[{entry}]" if address.version == 6 else f"all://{entry}"
