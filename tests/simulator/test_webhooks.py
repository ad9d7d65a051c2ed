"""The simulator's webhooks as a receiver of somebody else's sees them, verified by the documents and not by our code."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fal_nb.simulator.__main__ import _parser
from fal_nb.simulator.server import SimulatorServer

from .conftest import Caller

FAULT = "x-fal-simulator-fault"


class Inbox:
    """Keeps what is delivered; answers with the statuses it is given, then with 200."""

    def __init__(self):
        self.letters, self.answers = [], []
        self._new = threading.Condition()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = inbox.answers.pop(0) if inbox.answers else 200
                self.send_response(status)
                if status in {301, 307}:
                    self.send_header("location", inbox.url)
                self.send_header("set-cookie", "login=passed; Path=/")
                self.send_header("content-length", "0")
                self.end_headers()
                with inbox._new:
                    inbox.letters.append((dict(self.headers), body, time.time()))
                    inbox._new.notify_all()

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?a=b&c=d"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def wait(self, count):
        with self._new:
            assert self._new.wait_for(lambda: len(self.letters) >= count, 20), len(self.letters)
            return list(self.letters)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def server():
    with SimulatorServer(runners=4, speed=50, webhook_schedule_s=(0, 0.05, 0.05)) as server:
        yield server


@pytest.fixture
def inbox():
    inbox = Inbox()
    yield inbox
    inbox.close()


@pytest.fixture(scope="module")
def caller(server):
    caller = Caller(server)
    yield caller
    caller.http.close()


@pytest.fixture
def call(server, caller, inbox):
    server.reset()

    def call_it(endpoint="simulator/sleep", arguments=None, fault="", url=None):
        headers = {FAULT: fault} if fault else None
        answer = caller.submit(endpoint, arguments or {"seconds": 0.1}, headers, fal_webhook=url or inbox.url)
        assert answer.status_code == 200, answer.text
        return answer.json()["request_id"]

    call_it.http = caller.http
    return call_it


def keys(http):
    return [
        Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "=="))
        for key in http.get("/rest/.well-known/jwks.json").json()["keys"]
    ]


def is_true(letter, http):
    headers, body, _ = letter
    headers = {name.lower(): value for name, value in headers.items()}
    names = ("request-id", "user-id", "timestamp")
    lines = [*(headers[f"x-fal-webhook-{name}"] for name in names), hashlib.sha256(body).hexdigest()]
    for key in keys(http):
        try:
            key.verify(bytes.fromhex(headers["x-fal-webhook-signature"]), "\n".join(lines).encode())
        except InvalidSignature:
            continue
        return True
    return False


def test_the_end_of_a_request_is_delivered_signed(call, inbox):
    request_id = call()
    (letter,) = inbox.wait(1)
    headers, body, at = letter
    assert is_true(letter, call.http)
    said = json.loads(body)
    assert (said["request_id"], said["gateway_request_id"], said["status"]) == (request_id, request_id, "OK")
    assert said["payload"] == call.http.get(f"/queue/simulator/sleep/requests/{request_id}").json()
    assert headers["content-type"] == "application/json"
    assert abs(int(headers["x-fal-webhook-timestamp"]) - at) < 3


def test_a_failure_is_delivered_with_its_body(call, inbox):
    call("fal-ai/flux/schnell", {"prompt": 7})
    said = json.loads(inbox.wait(1)[0][1])
    assert (said["status"], said["error"]) == ("ERROR", "Invalid status code: 422")
    assert said["payload"]["detail"][0]["loc"] == ["body", "prompt"]


def test_a_cancelled_request_is_delivered_as_a_failure(call, inbox, server):
    server.set_runners(0)
    request_id = call()
    call.http.put(f"/queue/simulator/sleep/requests/{request_id}/cancel")
    assert json.loads(inbox.wait(1)[0][1])["error"] == "Invalid status code: 499"


def test_it_is_delivered_again_until_it_is_taken(call, inbox, server):
    inbox.answers = [500, 404]
    call()
    letters = inbox.wait(3)
    assert len({body for _, body, _ in letters}) == 1
    assert all(is_true(letter, call.http) for letter in letters)
    outcomes = [attempt["outcome"] for attempt in wait_for_attempts(server, 3)]
    assert outcomes == [500, 404, 200]
    assert not any("cookie" in map(str.lower, headers) for headers, _, _ in letters)


def test_after_the_last_attempt_nothing_more_comes(call, inbox, server):
    inbox.answers = [500] * 9
    call()
    assert len(wait_for_attempts(server, 3)) == 3
    time.sleep(0.3)
    assert len(inbox.letters) == 3


def test_a_redirect_is_not_followed_and_ends_it(call, inbox, server):
    inbox.answers = [307]
    call()
    assert [attempt["outcome"] for attempt in wait_for_attempts(server, 1)] == [307]
    time.sleep(0.2)
    assert len(inbox.letters) == 1


@pytest.mark.parametrize(
    "url", ["https://example.org/hook", "http://169.254.1.1/", "ftp://127.0.0.1/", "x", "http://me:pw@127.0.0.1/"]
)
def test_nothing_leaves_this_machine(call, server, url):
    call(url=url)
    (attempt,) = wait_for_attempts(server, 1)
    assert attempt["outcome"].startswith("dropped")


def test_no_webhook_no_delivery(call, inbox, server, caller):
    caller.accepted(arguments={"seconds": 0.1})
    call()
    inbox.wait(1)
    assert len(wait_for_attempts(server, 1)) == 1


def test_twice_is_the_same_delivery_twice_at_once(call, inbox):
    call(fault="webhook-twice; copies=3")
    letters = inbox.wait(3)
    assert len({(body, headers["x-fal-webhook-signature"]) for headers, body, _ in letters}) == 1


def test_a_wrong_key_once_then_the_right_one(call, inbox):
    inbox.answers = [401]
    call(fault="webhook-wrong-key; times=1")
    first, second = inbox.wait(2)
    assert not is_true(first, call.http)
    assert is_true(second, call.http)


@pytest.mark.parametrize("fault", ["webhook-changed-body", "webhook-wrong-key"])
def test_what_is_spoilt_is_really_false(call, inbox, fault):
    call(fault=fault)
    assert not is_true(inbox.wait(1)[0], call.http)


def test_old_is_signed_as_of_then(call, inbox):
    call(fault="webhook-old; seconds=900")
    (letter,) = inbox.wait(1)
    assert is_true(letter, call.http)
    assert 890 < letter[2] - int(letter[0]["x-fal-webhook-timestamp"]) < 910


def test_late_is_late_and_never_is_never(call, inbox, server):
    began = time.time()
    call(fault="webhook-late; seconds=0.4; times=1")
    assert inbox.wait(1)[0][2] - began > 0.4
    never = call(fault="webhook-never")
    attempts = wait_for_attempts(server, 4)
    assert [attempt["outcome"] for attempt in attempts if attempt["request_id"] == never] == ["not sent on purpose"] * 3
    assert len(inbox.letters) == 1


def test_a_fault_by_the_admin_acts_on_deliveries_of_one_endpoint(call, inbox, server):
    server.fault("webhook-wrong-key", endpoint="simulator/sleep", times=1)
    call()
    assert not is_true(inbox.wait(1)[0], call.http)


def test_keys_rotate_and_the_earlier_ones_stay_for_a_while(call, inbox, server):
    call()
    old = inbox.wait(1)[0]
    server.rotate_webhook_key()
    call()
    new = inbox.wait(2)[1]
    assert is_true(old, call.http)
    assert is_true(new, call.http)
    assert len(keys(call.http)) == 2
    server.rotate_webhook_key(keep=False)
    assert not is_true(old, call.http)
    for _ in range(5):
        server.rotate_webhook_key()
    assert len(keys(call.http)) == 3


def test_the_admin_lists_attempts_and_rotates(call, inbox, server):
    call()
    inbox.wait(1)
    token = {"x-fal-simulator-admin": server.admin_token}
    assert call.http.get("/admin/webhooks").status_code == 403
    wait_for_attempts(server, 1)
    assert call.http.get("/admin/webhooks", headers=token).json()[0]["outcome"] == 200
    before = keys(call.http)[0].public_bytes_raw()
    assert call.http.post("/admin/webhooks/rotate", headers=token).status_code == 200
    assert keys(call.http)[0].public_bytes_raw() != before


def test_an_end_with_deliveries_under_way_is_quick(inbox):
    with SimulatorServer(runners=1, speed=50, webhook_schedule_s=(30,)) as server:
        caller = Caller(server)
        submitted = caller.submit("simulator/sleep", {"seconds": 0.1}, fal_webhook=inbox.url).json()
        caller.events(submitted)
        caller.http.close()
        began = time.monotonic()
    assert time.monotonic() - began < 8
    assert not inbox.letters


def test_the_schedule_is_an_option_of_the_command():
    assert _parser().parse_args(["--webhook-schedule", "0,1.5,60"]).webhook_schedule == (0.0, 1.5, 60.0)
    assert sum(_parser().parse_args([]).webhook_schedule) < 7200
    for wrong in ("", "-1", "x", "nan", "1,inf"):
        with pytest.raises(SystemExit):
            _parser().parse_args([f"--webhook-schedule={wrong}"])


def wait_for_attempts(server, count):
    deadline = time.monotonic() + 20
    while len(attempts := server.webhooks()) < count:
        assert time.monotonic() < deadline, attempts
        time.sleep(0.01)
    return attempts
