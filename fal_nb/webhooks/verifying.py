"""``verify``: whether a delivery comes from fal, unchanged and just now; nothing of it is read before that is known."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import lru_cache
from typing import Any

from fal_nb.client.webhook_keys import WebhookKeys
from fal_nb.errors import WebhookError
from fal_nb.protocol.urls import Hosts
from fal_nb.protocol.webhooks import (
    MAX_BODY_BYTES,
    REQUEST_ID,
    TIMESTAMP,
    TOLERANCE_S,
    Delivery,
    HeaderPairs,
    Signed,
    read_claims,
    read_delivery,
    read_signed,
)
from fal_nb.settings import Settings, home_folder, resolve_settings

__all__ = ["Verifier", "keys_at", "place_in_force", "verify", "verify_async"]

_SLICE_S = 0.1


class Verifier:
    """Checks deliveries against the keys of one place. May be used from any thread and any event loop.

    Parameters
    ----------
    tolerance_s
        How far a delivery's timestamp may be from `now`, in seconds, either way: a recorded delivery is worth
        nothing afterwards.
    max_bytes
        Longest body that is looked at.
    now
        Unix time in seconds.
    """

    def __init__(
        self,
        keys: WebhookKeys,
        *,
        tolerance_s: float = TOLERANCE_S,
        max_bytes: int = MAX_BODY_BYTES,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.keys = keys
        self.max_bytes = max_bytes
        self._tolerance_s = tolerance_s
        self._now = now

    def claims(self, headers: HeaderPairs, body: bytes) -> Signed:
        """Return what a delivery claims, where it has the right form and is of now; asks nobody.

        Raises
        ------
        WebhookError
            ``size``, ``headers`` or ``timestamp``.
        """
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"The body must be the bytes as they came, not {type(body).__name__}: what was decoded and encoded "
                "again has another digest."
            )
        signed = read_signed(headers, bytes(body), max_bytes=self.max_bytes)
        self._check_time(signed.timestamp, signed.request_id)
        return signed

    def claims_of_headers(self, headers: HeaderPairs) -> None:
        """Refuse a delivery by its headers alone, before its body has come. Raises as `claims`."""
        found = read_claims(headers)
        self._check_time(int(found[TIMESTAMP]), found[REQUEST_ID])

    def _check_time(self, timestamp: int, request_id: str) -> None:
        off_s = self._now() - timestamp
        if not abs(off_s) <= self._tolerance_s:
            when = f"{abs(off_s):.0f} s {'old' if off_s > 0 else 'ahead'}"
            raise WebhookError(
                f"The delivery's timestamp is {when}, over the {self._tolerance_s:g} s allowed: it is a repeat of an "
                "old one, or this machine's clock is wrong.",
                reason="timestamp",
                request_id=request_id,
            )

    async def check(self, headers: HeaderPairs, body: bytes) -> Delivery:
        """Return what a delivery says, where it is fal's; fetches the keys where they are not at hand.

        Raises
        ------
        WebhookError
        """
        signed = self.claims(headers, body)
        keys = await self.keys.keys()
        # A signature that no key has made may be of a new key.
        if is_signed(signed, keys) or is_signed(signed, await self.keys.newer(keys)):
            return read_delivery(signed, bytes(body))
        raise _not_fals(signed)

    def check_now(self, headers: HeaderPairs, body: bytes) -> Delivery:
        """Do the same, blocking; where keys have to be fetched, in a thread of its own.

        Raises
        ------
        WebhookError
        """
        signed = self.claims(headers, body)
        if is_signed(signed, self.keys.known()):
            return read_delivery(signed, bytes(body))
        return _apart(lambda: self.check(headers, body))


def verify(
    headers: HeaderPairs,
    body: bytes,
    *,
    jwks_url: str | None = None,
    tolerance_s: float = TOLERANCE_S,
    max_bytes: int = MAX_BODY_BYTES,
) -> Delivery:
    """Return what a webhook delivery says, if fal sent it, nobody changed it, and it is no old one.

    Blocks, and only while fal's public keys are fetched: at first, then once a day, and where a signature may be
    of a new key. Any thread.

    Parameters
    ----------
    headers
        Of the request, as your framework has them: a mapping, or pairs of texts or bytes.
    body
        The bytes as they came.
    jwks_url
        Where the public keys are; default: those of the place where calls go (`%fal config`), with nothing set up
        those of fal.ai.
    tolerance_s
        How far its timestamp may be from this machine's clock, in seconds.
    max_bytes
        Longest body that is looked at.

    Raises
    ------
    WebhookError
        ``reason`` says why: ``size``, ``headers``, ``timestamp``, ``keys`` (answer 503: fal delivers again),
        ``signature`` (answer 401) or ``body``.
    ConfigError
        Where `jwks_url` is neither https nor on this machine.

    A delivery is signed by fal, whoever's account the request was made with: look at ``user_id``, or at whether the
    request is yours. Source: fal docs "Webhooks".
    """
    return _verifier(jwks_url, tolerance_s, max_bytes).check_now(headers, body)


async def verify_async(
    headers: HeaderPairs,
    body: bytes,
    *,
    jwks_url: str | None = None,
    tolerance_s: float = TOLERANCE_S,
    max_bytes: int = MAX_BODY_BYTES,
) -> Delivery:
    """Do the same as `verify` on any event loop. Raises as `verify`."""
    return await _verifier(jwks_url, tolerance_s, max_bytes).check(headers, body)


def is_signed(signed: Signed, keys: Iterable[bytes]) -> bool:
    """Return whether one of the keys has made the signature; all are tried, whichever it is."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - loaded at the first delivery
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    found = False
    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signed.signature, signed.message)
        except (InvalidSignature, ValueError):
            continue
        found = True
    return found


def place_in_force() -> Settings:
    """Return where deliveries come from: where calls go, and fal.ai where nothing is set up. Starts no simulator."""
    found = resolve_settings()
    if found is None and "fal_nb.workbench" in sys.modules:
        from fal_nb.workbench import current  # noqa: PLC0415 - only where this kernel has a session

        found = current().session.known_settings
    return found or Settings("fal", Hosts(), home_folder(), "nothing is set up, and deliveries are fal.ai's")


@lru_cache(maxsize=16)
def keys_at(url: str) -> WebhookKeys:
    """Return the keys of an address, the same object for all who ask."""
    return WebhookKeys(url)


def _verifier(jwks_url: str | None, tolerance_s: float, max_bytes: int) -> Verifier:
    url = jwks_url or place_in_force().hosts.webhook_keys()
    return Verifier(keys_at(url), tolerance_s=tolerance_s, max_bytes=max_bytes)


def _not_fals(signed: Signed) -> WebhookError:
    return WebhookError(
        "The delivery's signature is of none of fal's keys: fal has not sent it, or its body or headers were changed "
        "on the way.",
        reason="signature",
        request_id=signed.request_id,
    )


def _apart(make: Callable[[], Coroutine[Any, Any, Delivery]]) -> Delivery:
    """Have a coroutine run in a thread of its own, so that a running loop, a fork or an interrupt is no matter."""
    ended: concurrent.futures.Future[Delivery] = concurrent.futures.Future()

    def run() -> None:
        try:
            ended.set_result(asyncio.run(make()))
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            ended.set_exception(error)

    threading.Thread(target=run, name="fal-nb-webhook-keys", daemon=True).start()
    while True:
        try:
            return ended.result(_SLICE_S)
        except TimeoutError:
            if ended.done():
                raise
