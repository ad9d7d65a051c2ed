import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from fal_nb.simulator.error_catalogue import MODEL_ERRORS, REQUEST_ERRORS
from fal_nb.simulator.faults import FAULT_KINDS, FaultError, Faults, make_fault, parse_faults

FAULT = "x-fal-simulator-fault"
_ENDINGS = (("response_url", ""), ("status_url", "/status"), ("cancel_url", "/cancel"))


@pytest.mark.parametrize("error_type", sorted(REQUEST_ERRORS))
def test_a_failure_of_the_infrastructure_is_completed_with_its_type_and_the_result_replays_it(caller, error_type):
    submitted = caller.accepted(arguments={"seconds": 1}, headers={FAULT: f"fail; error_type={error_type}"})
    last = caller.events(submitted)[-1]
    result = caller.http.get(submitted["response_url"])
    assert (last["status"], last["error_type"]) == ("COMPLETED", error_type)
    assert last["error"]
    assert result.status_code == REQUEST_ERRORS[error_type]
    assert result.json()["error_type"] == result.headers["x-fal-error-type"] == error_type
    assert result.headers["x-fal-retryable"] == str(result.status_code in {502, 503, 504}).lower()
    assert caller.server.ledger()[0]["billable_units"] == 0


@pytest.mark.parametrize("error_type", sorted(MODEL_ERRORS))
def test_a_failure_of_the_endpoint_replays_its_detail(caller, error_type):
    status_code, message, context = MODEL_ERRORS[error_type]
    result = caller.finished(headers={FAULT: f"fail; error_type={error_type}"})
    item = result.json()["detail"][0]
    assert result.status_code == status_code
    assert (item["type"], item["msg"], item.get("ctx", {})) == (error_type, message, context)


def test_a_failing_job_stops_part_of_the_way(caller):
    submitted = caller.accepted(arguments={"seconds": 8, "steps": 20}, headers={FAULT: "fail; at=0.5"})
    caller.events(submitted)
    messages = [line["message"] for line in caller.http.get(f"{submitted['status_url']}?logs=1").json()["logs"]]
    assert messages[-1] == "Failed on purpose: runner_disconnected"
    assert not any("20/20" in message for message in messages)


def test_a_direct_call_fails_as_a_queued_one_does(caller):
    answer = caller.run(headers={FAULT: "fail; error_type=runner_server_error"})
    assert answer.status_code == 500
    assert answer.json()["error_type"] == "runner_server_error"


def test_rate_limit_refuses_n_times_then_lets_in(caller):
    headers = {FAULT: "rate-limit; times=2; retry_after=1"}
    answers = [caller.submit(headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "1"
    assert answers[0].headers["x-fal-needs-retry"] == "1"
    assert answers[0].json()["error_type"] == "concurrent_requests_limit"
    assert len(caller.server.ledger()) == 1
    assert caller.server.counters()["submit"] == 3


def test_a_fault_may_begin_after_k_requests(caller):
    caller.server.fault("rate-limit", after=2, times=1)
    assert [caller.submit().status_code for _ in range(4)] == [200, 200, 429, 200]


def test_a_fault_may_be_about_one_endpoint_only(caller):
    caller.server.fault("rate-limit", endpoint="fal-ai/flux/dev")
    assert caller.submit().status_code == 200
    assert caller.submit("fal-ai/flux/dev", {"prompt": "x"}).status_code == 429


@pytest.mark.parametrize(
    ("fault", "status_code"),
    [("status; status=408", 408), ("status; status=409", 409), ("locked", 403), ("unavailable", 503)],
)
def test_refusals_start_nothing_and_bear_a_request_id(caller, fault, status_code):
    answer = caller.submit(headers={FAULT: fault})
    assert answer.status_code == status_code
    assert answer.json()["detail"]
    assert answer.headers["x-fal-request-id"]
    assert caller.server.ledger() == []


@pytest.mark.parametrize("status_code", [502, 503, 504])
def test_the_ingress_answers_html_with_nothing_of_fals(caller, status_code):
    answer = caller.submit(headers={FAULT: f"ingress; status={status_code}"})
    assert answer.status_code == status_code
    assert "nginx" in answer.text
    assert "x-fal-request-id" not in answer.headers
    assert caller.server.ledger() == []


def test_the_ingress_may_answer_for_a_call_that_was_accepted(caller):
    answer = caller.submit(headers={FAULT: "ingress-after"})
    assert (answer.status_code, "x-fal-request-id" in answer.headers) == (504, False)
    assert len(caller.server.ledger()) == 1


@pytest.mark.parametrize("kind", ["lost-reply", "reset-after", "half-reply", "garbage"])
def test_a_lost_answer_is_an_accepted_call(caller, kind):
    with pytest.raises(httpx.TransportError):
        caller.submit(headers={FAULT: kind})
    assert len(caller.server.ledger()) == 1
    assert caller.server.counters() == {"submit": 1}


@pytest.mark.parametrize("kind", ["reset", "hang-up"])
@pytest.mark.parametrize("at", ["headers", "half-body", "body"])
def test_a_connection_lost_before_is_a_call_that_never_was(caller, kind, at):
    with pytest.raises(httpx.TransportError):
        caller.submit(arguments={"echo": "x" * 200_000}, headers={FAULT: f"{kind}; at={at}"})
    assert caller.server.ledger() == []
    assert caller.server.counters() == {"submit": 1}


def test_a_reset_is_a_reset_and_a_hang_up_is_an_orderly_end(caller):
    seen = {}
    port = int(caller.server.base_url.rpartition(":")[2])
    for kind in ("reset", "hang-up"):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            head = f"POST /queue/simulator/sleep HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n{FAULT}: {kind}\r\n\r\n"
            connection.sendall(head.encode() + b"{}")
            try:
                seen[kind] = connection.recv(10)
            except ConnectionResetError:
                seen[kind] = "reset"
    assert seen == {"reset": "reset", "hang-up": b""}


@pytest.mark.parametrize("status_code", [404, 405])
def test_a_job_may_be_submitted_without_status_streams(caller, status_code):
    submitted = caller.accepted(headers={FAULT: f"no-stream; status={status_code}"})
    assert caller.http.get(f"{submitted['status_url']}/stream").status_code == status_code
    assert caller.http.get(submitted["status_url"]).status_code in {200, 202}


def test_a_status_stream_may_be_cut_in_the_middle_and_opened_again(caller):
    headers = {FAULT: "cut-stream; events=1; times=1"}
    with pytest.raises(httpx.TransportError):
        caller.watched(arguments={"seconds": 8, "echo": "still there"}, headers=headers)
    request_id = caller.server.ledger()[0]["request_id"]
    submitted = {name: f"/queue/simulator/sleep/requests/{request_id}{end}" for name, end in _ENDINGS}
    assert caller.result(submitted).json() == {"echo": "still there"}
    assert caller.server.requests(request_id) == {"submit": 1, "status_stream": 2, "result": 1}


def test_a_result_stream_may_be_cut_and_its_runner_is_free_again(serve):
    caller = serve(runners=1)
    with pytest.raises(httpx.TransportError):
        list(
            caller.iter_events(
                "/run/fal-ai/flux/dev/stream",
                "POST",
                json={"prompt": "x", "image_size": "square"},
                headers={FAULT: "cut-stream; events=2"},
            )
        )
    assert caller.run().status_code == 200


@pytest.mark.slow
def test_slow_lets_later_requests_pass(caller):
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(caller.submit, headers={FAULT: "slow; seconds=1.5"})
        while caller.server.counters().get("submit", 0) < 1:
            pass
        quick = caller.accepted()
        assert not slow.done()
        assert slow.result().status_code == 200
    assert caller.server.ledger()[0]["request_id"] == quick["request_id"]


def test_long_holds_a_job_whatever_the_speed(caller):
    submitted = caller.accepted(headers={FAULT: "long; seconds=3000"})
    caller.wait_for(submitted, "IN_PROGRESS")
    assert caller.http.put(submitted["cancel_url"]).status_code == 202


def test_a_lost_runner_puts_the_job_back_into_the_queue_once(caller):
    headers = {FAULT: "requeue; at=0.5"}
    _, events = caller.watched(arguments={"seconds": 10, "echo": "x"}, headers=headers)
    states = [event["status"] for event in events]
    assert [state for index, state in enumerate(states) if index == 0 or states[index - 1] != state] == [
        "IN_QUEUE", "IN_PROGRESS", "IN_QUEUE", "IN_PROGRESS", "COMPLETED",
    ]  # fmt: skip
    assert events[-1].get("error") is None


def test_faults_may_act_on_any_operation_by_name(caller):
    caller.server.fault("ingress", on="result", times=1)
    submitted = caller.accepted()
    caller.events(submitted)
    assert caller.http.get(submitted["response_url"]).status_code == 502
    assert caller.http.get(submitted["response_url"]).status_code == 200


def test_faults_are_taken_back(caller):
    caller.server.fault("rate-limit")
    assert caller.submit().status_code == 429
    caller.server.clear_faults()
    assert caller.submit().status_code == 200


def test_faults_over_http_need_the_token(caller):
    assert caller.http.post("/admin/faults", json={"kind": "rate-limit"}).status_code == 403
    assert caller.submit().status_code == 200
    set_ = caller.admin("POST", "faults", json={"kind": "rate-limit", "times": 1})
    assert set_.json()[0]["kind"] == "rate-limit"
    assert caller.submit().status_code == 429
    assert caller.admin("GET", "faults").json()[0]["seen"] == 1
    assert caller.admin("DELETE", "faults").json() == []


@pytest.mark.parametrize(
    "body", [{"kind": "no-such"}, {"kind": "slow", "seconds": "much"}, {"kind": "slow", "no": 1}, [1]]
)
def test_a_fault_described_wrongly_is_a_400_with_one_line(caller, body):
    answer = caller.admin("POST", "faults", json=body)
    assert answer.status_code == 400
    assert "\n" not in answer.json()["detail"]


def test_a_header_that_asks_for_no_known_fault_is_a_400_and_starts_nothing(caller):
    for text in ("no-such", "slow; seconds", "fail; colour=red"):
        answer = caller.submit(headers={FAULT: text})
        assert (answer.status_code, answer.json()["error_type"]) == (400, "bad_request")
    assert caller.server.ledger() == []


def test_every_kind_says_what_it_does_and_can_be_made_by_name():
    for name, kind in FAULT_KINDS.items():
        assert kind.summary
        assert make_fault(name, {}).describe()["kind"] == name


def test_a_header_may_ask_for_several_faults():
    first, second = parse_faults("fail; error_type=x , no-stream; status=405")
    assert (first.name, first.text("error_type")) == ("fail", "x")
    assert (second.name, second.number("status"), second.on) == ("no-stream", 405, {"status_stream"})


def test_uses_of_a_header_are_counted_by_its_text():
    faults = Faults()
    one, other = parse_faults("rate-limit; times=1"), parse_faults("rate-limit;  times=1; retry_after=2")
    assert [bool(faults.select("submit", None, fault)) for fault in (one, one, other, other)] == [
        True,
        False,
        True,
        False,
    ]


def test_a_fault_made_wrongly_names_the_nearest_help():
    with pytest.raises(FaultError, match="there are: close-frame, content-type, cut-frame"):
        make_fault("explode", {})
