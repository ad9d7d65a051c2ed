"""A folder holds every output under a name that says what it is; what is there already is left, never written over."""

import csv
import hashlib
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import FileError
from fal_nb.exports.naming import Names, speaking_name

RESERVED = {"con", "prn", "aux", "nul", "com1", "lpt1"}


def outputs(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("manifest.")}


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text("utf-8"))


def test_each_output_has_a_name_of_its_own_and_a_line_of_the_manifest(sweep, tmp_path):
    paths = sweep.export(f"{tmp_path}/out/")
    folder = tmp_path / "out"
    assert sorted(paths) == sorted(folder.iterdir())
    assert any(path.name.startswith("word=_1+1_style=ukiyo-e_seed=1.") or "word==1+1" in path.name for path in paths)
    found = manifest(folder)
    assert (found["sweep"], found["backend"], len(found["cells"])) == ("styles", "server", 6)
    views = {view.cell.key: view for view in sweep}
    for line in found["files"]:
        view = views[line["cell"]]
        data = (folder / line["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == line["digest"] == view.artifacts[0].digest
        assert (line["request_id"], line["cost"], line["size_bytes"]) == (view.request_id, view.cost, len(data))
    for cell in found["cells"]:
        assert cell["arguments"] == views[cell["cell"]].cell.arguments
        assert cell["axes"] == dict(views[cell["cell"]].cell.coordinates)
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == [line["file"] for line in found["files"]]


def test_exported_again_it_writes_only_what_is_not_there(sweep, tmp_path):
    sweep.export(tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir() if path.suffix != ".csv"}
    gone = next(path for path in before if not path.name.startswith("manifest"))
    data = gone.read_bytes()
    gone.unlink()
    sweep.export(tmp_path / "out")
    assert gone.read_bytes() == data
    kept = [path for path in before if path != gone and not path.name.startswith("manifest")]
    assert [path.stat().st_mtime_ns for path in kept] == [before[path] for path in kept]


def test_an_interrupt_leaves_whole_files_only_and_the_next_export_goes_on(sweep, tmp_path):
    def stop(done, total, _what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep.export(tmp_path / "out", on_progress=stop)
    left = outputs(tmp_path / "out")
    assert len(left) == 1
    sweep.export(tmp_path / "out")
    after = outputs(tmp_path / "out")
    assert len(after) == 6
    assert left.items() <= after.items()
    assert not [name for name in after if name.endswith(".part")]


def test_a_file_of_somebody_else_is_never_written_over(sweep, tmp_path):
    folder = tmp_path / "out"
    sweep.export(folder)
    name = next(iter(outputs(folder)))
    (folder / name).write_bytes(b"retouched")
    (folder / "notes.txt").write_bytes(b"mine")
    with pytest.raises(FileError, match="is there already"):
        sweep.export(folder)
    assert (folder / name).read_bytes() == b"retouched"
    sweep.export(folder, overwrite=True)
    assert (folder / name).read_bytes() != b"retouched"
    assert (folder / "notes.txt").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("name", "content"), [("manifest.json", b"[]"), ("manifest.json", b"{"), ("manifest.csv", b"x")]
)
def test_a_manifest_of_another_kind_is_kept(sweep, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match="is there already"):
        sweep.export(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_folder_of_one_sweep_takes_no_other(sweep, make_sweep, tmp_path):
    sweep.export(tmp_path / "out")
    with pytest.raises(FileError, match="not of the sweep other"):
        make_sweep("prompt: a fox\n", name="other", is_run=False).export(tmp_path / "out")


def test_outputs_that_are_texts_missing_or_several_are_written_or_said(session, make_sweep, tmp_path):
    make_sweep("prompt: [hello, a haiku]\n", "fal-ai/any-llm").export(tmp_path / "texts")
    texts = outputs(tmp_path / "texts")
    assert set(texts) == {"prompt=hello.txt", "prompt=a-haiku.txt"}
    assert all(len(text) > 20 for text in texts.values())
    several = make_sweep("prompt: a hare\nseed: [3, 9]\nnum_images: 2\nimage_size: {width: 48, height: 40}\n")
    first = next(iter(several))
    path = session.artifacts.path(first.artifacts[0].digest)
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    session.artifacts.path(first.artifacts[1].digest).unlink()
    several.export(tmp_path / "several")
    assert sorted(name.rpartition(".")[0] for name in outputs(tmp_path / "several")) == ["seed=9_1", "seed=9_2"]
    errors = {line["error"] for line in manifest(tmp_path / "several")["files"] if line["file"] is None}
    assert errors == {
        "its bytes in the store of artifacts are damaged", "it is no longer in the store of artifacts",
    }  # fmt: skip


HOSTILE = (
    "../../etc/passwd",
    "..\\..\\x",
    "CON",
    "nul.png",
    "a\0b",
    "a\nb",
    "-rf",
    ".ssh",
    "~",
    "$(id)",
    "`id`",
    "",
    ".",
    "x" * 500,
    "\u202eabc",
)


@given(
    st.dictionaries(st.text(max_size=40), st.text(max_size=400) | st.sampled_from(HOSTILE) | st.integers(), max_size=9)
)
def test_no_name_leaves_its_folder_or_is_one_that_a_system_refuses(labels):
    name = Names().give(speaking_name(labels, "sweep"), ".png")
    assert name == Path(name).name
    assert not set(name) & set('/\\:*?"<>|\n\r\t\0$`;&!\u202e')
    assert name[0] not in "-.~ "
    assert name.partition(".")[0].casefold() not in RESERVED
    assert len(name.encode()) <= 200
    assert name.isprintable()


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stay_apart_from_paths_and_commands(value):
    for labels in ({"a": value}, {value: "a"}, {value: value}):
        test_no_name_leaves_its_folder_or_is_one_that_a_system_refuses.hypothesis.inner_test(labels)


def test_names_that_some_disk_takes_for_the_same_get_numbers():
    names = Names(["manifest.json"])
    same = ["Fox", "fox", "FOX", unicodedata.normalize("NFD", "é"), "é"]
    given_out = [names.give(each, ".png") for each in same]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in given_out}) == len(same)
    assert names.give("manifest", ".json") == "manifest-2.json"
    assert names.give("x", "./../a") == "x.bin"
