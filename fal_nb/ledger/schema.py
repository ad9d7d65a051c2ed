"""The tables of the ledger and the steps that lead to them; each step runs once, all pending ones in one transaction.

A migration that has been released is never edited: a change is the next function at the end of `MIGRATIONS`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from fal_nb.errors import HistoryError

__all__ = ["APPLICATION_ID", "MIGRATIONS", "Migration", "check_version", "migrate"]

Migration: TypeAlias = Callable[[sqlite3.Connection], None]

APPLICATION_ID = 0x66616C6E
"""Marks the file as a history of ours, so that no other program's database is ever migrated."""

_RECORDS = """
CREATE TABLE records (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id     TEXT,
    endpoint       TEXT NOT NULL,
    state          TEXT NOT NULL,
    kind           TEXT NOT NULL,
    backend        TEXT NOT NULL,
    base_url       TEXT,
    created        REAL NOT NULL,
    updated        REAL NOT NULL,
    submitted      REAL,
    started        REAL,
    ended          REAL,
    queue_s        REAL,
    inference_s    REAL,
    cost           REAL,
    estimate_low   REAL,
    estimate_high  REAL,
    reserved       REAL,
    currency       TEXT,
    billable_units REAL,
    cancel         TEXT,
    error          TEXT,
    error_type     TEXT,
    next_step      TEXT,
    result_seed,
    sweep          TEXT,
    sweep_cell     TEXT,
    memo_key       TEXT,
    replay_of      INTEGER,
    origin         TEXT,
    schema_digest  TEXT,
    input_digests  TEXT,
    options        TEXT,
    control_urls   TEXT,
    tags           TEXT NOT NULL DEFAULT '[]',
    note           TEXT,
    rating         INTEGER,
    notebook       TEXT,
    cell           TEXT,
    owner          TEXT,
    lease_until    REAL,
    log_count      INTEGER NOT NULL DEFAULT 0
)
"""

# Apart from the record: a step rewrites the row it changes, and these can be megabytes.
_PAYLOADS = """
CREATE TABLE payloads (
    record_id INTEGER PRIMARY KEY REFERENCES records (id) ON DELETE CASCADE,
    arguments TEXT NOT NULL,
    result    TEXT,
    logs      TEXT
)
"""

_ARTIFACTS = """
CREATE TABLE artifacts (
    id           INTEGER PRIMARY KEY,
    record_id    INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    location     TEXT NOT NULL,
    url          TEXT NOT NULL,
    kind         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    file_name    TEXT NOT NULL,
    size_bytes   INTEGER,
    width        INTEGER,
    height       INTEGER,
    duration_s   REAL,
    digest       TEXT,
    error        TEXT,
    UNIQUE (record_id, position)
)
"""

_PREVIEWS = """
CREATE TABLE previews (
    artifact_id INTEGER PRIMARY KEY REFERENCES artifacts (id) ON DELETE CASCADE,
    thumbnail   BLOB,
    text        TEXT
)
"""

_STEPS = """
CREATE TABLE steps (
    id        INTEGER PRIMARY KEY,
    record_id INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    at        REAL NOT NULL,
    state     TEXT NOT NULL,
    note      TEXT
)
"""

# Triggers, so that no writer can change a state and forget to tell it.
_TELL_ADDED = """
CREATE TRIGGER records_added AFTER INSERT ON records BEGIN
    INSERT INTO steps (record_id, at, state) VALUES (NEW.id, NEW.created, NEW.state);
END
"""
_TELL_MOVED = """
CREATE TRIGGER records_moved AFTER UPDATE OF state ON records WHEN NEW.state IS NOT OLD.state BEGIN
    INSERT INTO steps (record_id, at, state, note)
    VALUES (NEW.id, NEW.updated, NEW.state, COALESCE(NEW.error, NEW.cancel));
END
"""

_INDEXES = (
    "CREATE INDEX records_by_request ON records (request_id) WHERE request_id IS NOT NULL",
    "CREATE INDEX records_by_endpoint ON records (endpoint)",
    "CREATE INDEX records_by_state ON records (state)",
    "CREATE INDEX records_by_created ON records (created)",
    "CREATE INDEX records_by_owner ON records (owner)",
    "CREATE INDEX records_by_sweep ON records (sweep, sweep_cell) WHERE sweep IS NOT NULL",
    "CREATE INDEX records_by_memo ON records (memo_key) WHERE memo_key IS NOT NULL",
    "CREATE INDEX artifacts_by_digest ON artifacts (digest) WHERE digest IS NOT NULL",
    "CREATE INDEX steps_by_record ON steps (record_id)",
)


def m001_ledger(connection: sqlite3.Connection) -> None:
    """Create records with their payloads, artifacts, previews and steps."""
    tables = (_RECORDS, _PAYLOADS, _ARTIFACTS, _PREVIEWS, _STEPS)
    for statement in (*tables, _TELL_ADDED, _TELL_MOVED, *_INDEXES):
        connection.execute(statement)


# One row a living session instead of a lease a record: keeping it alive is one small write, however many jobs it has.
_SESSIONS = """
CREATE TABLE sessions (
    owner       TEXT PRIMARY KEY,
    machine     TEXT NOT NULL,
    pid         INTEGER NOT NULL,
    lease_until REAL NOT NULL
)
"""


def m002_sessions(connection: sqlite3.Connection) -> None:
    """Create the table of living sessions, and say of each record which session made it, whoever follows it."""
    connection.execute(_SESSIONS)
    connection.execute("ALTER TABLE records ADD COLUMN session TEXT")
    connection.execute("UPDATE records SET session = owner")
    connection.execute("CREATE INDEX records_by_session ON records (session)")


_UPLOADS = """
CREATE TABLE uploads (
    url          TEXT PRIMARY KEY,
    digest       TEXT,
    file_name    TEXT NOT NULL,
    content_type TEXT NOT NULL,
    path         TEXT,
    identity     TEXT,
    uploaded     REAL NOT NULL
)
"""
_SCHEMAS = """
CREATE TABLE schemas (
    digest   TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    inputs   TEXT NOT NULL
)
"""


def m003_memo(connection: sqlite3.Connection) -> None:
    """Create what tells equal calls and makes replays possible: uploads by URL, schemas by digest, outputs by URL."""
    connection.execute(_UPLOADS)
    connection.execute(_SCHEMAS)
    connection.execute("CREATE INDEX artifacts_by_url ON artifacts (url) WHERE digest IS NOT NULL")


_BUDGETS = """
CREATE TABLE budgets (
    scope  TEXT PRIMARY KEY,
    amount REAL NOT NULL,
    set_at REAL NOT NULL
)
"""
_OVERRUNS = """
CREATE TABLE overruns (
    record_id INTEGER PRIMARY KEY REFERENCES records (id) ON DELETE CASCADE,
    at        REAL NOT NULL,
    reserved  REAL NOT NULL,
    cost      REAL NOT NULL
)
"""
# Triggers, so that whoever says what a call was billed settles it: a follower, a later kernel, reconciling.
_TELL_COST = """
CREATE TRIGGER records_billed AFTER UPDATE OF billable_units, unit_price ON records
WHEN NEW.cost IS NULL AND (NEW.billable_units * NEW.unit_price IS NOT NULL OR NEW.billable_units = 0) BEGIN
    UPDATE records SET cost = NEW.billable_units * COALESCE(NEW.unit_price, 0) WHERE id = NEW.id;
END
"""
# And so that whichever kernel settles a record stops the budgets it stands in. Billable units come with eight
# decimals, so that a cost can differ from what was reserved by a rounding.
_TELL_OVERRUN = """
CREATE TRIGGER records_overran AFTER UPDATE OF cost ON records
WHEN NEW.cost > NEW.reserved + MAX(1e-6 * NEW.reserved, 1e-7) BEGIN
    INSERT OR REPLACE INTO overruns (record_id, at, reserved, cost)
    VALUES (NEW.id, NEW.updated, NEW.reserved, NEW.cost);
END
"""


def m004_budgets(connection: sqlite3.Connection) -> None:
    """Create the tables of budgets and of what cost more than was reserved; remember each record's unit price."""
    for statement in ("ALTER TABLE records ADD COLUMN unit_price REAL", _BUDGETS, _OVERRUNS, _TELL_COST, _TELL_OVERRUN):
        connection.execute(statement)


_SWEEPS = """
CREATE TABLE sweeps (
    name           TEXT PRIMARY KEY,
    text           TEXT NOT NULL,
    created        REAL NOT NULL,
    budget         REAL,
    allow_unpriced INTEGER NOT NULL DEFAULT 0,
    call_window    INTEGER NOT NULL,
    stopped        TEXT,
    owner          TEXT
)
"""


def m005_sweeps(connection: sqlite3.Connection) -> None:
    """Create the table of sweeps: their plans as texts, who runs them, why they stopped."""
    connection.execute(_SWEEPS)


_ANSWERS = """
CREATE TABLE sweep_answers (
    sweep      TEXT NOT NULL,
    sweep_cell TEXT NOT NULL,
    record_id  INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    PRIMARY KEY (sweep, sweep_cell)
)
"""


def m006_sweep_keys(connection: sqlite3.Connection) -> None:
    """Keep with a sweep what its cells' keys were made under, and which earlier calls answer for its cells."""
    connection.execute("ALTER TABLE sweeps ADD COLUMN schemas TEXT")
    connection.execute(_ANSWERS)


_SCORES = """
CREATE TABLE scores (
    sweep     TEXT NOT NULL,
    cell      TEXT NOT NULL,
    name      TEXT NOT NULL,
    record_id INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    basis     TEXT NOT NULL,
    value     REAL,
    word      TEXT,
    error     TEXT,
    at        REAL NOT NULL,
    PRIMARY KEY (sweep, cell, name)
)
"""


def m007_scores(connection: sqlite3.Connection) -> None:
    """Create the table of what scorers said of the outputs of sweeps."""
    connection.execute(_SCORES)
    connection.execute("CREATE INDEX scores_by_record ON scores (record_id)")


_FINGERPRINTS = """
CREATE TABLE fingerprints (
    digest  TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    bits    BLOB NOT NULL
) WITHOUT ROWID
"""


def m008_fingerprints(connection: sqlite3.Connection) -> None:
    """Create the table of what near-duplicates are told by, one row a file."""
    connection.execute(_FINGERPRINTS)


_DELIVERIES = """
CREATE TABLE deliveries (
    request_id         TEXT PRIMARY KEY,
    gateway_request_id TEXT,
    base_url           TEXT,
    user_id            TEXT NOT NULL,
    sent               REAL NOT NULL,
    received           REAL NOT NULL,
    last_received      REAL NOT NULL,
    count              INTEGER NOT NULL,
    is_ok              INTEGER NOT NULL,
    error              TEXT,
    payload_error      TEXT,
    payload            TEXT,
    billable_units     REAL,
    record_id          INTEGER REFERENCES records (id) ON DELETE SET NULL
)
"""


def m009_deliveries(connection: sqlite3.Connection) -> None:
    """Create the table of webhook deliveries, one a request; the payload only until a record has it."""
    connection.execute(_DELIVERIES)
    connection.execute("CREATE INDEX deliveries_waiting ON deliveries (received) WHERE payload IS NOT NULL")
    connection.execute("CREATE INDEX deliveries_by_record ON deliveries (record_id)")


_NEVER_READ = ("control_urls", "lease_until")
_DROPS_COLUMNS = (3, 35)


def m010_unused_columns(connection: sqlite3.Connection) -> None:
    """Drop the columns of records that nothing reads: control URLs are rebuilt, leases are those of sessions.

    An older SQLite cannot drop columns; there they stay, empty.
    """
    if sqlite3.sqlite_version_info >= _DROPS_COLUMNS:
        for name in _NEVER_READ:
            connection.execute(f"ALTER TABLE records DROP COLUMN {name}")


MIGRATIONS: tuple[Migration, ...] = (
    m001_ledger,
    m002_sessions,
    m003_memo,
    m004_budgets,
    m005_sweeps,
    m006_sweep_keys,
    m007_scores,
    m008_fingerprints,
    m009_deliveries,
    m010_unused_columns,
)
"""Step n brings a file from version n to version n + 1."""


def check_version(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Return the file's version, 0 for an empty file; nothing is written.

    Raises
    ------
    HistoryError
        Where the file is newer than this package, or belongs to another program.
    """
    version, mark, tables = _read_version(connection)
    if mark != APPLICATION_ID and (version or tables):
        raise HistoryError(
            f"{path} is another program's database, not a history: set FAL_NB_HOME to another folder. "
            "Nothing was changed in it."
        )
    if version > len(migrations):
        raise HistoryError(
            f"History file {path} has version {version} and this fal_nb knows up to version {len(migrations)}: "
            "upgrade fal_nb, or set FAL_NB_HOME to another folder. Nothing was changed in it."
        )
    return version


def _read_version(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Return (version, mark, number of tables and indexes) as of one moment: another process may be migrating."""
    is_outermost = not connection.in_transaction
    if is_outermost:
        connection.execute("BEGIN")
    try:
        questions = ("PRAGMA user_version", "PRAGMA application_id", "SELECT count(*) FROM sqlite_master")
        version, mark, tables = (int(connection.execute(question).fetchone()[0]) for question in questions)
    finally:
        if is_outermost:
            connection.execute("ROLLBACK")
    return version, mark, tables


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the file to the newest version, or leave it exactly as it was.

    The version is read again under the write lock, so that of several processes one does the work.

    Parameters
    ----------
    connection
        In autocommit mode (``isolation_level=None``).

    Raises
    ------
    HistoryError
        As `check_version`.
    """
    if check_version(connection, path, migrations) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in migrations[check_version(connection, path, migrations) :]:
            step(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
