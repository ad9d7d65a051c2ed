"""Opens realtime connections: the options checked, a token fetched for each WebSocket, then the WebSocket."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from fal_nb.client.http import Http
from fal_nb.client.options import call_headers
from fal_nb.client.pace import Codec, Pace
from fal_nb.client.raw_socket import AsyncRawSocket
from fal_nb.client.realtime import AsyncRealtimeConnection, Opener
from fal_nb.client.sockets import Secret, Socket, open_socket
from fal_nb.client.verdicts import Call, unreadable_error
from fal_nb.errors import ConfigError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.realtime import BUFFERING, TOKEN_LIFE_S, TOKEN_PARAMETER, with_realtime
from fal_nb.protocol.status import JSON

__all__ = ["Connecting", "codec_of"]

Made = TypeVar("Made", bound=AsyncRealtimeConnection)

_MOST_THROTTLE_S = 3600.0


class Connecting(Generic[Made]):
    """Makes connections, which open themselves, also again.

    Parameters
    ----------
    http
        Gives what sends every call; asked when a connection is opened.
    timeout_s
        Limit for each step of the request for a token.
    make
        Makes the connection from its opener, endpoint, codec and pace.
    """

    def __init__(
        self,
        http: Callable[[], Awaitable[Http]],
        *,
        timeout_s: float,
        make: Callable[..., Made] = AsyncRealtimeConnection,  # type: ignore[assignment]
    ) -> None:
        self._get_http = http
        self._timeout_s = timeout_s
        self._make = make

    def connection(
        self,
        application: str,
        *,
        use_jwt: bool = True,
        path: str = "/realtime",
        max_buffering: int | None = None,
        token_expiration: int = TOKEN_LIFE_S,
        codec: Codec | None = None,
        pace: Pace | None = None,
    ) -> Made:
        """Return a connection that is not open yet.

        Raises
        ------
        EndpointError, ConfigError
            Where an option has a value that cannot be meant.
        """
        endpoint, pace = EndpointId.parse(application), pace or Pace()
        _check(max_buffering, token_expiration, pace)
        shown = with_realtime(str(endpoint), "" if path.strip("/") == "realtime" else path)
        opener = self._opener(endpoint, path, max_buffering, token_expiration if use_jwt else None)
        return self._make(opener, endpoint=shown, codec=codec or Codec(), pace=pace)

    def raw(
        self,
        application: str,
        *,
        use_jwt: bool = True,
        path: str = "",
        max_buffering: int | None = None,
        token_expiration: int = TOKEN_LIFE_S,
    ) -> AsyncRawSocket:
        """Return a WebSocket without fal's protocol, not open yet; raises as `connection`."""
        endpoint = EndpointId.parse(application)
        _check(max_buffering, token_expiration, Pace())
        opener = self._opener(endpoint, path, max_buffering, token_expiration if use_jwt else None)
        return AsyncRawSocket(opener, with_realtime(str(endpoint), path))

    def _opener(self, endpoint: EndpointId, path: str, max_buffering: int | None, life_s: int | None) -> Opener:
        query: dict[str, str | Secret] = {} if max_buffering is None else {"max_buffering": str(max_buffering)}

        async def opener() -> Socket:
            http = await self._get_http()
            url = http.settings.hosts.realtime(endpoint, path)
            call = Call("GET", url, f"the request for a realtime connection to {endpoint}", str(endpoint))
            if life_s is None:
                return await open_socket(http, call, query=query, headers=_key_header(http))
            token = await self._token(http, endpoint, life_s)
            return await open_socket(http, call, query={TOKEN_PARAMETER: token, **query}, headers={})

        return opener

    async def _token(self, http: Http, endpoint: EndpointId, life_s: int) -> Secret:
        """Return a fresh token. Source: fal-client 1.0.3 ``_get_realtime_token``."""
        body = {"allowed_apps": [endpoint.alias], "token_expiration": life_s}
        call = Call(
            "POST",
            http.settings.hosts.realtime_token(),
            f"the request for a realtime token for {endpoint}",
            str(endpoint),
            headers=call_headers() | {"content-type": "application/json"},
            content=json.dumps(body).encode(),
            timeout_s=self._timeout_s,
        )
        answer, whole = await http.ask_json(call)
        token = Secret(_token_in(answer))
        del answer
        if not token:
            raise unreadable_error(call, whole.headers, "it holds no token")
        return token


def _key_header(http: Http) -> dict[str, str | Secret]:
    settings = http.settings
    if settings.proxy_url is not None:
        raise ConfigError("A proxy that holds the key opens realtime connections by token only: leave use_jwt on.")
    return {} if settings.key is None else {"authorization": Secret(f"Key {settings.key}")}


def codec_of(encode: Callable[[Any], bytes | str] | None, decode: Callable[[bytes], Any] | None) -> Codec:
    """Return a codec of the functions that are given, msgpack for the others."""
    usual = Codec()
    return Codec(encode or usual.encode, decode or usual.decode)


def _check(max_buffering: int | None, token_expiration: int, pace: Pace) -> None:
    least, most = BUFFERING
    if max_buffering is not None and (not _is_whole(max_buffering) or not least <= max_buffering <= most):
        raise ConfigError(f"max_buffering must be a whole number from {least} to {most}, not {max_buffering!r:.60}.")
    if not _is_whole(token_expiration) or token_expiration < 1:
        raise ConfigError(f"token_expiration must be a whole number of seconds, not {token_expiration!r:.60}.")
    if pace.in_flight is not None and (not _is_whole(pace.in_flight) or pace.in_flight < 1):
        raise ConfigError(f"in_flight must be a whole number of at least 1, not {pace.in_flight!r:.60}.")
    if not _is_wait(pace.throttle_s):
        raise ConfigError(f"throttle_s must be a number of seconds, 0 for none, not {pace.throttle_s!r:.60}.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_wait(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MOST_THROTTLE_S


def _token_in(answer: JSON) -> str:
    """Return the token in an answer, alone or under a name; empty where there is none."""
    found = answer
    if isinstance(answer, dict):
        found = answer.get("token") if isinstance(answer.get("token"), str) else answer.get("detail")
    is_usable = isinstance(found, str) and found.isascii() and found.isprintable() and " " not in found
    return found if isinstance(found, str) and is_usable else ""
