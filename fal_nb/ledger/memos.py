"""Equal calls, and the schemas that calls were made under."""

from __future__ import annotations

import json
from typing import Any

from fal_nb.ledger.database import Database
from fal_nb.ledger.rows import to_json, to_sql

__all__ = ["Memos"]


class Memos:
    """Part of `HistoryStore`."""

    _database: Database

    def equal_calls(self, memo_key: str, limit: int = 20) -> list[int]:
        """Return the numbers of the successful records of a key, the newest first; what came from outside is none."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM records WHERE memo_key = ? AND state = 'SUCCEEDED' AND origin IS NULL "
                "ORDER BY id DESC LIMIT ?",
                (memo_key, limit),
            )
            return [int(row[0]) for row in rows]

    def keep_schema(self, digest: str, endpoint: str, inputs: list[dict[str, Any]]) -> None:
        """Keep what an endpoint's inputs are under the digest of its schema, so that a change can be told later."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO schemas (digest, endpoint, inputs) VALUES (?, ?, ?)",
                (digest, endpoint, to_sql("schema", to_json(inputs))),
            )

    def schema_inputs(self, digest: str) -> list[dict[str, Any]] | None:
        """Return what was kept, or None."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT inputs FROM schemas WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else list(json.loads(row[0]))
