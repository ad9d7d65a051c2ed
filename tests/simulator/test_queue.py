import re
from datetime import datetime

import pytest

LONG = {"seconds": 3000}


def test_submit_answers_with_the_id_the_position_and_three_urls_without_the_path(caller):
    answer = caller.submit("fal-ai/flux/dev", {"prompt": "a red fox"})
    body = answer.json()
    base = f"{caller.server.base_url}/queue/fal-ai/flux/requests/{body['request_id']}"
    assert answer.status_code == 200
    assert (body["status"], body["queue_position"]) == ("IN_QUEUE", 0)
    assert body["response_url"] == base
    assert body["status_url"] == f"{base}/status"
    assert body["cancel_url"] == f"{base}/cancel"
    assert answer.headers["x-fal-request-id"] == body["request_id"]


def test_status_is_202_while_open_and_200_once_completed(serve):
    caller = serve(runners=0)
    submitted = caller.accepted()
    queued = caller.http.get(submitted["status_url"])
    assert (queued.status_code, queued.json()["status"], queued.json()["queue_position"]) == (202, "IN_QUEUE", 0)
    caller.server.fault("long", seconds=3000)
    running = caller.accepted()
    caller.server.set_runners(2)
    caller.wait_for(running, "IN_PROGRESS")
    in_progress = caller.http.get(running["status_url"])
    caller.events(submitted)
    completed = caller.http.get(submitted["status_url"])
    assert in_progress.status_code == 202
    assert completed.status_code == 200
    assert completed.json()["status"] == "COMPLETED"
    assert completed.json()["logs"] is None
    assert completed.json()["metrics"]["inference_time"] >= 0


def test_positions_count_those_ahead_and_count_down(serve):
    caller = serve(runners=0)
    submitted = [caller.accepted() for _ in range(4)]
    assert [body["queue_position"] for body in submitted] == [0, 1, 2, 3]
    assert caller.http.put(submitted[1]["cancel_url"]).json() == {"status": "OK"}
    statuses = [caller.http.get(body["status_url"]).json() for body in submitted]
    assert [status.get("queue_position") for status in statuses] == [0, None, 1, 2]


@pytest.mark.slow
def test_a_watcher_sees_its_position_fall(serve):
    caller = serve(runners=0, pickup_s=0)
    for _ in range(3):
        caller.accepted(arguments={"seconds": 20})
    _, events = caller.watched(runners=1)
    positions = [event["queue_position"] for event in events if event["status"] == "IN_QUEUE"]
    assert positions[0] == 3
    assert len(positions) > 1
    assert positions == sorted(set(positions), reverse=True)
    assert [event["status"] for event in events][-2:] == ["IN_PROGRESS", "COMPLETED"]


def test_low_priority_waits_behind_normal(serve):
    caller = serve(runners=0)
    low = caller.accepted(headers={"x-fal-queue-priority": "low"})
    normal = caller.accepted(headers={"x-fal-queue-priority": "normal"})
    assert caller.http.get(normal["status_url"]).json()["queue_position"] == 0
    assert caller.http.get(low["status_url"]).json()["queue_position"] == 1


def test_no_more_requests_run_at_once_than_there_are_runners(serve):
    caller = serve(runners=0)
    submitted = [caller.accepted(arguments=LONG) for _ in range(4)]
    caller.server.set_runners(2)
    caller.wait_for(submitted[1], "IN_PROGRESS")
    states = [caller.http.get(body["status_url"]).json()["status"] for body in submitted]
    assert states == ["IN_PROGRESS", "IN_PROGRESS", "IN_QUEUE", "IN_QUEUE"]


@pytest.mark.parametrize("form", ["logs=1", "logs=true", "logs=True"])
def test_logs_come_when_asked_for_with_bars_stamps_level_and_source(caller, form):
    submitted = caller.accepted(arguments={"seconds": 4, "steps": 28})
    caller.events(submitted)
    logs = caller.http.get(f"{submitted['status_url']}?{form}").json()["logs"]
    bars = [line["message"] for line in logs]
    assert bars[0] == "  0%|          | 0/28 [00:00<?, ?it/s]"
    assert re.fullmatch(r"100%\|██████████\| 28/28 \[00:00<00:00, *[\d.]+it/s\]", bars[-1])
    assert {line["source"] for line in logs} == {"USER"}
    assert {line["level"] for line in logs} == {"STDERR"}
    stamps = [datetime.fromisoformat(line["timestamp"]) for line in logs]
    assert stamps == sorted(stamps)
    assert stamps[0].tzinfo is not None


@pytest.mark.parametrize("form", ["", "logs=0", "logs=false"])
def test_logs_are_null_when_not_asked_for(caller, form):
    submitted = caller.accepted(arguments={"seconds": 1, "steps": 3})
    caller.events(submitted)
    assert caller.http.get(f"{submitted['status_url']}?{form}").json()["logs"] is None


def test_polled_logs_are_cumulative(caller):
    submitted = caller.accepted(arguments={"seconds": 1, "steps": 3})
    caller.events(submitted)
    first = caller.http.get(f"{submitted['status_url']}?logs=1").json()["logs"]
    assert caller.http.get(f"{submitted['status_url']}?logs=1").json()["logs"] == first


def test_an_early_result_is_400_and_a_late_one_can_be_read_twice(serve):
    caller = serve(runners=0)
    submitted = caller.accepted(arguments={"echo": "hello"})
    early = caller.http.get(submitted["response_url"])
    assert (early.status_code, early.json()) == (400, {"detail": "Request is still in progress"})
    caller.server.set_runners(1)
    first, second = caller.result(submitted), caller.http.get(submitted["response_url"])
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json() == {"echo": "hello"}
    assert first.headers["x-fal-billable-units"] == "1"
    assert first.headers["x-fal-request-id"] == submitted["request_id"]


def test_every_spelling_of_a_request_url_finds_it(caller):
    submitted = caller.accepted("fal-ai/flux/schnell", {"prompt": "x", "image_size": "square"})
    caller.events(submitted)
    request = submitted["request_id"]
    for path in (f"fal-ai/flux/requests/{request}", f"fal-ai/flux/schnell/requests/{request}"):
        assert caller.http.get(f"/queue/{path}/status").status_code == 200
        assert caller.http.get(f"/queue/{path}/status/").status_code == 200
        for suffix in ("", "/", "/response"):
            assert caller.http.get(f"/queue/{path}{suffix}").status_code == 200


def test_unknown_requests_and_those_of_another_endpoint_are_404(caller):
    submitted = caller.accepted()
    for base in ("simulator/sleep/requests/none", f"fal-ai/flux/requests/{submitted['request_id']}"):
        for suffix in ("", "/status", "/status/stream"):
            answer = caller.http.get(f"/queue/{base}{suffix}")
            assert (answer.status_code, answer.json()) == (404, {"status": "NOT_FOUND"})
        assert caller.http.put(f"/queue/{base}/cancel").json() == {"status": "NOT_FOUND"}


def test_an_unknown_endpoint_is_404_and_free(caller):
    for path in ("/queue/fal-ai/no-such-model", "/run/fal-ai/no-such-model", "/queue/nonsense"):
        answer = caller.http.post(path, json={"prompt": "x"})
        assert answer.status_code == 404
        assert "not found" in answer.json()["detail"]
        assert answer.headers["x-fal-billable-units"] == "0"
        assert answer.headers["x-fal-request-id"]
    assert caller.server.ledger() == []


def test_wrong_arguments_are_accepted_and_come_to_a_422_as_result(caller):
    submitted = caller.accepted("fal-ai/flux/dev", {"prompt": 5, "num_images": 9, "output_format": "gif"})
    events = caller.events(submitted)
    result = caller.http.get(submitted["response_url"])
    assert events[-1]["status"] == "COMPLETED"
    assert events[-1]["error"] == "Invalid status code: 422"
    assert result.status_code == 422
    assert result.headers["x-fal-billable-units"] == "0"
    found = {item["loc"][1]: item for item in result.json()["detail"]}
    assert all(item["loc"][0] == "body" for item in found.values())
    assert found["prompt"]["type"] == "string_type"
    assert found["num_images"]["ctx"] == {"le": 4}
    assert found["num_images"]["input"] == 9
    assert found["num_images"]["url"] == "https://docs.fal.ai/errors/#less_than_equal"
    assert found["output_format"]["type"] == "literal_error"


@pytest.mark.parametrize("body", [b"{not json", b"", b"[1, 2]", b'"text"'])
def test_a_body_that_is_no_object_comes_to_a_422(caller, body):
    submitted = caller.http.post("/queue/fal-ai/flux/dev", content=body).json()
    result = caller.result(submitted)
    assert result.status_code == 422
    assert result.json()["detail"][0]["loc"][0] == "body"


def test_unknown_arguments_are_ignored(caller):
    assert caller.finished(arguments={"echo": "x", "no_such": 1}).json() == {"echo": "x"}


@pytest.mark.parametrize("name", ["x-fal-request-timeout", "x-fal-request-start-timeout"])
def test_a_missed_start_deadline_is_504_by_the_user(serve, name):
    caller = serve(runners=0)
    submitted = caller.accepted(headers={name: "0.15"})
    events = caller.events(submitted)
    result = caller.http.get(submitted["response_url"])
    assert events[-1]["error_type"] == "request_timeout"
    assert result.status_code == 504
    assert result.headers["x-fal-request-timeout-type"] == "user"


def test_the_newer_name_of_the_start_deadline_wins(serve):
    caller = serve(runners=0)
    headers = {"x-fal-request-timeout": "3000", "x-fal-request-start-timeout": "0.15"}
    assert caller.events(caller.accepted(headers=headers))[-1]["error_type"] == "request_timeout"


@pytest.mark.parametrize("value", ["soon", "0.1", "-3", "nan", "inf"])
def test_a_start_deadline_that_is_no_good_number_is_a_400(caller, value):
    answer = caller.submit(headers={"x-fal-request-start-timeout": value})
    assert answer.status_code == 400
    assert answer.json()["error_type"] == answer.headers["x-fal-error-type"] == "bad_request"
    assert caller.server.ledger() == []


@pytest.mark.slow
def test_a_start_deadline_does_not_touch_what_runs_already(caller):
    answer = caller.finished(arguments={"seconds": 56}, headers={"x-fal-request-start-timeout": "1"})
    assert answer.status_code == 200


def test_a_queue_longer_than_allowed_refuses_with_429(serve):
    caller = serve(runners=0)
    caller.accepted()
    caller.accepted()
    assert caller.submit(fal_max_queue_length=2).status_code == 200
    refused = caller.submit(fal_max_queue_length=2)
    assert refused.status_code == 429
    assert len(caller.server.ledger()) == 3
    assert caller.submit("fal-ai/flux/dev", {"prompt": "x"}, fal_max_queue_length=2).status_code == 200


def test_each_accepted_call_stands_in_the_ledger_once_with_what_it_cost(caller):
    good = caller.accepted("fal-ai/flux/schnell", {"prompt": "x", "image_size": "square", "num_images": 2})
    bad = caller.accepted("fal-ai/flux/schnell", {})
    caller.events(good)
    caller.events(bad)
    first, second = caller.server.ledger()
    assert first["request_id"] == good["request_id"]
    assert (first["endpoint"], first["via"], first["unit"]) == ("fal-ai/flux/schnell", "queue", "megapixels")
    assert (first["status_code"], first["billable_units"], first["unit_price"]) == (200, 2.0, 0.003)
    assert (second["request_id"], second["status_code"], second["billable_units"]) == (bad["request_id"], 422, 0.0)
    assert first["accepted_at"] <= first["ended_at"]


def test_requests_are_counted_by_kind_and_by_request(caller):
    one, other = caller.accepted(), caller.accepted()
    caller.result(one)
    caller.http.get(other["status_url"])
    caller.http.put(one["cancel_url"])
    assert caller.server.counters() == {"submit": 2, "status_stream": 1, "result": 1, "status": 1, "cancel": 1}
    assert caller.server.requests(one["request_id"]) == {"submit": 1, "status_stream": 1, "result": 1, "cancel": 1}
    assert caller.server.requests(other["request_id"]) == {"submit": 1, "status": 1}
    assert caller.server.requests("none") == {}


def test_the_key_called_wrong_is_always_refused(caller):
    for method, path in (
        ("POST", "/queue/simulator/sleep"),
        ("POST", "/run/simulator/sleep"),
        ("POST", "/rest/storage/auth/token"),
    ):
        answer = caller.http.request(method, path, json={}, headers={"authorization": "Key wrong:key"})
        assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid API key"})
    assert caller.server.ledger() == []


def test_a_required_key_lets_in_nothing_else(serve):
    caller = serve(require_key="good:key")
    codes = [
        caller.submit(headers=headers).status_code
        for headers in (None, {"authorization": "Key other:key"}, {"authorization": "Key good:key"})
    ]
    assert codes == [401, 401, 200]
    schema = caller.http.get("/api/openapi/queue/openapi.json?endpoint_id=fal-ai/flux/dev")
    assert schema.status_code == 200
