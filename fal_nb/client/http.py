"""One call, from headers to a usable answer: the key, the repeats, the errors. Every room above sends through it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from http.cookiejar import CookieJar
from importlib import metadata
from typing import Any, TypeAlias, cast

import httpx
from tenacity import AsyncRetrying, retry_if_result, stop_after_attempt

from fal_nb.client.background import Background
from fal_nb.client.bodies import Body
from fal_nb.client.decoding import unpacked
from fal_nb.client.gate import CALLED_OFF, Gate, Passage
from fal_nb.client.options import QUEUE_LIMIT
from fal_nb.client.proxies import environment_proxies
from fal_nb.client.redaction import KEY_FILTER_EXTENSION, KeyFilter
from fal_nb.client.transport import GUARD_EXTENSION, POOL_EXTENSION, FalTransport, TransportFailure, judged
from fal_nb.client.verdicts import (
    Answer,
    Call,
    Lost,
    foreign_error,
    is_foreign,
    is_worth_repeating,
    loss_error,
    refusal_error,
    unreadable_error,
)
from fal_nb.client.withdrawal import Withdrawal
from fal_nb.errors import AccountLockedError, ConfigError, FalError, NotSent, RequestCancelledError
from fal_nb.protocol import headers as names
from fal_nb.protocol.retry import MAX_ATTEMPTS, backoff_s, retry_after_s
from fal_nb.protocol.status import JSON
from fal_nb.protocol.urls import origin
from fal_nb.settings import Settings

__all__ = ["MAX_BODY_BYTES", "Http", "read_whole"]

MAX_BODY_BYTES = 256 * 1024 * 1024
_CONNECT_S = 10.0
_WRITE_S = 60.0
_GRACE_S = 5.0
_REMEMBERED_ORIGINS = 100
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

Abandoned: TypeAlias = Callable[[Answer], Awaitable[None]]
Outcome: TypeAlias = httpx.Response | Answer | Lost


class Http:
    """Sends calls.

    Parameters
    ----------
    settings
        Asked once, at the first call; raises where nothing is configured.
    transport
        Stands in for the real one, connection pools, proxies and certificates included.
    pause
        Waits the given seconds between two tries.
    lock_s
        How long a locked account keeps paid calls back, in seconds; 0 asks it each time.

    Attributes
    ----------
    gate
        What every paid call passes.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        lock_s: float = 0.0,
    ) -> None:
        self._ask_settings = settings
        self._transport = transport
        self._pause = pause
        self.gate = Gate(lock_s=lock_s, pause=self._nap)
        self._settings: Settings | None = None
        self._client: _Sender | None = None
        self._is_closed = False
        self._headers = {"user-agent": f"fal_nb/{_version()}", "accept-encoding": "gzip, deflate"}
        self._trusted: dict[str, bool] = {}
        self.background = Background()

    @property
    def user_agent(self) -> str:
        """How every call names its sender."""
        return self._headers["user-agent"]

    @property
    def settings(self) -> Settings:
        """Where calls go, and with which key.

        Raises
        ------
        ConfigError
            Where they cannot be used.
        """
        if self._settings is None:
            self._settings = _checked(self._ask_settings())
        return self._settings

    async def ask(self, call: Call, *, on_abandoned: Abandoned | None = None) -> Answer:
        """Return the whole answer, a success or one of ``call.handed_back``, after as many tries as are allowed.

        Parameters
        ----------
        on_abandoned
            Given, a try that is under way when the task is cancelled goes on for up to 5 s; a success that
            comes in this time is handed to this function before `asyncio.CancelledError` goes on its way.

        Raises
        ------
        FalClientHTTPError
            Where the server refused.
        SubmissionUnknown
            Where a paid call may have arrived.
        NotSent, TransferError
            Where no try got an answer.
        RequestCancelledError
            Where the caller took the call back between two tries.
        """
        if on_abandoned is None:
            outcome = await self._repeat(call, self._exchange)
        else:
            outcome = await self._repeat(call, lambda call: self._exchange_to_the_end(call, on_abandoned))
        return cast("Answer", outcome)

    async def ask_json(self, call: Call, *, on_abandoned: Abandoned | None = None) -> tuple[JSON, Answer]:
        """Return the decoded body and the answer it was in; raises like `ask`.

        Raises
        ------
        ProtocolError
            Where the body is not JSON and the call is not paid; a `TransferError` where it is not fal's at all.
        """
        answer = await self.ask(call, on_abandoned=on_abandoned)
        try:
            return answer.json(), answer
        except ValueError:
            error = unreadable_error(call, answer.headers, "it is not JSON")
            if not call.paid and is_foreign(answer):
                error = foreign_error(call, answer)
        raise error

    async def open(self, call: Call) -> httpx.Response:
        """Return a successful answer whose body is still to be read; close it. Raises like `ask`."""
        return cast("httpx.Response", await self._repeat(call, self.open_once))

    async def open_once(self, call: Call) -> Outcome:
        """Send one time, and return the open successful answer, or what came in its place.

        Raises
        ------
        FalError
            Where the body to send cannot be read.
        """
        request = self._request(call)
        try:
            response = await self._connected().send(request)
        except httpx.RequestError as error:
            lost = _lost(error)
        else:
            if "authorization" in request.headers and self.settings.key and call.bears_key:
                key_filter = KeyFilter(self.settings.key)
                response.headers = key_filter.clean(response.headers)
                response.extensions = {**response.extensions, KEY_FILTER_EXTENSION: key_filter}
            return response if response.is_success else await read_whole(response)
        if isinstance(call.content, Body) and call.content.failure is not None:
            raise call.content.failure
        return lost

    async def rest(self, outcome: Answer | Lost, attempt: int) -> None:
        """Wait as long as is due after the try of this number has failed so."""
        await self._pause(self._rest_s(outcome, attempt))

    def _rest_s(self, outcome: Outcome, attempt: int) -> float:
        """Return the seconds that are due after the try of this number has failed so."""
        asked = retry_after_s(outcome.headers, outcome.body) if isinstance(outcome, Answer) else None
        return backoff_s(attempt, retry_after=asked, jitter=random.random())  # noqa: S311 - spreads load, hides nothing

    def trusts(self, url: str) -> bool:
        """Return whether a URL lies under the configured hosts."""
        end = url.find("/", 8)
        prefix = url if end < 0 else url[:end]
        known = self._trusted.get(prefix)
        if known is None:
            if len(self._trusted) >= _REMEMBERED_ORIGINS:
                self._trusted.clear()
            known = self._trusted[prefix] = self.settings.hosts.trusts(prefix)
        return known

    async def aclose(self) -> None:
        """Close all connections; no call can be made afterwards."""
        self._is_closed = True
        await self.background.aclose()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        elif self._transport is not None:
            await self._transport.aclose()

    async def _repeat(self, call: Call, send: Callable[[Call], Awaitable[Outcome]]) -> httpx.Response | Answer:
        withdrawal = call.withdrawal or Withdrawal()

        async def attempt() -> Outcome:
            if not call.paid:
                return await send(call)
            async with self.gate.passage(withdrawal, is_slow=call.pool == "direct") as passage:
                outcome = await send(call)
                self._tell_gate(passage, call, outcome)
                return outcome

        # Nearly every call goes well at once, and what repeats it costs as much as the sending.
        outcome, attempts = await attempt(), 1
        if _is_to_repeat(call, outcome):
            outcome, attempts = await self._try_on(call, outcome, attempt)
        if isinstance(outcome, Lost):
            raise loss_error(call, outcome, attempts)
        if isinstance(outcome, Answer) and not _is_wanted(call, outcome):
            raise refusal_error(call, outcome)
        return outcome

    async def _try_on(
        self, call: Call, first: Outcome, attempt: Callable[[], Awaitable[Outcome]]
    ) -> tuple[Outcome, int]:
        """Return the last outcome and how many tries there were, the first among them, which has been made."""
        made = [first]

        async def next_attempt() -> Outcome:
            return made.pop() if made else await attempt()

        retrying = AsyncRetrying(
            retry=retry_if_result(lambda outcome: _is_to_repeat(call, outcome)),
            stop=stop_after_attempt(MAX_ATTEMPTS),
            wait=lambda state: (
                self._due_s(call, state.outcome.result(), state.attempt_number) if state.outcome else 0.0
            ),
            sleep=lambda seconds: self._between(call, seconds),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        outcome: Outcome = await retrying(next_attempt)
        return outcome, retrying.statistics["attempt_number"]

    async def _between(self, call: Call, seconds: float) -> None:
        """Wait for the next try, unless the caller takes the call back."""
        if call.withdrawal is None:
            await self._nap(seconds)
            return
        await call.withdrawal.rest(self._nap, seconds)
        if call.withdrawal.is_wanted:
            raise RequestCancelledError(CALLED_OFF, endpoint=call.endpoint)

    async def _exchange(self, call: Call) -> Answer | Lost:
        outcome = await self.open_once(call)
        return await read_whole(outcome) if isinstance(outcome, httpx.Response) else outcome

    async def _exchange_to_the_end(self, call: Call, on_abandoned: Abandoned) -> Answer | Lost:
        task = asyncio.ensure_future(self._exchange(call))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            try:
                await asyncio.wait({task}, timeout=_GRACE_S)
                answer = _success_of(task)
                if answer is not None:
                    with contextlib.suppress(FalError):
                        await on_abandoned(answer)
            finally:
                task.cancel()
            raise

    async def _nap(self, seconds: float) -> None:
        if seconds > 0:
            await self._pause(seconds)

    def _due_s(self, call: Call, outcome: Outcome, attempt: int) -> float:
        """Return the seconds until the next try; what the gate holds back is not waited for here as well."""
        return 0.0 if _is_for_all(call, outcome) else self._rest_s(outcome, attempt)

    def _tell_gate(self, passage: Passage, call: Call, outcome: Outcome) -> None:
        if isinstance(outcome, Lost):
            return
        if _is_for_all(call, outcome):
            passage.refused(self._rest_s(outcome, self.gate.streak + 1))
            return
        if isinstance(outcome, Answer) and outcome.status == 403:
            error = refusal_error(call, outcome)
            if isinstance(error, AccountLockedError):
                passage.locked(error)
                return
        passage.accepted()

    def _connected(self) -> _Sender:
        if self._is_closed:
            raise FalError("This client has been closed: make a new one.")
        if self._client is None:
            self._client = _Sender(self._transport)
        return self._client

    def _request(self, call: Call) -> httpx.Request:
        settings = self.settings
        url, headers = call.url, dict(call.headers)
        shows_key = False
        if call.bears_key and self.trusts(url):
            if settings.proxy_url and origin(url) != origin(settings.hosts.cdn):
                headers[names.TARGET_URL] = url
                url = settings.proxy_url
            else:
                shows_key = settings.key is not None and not settings.proxy_url
        try:
            request = httpx.Request(
                call.method,
                url,
                headers=self._headers | headers,
                content=call.content,
                extensions={
                    "timeout": _timeouts(call.timeout_s),
                    POOL_EXTENSION: call.pool,
                    GUARD_EXTENSION: call.public_only,
                },
            )
        except (httpx.InvalidURL, ValueError) as error:
            problem = str(error)
        else:
            # Last, so that no frame in which something can go wrong holds it among its variables.
            if shows_key:
                request.headers.setdefault("authorization", f"Key {settings.key}")
            return request
        raise NotSent(
            f"{call.about[:1].upper()}{call.about[1:]} was not sent: it has no address that can be used ({problem}).",
            request_id=call.request_id,
            endpoint=call.endpoint,
        )


class _NoCookies(CookieJar):
    """Keeps none, and spares httpx the reading of them."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Look at nothing."""


class _Sender:
    """Sends each request through the transport that its URL asks for: no cookies, no redirects, no authentication.

    Where there is one transport for all, nothing stands between: httpx's client would build a jar of cookies, follow
    an authentication and look for redirects for each request, at a fifth of what a call costs.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None) -> None:
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        if transport is not None:
            return
        try:
            self._transport = FalTransport()
            mounts = _mounts()
            if mounts:
                self._client = httpx.AsyncClient(
                    transport=self._transport,
                    mounts=mounts,
                    cookies=_NoCookies(),
                    follow_redirects=False,
                    trust_env=False,
                )
        except (httpx.InvalidURL, ValueError):
            pass  # the error's text can hold the proxy's password
        else:
            return
        raise ConfigError("HTTP_PROXY, HTTPS_PROXY, ALL_PROXY or NO_PROXY cannot be read: check these variables.")

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, its body unread."""
        if self._client is not None:
            return await self._client.send(request, stream=True)
        assert self._transport is not None  # noqa: S101 - made above
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        await (self._client or self._transport).aclose()  # type: ignore[union-attr]


def _mounts() -> dict[str, httpx.AsyncBaseTransport | None]:
    """Return a transport for each pattern of URLs that has a proxy, None for those that must have none."""
    proxies = environment_proxies()
    by_proxy = {proxy: FalTransport(proxy=proxy) for proxy in proxies.values() if proxy}
    return {pattern: by_proxy[proxy] if proxy else None for pattern, proxy in proxies.items()}


def _timeouts(limit_s: float | None) -> dict[str, float | None]:
    """Return httpx's four limits for the one of a call."""
    return {
        "connect": _CONNECT_S if limit_s is None else min(limit_s, _CONNECT_S),
        "read": limit_s,
        "write": _WRITE_S if limit_s is None else min(limit_s, _WRITE_S),
        "pool": limit_s,
    }


def _version() -> str:
    try:
        return metadata.version("fal_nb")
    except metadata.PackageNotFoundError:
        return "0"


def _checked(settings: Settings) -> Settings:
    """Refuse a key that cannot be a header, without showing it, as the layers below would."""
    if settings.key is not None and not (settings.key.isascii() and settings.key.isprintable()):
        raise ConfigError(f"The key ({settings.key_source}) holds characters no key has: copy it again.")
    return settings


def _lost(error: httpx.RequestError) -> Lost:
    """Return what an error means, by our transport's flag, else by httpx's class."""
    error = judged(error)
    reason = str(error) or type(error).__name__
    if isinstance(error, TransportFailure):
        return Lost(reason, error.sent, is_final=error.refused_address)
    return Lost(reason, sent=not isinstance(error, _NOT_SENT), is_final=isinstance(error, httpx.UnsupportedProtocol))


async def read_whole(response: httpx.Response) -> Answer | Lost:
    """Read an open answer to its end, at most `MAX_BODY_BYTES`, and close it."""
    parts: list[bytes] = []
    size_bytes = 0
    try:
        async for chunk in unpacked(response):
            parts.append(chunk)
            size_bytes += len(chunk)
            if size_bytes > MAX_BODY_BYTES:
                return Lost("it is over 256 MiB", sent=True, headers=response.headers, is_final=True)
    except httpx.RequestError as error:
        is_final = isinstance(error, httpx.DecodingError)
        return Lost(str(error) or type(error).__name__, sent=True, headers=response.headers, is_final=is_final)
    finally:
        await response.aclose()
    return Answer(response.status_code, response.headers, b"".join(parts))


def _is_wanted(call: Call, answer: Answer) -> bool:
    """Return whether the caller takes an answer as it is."""
    return answer.status < 300 or answer.status in call.handed_back


def _is_to_repeat(call: Call, outcome: Outcome) -> bool:
    """Return whether there is to be another try, as far as the outcome goes."""
    if isinstance(outcome, httpx.Response) or (isinstance(outcome, Answer) and _is_wanted(call, outcome)):
        return False
    return is_worth_repeating(call, outcome)


def _is_for_all(call: Call, outcome: Outcome) -> bool:
    """Return whether a refusal concerns every paid call: a 429, unless this call alone set the queue a limit."""
    return (
        call.paid
        and isinstance(outcome, Answer)
        and outcome.status == 429
        and f"{QUEUE_LIMIT}=" not in call.url.partition("?")[2]
    )


def _success_of(task: asyncio.Task[Answer | Lost]) -> Answer | None:
    """Return what a task brought, if it is over and brought a success."""
    if not task.done() or task.cancelled() or task.exception() is not None:
        return None
    outcome = task.result()
    return outcome if isinstance(outcome, Answer) and outcome.status < 300 else None
