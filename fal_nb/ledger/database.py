"""Connections to one SQLite file: a single writer behind a lock, readers beside it, and errors a person can act on.

A commit survives the death of the process: in WAL mode with ``synchronous = NORMAL`` it has been handed to the
operating system, in the other modes it has reached the disk. Source: https://www.sqlite.org/pragma.html.

Each transaction looks whether the file is still the one that was opened: SQLite itself goes on writing to one that
was deleted, and confuses whoever made a new one. Source: https://www.sqlite.org/howtocorrupt.html, section 2.4.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fal_nb.errors import HistoryError
from fal_nb.ledger.schema import MIGRATIONS, check_version, migrate

__all__ = ["Database"]

_IDLE_READERS = 4
_RETRY_S = 0.02
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NO_SHARED_MEMORY = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_CANTOPEN})
_OF_DAMAGE = re.compile(r"Could not decode to UTF-8|malformed JSON|no such (table|column)|table \w+ has no column")
"""What damage looks like that SQLite does not call so: the texts it keeps, the words of the schema among them."""
_ELSEWHERE = "or set FAL_NB_HOME to another folder"


class Database:
    """One history file, opened and brought to the newest version.

    Safe to use from any thread; other processes may have the same file open.

    Parameters
    ----------
    busy_timeout_s
        Seconds to wait for another program's lock before giving up.

    Raises
    ------
    HistoryError
        Where the file cannot be opened, read, written or understood.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self.path = path
        self._busy_timeout_s = busy_timeout_s
        self._pid = os.getpid()
        self._write_lock = threading.Lock()
        self._idle_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False
        self._create_file()
        with self._explained():
            self._writer = self._connect()
            self._identity = self._look()
            try:
                # Before anything is set: even a change of the journal would write to a file that is not ours.
                check_version(self._writer, path)
                self.journal_mode = self._choose_journal()
                migrate(self._writer, path)
            except BaseException:
                self._writer.close()
                raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock for a block: committed at its end, rolled back where it raises. Blocks meanwhile."""
        self._check_usable()
        with self._write_lock, self._explained():
            connection = self._writer
            self._check_place()
            try:
                # Inside: an interrupt is raised on this line after the transaction has begun.
                connection.execute("BEGIN IMMEDIATE")
                self._check_same(connection)
                yield connection
                connection.execute("COMMIT")
                self._check_place()
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one unchanging moment of the file for the length of a block."""
        self._check_usable()
        self._check_place()  # before connecting, which would create a file where there is none
        with self._explained():
            with self._idle_lock:
                connection = self._idle.pop() if self._idle else None
            connection = connection or self._connect()
            try:
                connection.execute("BEGIN")
                self._check_same(connection)
                yield connection
            finally:
                self._put_back(connection)

    def close(self) -> None:
        """Close every connection; later use raises `HistoryError`. Closing twice does nothing."""
        with self._write_lock, self._idle_lock:
            self._is_closed = True
            for connection in (self._writer, *self._idle):
                connection.close()
            self._idle.clear()

    def _put_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        with self._idle_lock:
            if not self._is_closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()

    def _check_usable(self) -> None:
        if self._is_closed:
            raise HistoryError(f"History file {self.path} has been closed: open it again.")
        if os.getpid() != self._pid:
            raise HistoryError(f"History file {self.path} was opened before a fork: open it again in this process.")

    def _look(self) -> tuple[int, int]:
        found = os.stat(self.path)  # noqa: PTH116 - a tenth of the time, and paid at every step
        return found.st_dev, found.st_ino

    def _check_place(self) -> None:
        """Refuse a file that is no longer at its place."""
        try:
            is_same = self._look() == self._identity
        except FileNotFoundError:
            raise HistoryError(
                f"History file {self.path} was deleted or moved while it was in use: put it back, or restart the "
                "kernel to begin a new one."
            ) from None
        except OSError as error:
            raise HistoryError(
                f"History file {self.path} cannot be reached ({error.strerror}): check its disk, {_ELSEWHERE}."
            ) from error
        if not is_same:
            raise HistoryError(
                f"History file {self.path} was replaced by another file while it was in use: restart the kernel to "
                "go on with that one. Nothing was changed in it."
            )

    def _check_same(self, connection: sqlite3.Connection) -> None:
        """Refuse a file that was emptied or brought to a newer version since it was opened."""
        if connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS):
            return
        check_version(connection, self.path)
        raise HistoryError(
            f"History file {self.path} was emptied or replaced while it was in use: put a copy in its place, "
            "or move it away, and restart the kernel."
        )

    def _create_file(self) -> None:
        """Create the file where there is none, readable by its owner only: prompts are private."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            if not self.path.parent.is_dir():
                raise self._not_created("its folder is a file") from None
        except OSError as error:
            raise self._not_created(error.strerror or str(error)) from error

    def _not_created(self, why: str) -> HistoryError:
        return HistoryError(
            f"History file {self.path} cannot be created ({why}): allow writing to its folder, {_ELSEWHERE}."
        )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _choose_journal(self) -> str:
        """Return the journal mode in force: WAL, else a rollback journal where the file system cannot bear WAL."""
        mode = self._set_wal()
        if mode == "wal":
            self._writer.execute("PRAGMA synchronous = NORMAL")
            return mode
        self._writer.execute("PRAGMA synchronous = FULL")
        return str(self._writer.execute("PRAGMA journal_mode = DELETE").fetchone()[0])

    def _set_wal(self) -> str:
        # SQLite does not wait for the lock this switch needs, so two processes at a new file would meet an error.
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                return str(self._writer.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            except sqlite3.OperationalError as error:
                if _code(error) in _NO_SHARED_MEMORY:
                    return "delete"
                if _code(error) not in _BUSY or time.monotonic() >= deadline:
                    raise
                time.sleep(_RETRY_S)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            line = self._line(error)
            if line is None:
                raise
            raise HistoryError(f"History file {self.path} {line}") from error
        except UnicodeDecodeError as error:  # in what SQLite says of the damage, quoting it
            raise HistoryError(f"History file {self.path} {_damaged(error)}") from error

    def _line(self, error: sqlite3.DatabaseError) -> str | None:
        """Return what happened and what to do, or None where the mistake is ours."""
        match _code(error):
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return f"has been locked for {self._busy_timeout_s:g} s: close the program that holds it, {_ELSEWHERE}."
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
                return f"cannot be written: allow writing to it and to its folder, {_ELSEWHERE}."
            case sqlite3.SQLITE_CANTOPEN:
                return f"cannot be opened: check that it is a file and that its folder can be written, {_ELSEWHERE}."
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return _damaged(error)
            case sqlite3.SQLITE_FULL:
                return f"cannot grow, the disk is full: free some space, {_ELSEWHERE}."
            case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_PROTOCOL:
                return f"cannot be read or written ({error}): check its disk and the space on it, {_ELSEWHERE}."
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
            return "no longer has the record that this belongs to: somebody deleted it."
        return None


def _damaged(error: Exception) -> str:
    why = str(error).splitlines()[0][:100]
    return f"is damaged ({why}): move it away or put a copy in its place. Nothing was overwritten."


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code; 0 where Python raised the error itself."""
    if _OF_DAMAGE.match(str(error)):
        return sqlite3.SQLITE_CORRUPT
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
