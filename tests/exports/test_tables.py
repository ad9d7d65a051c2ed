"""Tables hold every cell with its arguments: JSON exactly, CSV so that no spreadsheet runs any of it."""

import builtins
import csv
import json
import sys
import types

import pandas as pd
import pytest

from fal_nb.errors import FileError
from fal_nb.exports.rows import sweep_rows
from fal_nb.exports.tables import csv_value, json_text, write_table

FORMULAS = ("=1+1", "+1", "-2+3", "@SUM(A1)", "  =1", "\uff1d1", "\t=1", "|calc", "%0a")


def test_json_holds_a_row_for_each_cell_with_axes_arguments_and_what_became_of_it(sweep, tmp_path):
    assert sweep.export(tmp_path / "x.json") == [tmp_path / "x.json"]
    rows = json.loads((tmp_path / "x.json").read_text("utf-8"))
    assert [row["cell"] for row in rows] == [view.cell.key for view in sweep]
    assert {row["state"] for row in rows} == {"SUCCEEDED"}
    assert {row["word"] for row in rows} == {"=1+1", "../../<b>fox</b>"}
    assert rows[0]["prompt"] == "=1+1 in ukiyo-e"
    assert rows[0]["image_size"] == {"width": 64, "height": 48}
    assert rows[0]["seed"] == 1
    assert "arg_seed" not in rows[0]  # the axis is the argument
    views = list(sweep)
    assert [row["request_id"] for row in rows] == [view.request_id for view in views]
    assert [row["cost"] for row in rows] == [view.cost for view in views]
    assert [row["digest"] for row in rows] == [view.artifacts[0].digest for view in views]
    sweep.export(tmp_path / "x.jsonl")
    lines = (tmp_path / "x.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == rows


def test_csv_lets_no_text_be_taken_for_a_formula(sweep, tmp_path):
    sweep.export(tmp_path / "x.csv")
    frame = pd.read_csv(tmp_path / "x.csv")
    assert len(frame) == 6
    assert set(frame["word"]) == {"'=1+1", "../../<b>fox</b>"}
    assert frame["cost"].sum() == pytest.approx(6 * 0.003)
    assert json.loads(frame["image_size"][0]) == {"width": 64, "height": 48}
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        assert all(field[:1] not in set("=+-@\t") for row in csv.reader(file) for field in row)


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_like_a_formula_begins_with_an_apostrophe(text):
    assert csv_value(text).startswith("'")


def test_numbers_stay_numbers_and_no_field_moves_a_cursor():
    assert csv_value(-2.5) == -2.5
    assert csv_value(None) is None
    assert csv_value("fox") == "fox"
    assert csv_value("a\x1b[31m\u202eb\0") == "a\ufffdb\ufffd"
    assert csv_value(["=1"]) == '["=1"]'
    assert json.loads(json_text({"a": "\ud800 狐"})) == {"a": "\ud800 狐"}
    assert "狐" in json_text("狐")


def test_names_that_are_taken_get_a_word_before_them(make_sweep):
    plan = "prompt: '{state} {style}'\nrows:\n  - {state: solid, style: a, seed: 1}\n  - {state: liquid, style: b, seed: 2}\n"
    rows = sweep_rows(make_sweep(plan, is_run=False))
    assert [(row["axis_state"], row["state"], row["style"]) for row in rows] == [
        ("solid", "PREPARED", "a"), ("liquid", "PREPARED", "b"),
    ]  # fmt: skip


def test_parquet_without_pyarrow_says_so_and_leaves_nothing(sweep, tmp_path, monkeypatch):
    usual = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return usual(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FileError, match="needs pyarrow"):
        sweep.export(tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_columns_of_a_parquet_file_are_of_one_type_each(tmp_path, monkeypatch):
    """On a stand-in for pyarrow, which is no dependency: what it would be given."""
    given = {}
    pyarrow = types.ModuleType("pyarrow")
    pyarrow.table = given.update
    pyarrow.parquet = types.SimpleNamespace(write_table=lambda table, path: None)
    monkeypatch.setitem(sys.modules, "pyarrow", pyarrow)
    rows = [
        {"a": 1, "b": 1, "c": {"x": 1}, "d": "狐\ud800", "e": 2**70, "f": True, "g": None},
        {"a": 2.5, "b": "1", "c": None, "d": None, "e": 1, "f": None, "g": None},
    ]
    write_table(rows, tmp_path / "x", ".parquet")
    assert given == {
        "a": [1.0, 2.5], "b": ["1", '"1"'], "c": ['{"x": 1}', None], "d": ["狐\ufffd", None],
        "e": [str(2**70), "1"], "f": [True, None], "g": [None, None],
    }  # fmt: skip
