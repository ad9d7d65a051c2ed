"""``serve``: a receiver on this machine's loopback, in a thread of its own; for notebooks and for tunnels to them."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

import uvicorn

from fal_nb.errors import ConfigError

if TYPE_CHECKING:
    from fal_nb.engine.session import Session
    from fal_nb.webhooks.receiving import Receiver

__all__ = ["ReceiverServer", "serve"]

_HOST = "127.0.0.1"
_STOP_S = 10.0


class ReceiverServer:
    """A receiver that is being served; ends with `close` or the ``with`` block. May be used from any thread.

    Attributes
    ----------
    url
        What to give as ``webhook_url`` to a server on this machine, the simulator for one. fal.ai does not reach it:
        give it the address of a tunnel to it.

    Raises
    ------
    ConfigError
        Where the port is taken.
    """

    def __init__(self, app: Receiver, port: int = 0) -> None:
        self._socket = _bind(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{_HOST}:{self.port}/"
        config = uvicorn.Config(
            app,
            loop="asyncio",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="fal-nb-webhooks", daemon=True)
        self._thread.start()
        waited = threading.Event()
        while not self._server.started and self._thread.is_alive() and not waited.wait(0.01):
            pass
        if not self._server.started:
            raise ConfigError("The receiver could not start: the log says why (logging.getLogger('fal_nb')).")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "serves" if self._thread.is_alive() else "has ended"
        return f"<webhook receiver at {self.url}, {state}>"

    def close(self) -> None:
        """End it; what it had taken is in the history. Blocks for a moment, and harmless when it has ended."""
        self._server.should_exit = True
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()


def serve(session: Session | None = None, *, port: int = 0, user_ids: tuple[str, ...] | None = None) -> ReceiverServer:
    """Serve a receiver on 127.0.0.1, in this process; blocks until it answers.

    Parameters
    ----------
    session
        Whose jobs deliveries settle; default: this kernel's.
    port
        0 for a free one.
    user_ids
        As for `receiver`.

    Raises
    ------
    ConfigError
        Where the port is taken.
    """
    from fal_nb.webhooks.receiving import receiver  # noqa: PLC0415 - with the engine
    from fal_nb.workbench import current  # noqa: PLC0415

    session = session or current().session
    _ = session.settings  # here and not on the server's loop: the simulator may have to start
    return ReceiverServer(receiver(session, user_ids=user_ids), port)


def _bind(port: int) -> socket.socket:
    """Return a socket on loopback, and nowhere else."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"The receiver cannot listen on port {port} of {_HOST} ({reason}): give another, or 0 for a free one."
        ) from error
    return listener
