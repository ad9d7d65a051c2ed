"""Without a key the session starts the simulator by itself, and says so once."""

import pytest

from fal_nb.engine.session import Session
from fal_nb.ledger.records import NewRecord
from fal_nb.simulator.process import stop


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "home"
    stop(tmp_path / "home")


@pytest.mark.slow
def test_it_serves_where_nothing_is_configured_and_is_shared_by_the_next_session(home):
    said = []
    first = Session(home=home, notify=said.append)
    result = first.submit("fal-ai/flux/schnell", {"prompt": "no key", "image_size": "square"}).get()
    assert result.files[0].pil().size == (512, 512)
    assert len(said) == 1
    assert "simulat" in said[0]
    assert first.history.get(1).backend == "simulator"
    second = Session(home=home, notify=said.append)
    assert second.settings.hosts.base == first.settings.hosts.base
    first.close()
    second.close()


@pytest.mark.slow
def test_a_script_that_ends_right_after_submit_has_sent_its_call(home):
    import os
    import subprocess
    import sys

    code = "import fal_nb as fal; print(fal.submit('fal-ai/flux/dev', {'prompt': 'left behind'}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FAL_NB_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    session = Session(home=home, notify=lambda line: None)
    assert session.job(1).get(30)["prompt"] == "left behind"
    session.close()


@pytest.mark.slow
def test_jobs_of_a_simulator_that_is_gone_are_closed_and_not_followed(home):
    before = Session(home=home, notify=lambda line: None)
    record_id = before.history.add(
        NewRecord(
            endpoint="fal-ai/flux/dev",
            arguments={},
            backend="simulator",
            base_url="http://127.0.0.1:9",
            created=1.0,
            state="RUNNING",
        )
    )
    before.close()
    session = Session(home=home, notify=lambda line: None)
    assert session.settings.backend == "simulator"
    record = session.history.get(record_id)
    assert (record.state, record.error) == ("FAILED", "The simulator is gone.")
    session.close()
