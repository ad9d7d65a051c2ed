import contextlib
import subprocess
import sys

import pytest

from fal_nb.ledger.records import NewRecord
from fal_nb.ledger.store import HistoryStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "history.sqlite"


@pytest.fixture
def store(path):
    with HistoryStore(path) as store:
        yield store


@pytest.fixture
def new():
    """A maker of records as they are before a call is sent."""

    def make(**changes):
        facts = {
            "endpoint": "fal-ai/flux/dev",
            "arguments": {"prompt": "a red fox", "num_images": 1},
            "backend": "simulator",
            "created": 1_790_000_000.25,
        }
        return NewRecord(**(facts | changes))

    return make


@pytest.fixture
def start_python():
    """Start a process that runs a program and ends with the test; its first line is waited for."""
    with contextlib.ExitStack() as stack:

        def start(program, *arguments):
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", program, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout.readline() == "ready\n", process.stderr.read()
            return process

        yield start
