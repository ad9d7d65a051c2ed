import sqlite3

import pytest

from fal_nb.errors import HistoryError
from fal_nb.ledger.annotations import clean_note, clean_rating
from fal_nb.ledger.known_files import KnownFile
from fal_nb.ledger.schema import MIGRATIONS, migrate
from fal_nb.ledger.store import HistoryStore


def test_tags_are_added_once_and_taken_off(store, new):
    record = store.add(new(tags=["first"]))
    assert store.tag(record, ["b", " a ", "b"]) == ("first", "b", "a")
    assert store.get(record).tags == ("first", "b", "a")
    assert store.untag(record, ["b", "never there"]) == ("first", "a")
    assert store.untag(record, []) == ()


def test_what_two_programs_tag_at_once_is_all_there(path, store, new):
    record = store.add(new())
    with HistoryStore(path) as other:
        for number in range(10):
            store.tag(record, [f"here {number}"])
            other.tag(record, [f"there {number}"])
    assert len(store.get(record).tags) == 20


@pytest.mark.parametrize("tag", ["", "  ", "x" * 61, "two\nlines", "\ud800", 3, None])
def test_what_is_no_tag_is_refused_and_changes_nothing(store, new, tag):
    record = store.add(new(tags=["kept"]))
    with pytest.raises(HistoryError, match="A tag is"):
        store.tag(record, ["fine", tag])
    assert store.get(record).tags == ("kept",)


def test_a_record_has_a_hundred_tags_at_most(store, new):
    record = store.add(new())
    store.tag(record, map(str, range(100)))
    with pytest.raises(HistoryError, match="100"):
        store.tag(record, ["one more"])


def test_there_must_be_such_a_record(store):
    with pytest.raises(HistoryError, match="#7"):
        store.tag(7, ["a"])


@pytest.mark.parametrize("rating", [-1, 6, 2.5, "3", True])
def test_ratings_go_from_0_to_5(rating):
    with pytest.raises(HistoryError, match="0 to 5"):
        clean_rating(rating)
    assert [clean_rating(good) for good in (0, 5, 3.0, None)] == [0, 5, 3, None]


def test_notes_are_texts_of_bounded_length():
    assert clean_note("  ") is None
    with pytest.raises(HistoryError):
        clean_note(3)
    with pytest.raises(HistoryError):
        clean_note("x" * 10_001)


def test_urls_are_known_by_upload_or_by_stored_output(store, new):
    from fal_nb.artifacts import Artifact

    record = store.add(new())
    facts = {"kind": "image", "content_type": "image/png", "file_name": "out.png", "digest": "d" * 64}
    output = Artifact(index=0, where=("images", 0), url="https://x.org/out.png", **facts)
    store.set_artifacts(record, [output])
    store.note_upload(KnownFile("https://x.org/in.png", "a" * 64, "in.png", "image/png", "/here/in.png", "1 2 3"))
    known = store.known_files(["https://x.org/in.png", "https://x.org/out.png", "https://x.org/else", "\ud800"])
    assert {url: file.digest for url, file in known.items()} == {
        "https://x.org/in.png": "a" * 64,
        "https://x.org/out.png": "d" * 64,
    }
    assert known["https://x.org/in.png"].path == "/here/in.png"
    store.note_upload(KnownFile("https://x.org/drawn.png", "b" * 64, "image.png", "image/png"))
    assert store.verify().digests == {"d" * 64, "b" * 64}


def test_digests_of_inputs_add_up_and_a_key_that_does_not_fit_goes(store, new):
    record = store.add(new(memo_key="k", input_digests={"https://x.org/a": "a"}))
    store.note_inputs(record, {"https://x.org/b": "b"}, is_as_keyed=True)
    assert store.get(record).input_digests == {"https://x.org/a": "a", "https://x.org/b": "b"}
    assert store.get(record).memo_key == "k"
    store.note_inputs(record, {"https://x.org/b": "c"}, is_as_keyed=False)
    assert store.get(record).memo_key is None


def test_only_successful_records_are_equal_calls_the_newest_first(store, new):
    records = [store.add(new(memo_key="k", state=state)) for state in ("SUCCEEDED", "FAILED", "SUCCEEDED", "UNKNOWN")]
    store.add(new(memo_key="k", state="SUCCEEDED", origin="an import"))
    assert store.equal_calls("k") == [records[2], records[0]]
    assert store.equal_calls("other") == []


def test_a_schema_is_kept_once_under_its_digest(store):
    store.keep_schema("d", "a/b", [{"name": "prompt"}])
    store.keep_schema("d", "a/b", [{"name": "another"}])
    assert store.schema_inputs("d") == [{"name": "prompt"}]
    assert store.schema_inputs("e") is None


def test_a_history_of_the_version_before_keeps_its_records(path, new):
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path, isolation_level=None) as connection:
        migrate(connection, path, MIGRATIONS[:2])
        connection.execute(
            "INSERT INTO records (endpoint, state, kind, backend, created, updated) "
            "VALUES ('a/b', 'FAILED', 'queue', 'fal', 1, 1)"
        )
        connection.execute("INSERT INTO payloads (record_id, arguments) VALUES (1, '{}')")
    connection.close()
    with HistoryStore(path) as store:
        assert store.tag(1, ["old"]) == ("old",)
        assert store.known_files(["https://x.org/a"]) == {}
