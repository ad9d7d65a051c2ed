"""A realtime session is one record from before it connects to its end, whatever ends it; and a job."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from fal_nb.engine.intent import Terms
from fal_nb.engine.session import Session
from fal_nb.errors import BudgetError, FileError, NotFoundError, RealtimeError

SLEEP = "simulator/sleep"


def said(text):
    return {"echo": text, "seconds": 0}


def only(session):
    (record,) = session.history.select()
    return record


def test_a_session_is_one_record_with_what_went_over_it(session, simulator):
    with session.realtime(SLEEP) as connection:
        for number in range(3):
            connection.send(said(str(number)))
            assert connection.recv() == {"echo": str(number)}
        assert only(session).state == "RUNNING"
        assert [job.state for job in session.jobs()] == ["RUNNING"]
    record = only(session)
    assert (record.kind, record.state, record.endpoint) == ("realtime", "SUCCEEDED", SLEEP)
    assert {name: record.result[name] for name in ("sent", "received", "superseded", "connections")} == {
        "sent": 3, "received": 3, "superseded": 0, "connections": 1,
    }  # fmt: skip
    assert 0 < record.result["open_s"] <= record.ended - record.created
    assert record.request_id == simulator.ledger()[-1]["request_id"]
    assert session.jobs() == []


def test_the_record_is_on_disk_before_anything_is_connected_to(session, simulator):
    simulator.reset()
    seen = []
    add = session.history.database.writing
    session.history.database.writing = lambda *args: (seen.append(dict(simulator.counters())), add(*args))[1]
    with session.realtime(SLEEP):
        pass
    assert "token" not in seen[0]
    assert session.history.steps(1)[0].state == "PREPARED"
    assert [step.state for step in session.history.steps(1)] == ["PREPARED", "SUBMITTING", "RUNNING", "SUCCEEDED"]


def test_sessions_that_open_again_stay_one_record(session):
    with session.realtime("simulator/count") as connection:
        for _ in range(3):
            connection.send({"count": 2})
            assert len(list(connection)) == 2
    assert only(session).result["connections"] == 3


def test_nothing_could_be_opened(session):
    with pytest.raises(NotFoundError):
        session.realtime("no/such").open()
    record = only(session)
    assert (record.state, record.cost, record.error_type) == ("FAILED", 0, "NotFoundError")


def test_a_connection_that_breaks_with_inputs_unanswered_may_be_charged(session, simulator):
    simulator.fault("cut-frame", events=1, times=1)
    with session.realtime(SLEEP) as connection:
        connection.send(said("x"))
        connection.recv()
        connection.send(said("y"))
        with pytest.raises(RealtimeError):
            connection.recv()
    record = only(session)
    assert record.state == "UNKNOWN"
    assert "1 input not answered" in record.error


def test_an_app_that_fails_fails_the_session_unless_it_answers_again(session):
    for is_mended in (False, True):
        with session.realtime(SLEEP) as connection:
            connection.send({"echo": 3})
            with pytest.raises(RealtimeError):
                connection.recv()
            if is_mended:
                assert connection.recv() is None
                connection.send(said("x"))
                assert connection.recv() == {"echo": "x"}
    assert [record.state for record in session.history.select()] == ["FAILED", "SUCCEEDED"]
    assert session.history.get(1).error_type == "INTERNAL_ERROR"


def test_cost_is_what_the_units_come_to(session, simulator, wait_for):
    with session.realtime(SLEEP) as connection:
        for _ in range(4):
            connection.send(said("x"))
            connection.recv()
    record = only(session)
    assert (record.billable_units, record.unit_price) == (4, 0.001)
    assert record.cost == pytest.approx(0.004)
    wait_for(lambda: simulator.ledger()[-1]["ended_at"])
    assert simulator.ledger()[-1]["billable_units"] == 4


def test_under_a_budget_a_session_needs_a_word(session, simulator):
    simulator.reset()
    session.money.budget = 1.0
    with pytest.raises(BudgetError, match="Nothing bounds"):
        session.realtime(SLEEP).open()
    assert simulator.counters().get("token") is None
    with session.realtime(SLEEP, terms=Terms(allow_unpriced=True)) as connection:
        connection.send(said("x"))
        assert connection.recv() == {"echo": "x"}


def test_cancelling_its_job_closes_the_connection(session, wait_for):
    connection = session.realtime(SLEEP).open()
    (job,) = session.jobs()
    job.cancel()
    assert connection.recv() is None
    wait_for(lambda: job.done)
    assert (job.state, connection.is_open) == ("SUCCEEDED", False)
    with pytest.raises(RealtimeError, match="it was closed here"):
        connection.send(said("x"))


def test_closing_the_session_ends_the_record(simulator, tmp_path):
    session = Session(base_url=simulator.base_url, home=tmp_path)
    connection = session.realtime(SLEEP).open()
    connection.send(said("x"))
    connection.recv()
    session.close()
    with Session(base_url=simulator.base_url, home=tmp_path).history as history:
        assert history.get(1).state == "SUCCEEDED"
        assert history.get(1).result["received"] == 1


async def test_it_belongs_to_the_loop_it_is_opened_in(session):
    async with session.live(SLEEP) as connection:
        await connection.send(said("x"))
        assert await connection.recv() == {"echo": "x"}
        assert connection.job.state == "RUNNING"
    assert only(session).state == "SUCCEEDED"


def test_pictures_and_files_travel_in_the_input_itself(session, simulator, tmp_path):
    import numpy as np
    from PIL import Image

    picture = Image.new("RGB", (32, 32), "red")
    path = tmp_path / "drawing.png"
    picture.save(path)
    simulator.reset()
    common = {"prompt": "a red fox", "image_size": {"width": 64, "height": 64}, "seed": 3}
    drawn = []
    with session.realtime("fal-ai/fast-turbo-diffusion/image-to-image") as connection:
        for drawing in (
            {"image_bytes": picture},
            {"image_url": picture},
            {"image_url": path},
            {"image_bytes": np.asarray(picture)},
            {"image_bytes": path.read_bytes()},
        ):
            connection.send({**common, **drawing})
            drawn.append(connection.recv()["images"][0]["content"])
        with pytest.raises(FileError, match="Cannot read"):
            connection.send({**common, "image_url": tmp_path / "gone.png"})
        assert connection.counts.sent == 5
    assert len(set(drawn)) == 1
    assert not any(name.startswith("upload") for name in simulator.counters())


KILLED = """
import os, signal, sys
from pathlib import Path
from fal_nb.engine import live
from fal_nb.engine.session import Session
live._PERIOD_S = 0.05
session = Session(base_url=sys.argv[1], home=Path(sys.argv[2]))
connection = session.realtime("simulator/sleep").open()
for _ in range(3):
    connection.send({"echo": "x", "seconds": 0})
    connection.recv()
while (session.history.get(1).result or {}).get("received") != 3:
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_killed_kernel_leaves_how_far_it_was_and_the_next_calls_it_unknown(simulator, tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), simulator.base_url, str(tmp_path)]
    done = subprocess.run(command, env=os.environ, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    session = Session(base_url=simulator.base_url, home=tmp_path)
    try:
        assert session.history.get(1).state == "RUNNING"
        (job,) = session.resume().ended
        assert job.state == "UNKNOWN"
        assert "may be charged" in job.snapshot.error
        assert session.history.get(1).result["received"] == 3
    finally:
        session.close()
