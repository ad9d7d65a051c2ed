"""The names a history holds, read without opening it for more: endpoints, jobs and sweeps, for completion."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

__all__ = ["HistoryNames", "KnownJob", "NamesReader"]

_PATIENCE_S = 0.03
_JOBS = 200
_SWEEPS = 100


@dataclass(frozen=True, slots=True)
class KnownJob:
    """One record, as far as a person has to tell it from others."""

    record_id: int
    request_id: str | None
    endpoint: str
    state: str


@dataclass(frozen=True, slots=True)
class HistoryNames:
    """Newest first, each."""

    endpoints: tuple[str, ...] = ()
    jobs: tuple[KnownJob, ...] = ()
    sweeps: tuple[str, ...] = ()


class NamesReader:
    """Reads one history file, again only once it has changed; it creates and changes nothing. Any thread."""

    def __init__(self) -> None:
        self._seen: tuple[object, HistoryNames] | None = None

    def read(self, path: Path) -> HistoryNames:
        """Return the names; those read last where the file cannot be read within 30 ms, none where there is none."""
        mark = (path, _mark(path), _mark(path.with_name(f"{path.name}-wal")))
        seen = self._seen
        if mark[1] is None:
            return HistoryNames()
        if seen is not None and seen[0] == mark:
            return seen[1]
        try:
            names = _read(path)
        except (sqlite3.Error, ValueError):
            return seen[1] if seen is not None else HistoryNames()
        self._seen = mark, names
        return names


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - one call, on the way of a key press
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read(path: Path) -> HistoryNames:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S)) as connection:
        endpoints = connection.execute("SELECT endpoint FROM records GROUP BY endpoint ORDER BY max(id) DESC")
        columns = "SELECT id, request_id, endpoint, state FROM records ORDER BY id DESC LIMIT ?"
        jobs = connection.execute(columns, (_JOBS,))
        sweeps = connection.execute("SELECT name FROM sweeps ORDER BY created DESC LIMIT ?", (_SWEEPS,))
        return HistoryNames(
            tuple(name for (name,) in endpoints), tuple(KnownJob(*job) for job in jobs), tuple(n for (n,) in sweeps)
        )
