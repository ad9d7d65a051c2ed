"""Files appear complete and together, or not at all, and never in the place of another."""

import os

import pytest

from fal_nb.errors import FileError
from fal_nb.exports.files import Staged


def test_two_files_appear_together_or_not_at_all(tmp_path):
    with Staged() as staged:
        for name in ("a", "b"):
            staged.path_for(tmp_path / "new" / name).write_text(name)
        assert all(path.name.startswith(".fal_nb-") for path in (tmp_path / "new").iterdir())
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b"]
    with pytest.raises(KeyboardInterrupt):
        write_and_raise(tmp_path / "new" / "c", KeyboardInterrupt())
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b"]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_comes_while_another_is_written_is_kept(tmp_path, monkeypatch, has_links):
    if not has_links:
        monkeypatch.setattr(os, "link", _no_links)
    target = tmp_path / "x"
    with pytest.raises(FileError, match="is there already"):
        write_beside(target)
    assert target.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]
    with Staged(overwrite=True) as staged:
        staged.path_for(target).write_text("ours")
    assert target.read_text() == "ours"
    with Staged() as staged:
        staged.path_for(tmp_path / "y").write_text("new")
    assert (tmp_path / "y").read_text() == "new"


def test_a_link_to_nowhere_is_a_file_that_is_there(tmp_path):
    (tmp_path / "x").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileError, match="is there already"), Staged() as staged:
        staged.path_for(tmp_path / "x")


def test_a_disk_that_takes_no_more_is_said_in_one_line(tmp_path):
    with pytest.raises(FileError, match="cannot be written: No space left"):
        write_and_raise(tmp_path / "x", OSError(28, "No space left on device"))
    assert list(tmp_path.iterdir()) == []


def write_and_raise(target, error):
    with Staged() as staged:
        staged.path_for(target).write_text("half")
        raise error


def write_beside(target):
    with Staged() as staged:
        staged.path_for(target).write_text("ours")
        target.write_text("theirs")


def _no_links(*_paths):
    raise PermissionError(1, "no links here")
