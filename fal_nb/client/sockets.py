"""Opens WebSockets: by aiohttp, with the proxies and certificates of every other call, and no secret in any error."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Final

import aiohttp
import httpx
import yarl
from aiohttp.resolver import ThreadedResolver

from fal_nb.client.connections import basic_authorization, probing_socket
from fal_nb.client.http import Http
from fal_nb.client.proxies import environment_proxies, proxy_for
from fal_nb.client.redaction import KeyFilter
from fal_nb.client.transport import BACKUPS, classified
from fal_nb.client.verdicts import Answer, Call, Lost, is_request_id, is_worth_repeating, loss_error, refusal_error
from fal_nb.protocol import headers as names
from fal_nb.protocol.retry import MAX_ATTEMPTS

__all__ = ["MAX_MESSAGE_BYTES", "Secret", "Socket", "open_socket"]

MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_OPEN_S = 90.0
"""Source: fal-client 1.0.3 ``REALTIME_OPEN_TIMEOUT``."""
_HEARTBEAT_S = 40.0
"""aiohttp waits half of it for an answer to a ping: 20 s, as the official client by way of websockets."""
_CLOSE_S = 2.0
_REFUSAL_BYTES = 64 * 1024
_LOWER_ERRORS = (aiohttp.ClientError, OSError, RuntimeError, ValueError)


class Secret:
    """A token or a key, kept where no repr and no traceback with variables shows it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself, to be sent."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "<secret>"


class Socket:
    """An open WebSocket and the HTTP session that it was opened by.

    Attributes
    ----------
    headers
        Those of the answer that opened it, names in lower case.
    """

    def __init__(
        self,
        ws: aiohttp.ClientWebSocketResponse,
        session: aiohttp.ClientSession,
        headers: Mapping[str, str],
        secrets: Sequence[Secret] = (),
    ) -> None:
        self._ws = ws
        self._session = session
        self._secrets = secrets
        self.headers = headers

    @property
    def request_id(self) -> str | None:
        """fal's id of the connection, where it gave one that can be shown."""
        said = self.headers.get(names.REQUEST_ID, "")
        return said if is_request_id(said) else None

    async def send(self, frame: bytes | str) -> None:
        """Send one message; waits where the other side reads slowly.

        Raises
        ------
        ConnectionError, RuntimeError
            Where the connection is over.
        """
        if isinstance(frame, bytes):
            await self._ws.send_bytes(frame)
        else:
            await self._ws.send_str(frame)

    async def receive(self) -> aiohttp.WSMessage:
        """Return the next message; closing and errors are messages, too.

        Texts are the server's own words and say nothing of the secrets that opened the connection.
        """
        found = await self._ws.receive()
        if found.type is aiohttp.WSMsgType.TEXT:
            return found._replace(data=self._without_secrets(found.data))
        if found.extra and isinstance(found.extra, str):
            return found._replace(extra=self._without_secrets(found.extra))
        return found

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = _cleaned_bytes(secret, text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
        return text

    @property
    def close_code(self) -> int | None:
        """The code it was closed with; None while it is open."""
        return self._ws.close_code

    async def close(self) -> None:
        """Say goodbye and close; harmless when it is closed."""
        try:
            await self._ws.close()
        except _LOWER_ERRORS:
            pass  # it is gone either way
        finally:
            await self._session.close()


class _Refusal:
    """Keeps what a server says instead of opening: aiohttp itself does not read it."""

    def __init__(self) -> None:
        self.answer: Answer | None = None

    async def __call__(self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        response = await send(request)
        if response.status != 101:
            body = await response.content.read(_REFUSAL_BYTES)
            headers = {name.lower(): value for name, value in response.headers.items()}
            self.answer = Answer(response.status, headers, body)
        return response


async def open_socket(
    http: Http, call: Call, *, query: Mapping[str, str | Secret], headers: Mapping[str, str | Secret]
) -> Socket:
    """Return a WebSocket that has been opened, after as many tries as are allowed: opening one costs nothing.

    Parameters
    ----------
    call
        Says where to and what for.
    query, headers
        What goes along; secrets in it are taken out of whatever the server answers.

    Raises
    ------
    FalClientHTTPError
        Where the server refused.
    NotSent, TransferError
        Where it could not be reached, or did not answer.
    """
    tls, headers = None, {"user-agent": http.user_agent, **headers}
    if call.url.startswith("wss:"):
        tls = await asyncio.to_thread(httpx.create_ssl_context)
    outcome: Socket | Answer | Lost | None = None
    for attempt in range(1, MAX_ATTEMPTS + 1):
        outcome = await _attempt(call, query, headers, tls)
        if isinstance(outcome, Lost) and not outcome.sent:
            outcome = await _at_backup(call, query, headers, tls) or outcome
        if isinstance(outcome, Socket):
            return outcome
        if attempt == MAX_ATTEMPTS or not is_worth_repeating(call, outcome):
            break
        await http.rest(outcome, attempt)
    assert not isinstance(outcome, Socket)  # noqa: S101 - returned above
    assert outcome is not None  # noqa: S101 - there is at least one try
    raise loss_error(call, outcome, attempt) if isinstance(outcome, Lost) else refusal_error(call, outcome)


async def _at_backup(
    call: Call, query: Mapping[str, str | Secret], headers: Mapping[str, str | Secret], tls: ssl.SSLContext | None
) -> Socket | Answer | Lost | None:
    """Try fal's second domain, where there is one; None where that cannot be reached either."""
    url = yarl.URL(call.url, encoded=True)
    host = BACKUPS.get(url.host or "")
    if host is None:
        return None
    outcome = await _attempt(call, query, headers, tls, url=str(url.with_host(host)))
    return None if isinstance(outcome, Lost) and not outcome.sent else outcome


async def _attempt(
    call: Call,
    query: Mapping[str, str | Secret],
    headers: Mapping[str, str | Secret],
    tls: ssl.SSLContext | None,
    url: str | None = None,
) -> Socket | Answer | Lost:
    """Try once. What went wrong is returned and not raised: errors of the layers below hold the address."""
    refusal = _Refusal()
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=1,
            ssl=tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            resolver=ThreadedResolver(),
            socket_factory=probing_socket,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(refusal,),
    )
    outcome: Socket | Answer | Lost
    cancelled: tuple[object, ...] | None = None
    try:
        async with asyncio.timeout(_OPEN_S):
            ws, found = await _connect(session, url or call.url, query, headers)
        secrets = [value for value in (*query.values(), *headers.values()) if isinstance(value, Secret)]
        outcome = Socket(ws, session, _cleaned_headers(found, secrets), secrets)
    except aiohttp.WSServerHandshakeError:
        outcome = refusal.answer or Lost("the server did not open a WebSocket", sent=True, is_final=True)
    except TimeoutError:
        outcome = Lost(f"no WebSocket was opened within {_OPEN_S:.0f} s", sent=True)
    except _LOWER_ERRORS as error:
        failure = classified(error)
        outcome = Lost(str(failure), sent=failure.sent)
    except asyncio.CancelledError as error:
        cancelled, outcome = error.args, Lost("cancelled", sent=True)
    if not isinstance(outcome, Socket):
        await session.close()
    if cancelled is not None:
        raise asyncio.CancelledError(*cancelled)
    return _cleaned(outcome, [*query.values(), *headers.values()]) if isinstance(outcome, Answer) else outcome


async def _connect(
    session: aiohttp.ClientSession,
    url: str,
    query: Mapping[str, str | Secret],
    headers: Mapping[str, str | Secret],
) -> tuple[aiohttp.ClientWebSocketResponse, Mapping[str, str]]:
    plain = {name: _revealed(value) for name, value in headers.items()}
    proxy_url = proxy_for(url, environment_proxies())
    proxy = None if proxy_url is None else httpx.Proxy(proxy_url)
    proxy_headers = {}
    if proxy is not None and proxy.raw_auth is not None:
        authorization = {"proxy-authorization": basic_authorization(proxy.raw_auth)}
        if url.startswith("wss:"):
            proxy_headers = authorization
        else:
            plain |= authorization
    address = yarl.URL(url, encoded=True).update_query({name: _revealed(value) for name, value in query.items()})
    ws = await session.ws_connect(
        address,
        headers=plain,
        proxy=None if proxy is None else str(proxy.url),
        proxy_headers=proxy_headers or None,
        heartbeat=_HEARTBEAT_S,
        max_msg_size=MAX_MESSAGE_BYTES,
        timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
    )
    response = ws._response  # noqa: SLF001 - aiohttp hands the answer's headers out nowhere else
    return ws, {name.lower(): value for name, value in response.headers.items()}


def _revealed(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _cleaned(answer: Answer, sent: list[str | Secret]) -> Answer:
    """Return an answer without the secrets that were sent, should it repeat them."""
    secrets = [value for value in sent if isinstance(value, Secret)]
    body = answer.body
    for secret in secrets:
        body = _cleaned_bytes(secret, body)
    return Answer(answer.status, _cleaned_headers(answer.headers, secrets), body)


def _cleaned_headers(headers: Mapping[str, str], secrets: Sequence[Secret]) -> Mapping[str, str]:
    cleaned = httpx.Headers(dict(headers))
    for secret in secrets:
        cleaned = _filter_of(secret).clean(cleaned)
    return cleaned


def _filter_of(secret: Secret) -> KeyFilter:
    return KeyFilter(secret.reveal().removeprefix("Key "))


def _cleaned_bytes(secret: Secret, data: bytes) -> bytes:
    found = _filter_of(secret)
    return found.feed(data) + found.rest()
