import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from fal_nb.errors import ConfigError
from fal_nb.simulator.endpoints.sleep import Sleep
from fal_nb.simulator.server import SimulatorServer


class Workflow(Sleep):
    endpoint_id = "workflows/me/mine"


def port_of(base_url):
    return int(base_url.rpartition(":")[2])


def test_the_server_answers_as_soon_as_it_is_made_and_not_after_it_is_closed():
    with SimulatorServer() as server:
        connection = http.client.HTTPConnection("127.0.0.1", port_of(server.base_url))
        connection.request("GET", "/admin/health")
        assert json.loads(connection.getresponse().read())["instance_id"] == server.instance_id
        connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(server.base_url)))
    server.close()


def test_it_listens_on_loopback_only():
    with SimulatorServer() as server:
        assert server.base_url.startswith("http://127.0.0.1:")
        assert server._socket.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_one_line_that_names_it_and_the_next_step():
    with SimulatorServer() as server, pytest.raises(ConfigError) as raised:
        SimulatorServer(port=port_of(server.base_url))
    assert f"port {port_of(server.base_url)}" in str(raised.value)
    assert "--port" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_port_can_be_used_again_at_once():
    with SimulatorServer() as first:
        port = port_of(first.base_url)
        socket.create_connection(("127.0.0.1", port)).close()
    with SimulatorServer(port=port) as second:
        assert port_of(second.base_url) == port
        assert second.instance_id != first.instance_id


def test_closing_ends_open_streams_and_unfinished_work(serve):
    caller = serve()
    submitted = caller.accepted(arguments={"seconds": 3000, "steps": 10})
    caller.wait_for(submitted, "IN_PROGRESS")
    ended = threading.Event()

    def read():
        with contextlib.suppress(httpx.TransportError):
            caller.events(submitted)
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    while caller.server.counters().get("status_stream", 0) < 2:
        pass
    caller.server.close()
    assert ended.wait(10)
    reader.join()
    assert len(caller.server.ledger()) == 1


def test_endpoints_of_ones_own_are_served_with_namespaces_too(serve):
    caller = serve(endpoints=[Workflow()])
    submitted = caller.accepted("workflows/me/mine", {"echo": "hi"})
    assert submitted["response_url"].endswith(f"/queue/workflows/me/mine/requests/{submitted['request_id']}")
    assert caller.result(submitted).json() == {"echo": "hi"}


def test_counters_and_ledger_over_http_need_the_token(caller):
    caller.accepted()
    for path in ("counters", "ledger"):
        assert caller.http.get(f"/admin/{path}").status_code == 403
        assert caller.http.get(f"/admin/{path}", headers={"x-fal-simulator-admin": "guess"}).status_code == 403
    assert caller.admin("GET", "counters").json()["submit"] == 1
    entry = caller.admin("GET", "ledger").json()[0]
    assert caller.admin("GET", "counters", params={"request_id": entry["request_id"]}).json() == {"submit": 1}
    assert caller.http.get("/admin/health").status_code == 200


def test_the_number_of_runners_can_be_changed_over_http(serve):
    caller = serve(runners=0)
    submitted = caller.accepted(arguments={"echo": "go"})
    assert caller.admin("POST", "runners", json={"runners": 1}).json() == {"status": "OK"}
    assert caller.result(submitted).json() == {"echo": "go"}


def test_unknown_paths_and_methods_answer_in_json(caller):
    assert caller.http.get("/").status_code == 404
    assert caller.http.get("/queue/fal-ai/flux/dev").status_code == 405
    assert caller.http.get("/").json()["detail"]


def test_a_mistake_of_an_endpoint_is_its_answer_and_the_server_goes_on(serve):
    class Broken(Sleep):
        endpoint_id = "simulator/broken"

        def generate(self, arguments, studio):
            raise RuntimeError("a mistake")

    caller = serve(endpoints=[Broken()])
    result = caller.finished("simulator/broken")
    assert (result.status_code, result.json()["error_type"]) == (500, "runner_server_error")
    assert caller.finished(arguments={"echo": "still here"}).json() == {"echo": "still here"}


def test_it_ends_by_itself_when_nothing_is_asked_for_or_unfinished():
    server = SimulatorServer(idle_exit_s=0.2)
    assert server.wait(20)
    server.close()


@pytest.mark.slow
def test_unfinished_work_and_open_requests_keep_it_alive(serve):
    caller = serve(idle_exit_s=1.0, speed=1)
    submitted = caller.accepted(arguments={"seconds": 1.8})
    assert caller.result(submitted).status_code == 200
    assert caller.server.wait(20)


@pytest.fixture
def start():
    """Return a function that runs the module and returns (process, its first line)."""
    processes = []

    def run(*options, **environ):
        process = subprocess.Popen(
            [sys.executable, "-m", "fal_nb.simulator", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environ},
        )
        processes.append(process)
        return process, process.stdout.readline()

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def get(base_url, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port_of(base_url), timeout=20)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_line_says_where_and_a_signal_ends_it_with_0_whatever_is_open(start, number):
    process, line = start("--runners", "3")
    base_url = json.loads(line)["base_url"]
    assert line == f'{{"base_url": "http://127.0.0.1:{port_of(base_url)}"}}\n'.encode()
    connection = http.client.HTTPConnection("127.0.0.1", port_of(base_url), timeout=20)
    connection.request("POST", "/queue/simulator/sleep", json.dumps({"seconds": 3000}))
    submitted = json.loads(connection.getresponse().read())
    connection.request("GET", submitted["status_url"].removeprefix(base_url) + "/stream")
    assert connection.getresponse().readline().startswith(b"data:")
    process.send_signal(number)
    assert process.wait(20) == 0
    assert process.stderr.read() == b""
    connection.close()


@pytest.mark.slow
def test_a_taken_port_ends_it_with_2_and_one_line(start):
    with SimulatorServer() as server:
        port = port_of(server.base_url)
        process, line = start("--port", str(port))
        assert process.wait(20) == 2
    said = process.stderr.read().decode()
    assert line == b""
    assert said.count("\n") == 1
    assert str(port) in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_the_admin_token_goes_to_a_file_only_its_owner_reads_or_comes_from_the_environment(start, tmp_path):
    path = tmp_path / "token"
    process, line = start("--admin-token-file", str(path))
    token = path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    assert token.encode() not in line
    assert get(json.loads(line)["base_url"], "/admin/counters", **{"x-fal-simulator-admin": token})[0] == 200
    other, line = start(FAL_NB_SIMULATOR_ADMIN="chosen-token")
    assert get(json.loads(line)["base_url"], "/admin/ledger", **{"x-fal-simulator-admin": "chosen-token"}) == (200, [])
    for running in (process, other):
        running.terminate()
        assert running.wait(20) == 0
        assert token.encode() not in running.stdout.read() + running.stderr.read()


@pytest.mark.slow
def test_idle_exit_ends_the_process_with_0(start):
    process, _ = start("--idle-exit", "0.3")
    assert process.wait(30) == 0


@pytest.mark.slow
@pytest.mark.parametrize("options", [["--runners", "-1"], ["--speed", "0"], ["--port", "70000"], ["--idle-exit", "x"]])
def test_wrong_options_end_it_with_2_and_no_traceback(start, options):
    process, line = start(*options)
    assert process.wait(20) == 2
    assert line == b""
    assert b"Traceback" not in process.stderr.read()


def test_nothing_is_imported_that_the_wheel_does_not_need():
    code = "import sys, fal_nb.simulator.process; print(sorted({'numpy','PIL','av','uvicorn','starlette','pydantic','httpx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_reset_server_is_as_new_at_the_same_address(serve):
    caller = serve(runners=1)
    running, queued = (caller.accepted(arguments={"seconds": 3000}) for _ in range(2))
    caller.wait_for(running, "IN_PROGRESS")
    url = caller.upload(b"x", "image/png").json()["access_url"]
    caller.server.fault("rate-limit", after=1)
    caller.server.reset()
    assert (caller.server.counters(), caller.server.ledger()) == ({}, [])
    assert [caller.http.get(body["status_url"]).status_code for body in (running, queued)] == [404, 404]
    assert caller.http.get(url).status_code == 404
    assert [caller.finished(arguments={"echo": "again"}).json() for _ in range(2)] == [{"echo": "again"}] * 2


def test_a_reset_ends_streams_that_are_open(serve):
    caller = serve(runners=0)
    submitted = caller.accepted()
    events = caller.iter_events(f"{submitted['status_url']}/stream")
    assert next(events)["status"] == "IN_QUEUE"
    caller.server.reset()
    assert [event["error_type"] for event in events] == ["runner_disconnected"]


def test_a_reset_frees_runners_of_work_that_had_not_begun(serve):
    caller = serve(runners=1, pickup_s=0)

    def start_and_reset():
        simulation = caller.server._simulation
        simulation.queue.set_runners(1)
        simulation.reset()

    caller.server.set_runners(0)
    for _ in range(3):
        caller.accepted(arguments={"seconds": 3000})
        caller.server._call(start_and_reset)
    assert caller.finished(arguments={"echo": "free"}).json() == {"echo": "free"}
