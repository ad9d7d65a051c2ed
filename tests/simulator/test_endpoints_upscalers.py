"""Upscalers make the picture they are given larger, by as much as they are asked."""

import io

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat

PICTURE = {"prompt": "a red fox", "image_size": {"width": 64, "height": 48}, "seed": 3}


@pytest.fixture
def source(caller):
    return caller.finished("fal-ai/flux-lora", PICTURE | {"loras": [{"path": "https://x.org/a"}]}).json()["images"][0][
        "url"
    ]


def opened(url):
    return Image.open(io.BytesIO(httpx.get(url).content))


@pytest.mark.parametrize(
    ("endpoint", "arguments", "size", "image_format"),
    [
        ("fal-ai/esrgan", {}, (128, 96), "PNG"),
        ("fal-ai/esrgan", {"scale": 3, "output_format": "jpeg"}, (192, 144), "JPEG"),
        ("fal-ai/clarity-upscaler", {"upscale_factor": 1.5, "seed": 9}, (96, 72), "PNG"),
    ],
)
def test_the_picture_is_the_one_given_and_larger(caller, source, endpoint, arguments, size, image_format):
    answer = caller.finished(endpoint, {"image_url": source, **arguments})
    image = answer.json()["image"]
    made = opened(image["url"])
    assert (made.size, made.format) == (size, image_format)
    assert (image["width"], image["height"]) == size
    assert image["file_size"] == len(httpx.get(image["url"]).content)
    again = made.convert("RGB").resize((64, 48))
    assert max(ImageStat.Stat(ImageChops.difference(again, opened(source).convert("RGB"))).mean) < 8
    assert answer.json().get("seed", 9) == 9


def test_it_is_billed_by_megapixels_or_by_time(caller, source):
    assert caller.finished("fal-ai/clarity-upscaler", {"image_url": source}).headers["x-fal-billable-units"] == "1"
    assert 0 < float(caller.finished("fal-ai/esrgan", {"image_url": source}).headers["x-fal-billable-units"]) < 60


def test_too_large_an_outcome_and_no_picture_are_refused(caller, source):
    big = caller.finished("fal-ai/flux/dev", {"prompt": "x", "image_size": {"width": 1200, "height": 1200}}).json()
    for arguments, kind in (
        ({"image_url": big["images"][0]["url"], "scale": 8}, "image_too_large"),
        ({"image_url": "data:image/png;base64,AAAA"}, "image_load_error"),
        ({"image_url": source, "scale": 9}, "less_than_equal"),
        ({}, "missing"),
    ):
        answer = caller.finished("fal-ai/esrgan", arguments)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == kind


def test_a_weak_change_of_a_picture_keeps_it_and_a_strong_one_does_not(caller, source):
    def mean_difference(strength):
        arguments = {"prompt": "a blue whale", "image_url": source, "strength": strength, "seed": 5}
        answer = caller.finished(
            "fal-ai/fast-sdxl/image-to-image", {**arguments, "image_size": {"width": 64, "height": 48}}
        )
        made = opened(answer.json()["images"][0]["url"]).convert("RGB")
        assert made.size == (64, 48)
        return sum(ImageStat.Stat(ImageChops.difference(made, opened(source).convert("RGB"))).mean)

    assert mean_difference(0.1) < mean_difference(1.0)
