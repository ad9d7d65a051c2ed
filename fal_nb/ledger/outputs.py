"""The outputs of many records at once: what a gallery is made of, read in as few queries as it has questions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from fal_nb.errors import HistoryError
from fal_nb.ledger.columns import COLUMNS
from fal_nb.ledger.database import Database
from fal_nb.ledger.queries import Selection, select_sql

__all__ = ["Output", "Outputs"]

_AT_ONCE = 500
_TEXTS = ("output", "text", "generated_text", "results", "description")
_IS_TEXT = " OR ".join(f"json_type(p.result, '$.{name}') = 'text'" for name in _TEXTS)
_OUTPUTS = (
    "SELECT record_id, position, kind, width, height FROM artifacts WHERE digest IS NOT NULL OR error IS NOT NULL "  # noqa: S608 - our names
    "UNION ALL SELECT r.id, 0, 'text', NULL, NULL FROM records r JOIN payloads p ON p.record_id = r.id "
    "WHERE r.state = 'SUCCEEDED' AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.record_id = r.id) "
    f"AND ({_IS_TEXT}) "
    "ORDER BY 1 DESC, 2"
)
_ARGUMENTS = (
    "SELECT a.key, a.atom, COUNT(*) FROM payloads p, json_each(p.arguments) a "
    "WHERE p.record_id IN (SELECT id FROM records ORDER BY id DESC LIMIT ?) AND a.type NOT IN ('array', 'object') "
    "AND (a.type != 'text' OR length(a.atom) <= ?) GROUP BY a.key, a.atom"
)
_LONGEST_FACET_TEXT = 60


class Output(NamedTuple):
    """One file of one record: its place among the record's files, what it is, its size in pixels where it has one.

    A result that is nothing but text is an output as well, of kind ``text``.
    """

    record: int
    position: int
    kind: str
    width: int | None
    height: int | None


class Outputs:
    """Part of `HistoryStore`."""

    _database: Database

    def outputs(self, record_ids: Iterable[int] | None = None) -> list[Output]:
        """Return every output that is stored or known to be missing, of all records or of some, newest first."""
        wanted = None if record_ids is None else set(record_ids)
        with self._database.reading() as connection:
            rows = connection.execute(_OUTPUTS)
            return [Output(*row) for row in rows if wanted is None or row[0] in wanted]

    def values_of(self, column: str, selection: Selection) -> dict[int, Any]:
        """Return the value of a column (a key of `COLUMNS`) by record number, for the selected records.

        Raises
        ------
        HistoryError
            Where there is no such column, or a filter cannot be understood.
        """
        if column not in COLUMNS:
            raise HistoryError(f"There is no column {column[:80]!r} in the history.")
        sql, values = select_sql(["record", column], selection, now=time.time())
        with self._database.reading() as connection:
            return dict(connection.execute(sql, values).fetchall())

    def argument_counts(self, newest: int) -> list[tuple[str, Any, int]]:
        """Return (argument, value, how often) for short plain values at the top of the newest calls' arguments."""
        with self._database.reading() as connection:
            return connection.execute(_ARGUMENTS, (newest, _LONGEST_FACET_TEXT)).fetchall()

    def thumbnails_of(self, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[str, bytes]]:
        """Return (digest, WebP) by (record, position), for those that have a small picture."""
        found: dict[tuple[int, int], tuple[str, bytes]] = {}
        records = list(dict.fromkeys(record for record, _ in places))
        wanted = set(places)
        with self._database.reading() as connection:
            for at in range(0, len(records), _AT_ONCE):
                some = records[at : at + _AT_ONCE]
                marks = ", ".join("?" * len(some))
                rows = connection.execute(
                    "SELECT a.record_id, a.position, a.digest, v.thumbnail FROM artifacts a "  # noqa: S608 - marks only
                    f"JOIN previews v ON v.artifact_id = a.id WHERE a.record_id IN ({marks}) "
                    "AND v.thumbnail IS NOT NULL AND a.digest IS NOT NULL",
                    some,
                )
                for record, position, digest, thumbnail in rows:
                    if (record, position) in wanted:
                        found[record, position] = (digest, bytes(thumbnail))
        return found
