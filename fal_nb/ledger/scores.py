"""Scores in the history: what scorers said of the outputs of a sweep's cells, each with the record it was said of."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from fal_nb.ledger.database import Database

__all__ = ["Score", "Scores"]

_ADD = (
    "INSERT OR REPLACE INTO scores (sweep, cell, name, record_id, basis, value, word, error, at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Score:
    """One score of one cell.

    Attributes
    ----------
    record_id
        The call whose output was looked at; where the cell has another one by now, the score is an old one.
    basis
        What it was made with: the scorer's code, the reference. Another basis makes another score.
    value
        None where there is no number.
    word
        What is no number but a text: the key of another cell.
    error
        Why there is no value, in one line.
    """

    cell: str
    name: str
    record_id: int
    basis: str
    value: float | None = None
    word: str | None = None
    error: str | None = None


class Scores:
    """The scores of one history file; every method blocks, as those of ``HistoryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, sweep: str) -> list[Score]:
        """Return all scores of a sweep, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT cell, name, record_id, basis, value, word, error FROM scores WHERE sweep = ? ORDER BY rowid",
                (sweep,),
            )
            return [Score(*row) for row in rows]

    def add(self, sweep: str, scores: Iterable[Score]) -> None:
        """Write scores in one commit; one of the same cell and name is replaced."""
        with self._database.writing() as connection:
            connection.executemany(_ADD, _rows(sweep, scores))

    def replace(self, sweep: str, name: str, scores: Iterable[Score]) -> None:
        """Write all scores of a name in one commit, in the place of those there were."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM scores WHERE sweep = ? AND name = ?", (sweep, name))
            connection.executemany(_ADD, _rows(sweep, scores))


def _rows(sweep: str, scores: Iterable[Score]) -> list[tuple[object, ...]]:
    now = time.time()
    return [
        (sweep, one.cell, one.name, one.record_id, one.basis, one.value, one.word, one.error, now) for one in scores
    ]
