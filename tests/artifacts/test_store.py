import concurrent.futures
import hashlib
import os
import pickle
import time

import pytest

from fal_nb.artifacts.store import ArtifactStore
from fal_nb.errors import FileError


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


def files_under(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_nothing_is_created_before_something_is_stored(store):
    assert not store.has("0" * 64)
    assert store.clean() == 0
    assert not store.folder.exists()


def test_bytes_are_found_by_their_digest_alone(store):
    digest = store.put_bytes(b"hello")
    assert digest == digest_of(b"hello")
    assert store.has(digest)
    assert store.read(digest) == b"hello"
    with ArtifactStore(store.folder).open(digest) as file:
        assert file.read() == b"hello"
    assert store.path(digest).parent.name == digest[:2]


def test_the_same_bytes_are_stored_once(store):
    first = store.put_bytes(b"same")
    inode = store.path(first).stat().st_ino
    assert store.put_bytes(b"same") == first
    assert store.path(first).stat().st_ino == inode
    assert files_under(store.folder) == [first]


def test_adopting_moves_the_file_and_leaves_nothing_behind(store):
    temp = store.incoming_path()
    temp.write_bytes(b"film")
    path = store.adopt(temp, digest_of(b"film"))
    assert path.read_bytes() == b"film"
    assert files_under(store.folder) == [path.name]


def test_adopting_what_is_there_already_drops_the_second_copy(store):
    store.put_bytes(b"film")
    temp = store.incoming_path()
    temp.write_bytes(b"film")
    store.adopt(temp, digest_of(b"film"))
    assert files_under(store.folder) == [digest_of(b"film")]


def test_a_file_from_another_disk_is_adopted_too(store, tmp_path, monkeypatch):
    temp = tmp_path / "elsewhere.bin"
    temp.write_bytes(b"film")
    replace = type(temp).replace

    def refuse_first(self, target):
        if self == temp:
            raise OSError(18, "Invalid cross-device link")
        return replace(self, target)

    monkeypatch.setattr(type(temp), "replace", refuse_first)
    path = store.adopt(temp, digest_of(b"film"))
    assert path.read_bytes() == b"film"
    assert not temp.exists()
    assert files_under(store.folder) == [path.name]


def test_a_copy_from_another_disk_that_fails_leaves_nothing_behind(store, tmp_path, monkeypatch):
    from fal_nb.artifacts import store as module

    def refuse(self, target):
        raise OSError(18, "Invalid cross-device link")

    def fill_up(source, target):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    temp = tmp_path / "elsewhere.bin"
    temp.write_bytes(b"film")
    monkeypatch.setattr(type(temp), "replace", refuse)
    monkeypatch.setattr(module.shutil, "copyfile", fill_up)
    with pytest.raises(FileError, match="No space left"):
        store.adopt(temp, digest_of(b"film"))
    assert files_under(store.folder) == []


def test_stored_files_are_read_only(store):
    path = store.path(store.put_bytes(b"x"))
    assert path.stat().st_mode & 0o222 == 0
    temp = store.incoming_path()
    temp.write_bytes(b"y")
    assert store.adopt(temp, digest_of(b"y")).stat().st_mode & 0o222 == 0


def test_an_extension_gives_the_same_file_another_name(store):
    digest = store.put_bytes(b"picture")
    named = store.path(digest, ".png")
    assert named.name == f"{digest}.png"
    assert named.read_bytes() == b"picture"
    assert named.samefile(store.path(digest))
    assert store.path(digest, ".png") == named


@pytest.mark.parametrize("extension", ["/../../x", "..", ".a/b", ".", "png", ".PNG", ".x" * 20, ".a b", ".png\n"])
def test_an_extension_of_another_form_is_left_out(store, extension):
    digest = store.put_bytes(b"picture")
    assert store.path(digest, extension) == store.path(digest)


def test_a_missing_file_has_a_path_without_extension(store):
    assert store.path("ab" * 32, ".png") == store.path("ab" * 32)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "/" * 64])
def test_what_is_no_digest_never_becomes_a_path(store, digest):
    for call in (store.path, store.has, store.open, store.read, store.is_intact):
        with pytest.raises(ValueError, match="digest"):
            call(digest)


def test_a_missing_artifact_is_named(store):
    with pytest.raises(FileError, match="abababababab"):
        store.read("ab" * 32)


def test_changed_bytes_are_noticed(store):
    digest = store.put_bytes(b"x" * 100)
    assert store.is_intact(digest)
    assert not store.is_intact("ab" * 32)
    store.path(digest).chmod(0o644)
    store.path(digest).write_bytes(b"y" * 100)
    assert not store.is_intact(digest)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    store = ArtifactStore(tmp_path / "file" / "artifacts")
    for call in (lambda: store.put_bytes(b"x"), store.incoming_path):
        with pytest.raises(FileError) as caught:
            call()
        assert str(store.folder) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_incoming_paths_are_never_the_same(store):
    assert len({store.incoming_path() for _ in range(100)}) == 100


def test_cleaning_deletes_only_what_was_left_long_ago(store):
    kept = store.put_bytes(b"kept")
    old, young = store.incoming_path(), store.incoming_path()
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    assert store.clean() == 1
    assert not old.exists()
    assert young.exists()
    assert store.has(kept)


def test_many_writers_of_the_same_bytes_never_show_half_of_them(store):
    data = os.urandom(3_000_000)
    digest = digest_of(data)
    seen = []

    def write(_):
        store.put_bytes(data)
        seen.append(store.path(digest).stat().st_size)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(32)))
    assert set(seen) == {len(data)}
    assert files_under(store.folder) == [digest]
    assert store.is_intact(digest)


def test_a_store_can_be_sent_to_another_process(store):
    digest = store.put_bytes(b"x")
    assert pickle.loads(pickle.dumps(store)).read(digest) == b"x"
