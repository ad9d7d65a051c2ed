"""Sweeps in the history: the text of each plan, who runs it, why it stopped, and which record each of its cells has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from fal_nb.errors import HistoryError
from fal_nb.ledger.database import Database
from fal_nb.ledger.leases import Holder
from fal_nb.states import State

__all__ = ["CellRecord", "SweepRow", "SweepTally", "Sweeps"]

_AT_ONCE = 500
_COLUMNS = "name, text, created, budget, allow_unpriced, call_window, stopped, owner, schemas"


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One sweep.

    Attributes
    ----------
    text
        Its plan, as `SweepPlan.text` writes it.
    created
        Unix time in seconds, UTC.
    budget
        What all its calls may cost together, in US dollars.
    window
        Calls at once.
    stopped
        Why it ended before its time: ``budget``, ``lock`` or ``cancelled``.
    schemas
        JSON: the schemas that the keys of its cells were made under, as the sweep writes them; None where it is older
        than this column.
    """

    name: str
    text: str
    created: float
    budget: float | None = None
    allow_unpriced: bool = False
    window: int = 4
    stopped: str | None = None
    owner: str | None = None
    schemas: str | None = None


@dataclass(frozen=True, slots=True)
class CellRecord:
    """The newest record of a cell.

    Attributes
    ----------
    was_sent
        Whether it was, or may have been.
    is_from_memo
        Whether it is that of an earlier equal call, which answers for the cell.
    """

    record_id: int
    state: State
    was_sent: bool
    is_from_memo: bool = False


@dataclass(frozen=True, slots=True)
class SweepTally:
    """What the calls of a sweep have come to: cells with a record, those that succeeded and failed, US dollars."""

    called: int
    done: int
    failed: int
    spent: float


class Sweeps:
    """The sweeps of one history file; every method blocks, as those of ``HistoryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: SweepRow) -> None:
        """Write down a new sweep.

        Raises
        ------
        HistoryError
            Where there is one of that name.
        """
        with self._database.writing() as connection:
            if _find(connection, row.name) is not None:
                raise HistoryError(f"There is a sweep called {row.name} already: give another --name, or resume it.")
            values = (row.name, row.text, row.created, row.budget, row.allow_unpriced, row.window, row.stopped)
            marks = "?, ?, ?, ?, ?, ?, ?, NULL, ?"
            connection.execute(f"INSERT INTO sweeps ({_COLUMNS}) VALUES ({marks})", (*values, row.schemas))  # noqa: S608

    def new_name(self) -> str:
        """Return a name that no sweep has."""
        with self._database.reading() as connection:
            count = int(connection.execute("SELECT count(*) FROM sweeps").fetchone()[0])
            while _find(connection, f"sweep-{count + 1}") is not None:
                count += 1
        return f"sweep-{count + 1}"

    def find(self, name: str | None) -> SweepRow | None:
        """Return a sweep by its name, or the newest one."""
        with self._database.reading() as connection:
            return _find(connection, name)

    def all(self) -> list[SweepRow]:
        """Return all sweeps, the newest last."""
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM sweeps ORDER BY created, rowid")  # noqa: S608
            return [_read(row) for row in rows]

    def change(self, row: SweepRow) -> None:
        """Write a sweep's text, budget, window, schemas and why it stopped."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE sweeps SET text = ?, budget = ?, allow_unpriced = ?, call_window = ?, stopped = ?, "
                "schemas = ? WHERE name = ?",
                (row.text, row.budget, row.allow_unpriced, row.window, row.stopped, row.schemas, row.name),
            )

    def claim(self, name: str, owner: str, now: float) -> bool:
        """Let a session run a sweep; return False where another living one does: two would call a cell twice."""
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT w.owner, s.machine, s.pid, s.lease_until FROM sweeps w "
                "LEFT JOIN sessions s ON s.owner = w.owner WHERE w.name = ?",
                (name,),
            ).fetchone()
            if row is None or (row[0] not in {None, owner} and not Holder(*row).is_gone(now)):
                return False
            connection.execute("UPDATE sweeps SET owner = ? WHERE name = ?", (owner, name))
            return True

    def release(self, name: str, owner: str) -> None:
        """Let others run a sweep."""
        with self._database.writing() as connection:
            connection.execute("UPDATE sweeps SET owner = NULL WHERE name = ? AND owner = ?", (name, owner))

    def answer(self, name: str, key: str, record_id: int) -> None:
        """Keep that an earlier call answers for a cell."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO sweep_answers VALUES (?, ?, ?)", (name, key, record_id))

    def cells(self, name: str) -> dict[str, CellRecord]:
        """Return the newest record of each of a sweep's cells by its key; one that succeeded outweighs later ones."""
        found: dict[str, CellRecord] = {}
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT sweep_cell, id, state, request_id IS NOT NULL OR submitted IS NOT NULL FROM records "
                "WHERE sweep = ? AND sweep_cell IS NOT NULL ORDER BY id",
                (name,),
            )
            for key, record_id, state, was_sent in rows:
                if key not in found or found[key].state != "SUCCEEDED":
                    found[key] = CellRecord(record_id, state, bool(was_sent))
            answers = connection.execute(
                "SELECT a.sweep_cell, a.record_id, r.state FROM sweep_answers a JOIN records r ON r.id = a.record_id "
                "WHERE a.sweep = ?",
                (name,),
            )
            for key, record_id, state in answers:
                if key not in found or found[key].state != "SUCCEEDED":
                    found[key] = CellRecord(record_id, state, was_sent=True, is_from_memo=True)
        return found

    def tallies(self) -> dict[str, SweepTally]:
        """Return by sweep what its calls have come to; a cell counts once, as what its best record is."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT sweep, count(*), sum(done), sum(failed AND NOT done), sum(spent) FROM ("
                "SELECT sweep, max(state = 'SUCCEEDED') AS done, max(state = 'FAILED') AS failed, "
                "sum(coalesce(own, 0)) AS spent FROM ("
                "SELECT sweep, sweep_cell, state, cost AS own FROM records WHERE sweep_cell IS NOT NULL UNION ALL "
                "SELECT a.sweep, a.sweep_cell, r.state, 0 FROM sweep_answers a JOIN records r ON r.id = a.record_id) "
                "WHERE sweep IS NOT NULL GROUP BY sweep, sweep_cell) GROUP BY sweep"
            )
            return {name: SweepTally(called, done, failed, float(spent)) for name, called, done, failed, spent in rows}

    def places_of(self, record_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Return by record number (sweep, key of the cell) that it was called for, else the newest it answers for."""
        found: dict[int, tuple[str, str]] = {}
        wanted = sorted(set(record_ids))
        with self._database.reading() as connection:
            for at in range(0, len(wanted), _AT_ONCE):
                some = wanted[at : at + _AT_ONCE]
                marks = ", ".join("?" * len(some))
                for table, column in (("sweep_answers", "record_id"), ("records", "id")):
                    rows = connection.execute(
                        f"SELECT {column}, sweep, sweep_cell FROM {table} WHERE {column} IN ({marks}) "  # noqa: S608 - ours
                        "AND sweep IS NOT NULL AND sweep_cell IS NOT NULL ORDER BY rowid",
                        some,
                    )
                    found.update((record_id, (sweep, key)) for record_id, sweep, key in rows)
        return found


def _find(connection: sqlite3.Connection, name: str | None) -> SweepRow | None:
    if name is None:
        row = connection.execute(f"SELECT {_COLUMNS} FROM sweeps ORDER BY created DESC, rowid DESC LIMIT 1").fetchone()  # noqa: S608
    else:
        row = connection.execute(f"SELECT {_COLUMNS} FROM sweeps WHERE name = ?", (name,)).fetchone()  # noqa: S608
    return None if row is None else _read(row)


def _read(row: tuple[object, ...]) -> SweepRow:
    name, text, created, budget, allow_unpriced, window, stopped, owner, schemas = row
    return SweepRow(
        str(name),
        str(text),
        float(created),  # type: ignore[arg-type]
        None if budget is None else float(budget),  # type: ignore[arg-type]
        bool(allow_unpriced),
        int(window),  # type: ignore[call-overload]
        None if stopped is None else str(stopped),
        None if owner is None else str(owner),
        None if schemas is None else str(schemas),
    )
