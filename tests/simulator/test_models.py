"""The platform's catalogue and usage, as the Platform API document has them."""

import pytest

from fal_nb.simulator.endpoints.places import PLACES

API = "/api/v1"
DEV, SCHNELL = "fal-ai/flux/dev", "fal-ai/flux/schnell"


def models(caller, **query):
    answer = caller.http.get(f"{API}/models", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_endpoint_is_listed_once_over_all_pages(caller):
    found, cursor = [], None
    while True:
        body = models(caller, limit=7, **({"cursor": cursor} if cursor else {}))
        found += [model["endpoint_id"] for model in body["models"]]
        cursor = body["next_cursor"]
        assert body["has_more"] is (cursor is not None)
        if cursor is None:
            break
    assert len(found) == len(set(found))
    assert set(PLACES) <= set(found)


def test_a_model_has_what_the_document_requires_and_its_thumbnail_can_be_had(caller):
    (model,) = models(caller, endpoint_id=DEV)["models"]
    required = ["display_name", "category", "description", "status", "tags", "updated_at", "is_favorited", "thumbnail_url",
                "model_url", "date", "highlighted", "pinned"]  # fmt: skip
    assert set(required) <= set(model["metadata"])
    picture = caller.http.get(model["metadata"]["thumbnail_url"])
    assert picture.headers["content-type"] == "image/jpeg"


def test_search_find_and_expand(caller):
    assert all("flux" in model["endpoint_id"] for model in models(caller, q="flux")["models"])
    assert {model["metadata"]["category"] for model in models(caller, category="text-to-video")["models"]} == {
        "text-to-video"
    }
    assert {model["metadata"]["status"] for model in models(caller, status="deprecated")["models"]} == {"deprecated"}
    found = models(caller, endpoint_id=[DEV, SCHNELL], expand="openapi-3.0,enterprise_status")["models"]
    assert {model["enterprise_status"] for model in found} == {"ready"}
    assert all(model["openapi"]["openapi"] == "3.0.4" for model in found)
    assert len(models(caller, expand="openapi-3.0")["models"]) == 10


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ({"endpoint_id": "fal-ai/nope"}, 404, "not_found"),
        ({"endpoint_id": [DEV] * 51}, 400, "validation_error"),
        ({"status": "old"}, 400, "validation_error"),
        ({"expand": "pictures"}, 400, "validation_error"),
        ({"limit": 0}, 400, "validation_error"),
        ({"limit": 101}, 400, "validation_error"),
        ({"cursor": "%%%"}, 400, "validation_error"),
    ],
)
def test_refusals_have_the_platforms_shape(caller, query, status, kind):
    answer = caller.http.get(f"{API}/models", params=query)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert answer.json()["error"]["message"]


def test_usage_is_what_the_ledger_bills_by_bucket_and_endpoint(caller):
    caller.finished(DEV, {"prompt": "x", "num_images": 2})
    caller.finished(DEV, {"prompt": "y"})
    caller.finished(SCHNELL, {"prompt": "x"})
    answer = caller.http.get(
        f"{API}/models/usage", params={"timeframe": "day", "expand": ["time_series", "summary"]}
    ).json()
    (bucket,) = answer["time_series"]
    assert bucket["results"] == answer["summary"]
    rows = {row["endpoint_id"]: row for row in answer["summary"]}
    assert rows[DEV]["quantity"] == 3
    assert rows[DEV]["cost_total"] == pytest.approx(0.075)
    assert set(rows) == {DEV, SCHNELL}
    only = caller.http.get(f"{API}/models/usage", params={"endpoint_id": DEV}).json()
    assert {row["endpoint_id"] for bucket in only["time_series"] for row in bucket["results"]} == {DEV}
    assert caller.http.get(f"{API}/models/usage", params={"end": "2020-01-01"}).json()["time_series"] == []


@pytest.mark.parametrize(
    "query", [{"timeframe": "year"}, {"timezone": "Mars/Base"}, {"start": "soon"}, {"timezone": "../../etc"}]
)
def test_usage_of_no_time_is_refused(caller, query):
    answer = caller.http.get(f"{API}/models/usage", params=query)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "validation_error")


@pytest.mark.parametrize("path", ["models/usage", "account/billing"])
def test_account_data_is_for_admins(caller, path):
    refused = caller.http.get(f"{API}/{path}", headers={"authorization": "Key inference:key"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "authorization_error")
    assert caller.http.get(f"{API}/models", headers={"authorization": "Key inference:key"}).status_code == 200
