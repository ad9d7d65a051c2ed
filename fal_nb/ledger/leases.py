"""Leases: of several sessions over one history, exactly one follows a job; a living one is never robbed of it.

A session keeps one row alive, whatever the number of its jobs. Its jobs are free where that row is missing or has run
out, or where its process has ended on this very machine. Who was robbed finds out at its next write, which is refused.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fal_nb.ledger.database import Database
from fal_nb.states import OPEN_STATES

__all__ = ["LEASE_S", "RENEW_S", "Holder", "Leases", "is_process_alive", "machine_id"]

RENEW_S = 5.0
LEASE_S = 20.0
"""How long a session is believed to live after its last sign of life, in seconds."""

_HOLDER = (
    "SELECT r.owner, r.state, s.machine, s.pid, s.lease_until FROM records r "
    "LEFT JOIN sessions s ON s.owner = r.owner WHERE r.id = ?"
)
_FORGET = (
    "DELETE FROM sessions WHERE lease_until < (SELECT max(lease_until) FROM sessions) - 86400 AND NOT EXISTS "  # noqa: S608
    f"(SELECT 1 FROM records WHERE owner = sessions.owner AND state IN ({', '.join('?' * len(OPEN_STATES))}))"
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who follows a job, as far as the history knows; `machine` is None where that session has said goodbye."""

    owner: str | None
    machine: str | None
    pid: int | None
    lease_until: float | None

    def is_gone(self, now: float) -> bool:
        """Return whether nobody follows the job any more."""
        if self.owner is None or self.machine is None or self.pid is None or (self.lease_until or 0.0) < now:
            return True
        return self.machine == machine_id() and not is_process_alive(self.pid)


class Leases:
    """The leases in one history file; every method blocks, as those of ``HistoryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def renew(self, owner: str, now: float) -> bool:
        """Give a sign of life, good for `LEASE_S`; return whether the last one had not run out yet."""
        with self._database.writing() as connection:
            row = connection.execute("SELECT lease_until FROM sessions WHERE owner = ?", (owner,)).fetchone()
            connection.execute(
                "INSERT INTO sessions (owner, machine, pid, lease_until) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (owner) DO UPDATE SET lease_until = excluded.lease_until",
                (owner, machine_id(), os.getpid(), now + LEASE_S),
            )
        return row is not None and float(row[0]) >= now

    def release(self, owner: str) -> None:
        """Say goodbye: whatever this session followed is free at once. Long forgotten sessions are swept out, too."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE owner = ?", (owner,))
            connection.execute(_FORGET, OPEN_STATES)

    def claim(self, record_ids: Iterable[int], owner: str, now: float) -> set[int]:
        """Return those of the open records that `owner` follows from now on, or did already; all in one commit.

        Those whose session lives, and those that have ended, stay with whom they are.
        """
        claimed: set[int] = set()
        with self._database.writing() as connection:
            for record_id in record_ids:
                row = connection.execute(_HOLDER, (record_id,)).fetchone()
                if row is None or row[1] not in OPEN_STATES:
                    continue
                if row[0] != owner and not Holder(row[0], *row[2:]).is_gone(now):
                    continue
                connection.execute("UPDATE records SET owner = ? WHERE id = ?", (owner, record_id))
                claimed.add(record_id)
        return claimed

    def free(self, record_ids: Iterable[int], now: float) -> set[int]:
        """Return those of the open records that nobody follows."""
        found = set()
        with self._database.reading() as connection:
            for record_id in record_ids:
                row = connection.execute(_HOLDER, (record_id,)).fetchone()
                if row is not None and row[1] in OPEN_STATES and Holder(row[0], *row[2:]).is_gone(now):
                    found.add(record_id)
        return found

    def lost(self, record_ids: Iterable[int], owner: str) -> set[int]:
        """Return those of the records that somebody else follows by now."""
        with self._database.reading() as connection:
            return {
                record_id
                for record_id in record_ids
                if connection.execute(
                    "SELECT 1 FROM records WHERE id = ? AND owner IS NOT ?", (record_id, owner)
                ).fetchone()
            }


@lru_cache(maxsize=1)
def machine_id() -> str:
    """Return what tells this machine, since its last start, from any other: process numbers mean something within it.

    On Linux the namespace of the process numbers is a part of it: two containers may have one name.
    """
    parts = [socket.gethostname()]
    if sys.platform == "linux":
        for path, read in (("/proc/sys/kernel/random/boot_id", Path.read_text), ("/proc/self/ns/pid", os.readlink)):
            try:
                parts.append(str(read(Path(path))).strip())
            except OSError:
                parts.append("?")
    return " ".join(parts)


def is_process_alive(pid: int) -> bool:
    """Return whether there is a process of that number, which on Windows is believed of any."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[:1] == ["Z"]
