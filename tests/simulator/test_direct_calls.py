import base64
import io

from PIL import Image, ImageFilter, ImageStat


def test_run_answers_with_the_result_and_what_it_cost(caller):
    answer = caller.run(arguments={"echo": "at once"})
    assert (answer.status_code, answer.json()) == (200, {"echo": "at once"})
    assert answer.headers["x-fal-billable-units"] == "1"
    entry = caller.server.ledger()[0]
    assert (entry["via"], entry["request_id"]) == ("run", answer.headers["x-fal-request-id"])


def test_run_over_the_limit_is_429_that_may_be_tried_again(serve):
    caller = serve(runners=1)
    busy = caller.accepted(arguments={"seconds": 3000})
    caller.wait_for(busy, "IN_PROGRESS")
    for path in ("/run/simulator/sleep", "/run/fal-ai/flux/dev/stream"):
        refused = caller.http.post(path, json={"prompt": "x"})
        assert refused.status_code == 429
        assert refused.json()["error_type"] == "concurrent_requests_limit"
        assert refused.headers["x-fal-needs-retry"] == "1"
        assert refused.headers["x-fal-retryable"] == "true"
    assert len(caller.server.ledger()) == 1


def test_run_with_wrong_arguments_is_a_free_422_and_frees_its_runner(serve):
    caller = serve(runners=1)
    for _ in range(3):
        answer = caller.run("fal-ai/flux/dev", {})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "prompt"]
        assert answer.headers["x-fal-billable-units"] == "0"


def test_a_picture_comes_out_of_the_blur_and_the_last_event_is_the_result(caller):
    arguments = {"prompt": "a red fox", "seed": 4, "image_size": "square"}
    events = list(caller.iter_events("/run/fal-ai/flux/dev/stream", "POST", json=arguments))
    assert len(events) > 3
    sharpness = []
    for event in events[:-1]:
        uri = event["images"][0]["url"]
        picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L")
        sharpness.append(ImageStat.Stat(picture.filter(ImageFilter.FIND_EDGES)).mean[0])
    assert sharpness == sorted(sharpness)
    assert len(set(sharpness)) == len(sharpness)
    final = events[-1]["images"][0]
    assert final["url"].startswith(f"{caller.server.base_url}/cdn/files/")
    assert caller.run("fal-ai/flux/dev", arguments).json()["seed"] == events[-1]["seed"] == 4
    assert [entry["via"] for entry in caller.server.ledger()] == ["stream", "run"]


def test_a_stream_with_wrong_arguments_is_a_422_and_no_stream(serve):
    caller = serve(runners=1)
    for _ in range(2):
        answer = caller.http.post("/run/fal-ai/flux/dev/stream", json={})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == "missing"
    assert caller.run().status_code == 200


def test_an_endpoint_that_does_not_stream_says_so(caller):
    answer = caller.http.post("/run/fal-ai/flux-pro/v1.1/stream", json={"prompt": "x"})
    assert answer.status_code == 404
    assert caller.server.ledger() == []


def test_a_reader_that_leaves_a_stream_frees_its_runner_and_is_charged(serve):
    caller = serve(runners=1, speed=4)
    events = caller.iter_events("/run/fal-ai/flux/dev/stream", "POST", json={"prompt": "x", "image_size": "square"})
    next(events)
    events.close()
    for _ in range(500):
        if caller.run().status_code == 200:
            break
    assert [entry["via"] for entry in caller.server.ledger()] == ["stream", "run"]
    assert caller.server.ledger()[0]["ended_at"] is not None
