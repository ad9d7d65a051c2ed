"""What a person is told when the file cannot be used."""

import sqlite3

import pytest

from fal_nb.errors import HistoryError
from fal_nb.ledger import database
from fal_nb.ledger.store import HistoryStore


def line_of(call):
    with pytest.raises(HistoryError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_file_that_is_no_database_is_named_and_left_alone(path):
    path.parent.mkdir()
    path.write_bytes(b"these are somebody's notes\n" * 500)
    text = line_of(lambda: HistoryStore(path))
    assert str(path) in text
    assert "damaged" in text
    assert path.read_bytes() == b"these are somebody's notes\n" * 500
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_file_damaged_inside_is_reported_and_not_overwritten(path, new):
    with HistoryStore(path) as store:
        store.add_many(new(note="x" * 500) for _ in range(200))
    data = bytearray(path.read_bytes())
    data[8192:40960] = b"\xa5" * (40960 - 8192)
    path.write_bytes(data)
    with HistoryStore(path) as store:
        assert "damaged" in line_of(store.select)
    assert path.read_bytes() == data


def test_a_file_that_is_cut_short_is_reported(path, new):
    with HistoryStore(path) as store:
        store.add_many(new(note="x" * 500) for _ in range(200))
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)
    assert "damaged" in line_of(lambda: HistoryStore(path))
    assert path.read_bytes() == half


def test_a_file_that_may_only_be_read_says_so_and_can_still_be_read(path, new, monkeypatch):
    with HistoryStore(path) as store:
        store.add(new())
    plain = sqlite3.connect
    monkeypatch.setattr(
        database.sqlite3, "connect", lambda name, **options: plain(f"file:{name}?mode=ro", uri=True, **options)
    )
    with HistoryStore(path) as store:
        text = line_of(lambda: store.add(new()))
        assert str(path) in text
        assert "cannot be written" in text
        assert "FAL_NB_HOME" in text
        assert store.count() == 1


@pytest.mark.parametrize("below", ["history.sqlite", "home/history.sqlite"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, below):
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / below
    text = line_of(lambda: HistoryStore(path))
    assert str(path) in text
    assert "FAL_NB_HOME" in text


def test_a_folder_in_the_place_of_the_file_is_named(path):
    path.mkdir(parents=True)
    assert str(path) in line_of(lambda: HistoryStore(path))


def test_a_lock_that_is_never_released_is_named_and_later_writes_succeed(path, new):
    with HistoryStore(path, busy_timeout_s=0.05) as store:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        text = line_of(lambda: store.add(new()))
        assert str(path) in text
        assert "locked" in text
        assert store.count() == 0
        holder.execute("ROLLBACK")
        holder.close()
        assert store.add(new()) == 1


def test_a_new_file_that_another_program_holds_is_named(path):
    path.parent.mkdir()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    text = line_of(lambda: HistoryStore(path, busy_timeout_s=0.05))
    holder.close()
    assert "locked" in text


def test_a_full_disk_is_named_and_what_was_there_stays(path, new):
    with HistoryStore(path) as store:
        store.add(new())
        pages = store._database._writer.execute("PRAGMA page_count").fetchone()[0]
        store._database._writer.execute(f"PRAGMA max_page_count = {pages}")
        text = line_of(lambda: store.add(new(arguments={"prompt": "x" * 100_000})))
        assert "full" in text
        assert store.count() == 1
        store._database._writer.execute("PRAGMA max_page_count = 100000")
        assert store.add(new()) > 1
        assert store.verify().is_sound


def test_an_error_inside_a_block_writes_nothing_and_leaves_the_store_usable(store, new):
    def records():
        yield new()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add_many(records())
    assert store.count() == 0
    assert store.add(new()) > 0
