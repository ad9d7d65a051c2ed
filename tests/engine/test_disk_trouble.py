"""The disk under a running kernel: full, read-only, its history gone. Nothing unsent leaves, nothing sent is lost."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import FileError, HistoryError
from fal_nb.ledger.store import HistoryStore

SCHNELL = "fal-ai/flux/schnell"
SMALL = {"prompt": "kept", "image_size": "square", "seed": 1}

pytestmark = pytest.mark.slow


@pytest.fixture
def mount(tmp_path):
    """Mount something in the test's folder, where this user may."""
    with contextlib.ExitStack() as stack:

        def make(folder, *options):
            folder.mkdir(exist_ok=True)
            done = subprocess.run(["mount", *options, folder], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"may not mount: {done.stderr.strip()}")
            stack.callback(subprocess.run, ["umount", "--lazy", folder], check=True)

        yield make


@pytest.fixture
def disk(tmp_path, mount):
    """A disk of 2 MB that can be filled and freed."""
    folder = tmp_path / "disk"
    mount(folder, "-t", "tmpfs", "-o", "size=2m", "tmpfs")
    return Disk(folder)


class Disk:
    def __init__(self, folder):
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self):
        with self._filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self):
        self._filler.unlink()


@pytest.fixture
def start(simulator):
    """Start a session at a folder, and a job there that is running."""
    simulator.clear_faults()
    with contextlib.ExitStack() as stack:

        def at(home):
            session = Session(base_url=simulator.base_url, home=home, notify=lambda line: None)
            stack.callback(session.close)
            return session

        yield at


@pytest.fixture
def running(simulator, wait_for):
    """Start a job and return it while it runs; it ends when the gate is opened."""

    def begin(session):
        simulator.fault("long", seconds=1.0, times=1)
        job = session.submit(SCHNELL, SMALL)
        wait_for(lambda: job.state == "RUNNING" and session.history.get(job.record_id).state == "RUNNING")
        return job

    return begin


@pytest.fixture
def refused(simulator):
    """Say in which line a call is refused, and see that nothing was sent for it."""

    def line_of(session):
        before = simulator.counters().get("submit", 0), len(simulator.ledger())
        with pytest.raises(HistoryError) as caught:
            session.submit(SCHNELL, SMALL)
        assert (simulator.counters().get("submit", 0), len(simulator.ledger())) == before
        line = str(caught.value)
        assert "\n" not in line
        assert str(session.home / "history.sqlite") in line
        return line

    return line_of


def test_a_full_disk_refuses_calls_and_costs_a_running_job_only_time(disk, start, running, refused, wait_for):
    session = start(disk.folder / "home")
    job = running(session)
    disk.fill()
    assert "free some space" in refused(session)
    result = job.get()
    assert job.state == "SUCCEEDED"
    assert result["prompt"] == "kept"
    assert "Not in the history yet" in job.snapshot.next_step
    assert session.history.get(job.record_id).state == "RUNNING"
    with pytest.raises(FileError, match="free some space"):
        result.files[0].bytes()
    disk.free()
    wait_for(lambda: session.history.get(job.record_id).state == "SUCCEEDED")
    wait_for(lambda: job.snapshot.next_step is None)
    assert result.files[0].pil().size == (512, 512)
    assert session.history.get(job.record_id).result["images"] == result["images"]
    wait_for(lambda: session.history.artifacts(job.record_id)[0].digest)
    assert [step.state for step in session.history.steps(job.record_id)][-2:] == ["RUNNING", "SUCCEEDED"]
    assert session.submit(SCHNELL, SMALL).get()
    assert session.history.verify(session.artifacts.is_intact).is_sound


def test_the_first_step_that_gets_through_brings_the_others_with_it(disk, start, running, wait_for, monkeypatch):
    monkeypatch.setattr("fal_nb.engine.owed._FIRST_WAIT_S", 3600)
    session = start(disk.folder / "home")
    job = running(session)
    disk.fill()
    job.wait()
    disk.free()
    session.submit(SCHNELL, SMALL).get()
    wait_for(lambda: session.history.get(job.record_id).state == "SUCCEEDED")


def test_what_is_owed_is_written_when_the_session_closes(disk, start, running, monkeypatch):
    monkeypatch.setattr("fal_nb.engine.owed._FIRST_WAIT_S", 3600)
    session = start(disk.folder / "home")
    job = running(session)
    disk.fill()
    job.wait()
    disk.free()
    session.close()
    with HistoryStore(session.home / "history.sqlite") as store:
        assert store.get(job.record_id).state == "SUCCEEDED"
        assert store.get(job.record_id).result["prompt"] == "kept"


def test_closing_on_a_full_disk_names_the_job_whose_end_is_not_written(disk, start, running, caplog):
    session = start(disk.folder / "home")
    job = running(session)
    disk.fill()
    job.wait()
    session.close()
    assert f"job #{job.record_id} are not in the history" in caplog.text


def test_files_that_found_no_place_are_fetched_when_the_job_comes_back(start, tmp_path, wait_for):
    home = tmp_path / "home"
    home.mkdir()
    (home / "artifacts").write_text("no folder")
    session = start(home)
    job = session.submit(SCHNELL, SMALL)
    assert job.get().artifacts[0].digest is None
    assert "could not be stored here" in job.snapshot.next_step
    session.close()
    (home / "artifacts").unlink()
    again = start(home)
    back = again.job(job.record_id)
    wait_for(lambda: back.snapshot.artifacts[0].digest)
    assert back.result().files[0].pil().size == (512, 512)
    assert again.history.artifacts(job.record_id)[0].digest
    assert back.snapshot.next_step is None


def test_a_folder_that_can_only_be_read_refuses_calls_in_one_line(mount, start, tmp_path, refused):
    home = tmp_path / "home"
    first = start(home)
    first.submit(SCHNELL, SMALL).get()
    first.close()
    (tmp_path / "read-only").mkdir()
    mount(tmp_path / "read-only", "--bind", "-o", "ro", home)
    assert "FAL_NB_HOME" in refused(start(tmp_path / "read-only"))


def test_a_new_folder_that_can_only_be_read_refuses_calls_in_one_line(mount, start, tmp_path, refused):
    mount(tmp_path / "read-only", "-t", "tmpfs", "-o", "ro", "tmpfs")
    assert "Read-only file system" in refused(start(tmp_path / "read-only"))


def test_a_deleted_history_that_is_put_back_gets_what_it_missed(start, running, refused, wait_for, tmp_path):
    session = start(tmp_path / "home")
    job = running(session)
    path = session.home / "history.sqlite"
    path.rename(tmp_path / "away")
    assert "was deleted or moved" in refused(session)
    assert job.get().files[0].pil().size == (512, 512)
    assert "was deleted or moved" in job.snapshot.next_step
    assert not path.exists()
    (tmp_path / "away").rename(path)
    wait_for(lambda: session.history.get(job.record_id).state == "SUCCEEDED")
    wait_for(lambda: job.snapshot.next_step is None)


def test_a_history_put_in_the_place_of_another_is_not_touched(start, running, refused, tmp_path):
    other = start(tmp_path / "other")
    other.submit(SCHNELL, {"prompt": "not yours"}).get()
    other.close()
    session = start(tmp_path / "home")
    job = running(session)
    path = session.home / "history.sqlite"
    for leftover in path.parent.glob("history.sqlite-*"):
        leftover.unlink()
    shutil.copy(other.home / "history.sqlite", tmp_path / "copy")
    (tmp_path / "copy").replace(path)
    before = path.read_bytes()
    assert "was replaced" in refused(session)
    assert job.get()["prompt"] == "kept"
    assert "was replaced" in job.snapshot.next_step
    session.close()
    assert path.read_bytes() == before
    with HistoryStore(path) as store:
        assert store.get(1).arguments["prompt"] == "not yours"
        assert store.verify().is_sound


def test_a_history_that_a_newer_version_took_over_is_left_alone(start, running, refused, wait_for, tmp_path):
    session = start(tmp_path / "home")
    job = running(session)
    other = sqlite3.connect(session.home / "history.sqlite", isolation_level=None)
    version = other.execute("PRAGMA user_version").fetchone()[0]
    other.execute(f"PRAGMA user_version = {version + 1}")
    assert "upgrade fal_nb" in refused(session)
    job.wait()
    assert "upgrade fal_nb" in job.snapshot.next_step
    assert other.execute("SELECT state FROM records").fetchall() == [("RUNNING",)]
    other.execute(f"PRAGMA user_version = {version}")
    other.close()
    wait_for(lambda: session.history.get(job.record_id).state == "SUCCEEDED")


def test_damage_under_a_running_kernel_costs_no_result_and_the_next_kernel_is_told(start, running, refused, tmp_path):
    session = start(tmp_path / "home")
    job = running(session)
    path = session.home / "history.sqlite"
    for file in (path, path.with_name("history.sqlite-wal")):
        with file.open("r+b") as opened:
            opened.write(b"\xa5" * file.stat().st_size)
    assert job.get().files[0].pil().size == (512, 512)
    session.close()
    assert "damaged" in refused(start(tmp_path / "home"))


LIMITED = """
import json, os, pathlib, resource, sys, time
from fal_nb.engine.session import Session
session = Session(base_url=sys.argv[1], home=pathlib.Path(sys.argv[2]), notify=lambda line: None)
job = session.submit("fal-ai/flux/schnell", {"prompt": "limited", "image_size": "square"})
while job.state != "RUNNING" or session.history.get(1).state != "RUNNING":
    time.sleep(0.01)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, ((session.home / "history.sqlite-wal").stat().st_size, hard))
told = {}
try:
    session.submit("fal-ai/flux/schnell", {"prompt": "unsent"})
except Exception as error:
    told["refused"] = f"{type(error).__name__}: {error}"
told["prompt"] = job.get()["prompt"]
told["said"] = job.snapshot.next_step
told["before"] = session.history.get(1).state
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
deadline = time.monotonic() + 60
while (job.snapshot.next_step or not job.result().artifacts[0].digest) and time.monotonic() < deadline:
    time.sleep(0.01)
told["after"] = session.history.get(1).state
told["stored"] = len(job.result().files[0].bytes()) > 0
session.close()
print(json.dumps(told))
"""


def test_a_limit_on_file_sizes_is_met_like_a_full_disk(simulator, tmp_path):
    simulator.clear_faults()
    simulator.fault("long", seconds=1.0, times=1)
    before = len(simulator.ledger())
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIMITED, simulator.base_url, tmp_path / "home"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["refused"].startswith("HistoryError: History file")
    assert "check its disk" in told["said"]
    assert {key: told[key] for key in ("prompt", "before", "after", "stored")} == {
        "prompt": "limited", "before": "RUNNING", "after": "SUCCEEDED", "stored": True,
    }  # fmt: skip
    assert len(simulator.ledger()) == before + 1
