"""``DrawingProcess``: pictures, films, sounds and solids are looked into in a process of its own, not in the kernel's.

For two reasons. A burst of outputs takes its decoding off the kernel's interpreter, whose other cells stay quick.
And what a model made is decoded by large C libraries: one file that breaks them ends that process and not the
kernel with everything a person has in it.

The kernel writes a line of JSON for each file and reads a line of JSON and the thumbnail's bytes; it believes
neither more than it can check.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, get_args

from fal_nb.allocator import keep_memory
from fal_nb.artifacts.media import damaged, look_inside
from fal_nb.artifacts.preview import Preview
from fal_nb.protocol.files import MediaKind

__all__ = ["DrawingProcess"]

_LONGEST_S = 60.0
"""A file that takes longer breaks the decoder, whatever it is: films are read within limits of their own."""
_IDLE_S = 120.0
_END_S = 2.0
_MAX_LINE = 64_000
_MAX_THUMBNAIL = 64_000
_KINDS = frozenset(get_args(MediaKind))


class _Lost(Exception):  # noqa: N818 - an event, told apart below
    """The process is gone; `is_idle` where it left by itself, with nothing to do."""

    def __init__(self, *, is_idle: bool) -> None:
        super().__init__()
        self.is_idle = is_idle


@dataclass(frozen=True, slots=True)
class _Helper:
    """The process and its two ends."""

    process: subprocess.Popen[bytes]
    questions: IO[bytes]
    answers: IO[bytes]

    def end(self) -> None:
        """Let it end, or end it."""
        with contextlib.suppress(OSError):
            self.questions.close()
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.answers.close()


class DrawingProcess:
    """At most one helper process, begun with the first file and ended by `close`, by two idle minutes or its kernel.

    Where none can be started, files are looked into here. All methods block; any thread may call them, one file is
    looked into at a time. Nothing of the environment that could hold a key is handed down.
    """

    def __init__(self, *, longest_s: float = _LONGEST_S, idle_s: float = _IDLE_S) -> None:
        self._longest_s = longest_s
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._helper: _Helper | None = None
        self._cannot_start = False
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The helper's process id, or None while there is none."""
        helper = self._helper
        return helper.process.pid if helper is not None and helper.process.poll() is None else None

    def warm(self) -> None:
        """Begin the process, so that it is there when the first file is."""
        with self._lock:
            self._running()

    def look(self, path: Path, content_type: str) -> Preview | None:
        """Return what `fal_nb.artifacts.media.look_inside` returns for a file; never raises for what is in it."""
        with self._lock:
            for _ in range(2):
                helper = self._running()
                if helper is None:
                    break
                try:
                    return _asked(helper, path, content_type)
                except _Lost as lost:
                    self._end()
                    if not lost.is_idle:
                        return damaged(content_type, "its decoder broke down or took too long")
        return look_inside(path, content_type)

    def close(self) -> None:
        """End the process; a file looked into later is looked into here."""
        with self._lock:
            self._is_closed = True
            self._end()

    def _running(self) -> _Helper | None:
        if self._helper is None and not self._cannot_start and not self._is_closed:
            self._helper = _started(self._longest_s, self._idle_s)
            self._cannot_start = self._helper is None
        return self._helper

    def _end(self) -> None:
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.end()


def _started(longest_s: float, idle_s: float) -> _Helper | None:
    """Return a process that has said it is ready, or None."""
    if not sys.executable:
        return None
    # -P: the notebook's folder must not lend it modules. Its own group: Ctrl-C is the kernel's business.
    command = [sys.executable, "-P", "-m", "fal_nb.artifacts.drawing", str(longest_s), str(idle_s)]
    environment = {name: value for name, value in os.environ.items() if "FAL" not in name.upper()}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            process_group=0 if os.name == "posix" else None,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return None
    if process.stdin is None or process.stdout is None:
        return None
    helper = _Helper(process, process.stdin, process.stdout)
    if helper.answers.readline(_MAX_LINE) == b"ready\n":
        return helper
    helper.end()
    return None


def _asked(helper: _Helper, path: Path, content_type: str) -> Preview | None:
    try:
        helper.questions.write(json.dumps([str(path.absolute()), content_type]).encode() + b"\n")
        helper.questions.flush()
        line = helper.answers.readline(_MAX_LINE)
    except OSError:
        line = b""
    if not line.endswith(b"\n"):
        with contextlib.suppress(subprocess.TimeoutExpired):
            helper.process.wait(_END_S)
        raise _Lost(is_idle=helper.process.returncode == 0)
    try:
        told, size = json.loads(line)
        thumbnail = helper.answers.read(size) if 0 < size <= _MAX_THUMBNAIL else None
        return None if told is None else _checked(told, thumbnail)
    except (ValueError, TypeError, KeyError, OSError):
        raise _Lost(is_idle=False) from None


def _checked(told: dict[str, Any], thumbnail: bytes | None) -> Preview:
    """Return the preview, or raise ValueError where a value is not of its kind."""
    kind, width, height, duration_s, error = (told[name] for name in _FIELDS)
    if (kind is not None and kind not in _KINDS) or not isinstance(error, str | None):
        raise ValueError(kind)
    if not all(isinstance(number, int | None) for number in (width, height)):
        raise ValueError(width)
    duration_s = None if duration_s is None else float(duration_s)
    return Preview(
        kind=kind, width=width, height=height, duration_s=duration_s, thumbnail=thumbnail or None, error=error
    )


_FIELDS = ("kind", "width", "height", "duration_s", "error")


def serve(questions: IO[bytes], answers: IO[bytes], *, longest_s: float, idle_s: float) -> None:
    """Answer until there is nothing more to read; ends this process where a file takes too long or none comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_memory()
    busy = threading.Lock()
    used = time.monotonic()

    def leave_when_idle() -> None:
        while True:
            time.sleep(min(idle_s, 1.0))
            if time.monotonic() - used > idle_s and busy.acquire(blocking=False):
                os._exit(0)

    importlib.import_module("fal_nb.artifacts.thumbnails")  # loaded before the first file is there
    threading.Thread(target=leave_when_idle, daemon=True).start()
    answers.write(b"ready\n")
    answers.flush()
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device, not a path
        for line in questions:
            with busy:
                path, content_type = json.loads(line)
                faulthandler.dump_traceback_later(longest_s, exit=True, file=nowhere)
                preview = look_inside(Path(path), content_type)
                faulthandler.cancel_dump_traceback_later()
                told = None if preview is None else {name: getattr(preview, name) for name in _FIELDS}
                thumbnail = (preview.thumbnail if preview is not None else None) or b""
                answers.write(json.dumps([told, len(thumbnail)]).encode() + b"\n" + thumbnail)
                answers.flush()
                used = time.monotonic()


def main() -> None:
    """Serve on the standard streams; what a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - as above
        os.dup2(nowhere.fileno(), 1)
    serve(sys.stdin.buffer, answers, longest_s=float(sys.argv[1]), idle_s=float(sys.argv[2]))


if __name__ == "__main__":
    main()
