"""Many realtime messages over one connection, by each client: all come, in order, and nothing of them stays behind."""

import asyncio
import gc
import os
import tracemalloc

import fal_client
import pytest

import fal_nb
from fal_nb.simulator.server import SimulatorServer

from .clients import CLIENTS, KEY
from .shim import lead

# The official Python clients leave connections to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

SLEEP = "simulator/sleep"
IS_FULL = os.environ.get("FAL_NB_TEST_SIZE") == "full"
MESSAGES = 10_000 if IS_FULL else 500
LEFT_BYTES = 80_000
"""Most that may be left of a session on both sides: eight bytes of each of 10,000 messages."""


@pytest.fixture(scope="module")
def server():
    with SimulatorServer(runners=4, speed=20, require_key=KEY) as server:
        server._simulation.registry.load_all()  # what it loads beside its first answers is none of theirs
        yield server


@pytest.mark.parametrize("client", [name for name in CLIENTS if not name.endswith("async")])
def test_all_are_answered_in_order(server, client, monkeypatch):
    server.reset()
    inputs = [{"echo": str(number), "seconds": 0} for number in range(MESSAGES)]
    # The JavaScript client keeps the newest input alone while it is not connected: it goes in turn.
    call = {
        "base": server.base_url, "key": KEY, "endpoint": SLEEP, "arguments": {}, "headers": {}, "inputs": inputs,
        "py": {}, "js": {}, "outputs": MESSAGES, "in_turn": client == "fal-ai-client-js",
    }  # fmt: skip
    outcome = CLIENTS[client]("realtime", call, monkeypatch)
    assert outcome.ok, outcome.error
    assert [output["echo"] for output in outcome.value["outputs"]] == [each["echo"] for each in inputs]
    assert len(server.ledger()) == 1


@pytest.mark.parametrize("package", ["fal_nb", "fal_client"])
async def test_nothing_of_them_stays_behind(server, package, monkeypatch):
    lead(monkeypatch, server.base_url, [])
    made = fal_nb.AsyncClient(KEY, base_url=server.base_url) if package == "fal_nb" else fal_client.AsyncClient(key=KEY)
    await _session(made, 50)  # what is loaded and kept once
    tracemalloc.start()
    try:
        tasks, held = len(asyncio.all_tasks()), _held()
        await _session(made, MESSAGES)
        assert len(asyncio.all_tasks()) == tasks
        left = _held() - held
    finally:
        tracemalloc.stop()
        await (made.aclose() if package == "fal_nb" else (await made._client).aclose())
    assert left < LEFT_BYTES


async def _session(client, messages):
    async with client.realtime(SLEEP) as connection:

        async def send_all():
            for number in range(messages):
                await connection.send({"echo": str(number), "seconds": 0})

        sending = asyncio.create_task(send_all())
        for number in range(messages):
            assert (await connection.recv())["echo"] == str(number)
        await sending


def _held():
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
