"""Realtime: a token, then a WebSocket on which each input is answered by an output, as fal's runtime does it.

Source: fal 1.83.0 (Python package) ``realtime.py``; fal-client 1.0.3 and @fal-ai/client 1.10.1 for what clients expect.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fal_nb.errors import EndpointError
from fal_nb.protocol import headers as names
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.realtime import TOKEN_PARAMETER
from fal_nb.simulator.answers import Answer, infrastructure_failure, json_response, units_text
from fal_nb.simulator.connections import ConnectionGone
from fal_nb.simulator.endpoints.endpoint import EndpointFailure, SimulatedEndpoint
from fal_nb.simulator.faults import Fault
from fal_nb.simulator.frames import Codec, pack, unpack, with_bytes
from fal_nb.simulator.passes import LIFE_S
from fal_nb.simulator.request import SimulatedRequest
from fal_nb.simulator.simulation import Simulation, new_request_id
from fal_nb.simulator.studio import RequestStudio

__all__ = ["Realtime"]

_MOST_LIFE_S = 24 * 3600
_TIMEOUT = {"type": "x-fal-error", "error": "TIMEOUT", "reason": "no inputs, reconnect when needed!"}
_UNAUTHORIZED = {"status": "error", "error": "Unauthorized"}
_MOST_BUFFERING = 60


class Realtime:
    """Tokens and sessions of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def issue(self, request: Request) -> Response:
        """Answer with a token: as JSON text to the clients, as an object to a token provider.

        Source: fal-client 1.0.3 ``_get_realtime_token``; fal docs "Realtime", token provider.
        """
        try:
            body = json.loads(await request.body())
            apps = [str(app) for app in body["allowed_apps"]]
        except (ValueError, KeyError, TypeError):
            return json_response({"detail": "allowed_apps must be a list of app names"}, 422)
        is_provider = request.url.path.rstrip("/").endswith("/realtime")
        life_s = body.get("duration" if is_provider else "token_expiration", LIFE_S)
        if not isinstance(life_s, (int, float)) or isinstance(life_s, bool) or not 0 < life_s <= _MOST_LIFE_S:
            return json_response({"detail": "The life of a token must be a number of seconds"}, 422)
        token = self._simulation.passes.issue(apps, life_s)
        return json_response({"token": token} if is_provider else token)

    async def find(self, path: str) -> tuple[EndpointId, SimulatedEndpoint] | Response:
        """Return the endpoint that a connection's path means, or the answer where there is none."""
        called = path.strip("/").removesuffix("/realtime")
        found = await self._simulation.find_endpoint(called)
        if found is None or found[1].live is None or called == path.strip("/"):
            answer = Answer(404, {"detail": f"Path /{path.strip('/')} not found"}, {names.BILLABLE_UNITS: "0"})
            return answer.response()
        return found

    def opens(self, connection: HTTPConnection, path: str) -> bool:
        """Return whether the token in the address, if there is one, opens this endpoint."""
        token = connection.query_params.get(TOKEN_PARAMETER)
        if token is None:
            return True
        try:
            endpoint = EndpointId.parse(path.strip("/").removesuffix("/realtime"))
        except EndpointError:
            return False
        return self._simulation.passes.opens(token, endpoint)

    async def refuse(self, receive: Receive, send: Send) -> None:
        """Say on an open connection that its token does not open anything. Source: fal-js ``realtime.ts``."""
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json.dumps(_UNAUTHORIZED)})
        await send({"type": "websocket.close", "code": 1000})

    async def serve(
        self,
        found: tuple[EndpointId, SimulatedEndpoint],
        connection: HTTPConnection,
        receive: Receive,
        send: Send,
        acting: Iterable[Fault],
    ) -> None:
        """Serve one session to its end, and write it into the ledger as one call."""
        buffering = connection.query_params.get("max_buffering", "")
        if buffering and not (buffering.isascii() and buffering.isdigit() and 0 < int(buffering) <= _MOST_BUFFERING):
            await json_response({"detail": "max_buffering must be 1 to 60"}, 422)(connection.scope, receive, send)
            return
        request = SimulatedRequest(new_request_id(), found[0], found[1], {})
        session = _Session(self._simulation, request, receive, send, connection.scope, acting)
        self._simulation.accept(request, "realtime")
        try:
            await session.run(int(buffering) if buffering else None)
        finally:
            self._simulation.settle(request, session.answer())


class _Session:
    """One open connection: inputs wait in a line that drops the oldest, and are answered one after another."""

    def __init__(
        self,
        simulation: Simulation,
        request: SimulatedRequest,
        receive: Receive,
        send: Send,
        scope: Scope,
        acting: Iterable[Fault],
    ) -> None:
        self._simulation = simulation
        self._request = request
        self._receive = receive
        self._send = send
        self._scope = scope
        self._faults = [fault for fault in acting if fault.kind.stage == "stream"]
        self._studio = RequestStudio(request.request_id, simulation.files, simulation.runner.speech)
        self._memory: dict[str, Any] = {}
        self._arrived = asyncio.Event()
        self._line: deque[bytes | str] = deque()
        self._timed = request.endpoint.category != "text-to-text"
        self._sent = 0
        self._compute_s = 0.0

    def answer(self) -> Answer:
        """Return what the session came to, for the ledger."""
        if not self._sent:
            return infrastructure_failure(499, "client_disconnected", "Nothing was asked for.")
        endpoint = self._request.endpoint
        units = self._compute_s if endpoint.price.unit == "compute seconds" else float(self._sent)
        return Answer(200, {"frames": self._sent}, {names.BILLABLE_UNITS: units_text(round(units, 8))})

    async def run(self, buffering: int | None) -> None:
        """Answer inputs until one side ends the session."""
        self._line = deque(maxlen=buffering)
        await self._receive()
        headers = [(names.REQUEST_ID.encode(), self._request.request_id.encode())]
        await self._send({"type": "websocket.accept", "headers": headers})
        reading = asyncio.ensure_future(self._read())
        reading.add_done_callback(lambda _: self._arrived.set())
        try:
            ending = await self._answer_all(reading)
        except EndpointFailure as failure:
            ending = _internal_error(_told(failure.detail))
        except ValueError as error:
            ending = _internal_error(str(error))
        except OSError:
            return  # the other side has gone
        finally:
            self._studio.cancelled.set()
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
        if ending is not None:
            await self._end(ending)

    async def _read(self) -> bool:
        """Take in inputs until none comes for too long; return whether the other side left instead."""
        while True:
            try:
                message = await asyncio.wait_for(self._receive(), self._simulation.options.session_timeout_s)
            except TimeoutError:
                return False
            if message["type"] == "websocket.disconnect":
                return True
            data = message.get("bytes")
            self._line.append(data if data is not None else message.get("text") or "")
            self._arrived.set()

    async def _answer_all(self, reading: asyncio.Future[bool]) -> dict[str, Any] | None:
        """Answer until there is nothing more to answer; return what is said at the end, None where nobody listens."""
        while True:
            while not self._line:
                if reading.done():
                    return None if reading.result() else _TIMEOUT
                await self._arrived.wait()
                self._arrived.clear()
            arguments, codec = unpack(self._line.popleft())
            if self._request.endpoint.live == "series":
                await self._series(self._request.endpoint.parse(arguments), codec)
                return _TIMEOUT
            if self._request.endpoint.live_bytes:
                arguments = {**arguments, "sync_mode": True}
            await self._one(self._request.endpoint.parse(arguments), codec)

    async def _one(self, arguments: Any, codec: Codec) -> None:
        endpoint = self._request.endpoint
        loop = asyncio.get_running_loop()
        started = loop.time()
        seconds = endpoint.live_s(arguments) / self._simulation.options.speed
        if seconds:
            await asyncio.sleep(seconds)
        if endpoint.reads_files or endpoint.category != "text-to-text":
            threads = self._simulation.runner.threads
            result = await loop.run_in_executor(threads, endpoint.generate_live, arguments, self._studio, self._memory)
        else:
            result = endpoint.generate_live(arguments, self._studio, self._memory)
        compute_s = loop.time() - started
        await self._put(result, codec)
        if self._timed:
            timings = {"type": "x-fal-message", "action": "timings", "timing": compute_s}
            await self._send({"type": "websocket.send", "text": json.dumps(timings)})
        self._compute_s += compute_s

    async def _series(self, arguments: Any, codec: Codec) -> None:
        endpoint = self._request.endpoint
        seconds = endpoint.live_s(arguments) / self._simulation.options.speed
        for result in endpoint.generate_series(arguments, self._studio):
            if seconds:
                await asyncio.sleep(seconds)
            await self._put(result, codec)

    async def _put(self, result: dict[str, Any], codec: Codec) -> None:
        """Send one output, or what a fault makes of it."""
        if codec == "msgpack" and self._request.endpoint.live_bytes:
            result = with_bytes(result)
        frame = pack(result, codec)
        for fault in self._faults:
            if fault.number("events") == self._sent:
                frame = await self._spoilt(fault, frame)
        self._sent += 1
        await self._send({"type": "websocket.send", "text" if isinstance(frame, str) else "bytes": frame})

    async def _spoilt(self, fault: Fault, frame: bytes | str) -> bytes | str:
        """Act out a fault; return the frame to send.

        Raises
        ------
        ConnectionGone
            Where it ended the connection.
        """
        if fault.name == "garbage-frame":
            return b"\xc1 this is not msgpack"
        if fault.name == "giant-frame":
            return b"\xc6" + bytes(int(fault.number("megabytes") * 1024 * 1024))
        if fault.name == "slow-frame":
            await asyncio.sleep(fault.number("seconds"))
            return frame
        if fault.name == "close-frame":
            await self._send({"type": "websocket.close", "code": int(fault.number("code")), "reason": "on purpose"})
        elif fault.name == "end-frame":
            await self._end(_TIMEOUT)
        elif fault.name == "fail-frame":
            await self._end(_internal_error(fault.text("reason")))
        else:
            await self._simulation.connections.reset(self._scope)
        raise ConnectionGone

    async def _end(self, ending: dict[str, Any]) -> None:
        with suppress(OSError, RuntimeError):
            await self._send({"type": "websocket.send", "text": json.dumps(ending)})
            await self._send({"type": "websocket.close", "code": 1000})


def _internal_error(reason: str) -> dict[str, Any]:
    return {"type": "x-fal-error", "error": "INTERNAL_ERROR", "reason": reason}


def _told(detail: Any) -> str:
    """Return the detail of a 422 as one text: the fields that are wrong, and how."""
    if not isinstance(detail, list):
        return str(detail)
    return "; ".join(f"{'.'.join(str(part) for part in item['loc'][1:])}: {item['msg']}" for item in detail)
