"""``Receiver``: the ASGI application that fal's webhooks are delivered to. Nothing of a request is trusted here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from fal_nb.client.webhook_keys import WebhookKeys
from fal_nb.errors import FalError, HistoryError, WebhookError
from fal_nb.plain import one_line
from fal_nb.protocol.headers import BILLABLE_UNITS
from fal_nb.protocol.webhooks import MAX_BODY_BYTES, TOLERANCE_S
from fal_nb.webhooks.intake import Intake
from fal_nb.webhooks.verifying import Verifier, keys_at, place_in_force

if TYPE_CHECKING:
    from fal_nb.engine.session import Session
    from fal_nb.settings import Settings
    from fal_nb.webhooks.hands import Hands

__all__ = ["Receiver", "receiver"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_BODY_S = 30.0
_MOST_HELD_BYTES = 128 * 1024 * 1024
_MOST_UNITS_CHARS = 40
_STATUS_OF = {"size": 413, "headers": 400, "timestamp": 400, "keys": 503, "signature": 401, "body": 400}
_log = logging.getLogger("fal_nb")


class _Refused(Exception):  # noqa: N818 - an answer, not a mistake of ours
    """An answer other than 200."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Receiver:
    """An ASGI application that takes webhooks and writes them into the history. Mount it at any path.

    It answers 200 once a delivery is on disk, whatever was delivered, and does the rest afterwards: a delivery that
    comes twice is one record and one piece of work. It refuses what is not fal's (401), old (400), too large (413), or
    cannot be checked or written now (503, so that fal delivers again). Any number of processes may serve one history.

    Parameters
    ----------
    settings
        Where deliveries are from.
    open_hands
        Opens ledger and client, at the first delivery or at the server's start.
    verifier
        Says what is fal's.
    user_ids
        Accounts at fal whose deliveries are taken; None takes all, as a signature says only that fal has sent it.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        open_hands: Callable[[], Hands],
        verifier: Callable[[Settings], Verifier],
        user_ids: Collection[str] | None = None,
    ) -> None:
        self._settings = settings
        self._make_verifier = verifier
        self._user_ids = None if user_ids is None else frozenset(user_ids)
        self._verifier: Verifier | None = None
        self._settings_seen: Settings | None = None
        self._intake = Intake(open_hands)
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def aclose(self) -> None:
        """Leave what is unfinished to whoever comes next, and close the history. For servers that tell no end."""
        await self._intake.aclose()

    # -- inside ------------------------------------------------------------------------------------------

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self._intake.open()
                except FalError as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, detail = 200, await self._take(scope, receive)
        except _Refused as refused:
            status, detail = refused.status, refused.detail
        except WebhookError as error:
            status, detail = _STATUS_OF[error.reason], str(error)
            _log.info("a webhook was refused (%s): %s", error.reason, error)
        except HistoryError as error:
            # Of this machine, so that it is logged and not told.
            status, detail = 503, "The delivery cannot be written down just now: deliver it again."
            _log.warning("a webhook could not be written down, and will be delivered again: %s", error)
        await _answer(send, status, detail)

    async def _take(self, scope: Scope, receive: Receive) -> str:
        if scope["method"] != "POST":
            raise _Refused(405, "Webhooks are delivered by POST.")
        verifier = self._checks()
        # Headers first, so that a stranger's body is not even read.
        verifier.claims_of_headers(scope["headers"])
        body = bytearray()
        try:
            await self._read(scope, receive, body, verifier.max_bytes)
            delivery = await verifier.check(scope["headers"], bytes(body))
        finally:
            self._held_bytes -= len(body)
        if self._user_ids is not None and delivery.user_id not in self._user_ids:
            raise _Refused(403, "Deliveries of this account are not taken here.")
        taken = await self._intake.take(delivery, _units(scope["headers"]))
        return taken.fate

    def _checks(self) -> Verifier:
        settings = self._settings()
        if self._verifier is None or settings is not self._settings_seen:
            self._verifier, self._settings_seen = self._make_verifier(settings), settings
        return self._verifier

    async def _read(self, scope: Scope, receive: Receive, body: bytearray, max_bytes: int) -> None:
        """Read a body to its end, bounded in size and time, alone and together with all others."""
        too_large = WebhookError(f"The delivery has over {max_bytes} bytes: it was not read.", reason="size")
        announced = dict(scope["headers"]).get(b"content-length", b"")
        if announced.isdigit() and (len(announced) > 12 or int(announced) > max_bytes):
            raise too_large
        more = True
        try:
            async with asyncio.timeout(_BODY_S):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Refused(400, "The delivery broke off.")
                    chunk = message.get("body", b"")
                    body += chunk
                    self._held_bytes += len(chunk)
                    if len(body) > max_bytes:
                        raise too_large
                    if self._held_bytes > _MOST_HELD_BYTES:
                        raise _Refused(503, "Too much is being delivered just now: deliver it again.")
                    more = message.get("more_body", False)
        except TimeoutError:
            raise _Refused(408, "The delivery took too long.") from None


def receiver(
    session: Session | None = None,
    *,
    home: Path | str | None = None,
    base_url: str | None = None,
    key: str | None = None,
    jwks_url: str | None = None,
    user_ids: Collection[str] | None = None,
    tolerance_s: float = TOLERANCE_S,
    max_bytes: int = MAX_BODY_BYTES,
) -> Receiver:
    """Return the ASGI application that takes webhooks: ``uvicorn --factory fal_nb.webhooks:receiver``.

    Parameters
    ----------
    session
        A kernel's session (``fal.session()``), where the receiver runs in the kernel: a job that a delivery settles
        is then its own, card and all. Without one the receiver stands by itself.
    home
        Folder of the history, by default ``FAL_NB_HOME``: the same as the notebooks'.
    base_url, key
        Where the calls were sent, as for `AsyncClient`; by default as the environment says, and fal.ai where it says
        nothing. A key is not needed; with one the receiver learns what a call cost and settles calls whose answer
        was lost.
    jwks_url
        Where the public keys of deliveries are; default: those of that place.
    user_ids
        Your accounts at fal, as ``x-fal-webhook-user-id`` names them; None takes deliveries of all accounts, of which
        those that are none of yours are kept apart, within limits.
    tolerance_s, max_bytes
        As for `verify`.

    Raises
    ------
    ConfigError
        Where an address is not acceptable.
    """
    if session is None:
        from fal_nb.settings import Given  # noqa: PLC0415 - as below

        settings = Given(key, base_url).resolve() or place_in_force()
        folder = Path(home) if home is not None else settings.home

        def given() -> Settings:
            return settings

        def open_hands() -> Hands:
            from fal_nb.webhooks.hands import OwnHands  # noqa: PLC0415 - with the client, at the first delivery

            return OwnHands(settings, folder)
    else:
        its_own = session

        def given() -> Settings:
            return its_own.known_settings or its_own.settings

        def open_hands() -> Hands:
            from fal_nb.webhooks.hands import SessionHands  # noqa: PLC0415 - as above

            return SessionHands(its_own)

    if jwks_url is not None:
        WebhookKeys(jwks_url)  # refuses what is no such address

    def verifier(settings: Settings) -> Verifier:
        keys = keys_at(jwks_url or settings.hosts.webhook_keys())
        return Verifier(keys, tolerance_s=tolerance_s, max_bytes=max_bytes)

    return Receiver(given, open_hands, verifier, user_ids)


def _units(headers: Collection[tuple[bytes, bytes]]) -> float | None:
    """Return the billable units that a delivery's headers name, None where they do not, or it is no number."""
    for name, value in headers:
        if name.lower() == BILLABLE_UNITS.encode() and len(value) <= _MOST_UNITS_CHARS:
            with contextlib.suppress(ValueError):
                units = float(value)
                return units if math.isfinite(units) and units >= 0 else None
    return None


async def _answer(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"status": detail} if status == 200 else {"detail": one_line(detail, 300)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 503:
        headers.append((b"retry-after", b"30"))
    if status == 405:
        headers.append((b"allow", b"POST"))
    if status in {408, 413, 503}:
        # What of the body is still to come is not read.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
