"""A file that changes under whoever holds it open, and one whose bytes have changed."""

import os
import random
import shutil
import sqlite3

import pytest

from fal_nb.artifacts import Artifact
from fal_nb.errors import HistoryError
from fal_nb.ledger.frame import frame
from fal_nb.ledger.store import HistoryStore

_DAMAGES = 400 if os.environ.get("FAL_NB_TEST_SIZE") == "full" else 60


def line_of(call):
    with pytest.raises(HistoryError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(params=["read", "write", "change"])
def use(request, new):
    """One way to use a store that holds record 1."""
    return {
        "read": lambda store: store.select(),
        "write": lambda store: store.add(new()),
        "change": lambda store: store.update(1, state="SUCCEEDED"),
    }[request.param]


def test_a_deleted_file_is_refused_and_not_made_anew(store, path, new, use):
    store.add(new())
    path.unlink()
    assert "put it back" in line_of(lambda: use(store))
    assert not path.exists()


def test_a_file_moved_away_and_back_goes_on(store, path, new, use):
    store.add(new())
    path.rename(path.with_name("away"))
    line_of(lambda: use(store))
    path.with_name("away").rename(path)
    use(store)


def test_a_file_in_the_place_of_another_is_refused_and_not_touched(store, path, new, use, tmp_path):
    store.add(new())
    with HistoryStore(tmp_path / "other.sqlite") as other:
        other.add(new(note="another history"))
    before = (tmp_path / "other.sqlite").read_bytes()
    shutil.copy(tmp_path / "other.sqlite", path.with_name("copy"))
    path.with_name("copy").replace(path)
    assert "was replaced" in line_of(lambda: use(store))
    store.close()
    assert path.read_bytes() == before


def test_a_file_that_was_made_newer_is_refused_until_it_is_not(store, path, new, use):
    store.add(new())
    other = sqlite3.connect(path, isolation_level=None)
    version = other.execute("PRAGMA user_version").fetchone()[0]
    other.execute(f"PRAGMA user_version = {version + 1}")
    assert "upgrade fal_nb" in line_of(lambda: use(store))
    other.execute(f"PRAGMA user_version = {version}")
    other.close()
    use(store)


def test_a_file_whose_tables_are_gone_is_refused(store, path, new, use):
    store.add(new())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA foreign_keys = OFF")
    names = other.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").fetchall()
    for (name,) in names:
        other.execute(f"DROP TABLE {name}")
    other.execute("PRAGMA user_version = 0")
    other.close()
    assert "emptied or replaced" in line_of(lambda: use(store))


def test_the_artifacts_of_a_record_that_somebody_deleted_are_refused_in_a_line(store, new):
    artifact = Artifact(index=0, where=(), url="", kind="file", content_type="a/b", file_name="x")
    assert "deleted" in line_of(lambda: store.set_artifacts(7, [artifact]))


@pytest.mark.slow
def test_whatever_bytes_are_damaged_nothing_but_a_line_comes_out(path, new):
    with HistoryStore(path) as store:
        for number in range(40):
            record_id = store.add(new(note="n" * 300, tags=["a", "b"], options={"priority": "low"}))
            store.update(record_id, state="SUCCEEDED", result={"seed": number, "text": "t" * 500}, logs=["one", "two"])
            facts = {"index": 0, "where": ("images", 0), "url": "https://x/y", "kind": "image"}
            store.set_artifacts(record_id, [Artifact(**facts, content_type="image/png", file_name="y.png")])
    sound = path.read_bytes()
    told = 0
    for seed in range(_DAMAGES):
        dice = random.Random(seed)
        data = bytearray(sound)
        for _ in range(dice.choice((1, 3, 40))):
            at = dice.randrange(0, len(data) - 64)
            data[at : at + dice.choice((1, 8, 64))] = dice.randbytes(1) * dice.choice((1, 8, 64))
        path.write_bytes(data[: len(sound)])
        told += _use_all(path, new)
    assert told


def _use_all(path, new):
    """Use a store in every way; return how many of them were refused, each in one line."""
    refused = []
    try:
        store = HistoryStore(path, busy_timeout_s=0.1)
    except HistoryError:
        return 1
    uses = (
        store.select,
        lambda: store.artifacts_of(range(1, 41)),
        lambda: frame(store),
        lambda: store.find("12"),
        lambda: store.steps(3),
        lambda: store.past_durations("fal-ai/flux/dev"),
        store.open_records,
        store.verify,
        lambda: store.update(3, note="x", result={"seed": 1}),
        lambda: store.add(new()),
    )
    with store:
        for use in uses:
            try:
                use()
            except HistoryError as error:
                refused.append(str(error))
    assert not any("\n" in line for line in refused)
    return len(refused)
