import dataclasses
import sqlite3
import threading

import pytest

from fal_nb.artifacts import Artifact
from fal_nb.errors import HistoryError
from fal_nb.ledger.records import NewRecord, Record
from fal_nb.ledger.store import HistoryStore


def artifact(index=0, **changes):
    facts = {
        "index": index,
        "where": ("images", index),
        "url": f"https://v3.fal.media/files/{index}.png",
        "kind": "image",
        "content_type": "image/png",
        "file_name": f"{index}.png",
        "size_bytes": 1234,
        "width": 64,
        "height": 48,
        "digest": f"{index:064x}",
        "thumbnail": b"RIFF\0\0webp",
    }
    return Artifact(**(facts | changes))


def test_an_added_record_is_in_the_file_when_add_returns(store, path, new):
    record_id = store.add(new())
    with HistoryStore(path) as other:
        assert other.get(record_id).arguments == {"prompt": "a red fox", "num_images": 1}


def test_every_field_comes_back_as_it_was_written(store, new):
    written = new(
        arguments={"prompt": "Füchse 🦊", "deep": {"list": [1, 2.5, None, True]}, "z": 1, "a": 2},
        kind="direct",
        state="SUBMITTING",
        request_id="req-1",
        base_url="http://127.0.0.1:1",
        notebook="a.ipynb",
        cell="c1",
        owner="kernel-1",
        schema_digest="abc",
        input_digests={"https://x/y": "f" * 64},
        options={"priority": "low"},
        estimate_low=0.1,
        estimate_high=0.2,
        reserved=0.3,
        currency="USD",
        sweep="styles",
        sweep_cell="3",
        memo_key="memo",
        replay_of=7,
        origin="board.html",
        tags=("fox", "snow"),
        note="a note",
        rating=4,
    )
    record = store.get(store.add(written))
    for field in dataclasses.fields(NewRecord):
        assert getattr(record, field.name) == getattr(written, field.name), field.name
    assert list(record.arguments) == ["prompt", "deep", "z", "a"]
    assert (record.updated, record.log_count, record.logs, record.result) == (written.created, 0, None, None)


def test_an_update_changes_what_it_names_and_nothing_else(store, new):
    record_id = store.add(new(note="kept"))
    before = store.get(record_id)
    store.update(
        record_id,
        state="SUCCEEDED",
        request_id="r-1",
        result={"images": [], "seed": 42},
        logs=["a", "b"],
        log_count=7,
        cost=0.025,
        tags=["one"],
    )
    after = store.get(record_id)
    assert after.result == {"images": [], "seed": 42}
    assert after.logs == ["a", "b"]
    assert after.tags == ("one",)
    changed = {"state", "request_id", "result", "result_seed", "logs", "log_count", "cost", "tags"}
    for field in dataclasses.fields(Record):
        same = getattr(before, field.name) == getattr(after, field.name)
        assert same != (field.name in changed | {"updated"}), field.name


def test_an_update_with_an_unknown_name_is_refused_and_writes_nothing(store, new):
    record_id = store.add(new())
    with pytest.raises(TypeError, match="status"):
        store.update(record_id, note="x", status="SUCCEEDED")
    with pytest.raises(TypeError, match="id"):
        store.update(record_id, id=9)
    assert store.get(record_id).note is None


def test_update_many_is_one_commit_or_none(store, new):
    first, second = store.add_many([new(), new()])
    store.update_many([(first, {"note": "a"}), (second, {"note": "b"})])
    with pytest.raises(HistoryError, match="#99"):
        store.update_many([(first, {"note": "lost"}), (99, {"note": "x"})])
    assert [store.get(first).note, store.get(second).note] == ["a", "b"]


def test_a_record_that_does_not_exist_is_named(store):
    for call in (lambda: store.get(5), lambda: store.update(5, note="x"), lambda: store.tell(5, "x")):
        with pytest.raises(HistoryError, match="#5"):
            call()


def test_record_numbers_are_never_given_twice(store, new):
    store.add(new())
    second = store.add(new())
    with store._database.writing() as connection:
        connection.execute("DELETE FROM records WHERE id = ?", (second,))
    assert store.add(new()) == second + 1


def test_the_story_of_a_call_tells_each_state_once_and_what_went_wrong(store, new):
    record_id = store.add(new())
    store.update(record_id, state="SUBMITTING")
    store.update(record_id, state="SUBMITTING", note="mine")
    store.tell(record_id, "sent again by hand")
    store.update(record_id, state="FAILED", error="the runner went away")
    told = [(step.state, step.note) for step in store.steps(record_id)]
    assert told == [
        ("PREPARED", None),
        ("SUBMITTING", None),
        ("SUBMITTING", "sent again by hand"),
        ("FAILED", "the runner went away"),
    ]
    times = [step.at for step in store.steps(record_id)]
    assert times == sorted(times)


class TestFind:
    def test_by_number_with_or_without_its_mark(self, store, new):
        record_id = store.add(new())
        assert store.find(str(record_id)).id == record_id
        assert store.find(f" #{record_id} ").id == record_id

    def test_by_request_id_or_a_unique_beginning_of_eight_characters(self, store, new):
        first = store.add(new(request_id="12345678-aaaa"))
        second = store.add(new(request_id="12345679-bbbb"))
        assert store.find("12345678-aaaa").id == first
        assert store.find("12345679").id == second
        assert store.find("1234567") is None

    def test_an_ambiguous_beginning_finds_nothing_but_the_whole_id_does(self, store, new):
        store.add(new(request_id="abcdefgh-1"))
        longer = store.add(new(request_id="abcdefgh-12"))
        assert store.find("abcdefgh") is None
        assert store.find("abcdefgh-12").id == longer

    def test_a_request_followed_twice_is_found_as_the_newest_record(self, store, new):
        store.add(new(request_id="abcdefgh-1"))
        newest = store.add(new(request_id="abcdefgh-1"))
        assert store.find("abcdefgh-1").id == newest

    @pytest.mark.parametrize(
        "word", ["", "#", "%", "________", "%%%%%%%%", "nothing-like-it", "9" * 30, "#x", "²²²²²²²²"]
    )
    def test_nothing_in_a_word_is_a_wildcard(self, store, new, word):
        store.add(new(request_id="abcdefgh-1"))
        assert store.find(word) is None


def test_last_is_the_newest_of_one_session_or_of_all(store, new):
    assert store.last() is None
    mine = store.add(new(owner="me"))
    other = store.add(new(owner="you"))
    assert store.last().id == other
    assert store.last("me").id == mine
    assert store.last("nobody") is None


def test_open_records_are_those_that_have_not_ended(store, new):
    ids = {
        state: store.add(new(state=state, owner=owner))
        for state, owner in (
            ("PREPARED", "me"), ("SUBMITTING", "me"), ("QUEUED", "you"), ("RUNNING", "me"), ("SUCCEEDED", "me"),
            ("FAILED", "me"), ("CANCELLED", "me"), ("UNKNOWN", "me"), ("SKIPPED", "me"),
        )
    }  # fmt: skip
    assert [record.id for record in store.open_records()] == [
        ids[s] for s in ("PREPARED", "SUBMITTING", "QUEUED", "RUNNING")
    ]
    assert [record.id for record in store.open_records("you")] == [ids["QUEUED"]]
    assert store.get(ids["RUNNING"]).is_open
    assert not store.get(ids["UNKNOWN"]).is_open


def test_past_durations_are_the_newest_successes_of_one_endpoint(store, new):
    def ended(**changes):
        record_id = store.add(new(backend=changes.pop("backend", "fal"), endpoint=changes.pop("endpoint", "a/b")))
        store.update(record_id, **({"state": "SUCCEEDED"} | changes))

    ended(inference_s=1.0)
    ended(started=10.0, ended=12.0)
    ended(inference_s=3.0, started=10.0, ended=20.0)
    ended(inference_s=9.0, state="FAILED")
    ended(inference_s=9.0, endpoint="a/c")
    ended()
    ended(inference_s=4.0, backend="simulator")
    assert store.past_durations("a/b") == [4.0, 3.0, 2.0, 1.0]
    assert store.past_durations("a/b", 2, backend="fal") == [3.0, 2.0]


class TestArtifacts:
    def test_they_come_back_as_they_were_in_the_order_of_the_result(self, store, new):
        record_id = store.add(new())
        given = [
            artifact(1, kind="video", duration_s=2.5, url=""),
            artifact(0, thumbnail=None, text="first lines", where=("a", 0, "b")),
            artifact(2, digest=None, thumbnail=None, error="HTTP 404", size_bytes=None, width=None, height=None),
        ]
        store.set_artifacts(record_id, given)
        assert store.artifacts(record_id) == (given[1], given[0], given[2])

    def test_setting_them_again_replaces_them(self, store, new):
        record_id = store.add(new())
        store.set_artifacts(record_id, [artifact(0), artifact(1)])
        store.set_artifacts(record_id, [artifact(0, digest="b" * 64)])
        assert [item.digest for item in store.artifacts(record_id)] == ["b" * 64]
        with store._database.reading() as connection:
            assert connection.execute("SELECT count(*) FROM previews").fetchone() == (1,)

    def test_those_of_several_records_are_told_apart(self, store, new):
        first, second, third = store.add_many([new(), new(), new()])
        store.set_artifacts(first, [artifact(0)])
        store.set_artifacts(third, [artifact(1), artifact(2)])
        found = store.artifacts_of([first, second, third])
        assert {key: [item.index for item in items] for key, items in found.items()} == {
            first: [0],
            second: [],
            third: [1, 2],
        }
        assert store.digests([first, second]) == {first: (f"{0:064x}",)}


class TestVerify:
    def test_it_counts_records_and_lists_every_digest_once(self, store, new):
        first, second = store.add_many([new(), new()])
        store.set_artifacts(first, [artifact(0), artifact(1, digest=None, error="gone")])
        store.set_artifacts(second, [artifact(0)])
        check = store.verify()
        assert check.is_sound
        assert check.record_count == 2
        assert check.digests == {f"{0:064x}"}

    def test_it_names_what_the_artifact_store_does_not_have(self, store, new):
        record_id = store.add(new())
        store.set_artifacts(record_id, [artifact(0), artifact(1)])
        check = store.verify(has=lambda digest: digest.endswith("0"))
        assert not check.is_sound
        assert len(check.problems) == 1
        assert "1.png" in check.problems[0]
        assert f"#{record_id}" in check.problems[0]

    def test_it_tells_what_is_damaged_in_the_file(self, path, new):
        with HistoryStore(path) as store:
            store.add_many(new() for _ in range(5))
        connection = sqlite3.connect(path)
        page, size = (connection.execute(question).fetchone()[0] for question in (
            "SELECT rootpage FROM sqlite_master WHERE name = 'records_by_state'", "PRAGMA page_size",
        ))  # fmt: skip
        connection.close()
        data = bytearray(path.read_bytes())
        data[(page - 1) * size + 3 : (page - 1) * size + 5] = b"\0\0"  # an index without entries
        path.write_bytes(data)
        with HistoryStore(path) as store:
            check = store.verify()
        assert not check.is_sound
        assert any("records_by_state" in problem for problem in check.problems)

    def test_it_names_rows_that_belong_to_nothing(self, store, new):
        record_id = store.add(new())
        with store._database.reading() as connection:
            connection.execute("COMMIT")
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("DELETE FROM records WHERE id = ?", (record_id,))
            connection.execute("BEGIN")
        assert any("payloads" in problem for problem in store.verify().problems)


class TestHostileText:
    def test_lone_surrogates_and_nul_survive_in_arguments_and_results(self, store, new):
        nasty = {"prompt": "a\ud800b\0c\u2028", "\udfff": ["\ud83d"]}
        record_id = store.add(new(arguments=nasty))
        store.update(record_id, result=nasty, logs=["\ud800"])
        record = store.get(record_id)
        assert record.arguments == nasty
        assert record.result == nasty
        assert record.logs == ["\ud800"]

    def test_lone_surrogates_in_plain_text_become_question_marks(self, store, new):
        record_id = store.add(new(notebook="\ud800.ipynb"))
        store.update(record_id, error="bad \udfff")
        assert store.get(record_id).notebook == "?.ipynb"
        assert store.get(record_id).error == "bad ?"

    def test_a_result_with_nan_is_kept(self, store, new):
        record_id = store.add(new())
        store.update(record_id, result={"score": float("nan"), "big": 2**70})
        result = store.get(record_id).result
        assert result["score"] != result["score"]
        assert result["big"] == 2**70

    def test_arguments_with_nan_are_refused_because_they_could_not_be_sent(self, store, new):
        with pytest.raises(ValueError, match="JSON"):
            store.add(new(arguments={"x": float("inf")}))
        assert store.count() == 0

    @pytest.mark.parametrize("seed", [2**80, -(2**63) - 1, 2**64 - 1])
    def test_a_seed_beyond_64_bits_is_kept_as_text(self, store, new, seed):
        record_id = store.add(new())
        store.update(record_id, result={"seed": seed})
        assert store.get(record_id).result_seed == str(seed)

    @pytest.mark.parametrize("result", [None, [], "text", 3, {"seed": True}, {"seed": [1]}, {"seed": None}])
    def test_a_result_without_a_seed_leaves_none(self, store, new, result):
        record_id = store.add(new())
        store.update(record_id, result=result)
        assert store.get(record_id).result_seed is None
        assert store.get(record_id).result == result


def test_what_a_record_says_of_itself(store, new):
    record = store.get(store.add(new(arguments={"text": "say it", "seed": 3}, estimate_low=1.0)))
    assert (record.prompt, record.seed, record.estimate, record.total_s) == ("say it", 3, 1.0, None)
    store.update(record.id, result={"seed": 4}, ended=record.created + 2.5, estimate_high=2.0)
    record = store.get(record.id)
    assert (record.seed, record.estimate, record.total_s) == (3, 2.0, 2.5)
    record = store.get(store.add(new(arguments=["no", "object"])))
    assert (record.prompt, record.seed, record.estimate) == (None, None, None)


def test_threads_may_share_one_store(store, new):
    trouble = []

    def work(number):
        try:
            for step in range(25):
                record_id = store.add(new(owner=f"thread-{number}"))
                store.update(record_id, note=str(step))
                assert store.get(record_id).note == str(step)
                assert store.last(f"thread-{number}").id == record_id
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            trouble.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not trouble
    assert store.count() == 200
    assert store.verify().is_sound


def is_open(connection):
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def test_many_readers_leave_no_connections_behind(store, new):
    store.add(new())
    with pytest.MonkeyPatch.context() as patch:
        opened = []
        connect = store._database._connect
        patch.setattr(store._database, "_connect", lambda: opened.append(connect()) or opened[-1])
        gate = threading.Barrier(10)

        def read():
            with store._database.reading():
                gate.wait(20)

        threads = [threading.Thread(target=read) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(opened) >= 9
    assert sum(is_open(connection) for connection in opened) <= 4


def test_a_closed_store_says_so(store, path):
    store.close()
    store.close()
    for call in (store.count, lambda: store.update(1, note="x")):
        with pytest.raises(HistoryError, match="closed"):
            call()
    assert not path.with_name(path.name + "-wal").exists()
