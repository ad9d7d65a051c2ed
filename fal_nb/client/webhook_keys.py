"""``WebhookKeys``: fal's public keys for webhooks, fetched when they are needed and kept for a day at most."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fal_nb.client.http import Http, read_whole
from fal_nb.client.verdicts import Answer, Call, Lost
from fal_nb.errors import ConfigError, FalError, WebhookError
from fal_nb.protocol.urls import Hosts, is_loopback, origin
from fal_nb.protocol.webhooks import read_jwks
from fal_nb.settings import Settings, home_folder

__all__ = ["Fetch", "WebhookKeys"]

_LIFE_S = 24 * 3600.0
"""Source: fal docs "Webhooks": keys are cached for at most 24 hours."""
_AGAIN_S = 30.0
"""Least seconds between two fetches because of a signature that no key has made: anybody can send such."""
_FAILED_S = 5.0
_TIMEOUT_S = 5.0
_MAX_BYTES = 256 * 1024

Fetch = Callable[[str], Awaitable[tuple[bytes, ...]]]
"""Fetches the keys at an address, or raises `FalError`."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Keys with the moment they were fetched, by the monotonic clock."""

    keys: tuple[bytes, ...]
    at: float


class WebhookKeys:
    """The keys at one address. May be used from any thread and any event loop.

    Parameters
    ----------
    url
        Of the key set; https, or on this machine.
    fetch
        Stands in for the request.
    clock
        Seconds that never go back.

    Raises
    ------
    ConfigError
        Where the address is not acceptable: whoever answers there says which deliveries are believed.
    """

    def __init__(self, url: str, *, fetch: Fetch | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        if origin(url) is None or not (url.startswith("https://") or is_loopback(url)):
            raise ConfigError("The address of webhook keys must begin with https:// and hold no user name.")
        self.url = url
        self._fetch = fetch or _fetch_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: _Kept | None = None
        self._asked_at = float("-inf")
        self._failed: tuple[str, float] | None = None
        self._fetching = 0

    def known(self) -> tuple[bytes, ...]:
        """Return the keys that are at hand and not too old, none where there are none; asks nobody."""
        kept = self._kept
        return kept.keys if kept is not None and self._clock() - kept.at < _LIFE_S else ()

    async def keys(self) -> tuple[bytes, ...]:
        """Return the keys, fetched where none are at hand.

        Raises
        ------
        WebhookError
            Where they cannot be had (``keys``).
        """
        return self.known() or await self._fetched()

    async def newer(self, tried: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return keys fetched anew, because those tried have not made a signature; none where it is too soon.

        Raises
        ------
        WebhookError
            Where they cannot be had (``keys``): whether the signature is one of a newer key stays open.
        """
        with self._lock:
            if self.known() not in ((), tried):
                return self.known()
            if self._fetching:
                raise WebhookError("fal's webhook keys are being fetched anew: deliver again.", reason="keys")
            if self._clock() - self._asked_at < _AGAIN_S:
                return ()
            self._asked_at = self._clock()
        return await self._fetched()

    async def _fetched(self) -> tuple[bytes, ...]:
        failed, began = self._failed, self._clock()
        if failed is not None and began - failed[1] < _FAILED_S:
            raise WebhookError(failed[0], reason="keys")
        with self._lock:
            self._fetching += 1
        try:
            found = await self._fetch(self.url)
        except FalError as error:
            words = f"fal's webhook keys cannot be had, so that no delivery can be checked now: {error}"
            self._failed = words, self._clock()
            raise WebhookError(words, reason="keys") from error
        finally:
            with self._lock:
                self._fetching -= 1
        with self._lock:
            self._failed = None
            self._asked_at = max(self._asked_at, began)
            self._kept = _Kept(found, began)
        return found


async def _fetch_keys(url: str) -> tuple[bytes, ...]:
    """Ask once, in a few seconds: fal waits for the answer to its delivery, and delivers again.

    Raises
    ------
    FalError
        Where there are none to be had.
    """
    # No key of the account is there to be shown.
    http = Http(lambda: Settings("fal", Hosts(), home_folder(), "webhook keys"))
    call = Call("GET", url, "the request for webhook keys", bears_key=False, timeout_s=_TIMEOUT_S)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            response = await http.open_once(call)
            answer = response if isinstance(response, Answer | Lost) else await read_whole(response)
    except TimeoutError:
        raise FalError(f"{url} has not answered within {_TIMEOUT_S:g} s.") from None
    finally:
        await http.aclose()
    if isinstance(answer, Lost):
        raise FalError(f"{url} gave no answer ({answer.reason}).")
    if answer.status != 200:
        raise FalError(f"{url} answered HTTP {answer.status}.")
    try:
        keys = () if len(answer.body) > _MAX_BYTES else read_jwks(answer.json())
    except ValueError:
        keys = ()
    if not keys:
        raise FalError(f"{url} holds no Ed25519 key.")
    return keys
