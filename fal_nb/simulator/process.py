"""One simulator for all kernels of a home: found through a file, started by whoever needs it first.

Light on purpose: standard library and filelock only, so that a notebook pays nothing for a simulator in a process of
its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from fal_nb.errors import ConfigError
from fal_nb.protocol.urls import is_loopback

__all__ = [
    "SimulatorRecord",
    "ensure_running",
    "forget",
    "is_alive",
    "read_record",
    "register",
    "schemas_path",
    "stop",
]

_LOCK_TIMEOUT_S = 60.0
_START_TIMEOUT_S = 45.0
_STOP_TIMEOUT_S = 10.0
_ANSWER_TIMEOUT_S = 3.0
_SECRET_NAMES = ("FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET")


@dataclass(frozen=True, slots=True)
class SimulatorRecord:
    """What a home's file says about its simulator.

    Attributes
    ----------
    instance_id
        New for each start, so that another server on a port used again is not taken for it.
    """

    base_url: str
    instance_id: str
    pid: int
    admin_token: str


def ensure_running(home: Path, *, idle_exit_s: float = 600, runners: int = 2, speed: float = 1.0) -> str:
    """Return the base URL of the simulator that all kernels of `home` share; start it where there is none.

    Blocks until it answers; safe when several processes call it at once.

    Parameters
    ----------
    idle_exit_s
        It ends by itself after this many seconds without a request or unfinished work.
    runners, speed
        For a start only; a simulator that runs already is taken as it is.

    Raises
    ------
    ConfigError
        Where the folder cannot be written or the process does not come up.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only where a simulator is wanted

    folder = _folder(home)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "server.lock", timeout=_LOCK_TIMEOUT_S):
            record = read_record(home)
            if record is not None and is_alive(record.base_url, record.instance_id):
                return record.base_url
            return _start(home, idle_exit_s, runners, speed)
    except Timeout:
        raise ConfigError(
            "Another kernel has been starting the simulator for a minute: end it, then try again."
        ) from None
    except OSError as error:
        raise ConfigError(
            f"The simulator's folder {folder} cannot be used ({error.strerror or error}): "
            "set FAL_NB_HOME to a folder that can be written."
        ) from error


def is_alive(base_url: str, instance_id: str | None = None) -> bool:
    """Return whether a simulator answers there, and is the one meant where an id is given; blocks up to 3 s."""
    if not is_loopback(base_url):
        return False
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base_url}/admin/health", timeout=_ANSWER_TIMEOUT_S) as answer:
            body = json.loads(answer.read(4096))
    except (OSError, ValueError):
        return False
    if not isinstance(body, dict) or body.get("service") != "fal_nb simulator":
        return False
    return instance_id is None or body.get("instance_id") == instance_id


def stop(home: Path) -> bool:
    """End the simulator of `home`; return whether there was one. Blocks until it is gone."""
    record = read_record(home)
    if record is None or not is_alive(record.base_url, record.instance_id):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while is_alive(record.base_url, record.instance_id) and time.monotonic() < deadline:
        time.sleep(0.02)
    forget(home, record.instance_id)
    return True


def read_record(home: Path) -> SimulatorRecord | None:
    """Return what the home's file says, whether or not that simulator still lives; None where there is no good file."""
    try:
        values = json.loads(_record_path(home).read_text("utf-8"))
        return SimulatorRecord(
            str(values["base_url"]), str(values["instance_id"]), int(values["pid"]), str(values["admin_token"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def register(home: Path, record: SimulatorRecord) -> None:
    """Write the home's file, readable by its owner only; called by the simulator itself."""
    path = _record_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{record.pid}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(record), file)
    draft.replace(path)


def forget(home: Path, instance_id: str) -> None:
    """Remove the home's file if it is still about this instance."""
    record = read_record(home)
    if record is not None and record.instance_id == instance_id:
        _record_path(home).unlink(missing_ok=True)


def _start(home: Path, idle_exit_s: float, runners: int, speed: float) -> str:
    log_path = _folder(home) / "server.log"
    command = [sys.executable, "-m", "fal_nb.simulator", "--home", str(home.absolute())]
    command += ["--idle-exit", str(idle_exit_s), "--runners", str(runners), "--speed", str(speed)]
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_child_environment(),
            **_own_session(),
        )
    # Reaps the child when it ends; a zombie would hold its process id.
    threading.Thread(target=child.wait, name="fal_nb-simulator-reaper", daemon=True).start()
    line = _first_line(child)
    try:
        return str(json.loads(line)["base_url"])
    except (ValueError, KeyError, TypeError):
        child.kill()
        said = log_path.read_text("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else "it did not answer in time"
        raise ConfigError(f"The simulator did not start: {reason} (see {log_path}).") from None


def _first_line(child: subprocess.Popen[bytes]) -> bytes:
    """Return the child's first line, or nothing where none comes in time."""
    lines: list[bytes] = []
    stdout: IO[bytes] | None = child.stdout
    if stdout is None:
        return b""
    reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
    reader.start()
    reader.join(_START_TIMEOUT_S)
    if reader.is_alive():
        return b""
    stdout.close()
    return lines[0] if lines else b""


def _child_environment() -> dict[str, str]:
    """Return the environment without keys, and with this package importable where it is not installed."""
    environment = {name: value for name, value in os.environ.items() if name not in _SECRET_NAMES}
    root = Path(__file__).absolute().parents[2]
    if root.name not in {"site-packages", "dist-packages"}:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), environment.get("PYTHONPATH")]))
    return environment


def _own_session() -> dict[str, Any]:
    """Return what puts the child out of reach of the notebook's Stop, which interrupts the kernel's process group."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def schemas_path(home: Path) -> Path:
    """Return where the home's simulator writes what its endpoints take: JSON, endpoint → OpenAPI document.

    For completion, which asks no server.
    """
    return _folder(home) / "schemas.json"


def _folder(home: Path) -> Path:
    return home / "simulator"


def _record_path(home: Path) -> Path:
    return _folder(home) / "server.json"
