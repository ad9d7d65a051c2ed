"""Lost calls in the ledger: which requests it knows already, and what an unknown call turned out to be.

Its invariant: of any number of kernels one settles a record, and no request is given to two records.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from fal_nb.ledger.database import Database
from fal_nb.ledger.rows import change_record, seed_in, to_sql

__all__ = ["Settling"]

_AT_ONCE = 500
_TELL = "INSERT INTO steps (record_id, at, state, note) SELECT id, ?, state, ? FROM records WHERE id = ?"


class Settling:
    """What settles the lost calls of one history file; every method blocks, as those of ``HistoryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known_requests(self, request_ids: Iterable[str]) -> dict[str, int]:
        """Return request id → the newest record that has it, for those of the ids that some record has."""
        wanted = list(dict.fromkeys(request_ids))
        known: dict[str, int] = {}
        with self._database.reading() as connection:
            for first in range(0, len(wanted), _AT_ONCE):
                some = wanted[first : first + _AT_ONCE]
                rows = connection.execute(
                    "SELECT request_id, max(id) FROM records "  # noqa: S608 - marks only
                    f"WHERE request_id IN ({', '.join('?' * len(some))}) GROUP BY request_id",
                    some,
                )
                known |= {str(request_id): int(record_id) for request_id, record_id in rows}
        return known

    def settle(self, record_id: int, request_id: str, changes: Mapping[str, Any], note: str) -> bool:
        """Give an unknown call its request, with what else is known of it and a line for its story, in one commit.

        Returns
        -------
        bool
            False where the record is unknown no more, or another record has the request: nothing was changed then.
        """
        with self._database.writing() as connection:
            row = connection.execute("SELECT state FROM records WHERE id = ?", (record_id,)).fetchone()
            taken = connection.execute(
                "SELECT 1 FROM records WHERE request_id = ? AND id IS NOT ?", (request_id, record_id)
            ).fetchone()
            if row is None or row[0] != "UNKNOWN" or taken is not None:
                return False
            fields = {**changes, "request_id": request_id, "updated": time.time()}
            if "result" in fields:
                fields.setdefault("result_seed", seed_in(fields["result"]))
            change_record(connection, record_id, fields)
            connection.execute(_TELL, (time.time(), to_sql("note", note), record_id))
        return True

    def sent_again(self, record_id: int, again: int) -> None:
        """Say in the stories of an unknown call and of the one that repeats it, and in its note, that it was repeated.

        The first of them stays unknown: it may have been accepted all the same.
        """
        now = time.time()
        words = f"sent again as #{again}"
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE records SET updated = ?, note = CASE WHEN note IS NULL OR note = '' THEN ? "
                "ELSE note || '; ' || ? END WHERE id = ?",
                (now, words, words, record_id),
            )
            connection.execute(_TELL, (now, f"It was {words}.", record_id))
            connection.execute(_TELL, (now, f"It sends #{record_id} again, whose answer was lost.", again))
