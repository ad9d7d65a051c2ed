"""Everything one simulator holds, apart from its sockets."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from fal_nb.protocol import headers as names
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.simulator.answers import Answer
from fal_nb.simulator.connections import Connections
from fal_nb.simulator.endpoints.endpoint import SimulatedEndpoint
from fal_nb.simulator.endpoints.registry import Registry
from fal_nb.simulator.faults import Faults
from fal_nb.simulator.ledger import Counters, Ledger, LedgerEntry, Via
from fal_nb.simulator.options import Options
from fal_nb.simulator.passes import Passes
from fal_nb.simulator.queue import Queue
from fal_nb.simulator.request import SimulatedRequest, utc_now
from fal_nb.simulator.requests_list import EndedRequest, RequestsList
from fal_nb.simulator.runner import Runner
from fal_nb.simulator.storage import FileStore, UploadTokens
from fal_nb.simulator.studio import SpeechMemory
from fal_nb.simulator.uploads import PendingUploads
from fal_nb.simulator.webhooks import Webhooks

__all__ = ["Simulation", "new_request_id"]

_DRAWING_THREADS = 4


class Simulation:
    """The parts of one simulator, and the calls it accepts.

    Parameters
    ----------
    base_url
        Where it is served; every URL it gives out lies under it.
    endpoints
        Further endpoints beside those of the registry.
    """

    def __init__(self, base_url: str, options: Options, endpoints: Iterable[SimulatedEndpoint] = ()) -> None:
        self.base_url = base_url
        self.options = options
        self.instance_id = secrets.token_hex(16)
        self.connections = Connections()
        self.registry = Registry(endpoints)
        self.counters = Counters()
        self.ledger = Ledger()
        self.requests_list = RequestsList()
        self.faults = Faults()
        self.webhooks = Webhooks(options.webhook_schedule_s, self.faults)
        self.tokens = UploadTokens()
        self.passes = Passes()
        self.files = FileStore(f"{base_url}/cdn")
        self.uploads = PendingUploads(self.files)
        self._threads = ThreadPoolExecutor(_DRAWING_THREADS, "fal_nb-simulator-draw")
        self.runner = Runner(self.files, SpeechMemory(), self._threads, options.speed)
        self.queue = Queue(self.runner, options, self._settle)
        self._warming: Future[None] | None = None
        self.last_activity = time.monotonic()
        self.active = 0
        self.closing = asyncio.Event()

    @property
    def idle_s(self) -> float:
        """Seconds since anybody asked for anything, 0 while something is unfinished."""
        if self.active or self.queue.unfinished:
            return 0.0
        return time.monotonic() - self.last_activity

    def accept(self, request: SimulatedRequest, via: Via) -> None:
        """Write an accepted call into the ledger."""
        price = request.endpoint.price
        request.sent_at = utc_now()
        if via != "queue":
            request.started_at = request.sent_at
        self.ledger.open(
            LedgerEntry(
                request.request_id, str(request.endpoint_id), via, request.sent_at, price.unit, price.unit_price
            )
        )

    def settle(self, request: SimulatedRequest, answer: Answer) -> None:
        """Write the end of an accepted call into the ledger."""
        units = float(answer.headers.get(names.BILLABLE_UNITS, "0"))
        now = utc_now()
        self.ledger.settle(request.request_id, ended_at=now, status_code=answer.status_code, billable_units=units)
        keeps = self.options.store_payloads if request.stores_payloads is None else request.stores_payloads
        self.requests_list.add(
            EndedRequest(
                request.request_id,
                str(request.endpoint_id),
                request.sent_at,
                request.started_at,
                now,
                answer.status_code,
                keeps,
                request.arguments if keeps else None,
                answer.body if keeps else None,
            )
        )

    def _settle(self, request: SimulatedRequest) -> None:
        if request.answer is not None:
            self.settle(request, request.answer)
            if not self.closing.is_set():
                self.webhooks.tell(request)

    def warm_up(self) -> None:
        """Import in a thread what the first request would wait for."""
        self._warming = self._threads.submit(self.registry.load_all)

    async def find_endpoint(self, path: str) -> tuple[EndpointId, SimulatedEndpoint] | None:
        """Return an endpoint by its id as a client wrote it, or None; does not hold up the loop while it warms up."""
        if self._warming is None or self._warming.done():
            return self.registry.find(path)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.registry.find, path)

    async def all_endpoints(self) -> list[SimulatedEndpoint]:
        """Return every endpoint, in the order they are listed; does not hold up the loop while it warms up."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, list, self.registry)

    def reset(self) -> None:
        """Be as new: unfinished work is ended, requests, counts, ledger, faults, deliveries and files are forgotten."""
        self.queue.close()
        self.webhooks.clear()
        self.queue.set_runners(self.options.runners)
        self.counters.clear()
        self.ledger.clear()
        self.requests_list.clear()
        self.faults.clear()
        self.uploads.clear()
        self.files.close()

    def close(self) -> None:
        """End the work and remove the files."""
        self.closing.set()
        self.queue.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.files.close()


def new_request_id() -> str:
    """Return an id as the service makes them."""
    return str(uuid.uuid4())
