"""Where each service of fal lives, and the path of each verb on it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fal_nb.errors import ConfigError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.realtime import with_realtime

__all__ = ["Hosts", "is_loopback", "origin"]

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Hosts:
    """Base URLs of fal's services, none with a trailing slash.

    Source: fal-client 1.0.3 ``client.py``, fal-js ``request.ts`` and ``storage.ts``, Platform API document.
    """

    queue: str = "https://queue.fal.run"
    run: str = "https://fal.run"
    rest: str = "https://rest.fal.ai"
    cdn: str = "https://v3.fal.media"
    api: str = "https://api.fal.ai"
    schema: str = "https://fal.ai/api"
    ws: str = "wss://fal.run"
    mcp: str = "https://mcp.fal.ai"
    base: str | None = None

    @classmethod
    def under(cls, base: str) -> Hosts:
        """Return the hosts of a server that serves everything under one base, by path prefix.

        Raises
        ------
        ConfigError
            Where `base` is no http(s) URL, or is plain http to a host that is not this machine.
        """
        base = base.strip().rstrip("/")
        parts = urlsplit(base)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ConfigError(f"Base URL {base[:80]!r} is not an http(s) address: write http://127.0.0.1:PORT.")
        if parts.username or parts.password:
            raise ConfigError("The base URL must not hold a user name or a password: give the key as FAL_KEY.")
        if parts.scheme == "http" and not is_loopback(base):
            raise ConfigError(f"Base URL {base[:80]!r} is not on this machine, so it must begin with https://.")
        ws = "ws" + base.removeprefix("http") + "/ws"
        return cls(
            queue=f"{base}/queue",
            run=f"{base}/run",
            rest=f"{base}/rest",
            cdn=f"{base}/cdn",
            api=f"{base}/api",
            schema=f"{base}/api",
            ws=ws,
            mcp=f"{base}/mcp",
            base=base,
        )

    def submit(self, endpoint: EndpointId, path: str = "") -> str:
        """Return where a request is queued."""
        return _join(self.queue, str(endpoint), path)

    def direct(self, endpoint: EndpointId, path: str = "") -> str:
        """Return where a request runs without the queue; with ``/stream`` as path, where it streams."""
        return _join(self.run, str(endpoint), path)

    def request(self, endpoint: EndpointId, request_id: str, action: str = "") -> str:
        """Return the URL of a queued request: its result, or with an action ``status``, ``status/stream``, ``cancel``.

        The endpoint's path is left out: the service keys requests by owner and alias.
        """
        return _join(self.queue, endpoint.base, "requests", quote(request_id, safe=""), action)

    def upload_token(self) -> str:
        """Return where a token for the CDN is fetched. Source: fal-client 1.0.3 ``CDNTokenManager``."""
        return f"{self.rest}/storage/auth/token?storage_type=fal-cdn-v3"

    def upload(self) -> str:
        """Return where bytes are uploaded with that token."""
        return f"{self.cdn}/files/upload"

    def initiate_upload(self, *, in_parts: bool) -> str:
        """Return where a signed URL for an upload is fetched.

        Source: fal-client 1.0.3 ``_upload_via_storage``; @fal-ai/client 1.10.1 ``storage.ts``.
        """
        if in_parts:
            return f"{self.rest}/storage/upload/initiate-multipart?storage_type=fal-cdn-v3"
        return f"{self.rest}/storage/upload/initiate?storage_type=gcs"

    def realtime(self, endpoint: EndpointId, path: str = "") -> str:
        """Return where an endpoint's WebSocket is opened. Source: fal-client 1.0.3 ``_build_runner_ws_url``."""
        return _join(self.ws, with_realtime(str(endpoint), path))

    def realtime_token(self) -> str:
        """Return where a token for it is fetched. Source: fal-client 1.0.3 ``_get_realtime_token``."""
        return f"{self.rest}/tokens/"

    def openapi(self, endpoint: EndpointId) -> str:
        """Return the address of an endpoint's OpenAPI document; no key needed."""
        return f"{self.schema}/openapi/queue/openapi.json?endpoint_id={quote(str(endpoint), safe='/')}"

    def webhook_keys(self) -> str:
        """Return where the public keys are that webhooks are signed with. Source: fal docs "Webhooks"."""
        return f"{self.rest}/.well-known/jwks.json"

    def mcp_servers(self) -> tuple[str, ...]:
        """Return where MCP servers with the tools of fal are, the older first; they take the key.

        Source: fal docs "AI Tools", "fal MCP server".
        """
        return (f"{self.mcp}/mcp", f"{self.mcp}/mcp-relay")

    def docs_servers(self) -> tuple[str, ...]:
        """Return where MCP servers are that search the documentation, the newer first; they want no key."""
        if self.base is not None:
            return (f"{self.mcp}/docs",)
        return ("https://fal.ai/docs/mcp", "https://docs.fal.ai/mcp")

    def trusts(self, url: str) -> bool:
        """Return whether a URL from a server lies under one of these hosts, so that it may see the key."""
        wanted = origin(url)
        if wanted is None:
            return False
        if self.base is not None:
            return wanted == origin(self.base)
        return wanted in {origin(host) for host in (self.queue, self.run, self.rest, self.cdn, self.api)}


def origin(url: str) -> tuple[str, str, int] | None:
    """Return (scheme, host, port) of a URL, or None where it has none or hides a user name in it."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443, "ws": 80, "wss": 443}.get(parts.scheme, 0)
    except ValueError:
        return None
    if not parts.hostname or not port or "@" in parts.netloc or "\\" in url:
        return None
    return parts.scheme, parts.hostname.lower(), port


def is_loopback(url: str) -> bool:
    """Return whether the URL's host is this machine, judged by its text alone (no look-up)."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return False
    return host in _LOOPBACK_NAMES or (host.startswith("127.") and host.replace(".", "").isdigit())


def _join(*parts: str) -> str:
    return "/".join(part.strip("/") for part in parts if part.strip("/"))
