import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fal_nb.errors import ConfigError
from fal_nb.simulator import process
from fal_nb.simulator.server import SimulatorServer

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    yield home
    process.stop(home)


def test_the_first_starts_it_and_the_next_share_it(home):
    base_url = process.ensure_running(home)
    record = process.read_record(home)
    assert process.is_alive(base_url)
    assert process.is_alive(base_url, record.instance_id)
    assert record.base_url == base_url
    assert process.ensure_running(home) == base_url
    assert process.read_record(home) == record


def test_kernels_that_start_at_once_share_one(home):
    code = (
        "import sys; from pathlib import Path; from fal_nb.simulator.process import ensure_running; "
        "print(ensure_running(Path(sys.argv[1])))"
    )

    def start():
        done = subprocess.run(
            [sys.executable, "-c", code, str(home)], capture_output=True, text=True, timeout=100, check=True
        )
        return done.stdout.strip(), done.stderr

    with ThreadPoolExecutor(3) as pool:
        answers = [future.result() for future in [pool.submit(start) for _ in range(3)]]
    assert {base_url for base_url, _ in answers} == {process.read_record(home).base_url}
    assert {error for _, error in answers} == {""}


def test_threads_of_one_kernel_share_one(home):
    with ThreadPoolExecutor(4) as pool:
        assert len({future.result() for future in [pool.submit(process.ensure_running, home) for _ in range(4)]}) == 1


def test_two_homes_have_one_each(home, tmp_path):
    other = tmp_path / "other"
    try:
        assert process.ensure_running(home) != process.ensure_running(other)
    finally:
        process.stop(other)


def test_one_that_died_is_replaced(home):
    first = process.ensure_running(home)
    record = process.read_record(home)
    os.kill(record.pid, signal.SIGKILL)
    for _ in range(1000):
        if not process.is_alive(first, record.instance_id):
            break
    second = process.ensure_running(home)
    assert process.read_record(home).instance_id != record.instance_id
    assert process.is_alive(second)


def test_another_server_on_its_port_is_not_taken_for_it(home):
    with SimulatorServer() as stranger:
        process.register(home, process.SimulatorRecord(stranger.base_url, "of-before", os.getpid(), "token"))
        assert not process.is_alive(stranger.base_url, "of-before")
        assert process.ensure_running(home) != stranger.base_url
        assert process.is_alive(stranger.base_url, stranger.instance_id)


def test_stopping_ends_it_and_forgets_it(home):
    base_url = process.ensure_running(home)
    assert process.stop(home) is True
    assert not process.is_alive(base_url)
    assert process.read_record(home) is None
    assert process.stop(home) is False


def test_it_lives_in_a_session_of_its_own_so_that_the_notebooks_stop_does_not_hit_it(home):
    process.ensure_running(home)
    pid = process.read_record(home).pid
    assert os.getsid(pid) == pid != os.getsid(0)
    assert os.getpgid(pid) != os.getpgid(0)


def test_it_ends_when_idle_and_a_new_one_starts(home):
    process.ensure_running(home, idle_exit_s=1.5)
    first = process.read_record(home)
    gone = threading.Event()
    for _ in range(600):
        if process.read_record(home) is None:
            gone.set()
            break
        gone.wait(0.05)
    assert gone.is_set()
    second = process.ensure_running(home)
    assert process.is_alive(second)
    assert process.read_record(home).instance_id != first.instance_id


def test_its_file_is_for_its_owner_only_and_keys_stay_behind(home, monkeypatch):
    monkeypatch.setenv("FAL_KEY", "secret:key")
    process.ensure_running(home)
    path = home / "simulator" / "server.json"
    assert path.stat().st_mode & 0o777 == 0o600
    environ = Path(f"/proc/{process.read_record(home).pid}/environ")
    if environ.exists():
        assert b"secret:key" not in environ.read_bytes()


def test_proxies_of_the_environment_are_not_used_for_loopback(home, monkeypatch):
    base_url = process.ensure_running(home)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert process.is_alive(base_url)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"base_url": 1}'])
def test_a_damaged_file_is_as_good_as_none(home, text):
    (home / "simulator").mkdir(parents=True)
    (home / "simulator" / "server.json").write_text(text)
    assert process.read_record(home) is None
    assert process.stop(home) is False


def test_a_home_that_cannot_be_written_is_one_line_with_the_next_step(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ConfigError, match="FAL_NB_HOME") as raised:
        process.ensure_running(blocked)
    assert "\n" not in str(raised.value)


def test_a_child_that_does_not_come_up_is_one_line_with_its_last_word(home, monkeypatch):
    monkeypatch.setattr(process, "_child_environment", lambda: {"PYTHONPATH": "", "PYTHONHOME": "/nowhere"})
    with pytest.raises(ConfigError, match="did not start") as raised:
        process.ensure_running(home)
    assert "\n" not in str(raised.value)


def test_nothing_but_loopback_is_ever_asked_whether_it_lives():
    assert process.is_alive("http://192.0.2.1:9") is False
    assert process.is_alive("http://127.0.0.1:1") is False


def test_an_answer_of_something_else_is_not_a_simulator():
    import http.server

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"service": "another"}).encode())

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        assert process.is_alive(f"http://127.0.0.1:{server.server_port}") is False
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
