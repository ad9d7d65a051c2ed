"""Prices worked out from arguments: at least, at most, and by what; never a guess that looks like knowledge."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.pricing.price import price_of
from fal_nb.pricing.unit import Unit, UnitPrice, one_unit, read_unit
from fal_nb.schemas.openapi import read_schema
from fal_nb.simulator.endpoints.registry import Registry
from fal_nb.simulator.openapi import openapi_document

DEV = "fal-ai/flux/dev"
KLING = "fal-ai/kling-video/v3/pro/text-to-video"
SCHEMAS = {
    each.endpoint_id: read_schema(each.endpoint_id, openapi_document(each, "http://127.0.0.1:1")) for each in Registry()
}


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("images", Unit("images")),
        ("Image", Unit("images")),
        ("megapixels", Unit("megapixels")),
        ("seconds", Unit("seconds")),
        ("10 seconds", Unit("seconds", 10)),
        ("video second", Unit("seconds")),
        ("minutes", Unit("minutes")),
        ("1000 characters", Unit("characters", 1000)),
        ("1k characters", Unit("characters", 1000)),
        ("1,000 characters", Unit("characters", 1000)),
        ("1m tokens", Unit("tokens", 1_000_000)),
        ("compute seconds", Unit("compute seconds")),
        ("units", Unit("calls")),
        ("generations", Unit("calls")),
        ("audios", Unit("calls")),
        ("per 5 seconds", Unit("seconds", 5)),
        ("moons", Unit("unknown")),
        ("0 images", Unit("unknown")),
        ("", Unit("unknown")),
    ],
)
def test_units_are_read_from_free_text(text, unit):
    assert read_unit(text) == unit


def price(endpoint, unit, amount, past=(), **arguments):
    return price_of(endpoint, UnitPrice(endpoint, unit, amount), SCHEMAS.get(endpoint), arguments, past)


@pytest.mark.parametrize(
    ("found", "low", "high", "basis"),
    [
        (price(DEV, "megapixels", 0.025), 0.025, 0.025, "1 image of 1024×768"),
        (price(DEV, "megapixels", 0.025, image_size="square_hd"), 0.05, 0.05, "1 image of 1024×1024"),
        (price(DEV, "megapixels", 0.025, image_size={"width": 2000}, num_images=3), 0.15, 0.15, "3 images of 2000×512"),
        (price(DEV, "megapixels", 0.025, image_size="1001x1000", num_images="2"), 0.1, 0.1, "2 images of 1001×1000"),
        (price(DEV, "images", 0.1, num_images=4), 0.4, 0.4, "4 images"),
        (price(f"{DEV}/image-to-image", "megapixels", 0.025), 0.025, None, "the size of the picture is known only"),
        (price(KLING, "seconds", 0.112, generate_audio=False), 0.56, 0.56, "5 s"),
        (price(KLING, "seconds", 0.112, duration="10"), 1.68, 1.68, "10 s with sound"),
        (price(KLING, "seconds", 0.112, multi_prompt=[{"prompt": "a"}, {"duration": 3}], generate_audio=False), 0.896, 0.896, "8 s in 2 shots"),
        (price(KLING, "10 seconds", 1.0, duration="5", generate_audio=False), 0.5, 0.5, "5 s"),
        (price("fal-ai/elevenlabs/tts/turbo-v2.5", "1000 characters", 0.05, text="a" * 250), 0.0125, 0.0125, "250 characters"),
        (price("fal-ai/fast-sdxl", "compute seconds", 0.001), 0, None, "compute seconds are known only afterwards"),
        (price("fal-ai/fast-sdxl", "compute seconds", 0.001, past=[2, 4]), 2 / 1500, 0.006, "2 past calls"),
        (price("fal-ai/new", "1m tokens", 2.0, prompt="x"), 0, None, "the length of the answer is known only afterwards"),
        (price("fal-ai/new", "1m tokens", 2.0, prompt="x" * 90, system_prompt="é" * 5, max_tokens=900), 0, 0.002, "100 tokens asked and 900"),
        (price("fal-ai/trellis-2", "generations", 0.25, resolution=1536), 0.35, 0.35, "one call at 1536"),
        (price("fal-ai/new", "moons", 2.0), 0, None, "unknown are known only"),
        (price("fal-ai/new", "images", 0.1), 0.1, 0.1, "one image"),
        (price("fal-ai/new", "generations", 0.1), 0.1, 0.1, "one call"),
        (price("fal-ai/recraft/v3/text-to-image", "images", 0.04, style="vector_illustration/thin"), 0.08, 0.08, "as vectors"),
        (price("fal-ai/hunyuan3d/v2", "generations", 0.16, textured_mesh=True), 0.48, 0.48, "textured"),
        (price_of(DEV, None, None, {}), 0, None, "the price list does not have it"),
    ],
)  # fmt: skip
def test_low_high_and_basis(found, low, high, basis):
    assert found.low == pytest.approx(low)
    assert found.high == (None if high is None else pytest.approx(high))
    assert basis in found.basis
    assert found.is_exact is (high is not None and low == high)


@pytest.mark.parametrize("count", [1e303, 10**400, "1e303", float("inf"), float("nan"), -1])
def test_a_count_beyond_all_measure_is_bounded_by_the_schema_and_never_infinite(count):
    found = price(DEV, "images", 0.1, num_images=count)
    assert (found.low, found.high) == (pytest.approx(0.1), pytest.approx(0.4))


def test_a_price_reads_as_one_line():
    assert str(price(DEV, "megapixels", 0.025)) == "0.025 USD (1 image of 1024×768 at 0.025 per megapixel)"
    assert str(price("fal-ai/fast-sdxl", "compute seconds", 0.001)).startswith("unpriced: compute seconds")
    assert "–0.006 USD (2 past calls" in str(price("fal-ai/fast-sdxl", "compute seconds", 0.001, past=[2, 4]))


VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.integers(), max_size=2)
)
NAMES = st.sampled_from(
    ["num_images", "image_size", "duration", "multi_prompt", "text", "prompt", "generate_audio", "style"]
)


@given(
    st.sampled_from([*SCHEMAS, "fal-ai/new"]),
    st.text(max_size=20) | st.sampled_from(["images", "10 seconds", "1k characters", "megapixels", "minutes"]),
    st.floats(0, 1e6),
    st.dictionaries(NAMES, VALUES | st.dictionaries(st.sampled_from(["width", "height"]), VALUES), max_size=5),
    st.lists(st.floats(), max_size=3),
)
def test_whatever_is_given_a_price_is_in_order_or_unpriced(endpoint, unit, amount, arguments, past):
    found = price_of(endpoint, UnitPrice(endpoint, unit, amount), SCHEMAS.get(endpoint), arguments, past)
    assert found.low >= 0
    assert math.isfinite(found.low)
    assert found.high is None or found.low <= found.high < math.inf
    assert str(found)


@pytest.mark.parametrize(
    ("unit", "one"),
    [("megapixels", "megapixel"), ("compute seconds", "compute second"), ("10 seconds", "10 seconds"), ("video", "video"), (None, "unit")],
)  # fmt: skip
def test_a_unit_is_one_after_per(unit, one):
    assert one_unit(unit) == one
