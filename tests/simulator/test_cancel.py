import pytest

LONG = {"seconds": 3000, "steps": 50}


def test_a_queued_request_is_removed_and_answers_499(serve):
    caller = serve(runners=0)
    submitted = caller.accepted()
    answer = caller.http.put(submitted["cancel_url"])
    assert (answer.status_code, answer.json()) == (200, {"status": "OK"})
    status = caller.http.get(submitted["status_url"])
    assert (status.status_code, status.json()["status"]) == (200, "COMPLETED")
    assert status.json()["error_type"] == "client_cancelled"
    result = caller.http.get(submitted["response_url"])
    assert result.status_code == 499
    assert result.json()["error_type"] == result.headers["x-fal-error-type"] == "client_cancelled"
    assert caller.server.ledger()[0]["billable_units"] == 0


def test_a_running_request_is_asked_to_stop_and_does(caller):
    submitted = caller.accepted(arguments=LONG)
    caller.wait_for(submitted, "IN_PROGRESS")
    answer = caller.http.put(submitted["cancel_url"])
    assert (answer.status_code, answer.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
    assert caller.events(submitted)[-1]["error_type"] == "client_cancelled"
    assert caller.http.get(submitted["response_url"]).status_code == 499


def test_a_completed_request_is_too_late_to_cancel(caller):
    submitted = caller.accepted(arguments={"echo": "done"})
    caller.events(submitted)
    answer = caller.http.put(submitted["cancel_url"])
    assert (answer.status_code, answer.json()) == (400, {"status": "ALREADY_COMPLETED"})
    assert caller.http.get(submitted["response_url"]).json() == {"echo": "done"}


def test_a_cancelled_request_frees_its_runner(serve):
    caller = serve(runners=1)
    first, second = caller.accepted(arguments=LONG), caller.accepted(arguments={"echo": "next"})
    caller.wait_for(first, "IN_PROGRESS")
    caller.http.put(first["cancel_url"])
    assert caller.result(second).json() == {"echo": "next"}


def test_cancelling_twice_while_running_changes_nothing(caller):
    submitted = caller.accepted(arguments=LONG)
    caller.wait_for(submitted, "IN_PROGRESS")
    answers = [caller.http.put(submitted["cancel_url"]).status_code for _ in range(2)]
    assert answers == [202, 202]
    assert caller.result(submitted).status_code == 499


@pytest.mark.slow
def test_an_endpoint_may_ignore_the_signal_and_finish(caller):
    headers = {"x-fal-simulator-fault": "ignore-cancel, long; seconds=1.5"}
    submitted = caller.accepted(arguments={"echo": "anyway"}, headers=headers)
    caller.wait_for(submitted, "IN_PROGRESS")
    assert caller.http.put(submitted["cancel_url"]).status_code == 202
    result = caller.result(submitted)
    assert (result.status_code, result.json()) == (200, {"echo": "anyway"})
    assert result.headers["x-fal-billable-units"] == "1"


@pytest.mark.parametrize("path", ["fal-ai/flux/requests/none/cancel", "simulator/sleep/requests/none/cancel"])
def test_an_unknown_request_is_not_found(caller, path):
    answer = caller.http.put(f"/queue/{path}")
    assert (answer.status_code, answer.json()) == (404, {"status": "NOT_FOUND"})
