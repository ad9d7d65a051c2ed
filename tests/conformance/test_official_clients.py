"""The same calls through the official clients and ours, against the simulator: none can tell it from fal."""

import gc
import hashlib
import warnings

import httpx
import pytest

from fal_nb.simulator.server import SimulatorServer

from .clients import CLIENTS, KEY, unrepeated

# The official Python clients leave connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

SLEEP = "simulator/sleep"
DEV = "fal-ai/flux/dev"
SMALL = {"prompt": "a red fox", "image_size": {"width": 32, "height": 32}, "seed": 3, "num_inference_steps": 4}
FAULT = "x-fal-simulator-fault"
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
    """Give a function that makes one call with the client under test."""
    server.reset()

    def do(operation, endpoint=SLEEP, arguments=None, *, key=KEY, headers=None, py=None, js=None, **more):
        call = {
            "base": server.base_url, "key": key, "endpoint": endpoint, "arguments": arguments or {},
            "headers": headers or {}, "py": py or {}, "js": js or {}, **more,
        }  # fmt: skip
        return CLIENTS[client](operation, call, monkeypatch)

    yield do
    if client.startswith("fal_client"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def sent(outcome, method, part):
    return [request for request in outcome.requests if request["method"] == method and part in request["url"]]


def accepted(server):
    return [entry["via"] for entry in server.ledger()]


def test_run(do, server):
    outcome = do("run", DEV, SMALL)
    assert outcome.ok, outcome.error
    assert (outcome.value["seed"], outcome.value["prompt"]) == (3, "a red fox")
    assert httpx.get(outcome.value["images"][0]["url"]).status_code == 200
    assert accepted(server) == ["run"]


def test_run_with_a_start_timeout(do):
    outcome = do("run", SLEEP, {"seconds": 0.1}, py={"start_timeout": 30}, js={"startTimeout": 30})
    assert outcome.ok, outcome.error
    assert float(outcome.requests[0]["headers"]["x-fal-request-timeout"]) == 30


def test_subscribe_with_logs_and_callbacks(do, server):
    outcome = do("subscribe", SLEEP, {"seconds": 4, "steps": 6, "echo": "back"})
    assert outcome.ok, outcome.error
    assert outcome.value["result"] == {"echo": "back"}
    assert outcome.value["enqueued"] == server.ledger()[0]["request_id"]
    assert outcome.kinds[-2:] == ["IN_PROGRESS", "COMPLETED"]
    assert any("6/6" in message for message in unrepeated(outcome.messages))
    assert accepted(server) == ["queue"]


@pytest.mark.parametrize("operation", ["submit", "events"])
def test_submit_follow_and_get(do, server, operation):
    outcome = do(operation, SLEEP, {"seconds": 2, "steps": 3, "echo": "é"})
    assert outcome.ok, outcome.error
    assert outcome.value["result"] == {"echo": "é"}
    assert outcome.value["request_id"] == server.ledger()[0]["request_id"]
    assert outcome.kinds[-1] == "COMPLETED"
    assert outcome.messages
    assert accepted(server) == ["queue"]


def test_submit_takes_priority_hint_and_webhook(do, client):
    hook = "https://example.com/hook?a=1"
    outcome = do(
        "submit", SLEEP, {"seconds": 0.1},
        py={"priority": "low", "hint": "same-runner", "webhook_url": hook},
        js={"priority": "low", "hint": "same-runner", "webhookUrl": hook},
    )  # fmt: skip
    assert outcome.ok, outcome.error
    (submit,) = [request for request in sent(outcome, "POST", SLEEP) if "/requests/" not in request["url"]]
    assert submit["headers"]["x-fal-queue-priority"] == "low"
    assert submit["headers"]["x-fal-runner-hint"] == "same-runner"
    assert httpx.URL(submit["url"]).params["fal_webhook"] == hook
    assert submit["headers"]["authorization"] == f"Key {KEY}"


def test_cancel_a_running_request(do):
    outcome = do("cancel", SLEEP, {"seconds": 2000})
    assert not outcome.ok
    assert outcome.error["status"] == 499


def test_cancel_a_waiting_request(do, server):
    server.set_runners(0)
    outcome = do("cancel", SLEEP, {"seconds": 2000})
    assert outcome.error["status"] == 499
    assert server.ledger()[0]["billable_units"] == 0


def test_cancel_too_late_and_of_the_unknown(do):
    assert do("cancel_done", SLEEP, {"seconds": 0.1}).error["status"] == 400
    assert do("cancel_unknown", SLEEP, request_id="00000000-0000-4000-8000-000000000000").error["status"] == 404


def test_a_job_that_fails_answers_with_its_own_error(do, server):
    outcome = do("submit", SLEEP, {"seconds": 1}, headers={FAULT: "fail; error_type=content_policy_violation"})
    assert not outcome.ok
    assert outcome.error["status"] == 422
    assert outcome.error["body"]["detail"][0]["type"] == "content_policy_violation"
    assert accepted(server) == ["queue"]


def test_wrong_arguments_are_a_422_with_the_fields(do):
    outcome = do("subscribe", DEV, {"num_images": 9})
    assert outcome.error["status"] == 422
    fields = {tuple(item["loc"]): item["type"] for item in outcome.error["body"]["detail"]}
    assert fields == {("body", "prompt"): "missing", ("body", "num_images"): "less_than_equal"}


def test_a_wrong_key_is_401_and_an_unknown_endpoint_404(do, server):
    assert do("run", SLEEP, key="wrong:key").error["status"] == 401
    assert do("submit", "fal-ai/nope/at-all").error["status"] == 404
    assert accepted(server) == []


def test_a_refusal_for_the_moment_is_asked_again(do, server):
    server.fault("rate-limit", on="submit", times=1)
    outcome = do("submit", SLEEP, {"seconds": 0.1})
    assert outcome.ok, outcome.error
    assert accepted(server) == ["queue"]


def test_a_lost_reply_is_where_they_differ(do, server, client):
    """The official clients send a paid POST again; ours says that it may have arrived."""
    server.fault("lost-reply", on="submit", times=1)
    outcome = do("submit", SLEEP, {"seconds": 0.1})
    assert len(accepted(server)) == (1 if client.startswith("ours") else 2)
    assert outcome.ok is not client.startswith("ours")


def test_stream(do, server):
    outcome = do("stream", DEV, SMALL)
    assert outcome.ok, outcome.error
    assert len(outcome.value["events"]) > 2
    assert outcome.value["last"]["seed"] == 3
    assert outcome.value["events"][-1] == outcome.value["last"]
    assert accepted(server) == ["stream"]


def test_a_stream_that_is_refused_fails(do, client):
    outcome = do("stream", DEV, {"num_images": 9})
    assert not outcome.ok
    if client.startswith("ours"):
        assert outcome.error["status"] == 422


@pytest.mark.parametrize(
    ("size", "content_type", "name"),
    [(5, "text/plain", "a note.txt"), (0, "image/png", "empty.png"), (3_000_000, "video/mp4", None)],
)
def test_upload(do, size, content_type, name):
    outcome = do("upload", size=size, content_type=content_type, name=name)
    assert outcome.ok, outcome.error
    answer = httpx.get(outcome.value["url"])
    assert hashlib.sha256(answer.content).hexdigest() == outcome.value["digest"]
    assert answer.headers["content-type"] == content_type


def test_upload_with_a_lifecycle(do):
    outcome = do("upload", size=5, content_type="text/plain", name="x.txt", lifecycle="1h")
    assert outcome.ok, outcome.error
    headers = [request["headers"] for request in outcome.requests if "x-fal-object-lifecycle" in request["headers"]]
    assert [entry["x-fal-object-lifecycle"].replace(" ", "") for entry in headers] == [
        '{"expiration_duration_seconds":3600}'
    ]


def test_upload_to_a_signed_url(do, client, server):
    outcome = do("upload", size=50, content_type="text/plain", name="x.txt", repository="fal")
    assert outcome.ok, outcome.error
    assert httpx.get(outcome.value["url"]).content == b"\x07" * 50
    assert server.counters()["upload_signed"] == 1


@pytest.mark.slow
def test_upload_in_parts(do, server):
    outcome = do("upload", size=105 * 1024 * 1024, content_type="video/mp4", name="film.mp4", fill=9)
    assert outcome.ok, outcome.error
    received = hashlib.sha256()
    with httpx.stream("GET", outcome.value["url"]) as answer:
        for chunk in answer.iter_bytes():
            received.update(chunk)
    assert received.hexdigest() == outcome.value["digest"]
    assert server.counters()["upload_part"] == 11


@pytest.mark.parametrize("endpoint", ["workflows/me/mine", "comfy/me/mine/deep"])
def test_ids_with_a_namespace_keep_it_in_every_url(do, client, endpoint):
    outcome = do("submit", endpoint)
    assert outcome.error["status"] == 404
    assert f"/{endpoint}" in outcome.requests[0]["url"]
