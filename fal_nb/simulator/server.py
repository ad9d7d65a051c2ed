"""Sockets and life of a simulator: a server on loopback that runs in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import uvicorn

from fal_nb.errors import ConfigError
from fal_nb.simulator.endpoints.endpoint import SimulatedEndpoint
from fal_nb.simulator.faults import make_fault
from fal_nb.simulator.options import SCHEDULE_S, Options
from fal_nb.simulator.routes import Routes
from fal_nb.simulator.simulation import Simulation

__all__ = ["SimulatorServer"]

T = TypeVar("T")

_HOST = "127.0.0.1"
_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 10.0
_KEEP_ALIVE_S = 75
_BACKLOG = 2048


class SimulatorServer:
    """A running simulator; it answers as soon as the constructor returns, and ends with `close` or the ``with`` block.

    The calling thread is free: the server has its own thread and event loop. All methods may be called from any
    thread and wait for the server's thread.

    Parameters
    ----------
    runners
        Requests in progress at once, direct calls included.
    speed
        Every simulated duration is divided by it.
    port
        0 for a free one.
    require_key
        The only key let in; None lets in any and none. The key ``wrong:key`` is always refused.
    pickup_s
        Seconds a request stays in the queue at least; by default 0.3 divided by `speed`.
    admin_token
        Opens ``/admin`` over HTTP; by default one that cannot be guessed.
    idle_exit_s
        The server ends by itself after this many seconds without a request or unfinished work.
    endpoints
        Further endpoints beside the built-in ones.
    store_payloads, result_life_s, large_result_life_s, ping_s, session_timeout_s, webhook_schedule_s
        As `Options` has them.

    Attributes
    ----------
    base_url
        ``http://127.0.0.1:PORT``.

    Raises
    ------
    ConfigError
        Where the port is taken.
    """

    def __init__(  # noqa: PLR0913 - each is an option of its own
        self,
        *,
        runners: int = 2,
        speed: float = 1.0,
        port: int = 0,
        require_key: str | None = None,
        pickup_s: float | None = None,
        admin_token: str | None = None,
        idle_exit_s: float | None = None,
        endpoints: Iterable[SimulatedEndpoint] = (),
        store_payloads: bool = True,
        result_life_s: float = 3600.0,
        large_result_life_s: float = 360.0,
        ping_s: float = 15.0,
        session_timeout_s: float = 60.0,
        webhook_schedule_s: Iterable[float] = SCHEDULE_S,
        mcp: Literal["both", "first", "current", "none"] = "both",
    ) -> None:
        self.admin_token = admin_token or secrets.token_urlsafe(24)
        self._options = Options(
            runners,
            speed,
            require_key,
            self.admin_token,
            pickup_s,
            store_payloads=store_payloads,
            result_life_s=result_life_s,
            large_result_life_s=large_result_life_s,
            ping_s=ping_s,
            session_timeout_s=session_timeout_s,
            webhook_schedule_s=tuple(webhook_schedule_s),
            mcp=mcp,
        )
        self._idle_exit_s = idle_exit_s
        self._endpoints = tuple(endpoints)
        self._socket = _bind(port)
        self.base_url = f"http://{_HOST}:{self._socket.getsockname()[1]}"
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="fal_nb-simulator", daemon=True)
        self._thread.start()
        self._ready.wait(_START_TIMEOUT_S)
        if self._failure is not None:
            raise ConfigError(f"The simulator could not start: {self._failure}.") from self._failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def instance_id(self) -> str:
        """What ``/admin/health`` answers with, new for each start."""
        return self._simulation.instance_id

    def counters(self) -> dict[str, int]:
        """Return HTTP requests by kind (``submit status status_stream result cancel run stream upload cdn_get`` …)."""
        return self._call(self._simulation.counters.totals)

    def requests(self, request_id: str) -> dict[str, int]:
        """Return HTTP requests by kind for one request id."""
        return self._call(lambda: self._simulation.counters.of(request_id))

    def ledger(self) -> list[dict[str, Any]]:
        """Return every accepted call with its billable units, oldest first."""
        return self._call(self._simulation.ledger.entries)

    def ended_requests(self, endpoint: str) -> list[dict[str, Any]]:
        """Return the account's list of ended requests of an endpoint, with payloads where they were kept."""
        found = self._call(lambda: self._simulation.requests_list.find([endpoint]))
        return [request.item(with_payloads=True) for request in found]

    def webhooks(self) -> list[dict[str, Any]]:
        """Return every attempt to deliver a webhook, oldest first."""
        return self._call(self._simulation.webhooks.attempts)

    def rotate_webhook_key(self, *, keep: bool = True) -> None:
        """Sign webhooks with a new key from now on; without `keep` the earlier ones are published no more."""
        self._call(lambda: self._simulation.webhooks.signer.rotate(keep=keep))

    def open_requests(self) -> int:
        """Return how many HTTP requests are being served just now, status streams included."""
        return self._call(lambda: self._simulation.active)

    def fault(self, kind: str, **values: Any) -> None:
        """Put a fault in force: ``on``, ``times``, ``after``, ``each``, ``endpoint`` and the kind's own parameters.

        Raises
        ------
        FaultError
            Where there is no such fault or parameter.
        """
        fault = make_fault(kind, values)
        self._call(lambda: self._simulation.faults.add(fault))

    def clear_faults(self) -> None:
        """Take all faults back."""
        self._call(self._simulation.faults.clear)

    def set_runners(self, runners: int) -> None:
        """Change the number of runners; with 0 nothing is started, so that requests stay in the queue."""
        self._call(lambda: self._simulation.queue.set_runners(runners))

    def reset(self) -> None:
        """Make it as new, for the next of several tests that share it; it goes on to serve at the same address."""
        self._call(self._simulation.reset)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the server has ended; return False where it has not within the time."""
        return self._ended.wait(timeout_s)

    def close(self) -> None:
        """End the server, open streams and unfinished work included; harmless when it has ended."""
        if not self._ended.is_set():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._ended.wait(_STOP_TIMEOUT_S)
        self._thread.join(_STOP_TIMEOUT_S)

    def _call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns on the server's thread; of an ended server, its last state."""
        if self._ended.is_set():
            return function()

        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(_STOP_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            self._failure = error
        finally:
            self._socket.close()
            self._ended.set()
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._simulation = Simulation(self.base_url, self._options, self._endpoints)
        routes = Routes(self._simulation)
        server = _HttpServer(_http_config(routes, self._simulation), self._started)
        serving = asyncio.ensure_future(server.serve(sockets=[self._socket]))
        try:
            await self._until_stopped(serving)
        finally:
            self._simulation.close()
            await self._simulation.webhooks.aclose()
            routes.close()
            server.end()
            await serving

    def _started(self) -> None:
        self._ready.set()
        self._simulation.warm_up()

    async def _until_stopped(self, serving: asyncio.Future[None]) -> None:
        """Wait for `close`, for the idle limit, or for the end of the server."""
        stopping = asyncio.ensure_future(self._stop.wait())
        interval_s = None if self._idle_exit_s is None else min(1.0, max(0.02, self._idle_exit_s / 4))
        try:
            while not stopping.done() and not serving.done():
                waited: set[asyncio.Future[Any]] = {stopping, serving}
                await asyncio.wait(waited, timeout=interval_s, return_when=asyncio.FIRST_COMPLETED)
                if self._idle_exit_s is not None and self._simulation.idle_s >= self._idle_exit_s:
                    return
        finally:
            stopping.cancel()


class _HttpServer(uvicorn.Server):
    """Tells when it answers, and ends without waiting for the next tick."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """Keep the date in the headers true until it is time to end."""
        tick = 0
        while not await self.on_tick(tick):
            tick += 10
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), 1.0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._on_started()


def _bind(port: int) -> socket.socket:
    """Return a listening socket on loopback, and nowhere else."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"The simulator cannot listen on port {port} of {_HOST} ({reason}): "
            "choose another with --port, or 0 for a free one."
        ) from error
    return listener


def _http_config(routes: Routes, simulation: Simulation) -> uvicorn.Config:
    return uvicorn.Config(
        routes,
        http=simulation.connections.protocol_class(),
        ws=simulation.connections.websocket_class(),
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
    )
