"""``/admin``: what the simulator counted and accepted, and the faults it is to make; for tests and magics."""

from __future__ import annotations

import hmac
import json
import os
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fal_nb.simulator.answers import json_response
from fal_nb.simulator.faults import FaultError, make_fault
from fal_nb.simulator.simulation import Simulation

__all__ = ["ADMIN_HEADER", "health", "serve_admin"]

ADMIN_HEADER = "x-fal-simulator-admin"


def health(simulation: Simulation) -> Response:
    """Answer who this is; needs no token."""
    body = {"service": "fal_nb simulator", "instance_id": simulation.instance_id, "pid": os.getpid()}
    return json_response(body)


async def serve_admin(simulation: Simulation, path: str, request: Request) -> Response:
    """Answer an admin request that bears the token."""
    given = request.headers.get(ADMIN_HEADER, "")
    if not hmac.compare_digest(given.encode(), simulation.options.admin_token.encode()):
        return json_response({"detail": f"The header {ADMIN_HEADER} must hold the admin token."}, 403)
    try:
        body = await _act(simulation, request.method, path, request)
    except (FaultError, ValueError) as error:
        return json_response({"detail": str(error)}, 400)
    return json_response(body)


async def _act(simulation: Simulation, method: str, path: str, request: Request) -> Any:
    if path == "/admin/counters":
        request_id = request.query_params.get("request_id")
        return simulation.counters.of(request_id) if request_id else simulation.counters.totals()
    if path == "/admin/ledger":
        return simulation.ledger.entries()
    if path == "/admin/runners":
        simulation.queue.set_runners(int((await _body(request))["runners"]))
        return {"status": "OK"}
    if path.startswith("/admin/webhooks"):
        if method == "POST":
            simulation.webhooks.signer.rotate()
        return simulation.webhooks.attempts()
    if method == "POST":
        values = await _body(request)
        simulation.faults.add(make_fault(str(values.pop("kind", "")), values))
    elif method == "DELETE":
        simulation.faults.clear()
    return simulation.faults.describe()


async def _body(request: Request) -> dict[str, Any]:
    values = json.loads(await request.body())
    if not isinstance(values, dict):
        raise FaultError("The body must be a JSON object.")
    return values
