"""``python -m fal_nb.simulator``: serve until a signal or the idle limit; the first line says where."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from fal_nb.allocator import keep_memory
from fal_nb.errors import ConfigError
from fal_nb.simulator.options import SCHEDULE_S
from fal_nb.simulator.process import SimulatorRecord, forget, register, schemas_path

if TYPE_CHECKING:
    from fal_nb.simulator.server import SimulatorServer

_WAIT_SLICE_S = 1.0


class _Stopped(Exception):  # noqa: N818 - a signal, not a mistake
    """A signal asked for the end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a simulator until it is told to end; return the exit code."""
    options = _parser().parse_args(arguments)
    # Read by numpy when it is first imported: for planes this small, threads cost more than they bring.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from fal_nb.simulator.server import SimulatorServer  # noqa: PLC0415 - after the line above

    keep_memory()
    try:
        server = SimulatorServer(
            runners=options.runners,
            speed=options.speed,
            port=options.port,
            require_key=options.require_key,
            admin_token=os.environ.get("FAL_NB_SIMULATOR_ADMIN") or None,
            idle_exit_s=options.idle_exit,
            webhook_schedule_s=options.webhook_schedule,
        )
        with server:
            _serve_until_told(server, options)
            if options.home is not None:
                forget(options.home, server.instance_id)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _announce(server: SimulatorServer, options: argparse.Namespace) -> None:
    try:
        if options.home is not None:
            register(
                options.home, SimulatorRecord(server.base_url, server.instance_id, os.getpid(), server.admin_token)
            )
        if options.admin_token_file is not None:
            _write_secret(options.admin_token_file, server.admin_token)
    except OSError as error:
        raise ConfigError(
            f"The simulator cannot write {error.filename}: {error.strerror}. Name another place."
        ) from error
    print(json.dumps({"base_url": server.base_url}), flush=True)


def _serve_until_told(server: SimulatorServer, options: argparse.Namespace) -> None:
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
        _announce(server, options)
        if options.home is not None:
            threading.Thread(target=_publish_schemas, args=(server, options.home), daemon=True).start()
        # In slices, because on Windows a wait without end cannot be interrupted.
        while not server.wait(_WAIT_SLICE_S):
            pass
    except _Stopped:
        pass
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _publish_schemas(server: SimulatorServer, home: Path) -> None:
    """Write down what the endpoints take; a disk that takes nothing costs a few completions."""
    from fal_nb.simulator.endpoints.registry import Registry  # noqa: PLC0415 - once the server answers
    from fal_nb.simulator.openapi import openapi_document  # noqa: PLC0415

    documents = {endpoint.endpoint_id: openapi_document(endpoint, server.base_url) for endpoint in Registry()}
    half = schemas_path(home).with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError):
        half.write_text(json.dumps(documents), "utf-8")
        half.replace(schemas_path(home))


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise _Stopped


def _write_secret(path: Path, secret: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        path.chmod(0o600)
        file.write(secret + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fal_nb.simulator",
        description="Serve fal's protocol on 127.0.0.1, with pictures, films and speech that are drawn here.",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 (the default) takes a free one")
    parser.add_argument("--runners", type=_count, default=2, help="requests in progress at once (default 2)")
    parser.add_argument("--speed", type=_positive, default=1.0, help="divides every simulated duration (default 1)")
    parser.add_argument("--idle-exit", type=_positive, metavar="SECONDS", help="end after this long with nothing to do")
    parser.add_argument("--home", type=Path, metavar="DIR", help="be the simulator that kernels of this home share")
    parser.add_argument("--require-key", metavar="KEY", help="let in this key only; by default any and none")
    parser.add_argument("--admin-token-file", type=Path, metavar="FILE", help="write the admin token there")
    parser.add_argument(
        "--webhook-schedule",
        type=_schedule,
        default=SCHEDULE_S,
        metavar="SECONDS,…",
        help="seconds before each attempt to deliver a webhook (default: eleven attempts within two hours)",
    )
    return parser


def _schedule(text: str) -> tuple[float, ...]:
    waits_s = tuple(float(part) for part in text.split(","))
    if not all(0 <= wait_s < 86_400 for wait_s in waits_s):
        raise argparse.ArgumentTypeError(f"{text} has a number that is no wait")
    return waits_s


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than 0")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
