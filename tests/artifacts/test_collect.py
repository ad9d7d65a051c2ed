import asyncio
import base64
import concurrent.futures
import hashlib

import pytest

from fal_nb.artifacts.collect import collect
from fal_nb.errors import FileError, TransferError

HOST = "https://v3.fal.media/"


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield pool


class Shelf:
    """Answers fetches from a table of address → bytes or error, and counts them."""

    def __init__(self, **contents):
        self.contents = {f"{HOST}{name.replace('_', '.')}": data for name, data in contents.items()}
        self.fetched = []
        self.running = self.most = 0

    async def fetch(self, url, target):
        self.fetched.append(url)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0)
            found = self.contents[url]
            if isinstance(found, BaseException):
                target.write_bytes(b"half")
                raise found
            target.write_bytes(found)
            return hashlib.sha256(found).hexdigest(), len(found), "application/octet-stream"
        finally:
            self.running -= 1


def left_in(store):
    return list(store.folder.rglob("*.part"))


async def test_every_file_is_stored_and_described_in_the_order_of_the_result(store, pool, picture, film):
    shelf = Shelf(a_png=picture(), b_mp4=film(), c_wav=film("wav", None, sound="pcm_s16le"))
    result = {
        "video": {"url": f"{HOST}b.mp4"},
        "images": [{"url": f"{HOST}a.png", "content_type": "image/jpeg"}],
        "deep": {"audio": {"url": f"{HOST}c.wav"}},
    }
    artifacts = await collect(result, shelf.fetch, store, pool)
    assert [artifact.kind for artifact in artifacts] == ["video", "image", "audio"]
    assert [artifact.index for artifact in artifacts] == [0, 1, 2]
    assert [artifact.where for artifact in artifacts] == [("video",), ("images", 0), ("deep", "audio")]
    assert all(store.is_intact(artifact.digest) for artifact in artifacts)
    assert all(artifact.thumbnail for artifact in artifacts)
    assert [artifact.error for artifact in artifacts] == [None, None, None]
    assert left_in(store) == []


async def test_a_result_without_files_gives_none(store, pool):
    assert await collect({"text": "x"}, Shelf().fetch, store, pool) == ()
    assert await collect(None, Shelf().fetch, store) == ()
    assert not store.folder.exists()


@pytest.mark.parametrize(
    "error", [TransferError("long " * 1000), TransferError("the server went away\nand more"), FileError("the address is refused"), OSError(28, "disk full"),
              RuntimeError("odd"), TimeoutError()],
)  # fmt: skip
async def test_one_file_that_fails_spoils_no_other(store, pool, picture, error):
    shelf = Shelf(a_png=picture(), b_png=error)
    result = {"images": [{"url": f"{HOST}b.png", "content_type": "image/png"}, {"url": f"{HOST}a.png"}]}
    bad, good = await collect(result, shelf.fetch, store, pool)
    assert (good.digest is not None, good.error) == (True, None)
    assert (bad.digest, bad.kind, bad.file_name, bad.url) == (None, "image", "b.png", f"{HOST}b.png")
    assert bad.error
    assert "\n" not in bad.error
    assert len(bad.error) <= 300
    assert left_in(store) == []


async def test_a_store_that_cannot_be_written_is_an_error_of_each_file(tmp_path, pool, picture):
    from fal_nb.artifacts.store import ArtifactStore

    (tmp_path / "file").write_text("x")
    store = ArtifactStore(tmp_path / "file" / "artifacts")
    uri = "data:image/png;base64," + base64.b64encode(picture()).decode()
    artifacts = await collect({"a": {"url": f"{HOST}a.png"}, "b": uri}, Shelf().fetch, store, pool)
    assert [str(store.folder) in artifact.error for artifact in artifacts] == [True, True]


async def test_data_uris_are_stored_without_fetching_and_without_their_text(store, pool, picture):
    data = picture()
    uri = "data:image/png;base64," + base64.b64encode(data).decode()
    shelf = Shelf()
    one, two = await collect({"image": {"url": uri}, "audio": uri}, shelf.fetch, store, pool)
    assert shelf.fetched == []
    assert store.read(one.digest) == data
    assert (one.url, one.kind, one.content_type) == ("", "image", "image/png")
    assert two.digest == one.digest


async def test_a_broken_data_uri_is_an_error_of_its_own(store, pool):
    (artifact,) = await collect({"image": {"url": "data:image/png;base64,A"}}, Shelf().fetch, store, pool)
    assert artifact.digest is None
    assert "base64" in artifact.error
    assert artifact.url == ""


async def test_the_same_address_is_fetched_once(store, pool, picture):
    shelf = Shelf(a_png=picture())
    result = {"image": {"url": f"{HOST}a.png"}, "images": [{"url": f"{HOST}a.png"}, {"url": f"{HOST}a.png"}]}
    artifacts = await collect(result, shelf.fetch, store, pool)
    assert shelf.fetched == [f"{HOST}a.png"]
    assert [artifact.index for artifact in artifacts] == [0, 1, 2]
    assert artifacts[2].where == ("images", 1)
    assert len({artifact.digest for artifact in artifacts}) == 1


async def test_at_most_so_many_are_fetched_at_one_time(store, pool):
    shelf = Shelf(**{f"f{number}_txt": f"text {number}".encode() for number in range(20)})
    result = {"files": [{"url": url} for url in shelf.contents]}
    assert len(await collect(result, shelf.fetch, store, pool)) == 20
    assert 1 < shelf.most <= 4
    shelf.most = 0
    await collect(result, shelf.fetch, store, pool, parallel=1)
    assert shelf.most == 1


async def test_what_an_earlier_attempt_has_stored_is_not_fetched_again(store, pool, picture):
    shelf = Shelf(a_png=picture(), b_png=TransferError("later"))
    result = {"images": [{"url": f"{HOST}a.png"}, {"url": f"{HOST}b.png"}]}
    first = await collect(result, shelf.fetch, store, pool)
    shelf.contents[f"{HOST}b.png"] = picture("JPEG")
    shelf.fetched.clear()
    second = await collect(result, shelf.fetch, store, pool, known=first)
    assert shelf.fetched == [f"{HOST}b.png"]
    assert second[0] == first[0]
    assert second[1].content_type == "image/jpeg"
    store.path(second[0].digest).unlink()
    shelf.fetched.clear()
    third = await collect(result, shelf.fetch, store, pool, known=second)
    assert shelf.fetched == [f"{HOST}a.png"]
    assert third == second


async def test_cancelling_stops_every_fetch_and_leaves_nothing_half(store, pool):
    started, stopped = asyncio.Event(), []

    async def fetch(url, target):
        target.write_bytes(b"half")
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(url)

    result = {"files": [{"url": f"{HOST}{number}.png"} for number in range(6)]}
    task = asyncio.ensure_future(collect(result, fetch, store, pool))
    await asyncio.wait_for(started.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert stopped
    assert left_in(store) == []


async def test_a_result_of_absurdly_many_files_is_cut_and_says_so(store, pool):
    shelf = Shelf(a_txt=b"x")
    result = {"files": [{"url": f"{HOST}a.txt"} for _ in range(1000)] + [{"url": f"{HOST}late.txt"}]}
    artifacts = await collect(result, shelf.fetch, store, pool)
    assert len(artifacts) == 1001
    assert artifacts[999].error is None
    assert "1000 files" in artifacts[1000].error
    assert shelf.fetched == [f"{HOST}a.txt"]


async def test_names_from_a_server_never_write_outside_the_store(store, pool, tmp_path, picture):
    shelf = Shelf(a_png=picture())
    result = {"image": {"url": f"{HOST}a.png", "file_name": "../../../escaped.png", "content_type": "../../x"}}
    (artifact,) = await collect(result, shelf.fetch, store, pool)
    assert artifact.file_name == "escaped.png"
    assert {path.name for path in tmp_path.iterdir()} == {"home"}
    assert not list(tmp_path.rglob("escaped*"))


@pytest.mark.slow
async def test_worker_processes_can_do_the_describing(store, picture):
    import multiprocessing

    shelf = Shelf(a_png=picture())
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        (artifact,) = await collect({"image": {"url": f"{HOST}a.png"}}, shelf.fetch, store, pool)
    assert artifact.thumbnail
    assert store.is_intact(artifact.digest)


def test_importing_the_collector_loads_neither_pillow_nor_ffmpeg():
    import subprocess
    import sys

    code = (
        "import sys, fal_nb.artifacts.collect, fal_nb.artifacts.describe, fal_nb.results, fal_nb.ledger.frame, "
        "fal_nb.ledger.store; print([name for name in ('PIL', 'av', 'numpy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
