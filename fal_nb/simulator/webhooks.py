"""Webhooks: each request that asked for one is told of, signed, again and again until it is taken.

Only to this machine: a simulated result is nobody else's business. What is dropped or refused stands in `attempts`.
Source: fal docs "Webhooks".
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import deque
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

from fal_nb.protocol import webhooks as names
from fal_nb.protocol.urls import is_loopback, origin
from fal_nb.simulator.answers import Answer
from fal_nb.simulator.faults import Fault, Faults
from fal_nb.simulator.request import SimulatedRequest

if TYPE_CHECKING:
    import httpx
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["Signer", "Webhooks"]

_TIMEOUT_S = (15.0, 120.0)
"""Of the first attempt and of the later ones. Source: as the module."""
_USER_ID = "simulator"
_MOST_ATTEMPTS = 10_000
_PUBLISHED = 3


class Signer:
    """Ed25519 keys, the newest of which signs; made at first use."""

    def __init__(self) -> None:
        self._keys: list[Ed25519PrivateKey] = []

    def jwks(self) -> dict[str, Any]:
        """Return the public keys. Source: RFC 8037 section 2."""
        self._newest()
        return {"keys": [_jwk(key) for key in self._keys]}

    def rotate(self, *, keep: bool = True) -> None:
        """Sign with a new key from now on; the earlier ones stay published, at most two, unless told otherwise."""
        self._keys = [_new_key(), *(self._keys[: _PUBLISHED - 1] if keep else ())]

    def headers(self, request_id: str, body: bytes, at: float, *, is_forged: bool = False) -> dict[str, str]:
        """Return the headers of a delivery sent at a Unix time; forged ones are signed by a key nobody published."""
        key = _new_key() if is_forged else self._newest()
        timestamp = str(int(at))
        signature = key.sign(names.signed_message(request_id, _USER_ID, timestamp, body))
        return {
            names.REQUEST_ID: request_id,
            names.USER_ID: _USER_ID,
            names.TIMESTAMP: timestamp,
            names.SIGNATURE: signature.hex(),
        }

    def _newest(self) -> Ed25519PrivateKey:
        if not self._keys:
            self._keys = [_new_key()]
        return self._keys[0]


@dataclass(frozen=True, slots=True)
class _Letter:
    """A delivery before it is signed."""

    request: SimulatedRequest
    url: str
    body: bytes


class Webhooks:
    """Delivers on the server's loop; one task a request.

    Parameters
    ----------
    schedule_s
        Seconds before each attempt; there are as many as it has entries.
    faults
        Asked before each attempt.
    """

    def __init__(self, schedule_s: tuple[float, ...], faults: Faults) -> None:
        self.signer = Signer()
        self._schedule_s = schedule_s
        self._faults = faults
        self._attempts: deque[dict[str, Any]] = deque(maxlen=_MOST_ATTEMPTS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    def attempts(self) -> list[dict[str, Any]]:
        """Return every attempt, oldest first: request, address, number, what came back (a status or why none did)."""
        return list(self._attempts)

    def tell(self, request: SimulatedRequest) -> None:
        """Begin to deliver how a request ended, where it asked for that."""
        url, answer = request.webhook_url, request.answer
        if url is None or answer is None:
            return
        if not is_loopback(url) or origin(url) is None or not url.startswith(("http://", "https://")):
            self._note(request, url, 0, "dropped: the simulator delivers to this machine only")
            return
        letter = _Letter(request, url, _body(request.request_id, answer))
        task = asyncio.ensure_future(self._deliver(letter))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def clear(self) -> None:
        """Deliver nothing more of what there was, and forget it; the keys stay."""
        for task in self._tasks:
            task.cancel()
        self._attempts.clear()

    async def aclose(self) -> None:
        """End every delivery and the connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._client is not None:
            await self._client.aclose()

    async def _deliver(self, letter: _Letter) -> None:
        """Try until somebody takes it, the schedule ends, or it is sent elsewhere, which is not followed."""
        for number, wait_s in enumerate(self._schedule_s):
            await asyncio.sleep(wait_s)
            status = await self._attempt(letter, number)
            if status is not None and 200 <= status < 400:
                return

    async def _attempt(self, letter: _Letter, number: int) -> int | None:
        request = letter.request
        acting = self._faults.select(
            "webhook", str(request.endpoint_id), (), _about_webhooks(request), request.request_id
        )
        faults = {fault.name: fault for fault in acting}
        if "webhook-late" in faults:
            await asyncio.sleep(faults["webhook-late"].number("seconds"))
        if "webhook-never" in faults:
            self._note(request, letter.url, number, "not sent on purpose")
            return None
        at = time.time() - (faults["webhook-old"].number("seconds") if "webhook-old" in faults else 0.0)
        headers = self.signer.headers(request.request_id, letter.body, at, is_forged="webhook-wrong-key" in faults)
        body = letter.body + b" " if "webhook-changed-body" in faults else letter.body
        copies = int(faults["webhook-twice"].number("copies")) if "webhook-twice" in faults else 1
        sent = [self._post(letter, number, headers, body) for _ in range(max(copies, 1))]
        return (await asyncio.gather(*sent))[-1]

    async def _post(self, letter: _Letter, number: int, headers: dict[str, str], body: bytes) -> int | None:
        import httpx  # noqa: PLC0415 - only where a webhook is asked for

        if self._client is None:
            # Nothing of the environment: what goes to this machine goes through no proxy. No cookies: a login that one
            # delivery was given in passing would let the next ones through.
            jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, cookies=jar)
        try:
            answer = await self._client.post(
                letter.url,
                content=body,
                headers={"content-type": "application/json", **headers},
                timeout=_TIMEOUT_S[min(number, 1)],
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._note(letter.request, letter.url, number, str(error) or type(error).__name__)
            return None
        self._note(letter.request, letter.url, number, answer.status_code)
        return answer.status_code

    def _note(self, request: SimulatedRequest, url: str, number: int, outcome: int | str) -> None:
        self._attempts.append(
            {"request_id": request.request_id, "url": url, "attempt": number, "outcome": outcome, "at": time.time()}
        )


def _about_webhooks(request: SimulatedRequest) -> list[Fault]:
    return [fault for fault in request.faults if fault.kind.stage == "webhook"]


def _body(request_id: str, answer: Answer) -> bytes:
    """Return what is delivered of an end. Source: fal docs "Webhooks"."""
    values: dict[str, Any] = {"request_id": request_id, "gateway_request_id": request_id}
    if answer.status_code < 400:
        values |= {"status": "OK", "payload": answer.body}
    else:
        error = f"Invalid status code: {answer.status_code}"
        values |= {"status": "ERROR", "error": error, "payload": answer.body}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _new_key() -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - at first use

    return Ed25519PrivateKey.generate()


def _jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    public = key.public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "x": base64.urlsafe_b64encode(public).decode().rstrip("=")}
