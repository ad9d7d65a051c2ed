"""``HistoryStore``: the ledger of every call, written before the call is sent and at each of its steps.

What a method has written is committed when it returns. Any number of threads and processes may use one file.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fal_nb.artifacts import Artifact
from fal_nb.errors import HistoryError, LeaseLost
from fal_nb.ledger.annotations import Annotations
from fal_nb.ledger.database import Database
from fal_nb.ledger.deliveries import Deliveries
from fal_nb.ledger.filter_names import check_names
from fal_nb.ledger.fingerprints import Fingerprints
from fal_nb.ledger.known_files import KnownFiles
from fal_nb.ledger.leases import Leases
from fal_nb.ledger.memos import Memos
from fal_nb.ledger.open_rows import OpenRecord, open_now
from fal_nb.ledger.outputs import Outputs
from fal_nb.ledger.queries import Selection, Since, select_sql
from fal_nb.ledger.records import PAYLOAD_COLUMNS, RECORD_COLUMNS, HistoryCheck, NewRecord, Record, Step
from fal_nb.ledger.rows import (
    ARTIFACTS_OF_RECORD,
    READ_COLUMNS,
    change_record,
    insert_artifact,
    insert_record,
    read_artifact,
    read_record,
    seed_in,
    to_sql,
)
from fal_nb.ledger.scores import Scores
from fal_nb.ledger.settling import Settling
from fal_nb.ledger.sweeps import Sweeps
from fal_nb.states import OPEN_STATES, State

__all__ = ["HistoryStore"]

_MIN_PREFIX_CHARS = 8
_AT_ONCE = 500
_UPDATABLE = frozenset({*RECORD_COLUMNS, *PAYLOAD_COLUMNS} - {"id", "updated"})
_NO_FIELDS: Mapping[str, Any] = {}


class HistoryStore(Annotations, Fingerprints, KnownFiles, Memos, Outputs):
    """One history file.

    Every method blocks: well under a millisecond by itself, at most `busy_timeout_s` where another program
    holds the file.

    Raises
    ------
    HistoryError
        Here and from every method: the file cannot be opened, read or written, is damaged, or is newer than
        this package. The message names the file and the next step.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 30.0) -> None:
        self.path = Path(path)
        self._database = Database(self.path, busy_timeout_s=busy_timeout_s)
        self.leases = Leases(self._database)
        self.sweeps = Sweeps(self._database)
        self.scores = Scores(self._database)
        self.settling = Settling(self._database)
        self.deliveries = Deliveries(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; later calls raise `HistoryError`."""
        self._database.close()

    @property
    def journal_mode(self) -> str:
        """``wal``, or ``delete`` where the file system cannot bear it."""
        return self._database.journal_mode

    @property
    def database(self) -> Database:
        """The file's connections, for what else the ledger keeps in it."""
        return self._database

    def add(self, record: NewRecord) -> int:
        """Write down an intent and return the number of its record, committed."""
        return self.add_many([record])[0]

    def add_many(self, records: Iterable[NewRecord]) -> list[int]:
        """Write down several intents in one commit and return their numbers, in order."""
        with self._database.writing() as connection:
            return [insert_record(connection, record) for record in records]

    def update(self, record_id: int, **changes: Any) -> None:
        """Change any fields of a record in one commit; a new ``state`` becomes a step of its story.

        Raises
        ------
        TypeError
            Where a name is no field of `Record`.
        """
        self.update_many([(record_id, changes)])

    def update_many(self, changes: Iterable[tuple[int, Mapping[str, Any]]], *, held_by: str | None = None) -> None:
        """Change several records, all in one commit or none.

        Parameters
        ----------
        held_by
            The session that follows them; where another one does by now, nothing is changed.

        Raises
        ------
        LeaseLost
            Where another session follows one of them.
        """
        with self._database.writing() as connection:
            for record_id, fields in changes:
                _check_held(connection, record_id, held_by)
                _change(connection, record_id, fields)

    def tell(self, record_id: int, note: str) -> None:
        """Add a line to a record's story; its state stays."""
        with self._database.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO steps (record_id, at, state, note) SELECT id, ?, state, ? FROM records WHERE id = ?",
                (time.time(), to_sql("note", note), record_id),
            )
            if cursor.rowcount == 0:
                raise HistoryError(_no_record(record_id))

    def steps(self, record_id: int) -> tuple[Step, ...]:
        """Return a record's story: each state it entered and each line told, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT at, state, note FROM steps WHERE record_id = ? ORDER BY id", (record_id,))
            return tuple(Step(*row) for row in rows)

    def get(self, record_id: int) -> Record:
        """Return a record by its number.

        Raises
        ------
        HistoryError
            Also where there is no such record.
        """
        found = self._read("r.id = ?", (record_id,))
        if not found:
            raise HistoryError(_no_record(record_id))
        return found[0]

    def get_many(self, record_ids: Iterable[int]) -> dict[int, Record]:
        """Return those of some records that there are, by number, in the order asked for."""
        wanted = list(dict.fromkeys(record_ids))
        found: dict[int, Record] = {}
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            found |= {record.id: record for record in self._read(f"r.id IN ({', '.join('?' * len(some))})", some)}
        return {record_id: found[record_id] for record_id in wanted if record_id in found}

    def find(self, word: str) -> Record | None:
        """Return the record a person means, or None where there is none, or more than one.

        Parameters
        ----------
        word
            A record's number (``12`` or ``#12``), a request id, or the beginning of one: 8 characters or more.
        """
        word = word.strip()
        number = word.removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) < 19:
            found = self._read("r.id = ?", (int(number),))
            if found:
                return found[0]
        found = self._read("r.request_id = ? ORDER BY r.id DESC LIMIT 1", (word,))
        if not found and len(word) >= _MIN_PREFIX_CHARS:
            # A range instead of LIKE, so that the index serves and nothing in the word is a wildcard.
            found = self._read("r.request_id >= ? AND r.request_id < ? LIMIT 2", (word, word + "\U0010ffff"))
        return found[0] if len(found) == 1 else None

    def last(self, owner: str | None = None) -> Record | None:
        """Return the newest record, of one session if `owner` is given."""
        found = self._read("(? IS NULL OR r.owner = ?) ORDER BY r.id DESC LIMIT 1", (owner, owner))
        return found[0] if found else None

    def open_records(self, owner: str | None = None) -> list[Record]:
        """Return the records of calls that have not ended, oldest first, of one session if `owner` is given."""
        return self.select(state=OPEN_STATES, owner=owner)

    def count(self) -> int:
        """Return how many records there are."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM records").fetchone()[0])

    def past_durations(self, endpoint: str, limit: int = 20, *, backend: str | None = None) -> list[float]:
        """Return how many seconds the last successful calls ran, the newest first.

        Parameters
        ----------
        backend
            Only calls that went there: a simulator's times say nothing of the real ones.
        """
        ran = "COALESCE(inference_s, ended - started)"
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {ran} FROM records WHERE endpoint = ? AND state = 'SUCCEEDED' AND {ran} IS NOT NULL "  # noqa: S608
                "AND (? IS NULL OR backend = ?) ORDER BY id DESC LIMIT ?",
                (endpoint, backend, backend, limit),
            )
            return [float(row[0]) for row in rows]

    def past_totals(self, endpoint: str, limit: int = 200, *, backend: str | None = None) -> list[float]:
        """Return how many seconds the last successful calls took from sending to end, the newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT ended - submitted FROM records WHERE endpoint = ? AND state = 'SUCCEEDED' "
                "AND ended >= submitted AND (? IS NULL OR backend = ?) ORDER BY id DESC LIMIT ?",
                (endpoint, backend, backend, limit),
            )
            return [float(row[0]) for row in rows]

    def open_now(self, limit: int) -> tuple[dict[State, int], tuple[OpenRecord, ...]]:
        """Return how many calls are in each open state, and the first of them: what runs, then what waits."""
        return open_now(self._database, limit, time.time())

    def past_units(self, endpoint: str, limit: int = 20, *, backend: str | None = None) -> list[float]:
        """Return the units billed for the last successful calls, the newest first; `backend` as above."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT billable_units FROM records WHERE endpoint = ? AND state = 'SUCCEEDED' "
                "AND billable_units IS NOT NULL AND (? IS NULL OR backend = ?) ORDER BY id DESC LIMIT ?",
                (endpoint, backend, backend, limit),
            )
            return [float(row[0]) for row in rows]

    def artifacts(self, record_id: int) -> tuple[Artifact, ...]:
        """Return a record's artifacts with their thumbnails, in the order of the result."""
        return self.artifacts_of([record_id])[record_id]

    def thumbnail(self, digest: str) -> bytes | None:
        """Return the thumbnail of a stored file, by its digest, or None where it has none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT v.thumbnail FROM artifacts a JOIN previews v ON v.artifact_id = a.id "
                "WHERE a.digest = ? AND v.thumbnail IS NOT NULL LIMIT 1",
                (digest,),
            ).fetchone()
        return None if row is None else bytes(row[0])

    def artifacts_of(self, record_ids: Iterable[int]) -> dict[int, tuple[Artifact, ...]]:
        """Return the artifacts of several records by record number."""
        with self._database.reading() as connection:
            return {
                record_id: tuple(map(read_artifact, connection.execute(ARTIFACTS_OF_RECORD, (record_id,))))
                for record_id in record_ids
            }

    def set_artifacts(
        self,
        record_id: int,
        artifacts: Iterable[Artifact],
        fields: Mapping[str, Any] = _NO_FIELDS,
        *,
        held_by: str | None = None,
    ) -> None:
        """Replace a record's artifacts and change fields beside them, in one commit; `held_by` as in `update_many`."""
        with self._database.writing() as connection:
            _check_held(connection, record_id, held_by)
            connection.execute("DELETE FROM artifacts WHERE record_id = ?", (record_id,))
            for artifact in artifacts:
                insert_artifact(connection, record_id, artifact)
            if fields:
                _change(connection, record_id, fields)

    def select(
        self,
        where: Mapping[str, Any] | None = None,
        *,
        since: Since | None = None,
        endpoint: str | Sequence[str] | None = None,
        state: str | Sequence[str] | None = None,
        owner: str | None = None,
        limit: int | None = None,
    ) -> list[Record]:
        """Return the records that pass every filter, the newest last; `Selection` describes the filters."""
        selection = Selection(where=where or {}, since=since, endpoint=endpoint, state=state, owner=owner, limit=limit)
        return [read_record(row) for row in self.select_rows(READ_COLUMNS, selection)]

    def select_rows(self, columns: Sequence[str], selection: Selection) -> list[tuple[Any, ...]]:
        """Return the named columns of the selected records as SQLite holds them, the newest last.

        Raises
        ------
        HistoryError
            Also where a filter names what no record has: the nearest names are in the message.
        """
        sql, values = select_sql(columns, selection, now=time.time())
        with self._database.reading() as connection:
            rows = connection.execute(sql, values).fetchall()
            check_names(connection, selection.where, found=bool(rows))
        return rows

    def digests(self, record_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Return the stored artifacts' digests by record number, in the order of the results."""
        if not record_ids:
            return {}
        wanted = dict.fromkeys(record_ids, ())
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT record_id, digest FROM artifacts WHERE record_id BETWEEN ? AND ? AND digest IS NOT NULL "
                "ORDER BY record_id, position",
                (min(wanted), max(wanted)),
            )
            found: dict[int, tuple[str, ...]] = {}
            for record_id, digest in rows:
                found[record_id] = (*found.get(record_id, ()), digest)
        return {record_id: digests for record_id, digests in found.items() if record_id in wanted}

    def verify(self, has: Callable[[str], bool] | None = None) -> HistoryCheck:
        """Check the file's integrity and list every artifact digest that is referred to.

        Parameters
        ----------
        has
            Says whether the artifact store has a digest, intact; what it denies is listed as a problem.
        """
        with self._database.reading() as connection:
            problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            problems += [
                f"A row of {table} belongs to no row of {parent}."
                for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check")
            ]
            rows = connection.execute(
                "SELECT digest, min(record_id), file_name FROM artifacts WHERE digest IS NOT NULL GROUP BY digest"
            ).fetchall()
            inputs = connection.execute(
                "SELECT digest FROM uploads WHERE digest IS NOT NULL AND path IS NULL"
            ).fetchall()
            count = int(connection.execute("SELECT count(*) FROM records").fetchone()[0])
        if has is not None:
            problems += [
                f"Artifact {digest[:12]}… ({name}, record #{record_id}) is missing or damaged."
                for digest, record_id, name in rows
                if not has(digest)
            ]
        return HistoryCheck(tuple(problems), frozenset(row[0] for row in (*rows, *inputs)), count)

    def _read(self, condition: str, values: Sequence[Any]) -> list[Record]:
        sql = f"SELECT {', '.join(READ_COLUMNS)} FROM records r JOIN payloads p ON p.record_id = r.id WHERE {condition}"  # noqa: S608
        with self._database.reading() as connection:
            return [read_record(row) for row in connection.execute(sql, values)]


def _change(connection: sqlite3.Connection, record_id: int, fields: Mapping[str, Any]) -> None:
    unknown = sorted(fields.keys() - _UPDATABLE)
    if unknown:
        raise TypeError(f"A record has no field {', '.join(unknown)} that can be changed.")
    changes = {**fields, "updated": time.time()}
    if "result" in changes:
        changes.setdefault("result_seed", seed_in(changes["result"]))
    if not change_record(connection, record_id, changes):
        raise HistoryError(_no_record(record_id))


def _check_held(connection: sqlite3.Connection, record_id: int, held_by: str | None) -> None:
    if held_by is None:
        return
    row = connection.execute("SELECT owner FROM records WHERE id = ?", (record_id,)).fetchone()
    if row is not None and row[0] != held_by:
        raise LeaseLost(f"Job #{record_id} is followed by another kernel by now.")


def _no_record(record_id: int) -> str:
    return f"There is no record #{record_id} in the history."
