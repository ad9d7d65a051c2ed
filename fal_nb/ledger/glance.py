"""A glance at a history without opening it: what is open and followed by nobody. It creates and changes nothing."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from fal_nb.ledger.leases import Holder
from fal_nb.states import OPEN_STATES

__all__ = ["count_left_open"]

_OPEN_RECORDS = (
    "SELECT r.backend, r.base_url, r.owner, s.machine, s.pid, s.lease_until FROM records r "  # noqa: S608 - marks only
    f"LEFT JOIN sessions s ON s.owner = r.owner WHERE r.state IN ({', '.join('?' * len(OPEN_STATES))})"
)
_PATIENCE_S = 0.2


def count_left_open(path: Path) -> Mapping[tuple[str, str | None], int]:
    """Return (backend, base URL) → how many open calls nobody follows; empty where the file cannot be read at once."""
    if not path.is_file():
        return {}
    try:
        # Opened to be read only: a file on a full or write-protected disk can be looked at as well.
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)
        try:
            rows = connection.execute(_OPEN_RECORDS, OPEN_STATES).fetchall()
        finally:
            connection.close()
    except sqlite3.Error:
        return {}
    now = time.time()
    return Counter((backend, base) for backend, base, *holder in rows if Holder(*holder).is_gone(now))
