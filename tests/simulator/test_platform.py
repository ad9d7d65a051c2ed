"""Prices, estimates and the list of ended requests, with the traps that clients have met at fal."""

import pytest

DEV = "fal-ai/flux/dev"
SCHNELL = "fal-ai/flux/schnell"
API = "/api/v1/models"


def listed(caller, endpoint="simulator/sleep", **query):
    answer = caller.http.get(f"{API}/requests/by-endpoint", params={"endpoint_id": endpoint, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_prices_are_those_the_ledger_bills_by(caller):
    answer = caller.http.get(f"{API}/pricing", params={"endpoint_id": [DEV, SCHNELL]}).json()
    assert [price["endpoint_id"] for price in answer["prices"]] == [DEV, SCHNELL]
    assert answer["prices"][0] == {"endpoint_id": DEV, "unit_price": 0.025, "unit": "megapixels", "currency": "USD"}
    assert (answer["next_cursor"], answer["has_more"]) == (None, False)
    caller.finished(DEV, {"prompt": "x"})
    entry = caller.server.ledger()[0]
    assert (entry["unit"], entry["unit_price"]) == ("megapixels", 0.025)


def test_one_unknown_id_fails_the_batch_and_a_comma_is_part_of_an_id(caller):
    for ids in ([DEV, "fal-ai/nope"], f"{DEV},{SCHNELL}"):
        answer = caller.http.get(f"{API}/pricing", params={"endpoint_id": ids})
        assert answer.status_code == 404
        assert answer.json()["error"]["type"] == "not_found"


@pytest.mark.parametrize("ids", [[], [DEV] * 51])
def test_none_and_more_than_fifty_ids_are_refused(caller, ids):
    answer = caller.http.get(f"{API}/pricing", params={"endpoint_id": ids})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "validation_error")


def test_an_estimate_by_units_is_exact_and_by_calls_goes_by_those_before(caller):
    def estimate(kind, **endpoints):
        body = {"estimate_type": kind, "endpoints": {DEV: endpoints}}
        return caller.http.post(f"{API}/pricing/estimate", json=body)

    exact = estimate("unit_price", unit_quantity=3).json()
    assert exact == {"estimate_type": "unit_price", "total_cost": pytest.approx(0.075), "currency": "USD"}
    caller.finished(DEV, {"prompt": "x", "num_images": 4})
    assert estimate("historical_api_price", call_quantity=2).json()["total_cost"] == pytest.approx(2 * 4 * 0.025)
    for wrong in ({"call_quantity": 0}, {"call_quantity": 1.5}, {"call_quantity": True}, {}):
        assert estimate("historical_api_price", **wrong).status_code == 400
    assert estimate("guess", call_quantity=1).status_code == 400


@pytest.mark.parametrize("body", [b"[", b"[]", b'{"estimate_type":"unit_price"}'])
def test_an_estimate_of_nothing_is_refused(caller, body):
    assert caller.http.post(f"{API}/pricing/estimate", content=body).status_code == 400


def test_only_requests_that_have_ended_are_listed_newest_first(serve):
    caller = serve(runners=0)
    first, second = (caller.accepted(arguments={"seconds": 1, "n": n})["request_id"] for n in (1, 2))
    assert listed(caller)["items"] == []
    caller.server.set_runners(1)
    for request_id in (first, second):
        caller.events({"status_url": f"{caller.server.base_url}/queue/simulator/sleep/requests/{request_id}/status"})
    items = listed(caller)["items"]
    assert [item["request_id"] for item in items] == [second, first]
    assert items[0]["status_code"] == 200
    assert items[0]["sent_at"] <= items[0]["started_at"] <= items[0]["ended_at"]
    assert items[0]["duration"] > 0
    assert "json_input" not in items[0]
    assert listed(caller, "fal-ai/flux/dev")["items"] == []


def test_direct_calls_failures_and_cancelled_ones_are_listed_by_how_they_went(serve):
    caller = serve(runners=1)
    caller.run(arguments={"seconds": 1})
    caller.finished(headers={"x-fal-simulator-fault": "fail; error_type=runner_disconnected"})
    caller.finished(headers={"x-fal-simulator-fault": "fail; error_type=content_policy_violation"})
    caller.server.set_runners(0)
    waiting = caller.accepted()
    caller.http.put(waiting["cancel_url"])
    codes = {status: [item["status_code"] for item in listed(caller, status=status)["items"]] for status in
             ("success", "error", "user_error")}  # fmt: skip
    assert codes == {"success": [200], "error": [503], "user_error": [499, 422]}
    assert listed(caller, request_id=waiting["request_id"])["items"][0]["started_at"] is None


def test_payloads_are_listed_where_they_were_stored(serve):
    caller = serve()
    caller.finished(arguments={"seconds": 1, "note": "kept"})
    caller.finished(arguments={"seconds": 1, "note": "not kept"}, headers={"x-fal-store-io": "0"})
    newest, oldest = listed(caller, expand="payloads")["items"]
    assert oldest["json_input"]["note"] == "kept"
    assert oldest["json_output"]
    assert "json_input" not in newest
    quiet = serve(store_payloads=False)
    quiet.finished(arguments={"seconds": 1})
    quiet.finished(arguments={"seconds": 1}, headers={"x-fal-store-io": "1"})
    newest, oldest = listed(quiet, expand="payloads")["items"]
    assert "json_input" in newest
    assert "json_input" not in oldest


def test_a_long_list_comes_in_pages(serve):
    caller = serve()
    for _ in range(5):
        caller.run(arguments={"seconds": 0.1})
    whole = [item["request_id"] for item in listed(caller)["items"]]
    found, cursor = [], {}
    while True:
        page = listed(caller, limit=2, **cursor)
        found += [item["request_id"] for item in page["items"]]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == whole
    assert page["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"status": "odd"},
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"cursor": "x"},
        {"start": "soon"},
        {"sort_by": "x"},
    ],
)
def test_a_list_asked_for_wrongly_is_refused(caller, query):
    answer = caller.http.get(f"{API}/requests/by-endpoint", params={"endpoint_id": DEV, **query})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "validation_error")


def test_the_list_is_cut_by_time(caller):
    caller.run(arguments={"seconds": 0.1})
    ended = listed(caller)["items"][0]["ended_at"]
    assert listed(caller, start=ended)["items"]
    assert not listed(caller, end=ended)["items"]
    assert not listed(caller, start="2999-01-01")["items"]


def test_the_balance_goes_down_by_what_was_billed(caller):
    caller.finished(DEV, {"prompt": "x", "num_images": 2})
    assert caller.http.get("/api/v1/account/billing").json() == {"username": "simulator"}
    credits_ = caller.http.get("/api/v1/account/billing?expand=credits").json()["credits"]
    assert credits_ == {"current_balance": pytest.approx(100 - 0.05), "currency": "USD"}


def test_the_platform_wants_the_key_but_for_meta(serve):
    caller = serve(require_key="right:key")
    for path in ("models/pricing?endpoint_id=x", "account/billing", "models/requests/by-endpoint?endpoint_id=x"):
        answer = caller.http.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authorization_error")
    assert caller.http.get("/api/v1/meta").json()["webhook_ip_ranges"]
    assert caller.http.get("/api/meta").status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("status; status=500", 500, "server_error"), ("status; status=422", 422, "validation_error"),
        ("status; status=404", 404, "not_found"), ("locked", 403, "authorization_error"),
        ("rate-limit; retry_after=3", 429, "rate_limited"), ("unavailable", 503, "server_error"),
    ],
)  # fmt: skip
def test_faults_of_the_platform_have_its_own_shape_of_errors(caller, fault, status, kind):
    headers = {"x-fal-simulator-fault": f"{fault}; on=platform_pricing"}
    answer = caller.http.get(f"/api/v1/models/pricing?endpoint_id={DEV}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert answer.json().keys() == {"error"}
    assert answer.headers.get("retry-after") == ("3" if status == 429 else None)


def test_what_stands_in_front_of_the_platform_answers_with_its_page(caller):
    headers = {"x-fal-simulator-fault": "ingress; on=platform_pricing"}
    answer = caller.http.get(f"/api/v1/models/pricing?endpoint_id={DEV}", headers=headers)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (502, "text/html")
    unknown = caller.http.get("/api/v1/nothing")
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "not_found")


def test_pages_of_other_sites_and_other_names_are_kept_out(caller):
    base = caller.server.base_url
    file = caller.upload(b"x", "image/png").json()["access_url"]
    for headers in ({"host": "evil.example"}, {"host": "127.0.0.1.evil.example"}, {"host": ""}):
        assert caller.http.get(f"{base}/admin/health", headers=headers).status_code in {400, 421}
    evil = {"origin": "https://evil.example"}
    assert caller.submit(headers=evil).status_code == 403
    assert caller.http.get("/admin/health", headers=evil).status_code == 403
    assert caller.submit(headers={"origin": "null"}).status_code == 403
    assert caller.http.get(file, headers=evil).headers["access-control-allow-origin"] == "*"
    assert caller.submit(headers={"origin": "http://localhost:8888"}).status_code == 200
    assert caller.http.get(f"{base.replace('127.0.0.1', 'localhost')}/admin/health").status_code == 200


def test_a_result_is_gone_after_its_life_and_a_large_one_sooner(serve):
    caller = serve(result_life_s=0.05, large_result_life_s=0.05)
    submitted = caller.accepted(arguments={"seconds": 0.1})
    caller.events(submitted)
    for _ in range(200):
        answer = caller.http.get(submitted["response_url"])
        if answer.status_code == 404:
            break
    assert (answer.status_code, answer.json()) == (404, {"status": "NOT_FOUND"})
    assert caller.http.get(submitted["status_url"]).status_code == 404
