"""Path → handler: the outermost layer, where requests are counted, let in, spoilt on purpose and answered."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fal_nb.protocol import headers as names
from fal_nb.protocol.realtime import TOKEN_PARAMETER
from fal_nb.simulator.admin import health, serve_admin
from fal_nb.simulator.answers import EventStream, IngressPage, bad_request, json_response
from fal_nb.simulator.calls import Calls, Incoming
from fal_nb.simulator.cdn import issue_token, read_file, read_thumbnail, upload_file
from fal_nb.simulator.connections import ConnectionGone
from fal_nb.simulator.faults import FAULT_HEADER, FaultError, parse_faults
from fal_nb.simulator.mcp import McpServer
from fal_nb.simulator.openapi import openapi_document
from fal_nb.simulator.operations import Operation, classify, classify_socket
from fal_nb.simulator.platform import KEYLESS, Platform
from fal_nb.simulator.platform_answers import refusal
from fal_nb.simulator.realtime import Realtime
from fal_nb.simulator.simulation import Simulation, new_request_id
from fal_nb.simulator.spoil import refuse, spoil_answer
from fal_nb.simulator.strangers import refuse_stranger
from fal_nb.simulator.uploads import Uploads

__all__ = ["Routes"]

_NEEDS_KEY = frozenset(
    {
        "submit", "status", "status_stream", "result", "cancel", "run", "stream",
        "upload_token", "upload_initiate", "upload_initiate_parts", "token", "realtime", "mcp",
    }
)  # fmt: skip
_WRONG_KEY = "wrong:key"


class Routes:
    """The ASGI application of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._tasks: set[asyncio.Task[object]] = set()
        calls = Calls(simulation)
        uploads = Uploads(simulation)
        self._platform = Platform(simulation)
        self._realtime = Realtime(simulation)
        mcp = McpServer(simulation, self)
        self._handlers: dict[str, Callable[[Incoming], Awaitable[Response]]] = {
            "submit": calls.submit,
            "status": calls.status,
            "status_stream": calls.status_stream,
            "result": calls.result,
            "cancel": calls.cancel,
            "run": calls.run,
            "stream": calls.stream,
            "upload_token": lambda _: issue_token(simulation),
            "upload": lambda incoming: upload_file(simulation, incoming.request),
            "upload_initiate": lambda incoming: uploads.initiate(incoming.request, is_multipart=False),
            "upload_initiate_parts": lambda incoming: uploads.initiate(incoming.request, is_multipart=True),
            "upload_begin_parts": lambda incoming: uploads.begin_parts(incoming.request),
            "upload_signed": lambda incoming: uploads.put_signed(incoming.operation.path, incoming.request),
            "upload_part": lambda incoming: uploads.put_part(
                incoming.operation.path, incoming.operation.part, incoming.request
            ),
            "upload_complete": lambda incoming: uploads.complete(incoming.operation.path, incoming.request),
            "cdn_get": lambda incoming: read_file(simulation, incoming.operation.path, incoming.request),
            "thumbnail": lambda incoming: read_thumbnail(simulation, incoming.operation.path),
            "openapi": self._openapi,
            "mcp": lambda incoming: mcp.answer(incoming.operation.path, incoming.request),
            "mcp_docs": lambda incoming: mcp.answer(incoming.operation.path, incoming.request),
            "admin": lambda incoming: serve_admin(simulation, incoming.operation.path, incoming.request),
            "token": lambda incoming: self._realtime.issue(incoming.request),
            "webhook_keys": self._webhook_keys,
            "health": self._health,
            "not_allowed": self._not_allowed,
            "unknown": self._unknown,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request, or one WebSocket."""
        simulation = self._simulation
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        simulation.active += 1
        try:
            await (self._connect if scope["type"] == "websocket" else self._serve)(scope, receive, send)
        except (ConnectionGone, ClientDisconnect):
            pass
        except asyncio.CancelledError:
            if not simulation.closing.is_set():
                raise
            await simulation.connections.hang_up(scope)
        finally:
            simulation.active -= 1
            simulation.last_activity = time.monotonic()
            if task is not None:
                self._tasks.discard(task)

    def close(self) -> None:
        """End every request that is still being served."""
        for task in self._tasks:
            task.cancel()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        simulation = self._simulation
        request = Request(scope, receive)
        operation = classify(scope["method"], scope["path"])
        simulation.counters.count(operation.kind, operation.request_id)
        response = refuse_stranger(request, operation.kind) or self._refuse_key(operation, request)
        if response is None:
            try:
                incoming = self._select_faults(request, operation)
            except FaultError as error:
                response = bad_request(str(error)).response()
            else:
                response = await refuse(
                    incoming.acting, scope, receive, simulation.connections, is_platform=operation.is_platform
                )
                if response is None:
                    response = await self._handle(incoming)
                response = await self._spoil(incoming, response, scope, send)
        if not isinstance(response, IngressPage):
            response.headers.setdefault(names.REQUEST_ID, operation.request_id or new_request_id())
        await response(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket: refused by an HTTP answer, or a session to its end."""
        simulation, realtime = self._simulation, self._realtime
        connection = HTTPConnection(scope)
        operation = classify_socket(scope["path"])
        simulation.counters.count(operation.kind)
        response = refuse_stranger(connection, operation.kind)
        if response is None and TOKEN_PARAMETER not in connection.query_params:
            response = self._refuse_key(operation, connection)
        if response is None:
            acting = simulation.faults.select(operation.kind, operation.path.removesuffix("/realtime"), [])
            response = await refuse(acting, scope, receive, simulation.connections)
            found = await realtime.find(operation.path)
            if response is None and not isinstance(found, Response):
                is_refused = any(fault.name == "refuse-token" for fault in acting)
                if is_refused or not realtime.opens(connection, operation.path):
                    await realtime.refuse(receive, send)
                else:
                    await realtime.serve(found, connection, receive, send, acting)
                return
            if response is None and isinstance(found, Response):
                response = found
        assert response is not None  # noqa: S101 - a session has returned above
        await receive()
        await response(scope, receive, send)

    async def _handle(self, incoming: Incoming) -> Response:
        kind = incoming.operation.kind
        if kind.startswith("platform_"):
            return await self._platform.answer(kind, incoming.request)
        return await self._handlers[kind](incoming)

    async def _spoil(self, incoming: Incoming, response: Response, scope: Scope, send: Send) -> Response:
        try:
            return await spoil_answer(incoming.acting, response, scope, send, self._simulation.connections)
        except ConnectionGone:
            if isinstance(response, EventStream):
                await response.discard()
            raise

    def _select_faults(self, request: Request, operation: Operation) -> Incoming:
        """Return the request with the faults that act on it; those of its job included.

        Raises
        ------
        FaultError
            Where the header asks for a fault there is not.
        """
        asked = parse_faults(request.headers.get(FAULT_HEADER, ""))
        job = self._simulation.queue.find(operation.request_id) if operation.request_id else None
        endpoint = str(job.endpoint_id) if job is not None else operation.path
        attached = [] if job is None else [fault for fault in job.faults if fault.kind.stage != "job"]
        acting = self._simulation.faults.select(
            operation.kind, endpoint, asked, attached, operation.request_id or operation.path
        )
        return Incoming(request, operation, asked, acting)

    def _refuse_key(self, operation: Operation, request: HTTPConnection) -> Response | None:
        """Return a 401 where a key is needed and the one given is wrong."""
        is_platform = operation.kind.startswith("platform_") and operation.kind not in KEYLESS
        if not is_platform and operation.kind not in _NEEDS_KEY:
            return None
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        wanted = self._simulation.options.require_key
        is_wanted = wanted is None or (scheme.lower() in {"key", "bearer"} and _same(key.strip(), wanted))
        if is_wanted and not _same(key.strip(), _WRONG_KEY):
            return None
        if is_platform:
            return refusal(401, "Invalid API key").response()
        return json_response({"detail": "Invalid API key"}, 401, {names.BILLABLE_UNITS: "0"})

    async def _openapi(self, incoming: Incoming) -> Response:
        wanted = incoming.request.query_params.get("endpoint_id", "")
        found = await self._simulation.find_endpoint(wanted)
        if found is None:
            return json_response({"detail": f"No endpoint is called {wanted[:120]!r}"}, 404)
        return json_response(openapi_document(found[1], self._simulation.base_url))

    async def _webhook_keys(self, incoming: Incoming) -> Response:
        del incoming
        return json_response(self._simulation.webhooks.signer.jwks())

    async def _health(self, incoming: Incoming) -> Response:
        del incoming
        return health(self._simulation)

    async def _not_allowed(self, incoming: Incoming) -> Response:
        del incoming
        return json_response({"detail": "Method Not Allowed"}, 405)

    async def _unknown(self, incoming: Incoming) -> Response:
        message = f"Path {incoming.operation.path} not found"
        if incoming.operation.is_platform:
            return refusal(404, message).response()
        return json_response({"detail": message}, 404)


def _same(first: str, second: str) -> bool:
    return hmac.compare_digest(first.encode(), second.encode())
