"""Realtime through the official clients and ours, against the simulator: none can tell it from fal."""

import base64
import gc
import io
import warnings

import pytest
from PIL import Image, ImageDraw

from fal_nb.simulator.server import SimulatorServer

from .clients import CLIENTS, KEY

# The official Python clients leave connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

SLEEP = "simulator/sleep"
TURBO = "fal-ai/fast-turbo-diffusion/image-to-image"
JS = "fal-ai-client-js"


@pytest.fixture(scope="module")
def server():
    with SimulatorServer(runners=4, speed=20, require_key=KEY) as server:
        yield server


@pytest.fixture(params=list(CLIENTS))
def client(request):
    return request.param


@pytest.fixture
def do(server, client, monkeypatch):
    """Give a function that makes one session with the client under test."""
    server.reset()

    def do(endpoint, inputs, *, key=KEY, py=None, js=None, **more):
        call = {
            "base": server.base_url, "key": key, "endpoint": endpoint, "arguments": {}, "headers": {},
            "inputs": inputs, "py": py or {}, "js": js or {}, **more,
        }  # fmt: skip
        return CLIENTS[client]("realtime", call, monkeypatch)

    yield do
    if client.startswith("fal_client"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def drawing():
    drawn = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(drawn).ellipse((10, 10, 40, 40), fill="black")
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_inputs_are_answered_one_by_one(do, server):
    outcome = do(SLEEP, [{"echo": f"é{number}", "seconds": 0} for number in range(5)], in_turn=True, outputs=5)
    assert outcome.ok, outcome.error
    assert [output["echo"] for output in outcome.value["outputs"]] == [f"é{number}" for number in range(5)]
    assert [entry["via"] for entry in server.ledger()] == ["realtime"]


def test_a_drawing_goes_in_and_a_picture_comes_out(do):
    arguments = {"prompt": "a red fox", "image_bytes": drawing(), "seed": 3, "strength": 0.7}
    outcome = do(TURBO, [arguments], bytes="image_bytes", outputs=1)
    assert outcome.ok, outcome.error
    (output,) = outcome.value["outputs"]
    assert output["seed"] == 3
    assert output["images"][0]["content"].endswith("bytes ffd8ff")


def test_a_series_ends_in_good_order(do):
    outcome = do("simulator/count", [{"count": 4}])
    assert outcome.ok, outcome.error
    assert outcome.value == {"outputs": [{"index": index} for index in range(4)], "ended": "in good order"}


def test_an_app_that_fails_says_so(do):
    outcome = do(SLEEP, [{"echo": 3}])
    assert outcome.ok, outcome.error
    assert outcome.value == {"outputs": [], "ended": "INTERNAL_ERROR"}


@pytest.mark.parametrize(("code", "ended"), [(1000, "in good order"), (1011, "CONNECTION_CLOSED")])
def test_a_close_is_told_by_its_code(do, server, client, code, ended):
    server.fault("close-frame", on="realtime", events=1, code=code)
    outcome = do(SLEEP, [{"echo": str(number), "seconds": 0} for number in range(2)], in_turn=client == JS)
    assert outcome.ok, outcome.error
    assert outcome.value["outputs"] == [{"echo": "0"}]
    if client == JS and code != 1000:
        assert "Error closing the connection: on purpose" in outcome.value["ended"]
    else:
        assert outcome.value["ended"] == ended


def test_buffering_is_asked_for(do):
    inputs = [{"echo": "x", "seconds": 0}]
    outcome = do(SLEEP, inputs, py={"max_buffering": 2}, js={"maxBuffering": 2}, outputs=1)
    assert outcome.ok, outcome.error
    assert outcome.value["outputs"] == [{"echo": "x"}]


def test_a_wrong_key_gets_no_token(do, server, client):
    outcome = do(SLEEP, [{"echo": "x", "seconds": 0}], key="wrong:key", outputs=1, patience=700)
    assert server.ledger() == []
    if client != JS:  # which says nothing at all
        assert not outcome.ok
        assert outcome.error["status"] == 401
