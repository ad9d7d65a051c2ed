"""What earlier kernels left open: the line at loading, `%fal jobs`, `%fal resume` and `%fal attach`, in a real shell."""

import time

import pytest

from fal_nb.engine.session import Session
from fal_nb.magics import _left_open
from fal_nb.settings import home_folder
from fal_nb.workbench import current

SLEEP = "simulator/sleep"


@pytest.fixture
def left_open(shell, simulator):
    """Leave two calls open, as a kernel does that was killed; return their records' numbers."""
    simulator.set_runners(0)
    session = Session(base_url=simulator.base_url, home=home_folder(), notify=lambda line: None)
    jobs = [session.submit(SLEEP, {"seconds": 0}) for _ in range(2)]
    deadline = time.monotonic() + 20
    while not all(job.request_id for job in jobs):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    session.close()
    yield [job.record_id for job in jobs]
    simulator.set_runners(4)


def test_loading_says_in_one_line_what_is_open_and_nothing_where_nothing_is(run, shell, simulator, left_open):
    assert _left_open() == "fal_nb: 2 calls of an earlier kernel are still open: `%fal resume` carries on."
    printed, _ = run("%unload_ext fal_nb\n%load_ext fal_nb")
    assert printed.splitlines() == [_left_open()]
    printed, _ = run("%fal jobs")
    assert "2 open, which nobody follows" in printed
    simulator.set_runners(4)
    printed, done = run("%fal resume\n%fal wait")
    assert printed.startswith("2 followed again.")
    assert _left_open() == ""
    assert current().session.history.count() == 2
    printed, _ = run("%fal jobs")
    assert printed == "No job is open.\n"
    printed, done = run("%fal resume")
    assert printed.startswith("Nothing was open.")
    assert done.result.jobs == ()


def test_jobs_of_a_simulator_that_is_gone_are_not_announced(shell, left_open):
    history = current().session.history
    history.update_many([(number, {"backend": "simulator"}) for number in left_open])
    assert _left_open().startswith("fal_nb: 2 calls")
    history.update_many([(number, {"base_url": "http://127.0.0.1:9"}) for number in left_open])
    assert _left_open() == ""
    history.update(left_open[0], backend="fal", base_url=None)
    assert _left_open() == "fal_nb: 1 call of an earlier kernel is still open: `%fal resume` carries on."


def test_a_request_made_elsewhere_is_followed(run, shell, simulator):
    elsewhere = Session(base_url=simulator.base_url, home=home_folder() / "elsewhere", notify=lambda line: None)
    request_id = elsewhere.submit(SLEEP, {"seconds": 0}).wait(20).request_id
    elsewhere.close()
    _, done = run(f"job = %fal attach {SLEEP} {request_id}\nresult = %fal result")
    assert done.success
    assert shell.user_ns["job"].request_id == request_id
    assert shell.user_ns["result"] == shell.user_ns["job"].get()
    assert len([entry for entry in simulator.ledger() if entry["request_id"] == request_id]) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("attach", "attach takes an endpoint and a request id"),
        ("attach a/b", "attach takes an endpoint and a request id"),
        ("attach a/b x y", "attach takes an endpoint and a request id"),
        ("attach a 764cabcf-b745-4b3e-ae38-1200304cf45b", "a"),
        ("attach a/b 12", "12 is a job's number"),
    ],
)
def test_a_mistake_in_attach_gets_one_line(run, line, said):
    printed, done = run(f"%fal {line}")
    assert not done.success
    assert said in printed or said in str(done.error_in_exec)


def test_jobs_are_a_list_for_code_and_a_table_for_a_person(run, shell, simulator):
    simulator.set_runners(0)
    _, done = run(f"job = %fal submit {SLEEP} seconds=0\nimport fal_nb as fal\nfal.jobs()")
    job = shell.user_ns["job"]
    assert isinstance(done.result, list)
    assert done.result == [job]
    printed, done = run("fal.jobs()")
    assert printed.split("\n")[1].startswith("1 open: 1 ")
    assert f"#{job.record_id}  {SLEEP}" in printed
    assert run("%fal jobs --limit 0")[0].count(SLEEP) == 0
    simulator.set_runners(4)
    run("%fal wait")
    assert shell.ev("fal.jobs()") == []
