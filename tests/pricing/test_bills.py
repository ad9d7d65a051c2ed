"""What was worked out before is what the simulator bills, for every endpoint it has."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from fal_nb.client import http
from fal_nb.engine.session import Session
from fal_nb.errors import FalError
from fal_nb.simulator.endpoints.registry import Registry
from fal_nb.simulator.server import SimulatorServer

SMALL = {"width": 64, "height": 64}
PICTURES = [
    {"prompt": "x", "image_size": SMALL},
    {"prompt": "x", "image_size": {"width": 1100, "height": 1000}, "num_images": 2},
]
CALLS = {
    "fal-ai/flux/schnell": [*PICTURES, {"prompt": "x", "num_inference_steps": 8}],
    "fal-ai/flux/dev": PICTURES,
    "fal-ai/flux/dev/image-to-image": [
        {"prompt": "x", "image_url": "PICTURE"}, {"prompt": "x", "image_url": "LARGE", "num_images": 2},
    ],
    "fal-ai/flux-lora": PICTURES,
    "fal-ai/fast-sdxl/image-to-image": [{"prompt": "x", "image_url": "PICTURE", "image_size": SMALL}],
    "fal-ai/esrgan": [{"image_url": "PICTURE"}, {"image_url": "PICTURE", "scale": 3}],
    "fal-ai/clarity-upscaler": [{"image_url": "PICTURE"}],
    "fal-ai/flux-pro/v1.1": PICTURES,
    "fal-ai/flux-pro/v1.1-ultra": [{"prompt": "x"}, {"prompt": "x", "num_images": 2}],
    "fal-ai/fast-sdxl": [{"prompt": "x", "image_size": SMALL}, {"prompt": "x", "image_size": SMALL, "num_inference_steps": 30}],
    "fal-ai/kling-video/v3/pro/text-to-video": [
        {"prompt": "x", "duration": 3}, {"prompt": "x", "duration": 4, "generate_audio": False},
        {"multi_prompt": [{"prompt": "a", "duration": "2"}, {"prompt": "b", "duration": "3"}]},
    ],
    "fal-ai/elevenlabs/tts/turbo-v2.5": [{"text": "Hello."}, {"text": "Good morning, everybody!"}],
    "fal-ai/whisper": [{"audio_url": "SPEECH"}],
    "fal-ai/lcm-sd15-i2i": [{"prompt": "x", "image_url": "PICTURE"}],
    "fal-ai/fast-lcm-diffusion": [{"prompt": "x", "image_size": SMALL}],
    "fal-ai/recraft/v3/text-to-image": [
        {"prompt": "x", "image_size": SMALL}, {"prompt": "x", "image_size": SMALL, "style": "vector_illustration/line_art"},
    ],
    "fal-ai/recraft/v4/text-to-image": [{"prompt": "x", "image_size": SMALL}],
    "fal-ai/kling-video/v3/pro/image-to-video": [
        {"prompt": "x", "start_image_url": "PICTURE", "duration": "3"},
        {"prompt": "x", "start_image_url": "PICTURE", "duration": "4", "generate_audio": False},
    ],
    "fal-ai/minimax/speech-2.8-hd": [{"prompt": "Hello."}, {"prompt": "Good <#0.5#> morning, everybody!"}],
    "fal-ai/wizper": [{"audio_url": "SPEECH"}],
    "openrouter/router": [
        {"prompt": "Why?", "model": "a/b", "system_prompt": "Be brief."}, {"prompt": "x", "model": "a/b", "max_tokens": 12},
    ],
    "fal-ai/any-llm": [{"prompt": "x"}],
    "fal-ai/birefnet": [{"image_url": "PICTURE"}],
    "fal-ai/birefnet/v2": [{"image_url": "PICTURE", "operating_resolution": "2048x2048"}],
    "fal-ai/trellis": [{"image_url": "PICTURE"}],
    "fal-ai/trellis-2": [{"image_url": "PICTURE"}, {"image_url": "PICTURE", "resolution": 1536}],
    "fal-ai/hunyuan3d/v2": [{"input_image_url": "PICTURE"}, {"input_image_url": "PICTURE", "textured_mesh": True}],
    "fal-ai/stable-audio": [{"prompt": "x", "seconds_total": 2}],
    "fal-ai/fast-lcm-diffusion/image-to-image": [{"prompt": "x", "image_url": "PICTURE"}],
    "fal-ai/fast-turbo-diffusion/image-to-image": [{"prompt": "x", "image_url": "PICTURE"}],
    "simulator/sleep": [{"seconds": 0.1}],
    "simulator/count": [{"count": 2}],
}  # fmt: skip
EXACT = {"images", "megapixels", "seconds", "1000 characters", "requests", "generations"}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    with SimulatorServer(runners=4, speed=10) as server:
        session = Session(base_url=server.base_url, home=tmp_path_factory.mktemp("home"))
        session.server = server
        yield session
        session.close()


def test_every_simulated_endpoint_is_in_the_table():
    assert {endpoint.endpoint_id for endpoint in Registry()} == set(CALLS)


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", CALLS)
def test_the_price_is_what_is_billed(session, endpoint):
    inputs = {
        "PICTURE": lambda: session.submit("fal-ai/flux/schnell", PICTURES[0]).get(),
        "LARGE": lambda: session.submit("fal-ai/flux/schnell", PICTURES[1] | {"num_images": 1}).get(),
        "SPEECH": lambda: session.submit("fal-ai/elevenlabs/tts/turbo-v2.5", {"text": "Hello."}).get(),
    }
    for arguments in CALLS[endpoint]:
        ready = {
            name: inputs[value]() if isinstance(value, str) and value in inputs else value
            for name, value in arguments.items()
        }
        before = session.price(endpoint, ready)
        job = session.submit(endpoint, ready)
        job.get()
        units = job.snapshot.billable_units
        billed = units * before.unit_price
        assert billed >= 0
        entry = next(entry for entry in session.server.ledger() if entry["request_id"] == job.request_id)
        record = session.history.get(job.record_id)
        assert record.cost == pytest.approx(entry["billable_units"] * entry["unit_price"], rel=1e-6, abs=1e-7)
        assert record.currency == entry["currency"]
        assert record.estimate_high == before.high
        assert record.estimate_low == (before.low if before.high is not None or before.low else None)
        # What is reckoned from past runs is no bound: a loaded machine makes them slower or faster.
        assert before.low * (0.5 if "past" in before.basis else 1) <= billed + 1e-9
        if before.high is None:
            assert before.unit in {"compute seconds", "1000 tokens"} or endpoint.endswith("upscaler")
            after = session.price(endpoint, ready)
            assert after.low <= billed <= after.high, "by the past"
        else:
            assert billed <= before.high + 1e-9
        if before.unit in EXACT and before.high is not None and "past" not in before.basis:
            assert before.is_exact
            assert billed == pytest.approx(before.high)


IMAGE = "fal-ai/flux/dev/image-to-image"


def picture_of(width, height):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "given",
    [
        "a path", "bytes", "a picture", "an array", "an open file", "a data URI", "a result", "a file of a result",
        "a result's URL",
    ],
)  # fmt: skip
def test_the_size_of_the_picture_that_is_given_is_measured_and_nothing_is_fetched(session, tmp_path, given):
    data = picture_of(1100, 1000)
    (tmp_path / "a.png").write_bytes(data)
    if "result" in given:
        result = session.submit("fal-ai/flux/schnell", PICTURES[1] | {"num_images": 1}).get()
    inputs = {
        "a path": lambda: tmp_path / "a.png",
        "bytes": lambda: data,
        "a picture": lambda: Image.open(io.BytesIO(data)),
        "an array": lambda: np.zeros((1000, 1100, 3), np.uint8),
        "an open file": lambda: io.BytesIO(data),
        "a data URI": lambda: "data:image/png;base64," + base64.b64encode(data).decode(),
        "a result": lambda: result,
        "a file of a result": lambda: result.files[0],
        "a result's URL": lambda: result.files[0].url,
    }
    price = session.price(IMAGE, {"prompt": "x", "image_url": inputs[given]()})
    assert price.is_exact
    assert price.high == pytest.approx(2 * 0.025)
    assert "1 image of 1100×1000" in price.basis


@pytest.mark.parametrize(
    "given", ["https://example.invalid/a.png", b"no picture", "data:image/png;base64,AAAA", "data:,x", None, 7]
)
def test_a_picture_that_is_not_here_or_none_is_not_guessed(session, given):
    price = session.price(IMAGE, {"prompt": "x", "image_url": given})
    assert price.high is None or "past" in price.basis


@pytest.mark.parametrize("endpoint", ["fal-ai/clarity-upscaler", "fal-ai/flux-pro/v1.1-ultra"])
def test_an_endpoint_that_makes_another_size_is_not_priced_by_its_input(session, endpoint):
    price = session.price(endpoint, {"prompt": "x", "image_url": picture_of(3000, 2000)})
    assert "3000" not in price.basis


def test_an_endpoint_the_list_does_not_have_is_unpriced_and_a_list_out_of_reach_an_error(
    session, tmp_path, monkeypatch
):
    monkeypatch.setattr(http, "backoff_s", lambda *_, **__: 0.01)
    assert session.price("fal-ai/nope").high is None
    elsewhere = Session(base_url="http://127.0.0.1:9", home=tmp_path / "home", notify=lambda line: None)
    with pytest.raises(FalError):
        elsewhere.price("fal-ai/flux/dev", {"prompt": "x"})
    elsewhere.close()
