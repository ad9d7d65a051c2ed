"""``--export``: what a line selects is written to a file, too, and never over one that is there."""

import json

import pandas as pd
import pytest

FLUX = "fal-ai/flux/schnell"


@pytest.fixture
def called(run):
    for seed in (1, 2):
        run(f"%fal run {FLUX} 'a fox' seed={seed} image_size=square")


def test_a_history_is_returned_and_written(run, called, tmp_path):
    path = tmp_path / "my calls.json"
    printed, done = run(f"%fal history --where seed=2 --export '{path}'")
    assert isinstance(done.result, pd.DataFrame)
    assert f"written: {path}" in printed
    rows = json.loads(path.read_text("utf-8"))
    assert [(row["record"], row["seed"]) for row in rows] == [(done.result.index[0], 2)]


def test_a_file_that_is_there_is_written_over_only_on_a_word(run, called, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("mine")
    printed, done = run(f"%fal history --export {path}")
    assert "is there already" in printed
    assert "--overwrite" in printed
    assert done.result is None
    assert path.read_text() == "mine"
    run(f"%fal history --export {path} --overwrite")
    assert len(pd.read_csv(path)) == 2


def test_a_path_that_says_nothing_is_refused_before_the_history_is_read(run, tmp_path):
    printed, done = run(f"%fal history --where nobody=3 --export {tmp_path}/x.xlsx")
    assert "has no ending that says what to write" in printed
    assert done.result is None
    printed, _ = run("%fal history --export")
    assert "--export" in printed
    assert list(tmp_path.iterdir()) == []


def test_a_gallery_is_shown_and_written_as_a_page(run, called, tmp_path):
    path = tmp_path / "x.html"
    printed, done = run(f"%fal gallery --where seed=2 --export {path} --max-mb 1")
    assert f"written: {path}" in printed
    assert len(done.result) == 1
    assert path.read_text("utf-8").startswith("<!doctype html>")
    printed, _ = run(f"%fal gallery --export {path}")
    assert "is there already" in printed


def test_a_history_is_written_as_a_page_with_its_own_columns(run, called, shell, tmp_path):
    run(f"df = %fal history --export {tmp_path}/x.html")
    run(f"df.assign(verdict='good').fal.export('{tmp_path}/y.html')")
    assert "verdict" not in (tmp_path / "x.html").read_text("utf-8")
    assert '"verdict"' in (tmp_path / "y.html").read_text("utf-8")
