"""A gallery in one file: everything that can be read, pictures while they fit, nothing hidden, nothing that runs."""

import base64
import hashlib
import html
import json
import re

import pytest

from fal_nb.errors import FileError
from fal_nb.exports.html import Originals
from fal_nb.shown_outputs import ShownOutputs
from fal_nb.views.gallery import GalleryView
from fal_nb.views.gallery_look import Query

BLOCK = re.compile(r'<script type="([^"]+)"(?: data-fal-nb="([^"]+)")?>(.*?)</script>', re.DOTALL)
LLM = "fal-ai/any-llm"


@pytest.fixture(scope="module")
def records(session, sweep):
    """The sweep's calls, of which one is hidden, and an answer in words."""
    ids = [view.record_id for view in sweep]
    session.tag(ids[0], "hidden")
    session.rate(ids[1], 4)
    session.note(ids[1], "a <b>note</b>")
    talk = session.submit(LLM, {"prompt": "Why?"})
    talk.get(60)
    return [*ids, talk.record_id]


@pytest.fixture
def open_gallery(session, records):
    def open_gallery(query=None, **more):
        return GalleryView(
            ShownOutputs(session, records, "these"), session.artifacts.path,
            lambda numbers: session.frame(where={"record": list(numbers)}), session.runtime.post, query, **more,
        )  # fmt: skip

    return open_gallery


def export(view, path, **options):
    (written,) = view.export(path, **options)
    text = written.read_text("utf-8")
    found = {name or kind: content for kind, name, content in BLOCK.findall(text)}
    data = {
        kind: json.loads(content) for kind, content in found.items() if not kind.partition("-")[2] and kind != "module"
    }
    return text, found, data


def test_the_page_holds_tiles_arguments_texts_and_the_table_of_the_calls(open_gallery, session, records, tmp_path):
    _, found, data = export(open_gallery(), tmp_path / "x.html")
    shown = sorted(set(records) - {records[0]}, reverse=True)
    assert [row[9] for row in data["items"]["rows"]] == shown
    assert [row[0] for row in data["items"]["rows"]] == list(range(len(shown)))
    assert {call["record"] for call in data["calls"]} == set(shown)
    noted = next(call for call in data["calls"] if call["record"] == records[1])
    assert noted["note"] == "a <b>note</b>"
    assert noted["arguments"] == session.history.get(records[1]).arguments
    assert noted["again"].startswith("%fal run fal-ai/flux/schnell") or noted["again"].startswith("%%fal run")
    assert data["texts"]["0"] == session.history.get(records[-1]).result["output"]
    assert sorted(data["table"]["records"]) == sorted(shown)
    rows = [dict(zip(data["table"]["columns"], row, strict=True)) for row in data["table"]["rows"]]
    assert {row["request_id"] for row in rows} == {session.history.get(record).request_id for record in shown}
    for row in data["items"]["rows"][1:]:
        record = row[9]
        digest = session.history.artifacts(record)[0].digest
        assert base64.b64decode(found[f"original-{digest[:16]}"]) == session.artifacts.read(digest)
        assert f"thumbnail-{digest[:16]}" in found
    state = data["state"]
    assert (state["is_export"], state["count"], state["matching"], state["left_out"]) == (True, 6, 6, "")
    assert dict(dict(state["facets"])["kind"]) == {"image": 5, "text": 1}


def test_what_is_hidden_leaves_only_where_it_is_shown(open_gallery, records, tmp_path):
    _, _, data = export(open_gallery(), tmp_path / "x.html")
    assert records[0] not in {call["record"] for call in data["calls"]}
    _, _, data = export(open_gallery(Query(with_hidden=True)), tmp_path / "y.html")
    assert records[0] in {call["record"] for call in data["calls"]}


def test_only_what_passes_the_filters_is_written(open_gallery, records, tmp_path):
    view = open_gallery(Query(filters={"rating": (4,)}, sort="cost", is_descending=False))
    text, found, data = export(view, tmp_path / "x.html")
    assert ">1 output</span>" in text
    assert [call["record"] for call in data["calls"]] == [records[1]]
    assert len([name for name in found if name.startswith("original-")]) == 1
    assert (data["state"]["filters"], data["state"]["sort"], data["state"]["is_descending"]) == ({}, "cost", False)
    view.export(tmp_path / "x.json")
    assert [row["record"] for row in json.loads((tmp_path / "x.json").read_text("utf-8"))] == [records[1]]


def test_a_table_of_a_gallery_is_in_its_order(open_gallery, records, tmp_path):
    open_gallery(Query(is_descending=True)).export(tmp_path / "x.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    assert [row["record"] for row in rows] == sorted(records[1:], reverse=True)


def test_only_the_script_of_the_page_may_run_and_nothing_may_be_asked_for(open_gallery, tmp_path):
    text, found, _ = export(open_gallery(), tmp_path / "x.html")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    assert f"'sha256-{base64.b64encode(hashlib.sha256(found['module'].encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:|unsafe-eval|connect-src|\*", policy)
    assert text.count("</script>") == text.count("<script ")
    assert "<b>fox" not in text
    assert "<b>note" not in text


class TestSize:
    def test_originals_go_first_and_it_is_said_before_and_in_the_page(self, open_gallery, tmp_path):
        notes = []

        def note(line):
            assert list(tmp_path.iterdir()) == []
            notes.append(line)

        room = len(export(open_gallery(), tmp_path / "all.html")[0].encode()) / 1e6
        (tmp_path / "all.html").unlink()
        text, found, data = export(open_gallery(), tmp_path / "x.html", max_mb=room - 0.001, on_note=note)
        assert len(text.encode()) <= (room - 0.001) * 1e6
        assert len([name for name in found if name.startswith("thumbnail-")]) == 5
        left = 5 - len([name for name in found if name.startswith("original-")])
        assert 1 <= left < 5
        assert len(notes) == 1
        assert notes[0].startswith(f"Left out of the page: {left} of 5 originals (")
        assert "--max-mb" in notes[0]
        assert data["state"]["left_out"].startswith(f"Not in this file: {left} of 5 originals (")

    def test_small_pictures_go_next_and_texts_never(self, open_gallery, tmp_path):
        notes = []
        _, found, data = export(open_gallery(), tmp_path / "x.html", max_mb=0, on_note=notes.append)
        assert not [name for name in found if name.startswith(("thumbnail-", "original-"))]
        assert "5 of 5 originals" in data["state"]["left_out"]
        assert "5 of 5 small pictures" in data["state"]["left_out"]
        assert len(data["calls"]) == 6
        assert "texts and arguments alone are larger" in notes[1]

    def test_it_is_shown_where_nobody_else_wants_to_know(self, open_gallery, tmp_path):
        said = []
        open_gallery(say=said.append).export(tmp_path / "x.html", max_mb=0)
        assert said[0].startswith("Left out of the page")

    def test_a_file_that_is_gone_is_named_and_the_rest_is_written(self, open_gallery, session, records, tmp_path):
        digest = session.history.artifacts(records[1])[0].digest
        path = session.artifacts.path(digest)
        aside = path.with_suffix(".aside")
        path.rename(aside)
        try:
            notes = []
            _, found, data = export(open_gallery(), tmp_path / "x.html", on_note=notes.append)
        finally:
            aside.rename(path)
        assert f"original-{digest[:16]}" not in found
        assert "1 original that is not in the store" in data["state"]["left_out"]
        assert "max_mb" not in notes[0]

    def test_room_is_given_in_order_to_what_fits(self, tmp_path):
        files = []
        for name, size in (("a", 300), ("b", 3_000), ("c", 300)):
            (tmp_path / name).write_bytes(b"x" * size)
            files.append((name, tmp_path / name))
        originals = Originals(1_200)
        originals.choose([*files, ("d", tmp_path / "gone")])
        assert [digest for digest, _ in originals.chosen] == ["a", "c"]
        assert (originals.left, originals.left_bytes) == (1, 3_000)


def test_a_file_that_is_there_stays_and_an_interrupt_leaves_none(open_gallery, tmp_path):
    (tmp_path / "x.html").write_text("mine")
    with pytest.raises(FileError, match="is there already"):
        open_gallery().export(tmp_path / "x.html")
    with pytest.raises(FileError, match="no ending that says what to write"):
        open_gallery().export(tmp_path / "x.png")

    def stop(*_told):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_gallery().export(tmp_path / "y.html", on_progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]


def test_an_empty_gallery_is_a_page_too(session, open_gallery, tmp_path):
    _, _, data = export(open_gallery(Query(words=("nowhere at all",))), tmp_path / "x.html")
    assert data["items"]["rows"] == []
    assert data["state"]["matching"] == 0


def test_a_table_of_ones_own_comes_along(session, open_gallery, records, tmp_path):
    mine = session.frame(where={"record": records}).assign(verdict=float("nan"))
    mine.loc[records[1], "verdict"] = 0.5
    _, _, data = export(open_gallery(), tmp_path / "x.html", table=mine)
    rows = [dict(zip(data["table"]["columns"], row, strict=True)) for row in data["table"]["rows"]]
    assert {row["record"]: row["verdict"] for row in rows}[records[1]] == 0.5
    assert {row["verdict"] for row in rows} == {0.5, None}
