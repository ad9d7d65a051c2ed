"""An MCP server over streamable HTTP, stateless as fal's are: each POST is a message, and its answer the reply.

Source: Model Context Protocol, revision 2025-06-18, "Transports"; fal docs "AI Tools", "fal MCP server".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from fal_nb.simulator.answers import json_response, sse_data
from fal_nb.simulator.simulation import Simulation

if TYPE_CHECKING:
    from fal_nb.simulator.mcp_tools import Generation, Tools

__all__ = ["McpServer"]

_VERSIONS = ("2025-06-18", "2025-03-26", "2024-11-05")
_SERVED: Mapping[str, frozenset[Generation]] = {
    "both": frozenset({"first", "current", "docs"}),
    "first": frozenset({"first", "docs"}),
    "current": frozenset({"current", "docs"}),
    "none": frozenset(),
}
_PLACES: Mapping[str, Generation] = {"mcp": "first", "mcp-relay": "current", "docs": "docs"}
_NO_METHOD, _BAD_PARAMS, _BAD_MESSAGE = -32601, -32602, -32600


class McpServer:
    """Answers at three addresses: the first generation, the current one, and the documentation."""

    def __init__(self, simulation: Simulation, app: Any) -> None:
        self._simulation = simulation
        self._app = app

    async def answer(self, place: str, request: Request) -> Response:
        """Answer one message."""
        generation = _PLACES.get(place)
        if generation is None or generation not in _SERVED[self._simulation.options.mcp]:
            return json_response({"detail": "Not Found"}, 404)
        if request.method != "POST":
            return json_response({"detail": "Method Not Allowed"}, 405, {"allow": "POST"})
        try:
            message = json.loads(await request.body())
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            return json_response(_error(None, _BAD_MESSAGE, "Not a JSON-RPC request"), 400)
        if "id" not in message:
            return Response(status_code=202)
        # What the tools are done with is loaded for the first who asks: most never do.
        loaded = await asyncio.to_thread(import_module, "fal_nb.simulator.mcp_tools")
        tools = loaded.Tools(self._simulation, self._app, generation, request.headers.get("authorization", ""))
        reply = await _reply(tools, message["method"], message.get("params"), message["id"])
        if generation == "first":
            return json_response(reply)
        return Response(b"event: message\n" + sse_data(reply), 200, media_type="text/event-stream")


async def _reply(tools: Tools, method: str, params: Any, number: Any) -> dict[str, Any]:
    given: Mapping[str, Any] = params if isinstance(params, dict) else {}
    if method == "initialize":
        wanted = given.get("protocolVersion")
        return _result(
            number,
            {
                "protocolVersion": wanted if wanted in _VERSIONS else _VERSIONS[0],
                "capabilities": {"tools": {"listChanged": False}},
                "serverInfo": {"name": "fal simulator", "version": "1"},
            },
        )
    if method == "ping":
        return _result(number, {})
    if method == "tools/list":
        return _result(number, {"tools": tools.listed})
    if method != "tools/call":
        return _error(number, _NO_METHOD, f"Method not found: {method[:80]}")
    arguments = given.get("arguments") or {}
    name = given.get("name")
    if not isinstance(arguments, dict) or not isinstance(name, str):
        return _error(number, _BAD_PARAMS, "tools/call takes a name and arguments")
    try:
        texts = await tools.call(name, arguments)
    except KeyError:
        return _error(number, _BAD_PARAMS, f"Unknown tool: {name[:80]}")
    except tools.failure as failure:
        return _result(number, {"content": [{"type": "text", "text": str(failure)}], "isError": True})
    return _result(number, {"content": [{"type": "text", "text": text} for text in texts], "isError": False})


def _result(number: Any, result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": result}


def _error(number: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}
