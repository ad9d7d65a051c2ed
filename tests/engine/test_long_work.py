"""Thousands of jobs in one kernel leave nothing behind but what is on disk."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fal_nb.simulator.server import SimulatorServer

pytestmark = pytest.mark.slow

IS_FULL = os.environ.get("FAL_NB_TEST_SIZE") == "full"
WARM_UP, JOBS = 200, 10_000 if IS_FULL else 500
PROGRAM = Path(__file__).with_name("long_work.py")


@pytest.mark.timeout(1200 if IS_FULL else 240)
def test_cells_run_over_and_over_leave_memory_comms_threads_and_handles_as_they_were(tmp_path):
    with SimulatorServer(runners=16, speed=500, store_payloads=False) as simulator:
        program = [sys.executable, PROGRAM, simulator.base_url, tmp_path / "home", str(WARM_UP), str(JOBS)]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert len(simulator.ledger()) == 1 + WARM_UP + JOBS
    told = json.loads(done.stdout.splitlines()[-1])
    before, after = told["before"], told["after"]
    assert after["memory_mb"] - before["memory_mb"] < 50, told
    assert after["comms"] == before["comms"] == 2, told  # the hub and its layout
    assert all(after[name] <= before[name] for name in ("threads", "sockets", "files")), told
    assert told["jobs_in_memory"] < 100, told
    assert told["views"] < 100, told
    assert told["records"] == 1 + WARM_UP + JOBS
    assert told["held_is_the_same"]
    assert told["held_has_its_picture"]
    assert told["forgotten_comes_back"]
    assert told["brought_back_is_remembered_a_while"]
