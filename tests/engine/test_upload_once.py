"""The same bytes go up once; how they are known depends on how long it would take to read them."""

import os

from fal_nb.engine.inputs import LocalFile, local_file


def test_small_files_are_known_by_their_bytes(session, simulator, tmp_path):
    before = simulator.counters().get("upload", 0)
    for name in ("a.bin", "b.bin", "a.bin"):
        (tmp_path / name).write_bytes(b"the same")
        session.upload(tmp_path / name)
    session.upload(b"the same")
    assert simulator.counters()["upload"] == before + 1
    (tmp_path / "a.bin").write_bytes(b"another!")
    session.upload(tmp_path / "a.bin")
    assert simulator.counters()["upload"] == before + 2


def test_large_files_are_known_without_being_read(session, simulator, tmp_path, monkeypatch):
    path = tmp_path / "large.bin"
    path.write_bytes(b"x" * (8 * 1024 * 1024 + 1))
    monkeypatch.setattr(LocalFile, "digest", lambda self: (_ for _ in ()).throw(AssertionError("read to be known")))
    before = simulator.counters().get("upload", 0)
    first = session.upload(path)
    assert session.upload(path) == first
    assert simulator.counters()["upload"] == before + 1
    os.utime(path, ns=(1, 1))
    assert session.upload(path) != first
    assert simulator.counters()["upload"] == before + 2


def test_a_file_that_went_meanwhile_is_named(tmp_path):
    import pytest

    from fal_nb.errors import FileError

    path = tmp_path / "gone.bin"
    path.write_bytes(b"x")
    file = local_file(path)
    path.unlink()
    with pytest.raises(FileError, match="gone"):
        file.identity()
