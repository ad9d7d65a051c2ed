import sqlite3

import pytest

from fal_nb.errors import HistoryError
from fal_nb.ledger import database, schema
from fal_nb.ledger.schema import APPLICATION_ID, MIGRATIONS, check_version, migrate
from fal_nb.ledger.store import HistoryStore


def connect(path):
    return sqlite3.connect(path, isolation_level=None)


def schema_of(path):
    connection = connect(path)
    found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version, found


def m_add_colour(connection):
    connection.execute("ALTER TABLE records ADD COLUMN colour TEXT")


def m_broken(connection):
    connection.execute("ALTER TABLE records ADD COLUMN half TEXT")
    connection.execute("SELECT no_such_function()")


def test_a_new_file_is_marked_and_has_the_newest_version(path):
    HistoryStore(path).close()
    connection = connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


def test_migrating_twice_is_a_noop(path, new):
    with HistoryStore(path) as store:
        store.add(new())
    before = schema_of(path)
    with HistoryStore(path) as store:
        migrate(store._database._writer, path)
        assert store.count() == 1
    assert schema_of(path) == before


@pytest.mark.parametrize("drops_from", [(3, 35), (99,)], ids=["drops columns", "an older SQLite"])
def test_columns_that_nothing_reads_go_and_the_records_stay(path, monkeypatch, drops_from):
    monkeypatch.setattr(schema, "_DROPS_COLUMNS", drops_from)
    path.parent.mkdir(parents=True)
    connection = connect(path)
    migrate(connection, path, MIGRATIONS[:9])
    connection.execute(
        "INSERT INTO records (endpoint, state, kind, backend, created, updated, note, control_urls, lease_until) "
        "VALUES ('a/b', 'FAILED', 'queue', 'fal', 1, 2, 'kept', '{}', 5)"
    )
    connection.execute("INSERT INTO payloads (record_id, arguments) VALUES (1, '{}')")
    connection.close()
    with HistoryStore(path) as store:
        assert (store.get(1).note, store.get(1).updated) == ("kept", 2)
        store.update(1, state="UNKNOWN")
        assert [step.state for step in store.steps(1)] == ["FAILED", "UNKNOWN"]
    connection = connect(path)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(records)")}
    assert columns.isdisjoint({"control_urls", "lease_until"}) == (drops_from == (3, 35))
    connection.close()


def test_a_later_migration_runs_once_and_keeps_the_records(path, new):
    with HistoryStore(path) as store:
        store.add(new())
    connection = connect(path)
    later = (*MIGRATIONS, m_add_colour)
    migrate(connection, path, later)
    migrate(connection, path, later)
    assert connection.execute("SELECT count(*), max(colour) FROM records").fetchone() == (1, None)
    assert check_version(connection, path, later) == len(later)
    connection.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(path):
    HistoryStore(path).close()
    before = schema_of(path)
    connection = connect(path)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path, (*MIGRATIONS, m_add_colour, m_broken))
    assert not connection.in_transaction
    connection.close()
    assert schema_of(path) == before


def test_a_newer_file_is_refused_and_not_one_byte_of_it_changes(path):
    HistoryStore(path).close()
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(HistoryError) as caught:
        HistoryStore(path)
    text = str(caught.value)
    assert "\n" not in text
    for part in (str(path), "99", str(len(MIGRATIONS)), "upgrade", "FAL_NB_HOME"):
        assert part in text
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("version", [0, 1])
def test_another_programs_database_is_refused_and_not_changed(path, version):
    path.parent.mkdir(parents=True)
    connection = connect(path)
    connection.execute("CREATE TABLE places (url)")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="another program"):
        HistoryStore(path)
    assert path.read_bytes() == before


def test_a_file_that_another_process_migrates_meanwhile_is_seen_as_of_one_moment(path):
    path.parent.mkdir()
    other, connection = connect(path), connect(path)
    other.execute("PRAGMA journal_mode = WAL")
    seen = []

    def migrate_elsewhere(statement):
        seen.append(statement)
        if statement == "PRAGMA application_id":
            migrate(other, path)

    connection.set_trace_callback(migrate_elsewhere)
    assert check_version(connection, path) == 0
    connection.set_trace_callback(None)
    assert "PRAGMA application_id" in seen
    assert check_version(connection, path) == len(MIGRATIONS)
    other.close()
    connection.close()


def test_wal_is_used_where_the_file_system_bears_it(store):
    assert store.journal_mode == "wal"
    assert store._database._writer.execute("PRAGMA synchronous").fetchone() == (1,)


def test_a_file_system_without_shared_memory_gets_a_rollback_journal_that_reaches_the_disk(path, new, monkeypatch):
    plain = sqlite3.connect

    def connect_without_shared_memory(name, **options):
        return plain(f"file:{name}?vfs=unix-dotfile", uri=True, **options)

    monkeypatch.setattr(database.sqlite3, "connect", connect_without_shared_memory)
    with HistoryStore(path) as store, HistoryStore(path) as other:
        assert store.journal_mode == "delete"
        assert store._database._writer.execute("PRAGMA synchronous").fetchone() == (2,)
        record_id = store.add(new())
        other.update(record_id, note="seen")
        assert store.get(record_id).note == "seen"


def test_the_file_is_private(path):
    HistoryStore(path).close()
    assert path.stat().st_mode & 0o077 == 0
