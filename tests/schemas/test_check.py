"""Wrong arguments get their line before they cost anything, right ones go through as the endpoint wants them."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.schemas.check import check_arguments

DEV = "fal-ai/flux/dev"
IMAGE = "fal-ai/flux/dev/image-to-image"
SDXL = "fal-ai/fast-sdxl"
KLING = "fal-ai/kling-video/v3/pro/text-to-video"
VOICE = "fal-ai/elevenlabs/tts/turbo-v2.5"
WHISPER = "fal-ai/whisper"
PRO = "fal-ai/flux-pro/v1.1"
ULTRA = "fal-ai/flux-pro/v1.1-ultra"
SIZES = '"square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"'
DEV_INPUTS = (
    "prompt, image_size, num_inference_steps, seed, guidance_scale, sync_mode, num_images, enable_safety_checker, "
    "output_format, acceleration"
)
UPLOAD = "to upload a local file write @path, in Python pathlib.Path(…)"
PROMPT = {"prompt": "a red fox"}


class File:
    """Stands for a local file that will be uploaded."""


FILE = File()


WRONG = [
    (DEV, {}, ["prompt: required; give a text"]),
    (DEV, {"prompt": None}, ["prompt: required; give a text"]),
    (DEV, {"promt": "x"}, ["promt: fal-ai/flux/dev has no such input; did you mean prompt?"]),
    (DEV, {"prompt": ["x"]}, ['prompt: takes a text, not ["x"]']),
    (DEV, {"prompt": True}, ["prompt: takes a text, not true"]),
    (DEV, {"prompt": FILE}, ["prompt: takes a text, not a file"]),
    (DEV, PROMPT | {"steps": 20}, ["steps: fal-ai/flux/dev has no such input; did you mean num_inference_steps?"]),
    (DEV, PROMPT | {"cfg_scale": 2}, ["cfg_scale: fal-ai/flux/dev has no such input; did you mean guidance_scale?"]),
    (DEV, PROMPT | {"n": 2}, ["n: fal-ai/flux/dev has no such input; did you mean num_images?"]),
    (DEV, PROMPT | {"width": 512}, ["width: fal-ai/flux/dev has no such input; did you mean image_size.width?"]),
    (
        DEV,
        PROMPT | {"num_images": 1, "num_image": 2},
        ["num_image: fal-ai/flux/dev has no such input, and num_images is given already"],
    ),
    (
        DEV,
        PROMPT | {"xyzzy": 2},
        [f"xyzzy: fal-ai/flux/dev has no such input; it has {DEV_INPUTS}"],
    ),
    (DEV, PROMPT | {"num_inference_steps": 60}, ["num_inference_steps: 60 is too high, it takes 1–50"]),
    (DEV, PROMPT | {"num_inference_steps": 0}, ["num_inference_steps: 0 is too low, it takes 1–50"]),
    (DEV, PROMPT | {"num_inference_steps": 4.5}, ["num_inference_steps: takes an integer (1–50), not 4.5"]),
    (DEV, PROMPT | {"num_inference_steps": "many"}, ['num_inference_steps: takes an integer (1–50), not "many"']),
    (DEV, PROMPT | {"num_inference_steps": True}, ["num_inference_steps: takes an integer (1–50), not true"]),
    (DEV, PROMPT | {"guidance_scale": "high"}, ['guidance_scale: takes a number (1–20), not "high"']),
    (DEV, PROMPT | {"guidance_scale": float("nan")}, ["guidance_scale: takes a number (1–20), not NaN"]),
    (DEV, PROMPT | {"guidance_scale": 20.5}, ["guidance_scale: 20.5 is too high, it takes 1–20"]),
    (DEV, PROMPT | {"seed": "lucky"}, ['seed: takes an integer, not "lucky"']),
    (DEV, PROMPT | {"seed": [1]}, ["seed: takes an integer, not [1]"]),
    (DEV, PROMPT | {"sync_mode": "maybe"}, ['sync_mode: takes true or false, not "maybe"']),
    (DEV, PROMPT | {"sync_mode": 2}, ["sync_mode: takes true or false, not 2"]),
    (DEV, PROMPT | {"output_format": "jpg"}, ['output_format: "jpg" is none of "jpeg", "png"; did you mean "jpeg"?']),
    (DEV, PROMPT | {"output_format": "tiff"}, ['output_format: "tiff" is none of "jpeg", "png"']),
    (DEV, PROMPT | {"output_format": FILE}, ["output_format: takes a choice, not a file"]),
    (
        DEV,
        PROMPT | {"image_size": "squar_hd"},
        [f'image_size: "squar_hd" is none of {SIZES}; did you mean "square_hd"?'],
    ),
    (DEV, PROMPT | {"image_size": 7}, [f"image_size: 7 is none of {SIZES}; an object with width, height does as well"]),
    (DEV, PROMPT | {"image_size": {"width": 0}}, ["image_size.width: 0 is too low, it takes > 0, ≤ 14142"]),
    (DEV, PROMPT | {"image_size": {"width": 20_000}}, ["image_size.width: 20000 is too high, it takes > 0, ≤ 14142"]),
    (
        DEV,
        PROMPT | {"image_size": {"hight": 512}},
        ["image_size.hight: ImageSize has no such part; did you mean height?"],
    ),
    (DEV, PROMPT | {"image_size": [512, "wide"]}, ['image_size.height: takes an integer (> 0, ≤ 14142), not "wide"']),
    (DEV, PROMPT | {"image_size": [1, 2, 3]}, ["image_size: takes an object with width, height, not [1, 2, 3]"]),
    (
        IMAGE,
        PROMPT | {"image_url": "fox.png"},
        [f'image_url: takes the URL of an image file, and "fox.png" is none; {UPLOAD}'],
    ),
    (
        IMAGE,
        PROMPT | {"image": FILE},
        ["image: fal-ai/flux/dev/image-to-image has no such input; did you mean image_url?"],
    ),
    (IMAGE, PROMPT | {"image_url": 7, "strength": 0}, None),
    (PRO, PROMPT | {"safety_tolerance": 9}, None),
    (KLING, {"prompt": "x", "duration": 2}, None),
    (
        KLING,
        {"multi_prompt": [{"prompt": "a"}, {"duration": "20"}]},
        [
            'multi_prompt[1].duration: "20" is none of "1", "2", "3", "4", "5", "6", … (15 in all); did you mean "15"?',
            "multi_prompt[1].prompt: required; give a text",
        ],
    ),
    (VOICE, {"text": ""}, ["text: must not be empty"]),
    (VOICE, {"prompt": "hello"}, ["prompt: fal-ai/elevenlabs/tts/turbo-v2.5 has no such input; did you mean text?"]),
    (VOICE, {"text": "x", "speed": 2}, ["speed: 2 is too high, it takes 0.7–1.2"]),
    (WHISPER, {"audio_url": FILE, "language": "xx"}, None),
    (WHISPER, {"audio_url": FILE, "num_speakers": 0}, ["num_speakers: 0 is too low, it takes ≥ 1"]),
    (SDXL, PROMPT | {"loras": [{"path": "a", "scale": 9}]}, ["loras[0].scale: 9 is too high, it takes 0–4"]),
    (SDXL, PROMPT | {"loras": [{"path": "a"}, "b"]}, ['loras[1]: takes an object with path, scale, force, not "b"']),
    (SDXL, PROMPT | {"loras": 3}, ["loras: takes a list of LoraWeight objects, not 3"]),
    (
        DEV,
        {"promt": "x", "num_images": 9, "output_format": "gif", "image_size": "huge"},
        [
            "promt: fal-ai/flux/dev has no such input; did you mean prompt?",
            "num_images: 9 is too high, it takes 1–4",
            'output_format: "gif" is none of "jpeg", "png"',
            f'image_size: "huge" is none of {SIZES}; an object with width, height does as well',
        ],
    ),
]
"""Endpoint, arguments, the lines they get; None where the line is stated by a test of its own below."""


@pytest.mark.parametrize(("endpoint", "arguments", "lines"), [case for case in WRONG if case[2]])
def test_wrong_arguments_get_these_lines_all_at_once(schema_of, endpoint, arguments, lines):
    checked = check_arguments(schema_of(endpoint), arguments, is_file=lambda value: value is FILE)
    assert checked.lines == lines
    assert not checked
    assert all(line in repr(checked) for line in lines)


@pytest.mark.parametrize(("endpoint", "arguments"), [case[:2] for case in WRONG])
def test_wrong_arguments_are_refused_and_left_as_they_were(schema_of, endpoint, arguments):
    before = {name: value if value is FILE else copy.deepcopy(value) for name, value in arguments.items()}
    assert not check_arguments(schema_of(endpoint), arguments, is_file=lambda value: value is FILE).ok
    assert repr(arguments) == repr(before)


def test_numbers_among_texts_are_near_to_the_closest(schema_of):
    (problem,) = check_arguments(schema_of(PRO), PROMPT | {"safety_tolerance": 9}).problems
    assert problem.suggestion == "6"
    (problem,) = check_arguments(schema_of(KLING), {"prompt": "x", "duration": 2}).problems
    assert problem.suggestion == "3"
    (problem,) = check_arguments(schema_of(DEV), PROMPT | {"num_images": 9}).problems
    assert problem.suggestion == 4


RIGHT = [
    (DEV, PROMPT, PROMPT),
    (DEV, {"prompt": 3}, {"prompt": "3"}),
    (DEV, {"prompt": 2.5}, {"prompt": "2.5"}),
    (DEV, PROMPT | {"seed": "7"}, PROMPT | {"seed": 7}),
    (DEV, PROMPT | {"seed": 7.0}, PROMPT | {"seed": 7}),
    (DEV, PROMPT | {"seed": 2**63}, PROMPT | {"seed": 2**63}),
    (DEV, PROMPT | {"seed": "9007199254740993"}, PROMPT | {"seed": 9007199254740993}),
    (DEV, PROMPT | {"seed": None}, PROMPT),
    (DEV, PROMPT | {"guidance_scale": "3.5"}, PROMPT | {"guidance_scale": 3.5}),
    (DEV, PROMPT | {"guidance_scale": 3}, PROMPT | {"guidance_scale": 3}),
    (DEV, PROMPT | {"sync_mode": "True"}, PROMPT | {"sync_mode": True}),
    (DEV, PROMPT | {"sync_mode": 0}, PROMPT | {"sync_mode": False}),
    (DEV, PROMPT | {"output_format": "PNG"}, PROMPT | {"output_format": "png"}),
    (DEV, PROMPT | {"image_size": "square"}, PROMPT | {"image_size": "square"}),
    (DEV, PROMPT | {"image_size": {"width": 640}}, PROMPT | {"image_size": {"width": 640}}),
    (DEV, PROMPT | {"image_size": "640x480"}, PROMPT | {"image_size": {"width": 640, "height": 480}}),
    (DEV, PROMPT | {"image_size": (640, 480)}, PROMPT | {"image_size": {"width": 640, "height": 480}}),
    (IMAGE, PROMPT | {"image_url": FILE}, PROMPT | {"image_url": FILE}),
    (IMAGE, PROMPT | {"image_url": "data:image/png;base64,"}, PROMPT | {"image_url": "data:image/png;base64,"}),
    (KLING, {"prompt": "x", "duration": 5}, {"prompt": "x", "duration": "5"}),
    (KLING, {"prompt": "x", "duration": 5.0}, {"prompt": "x", "duration": "5"}),
    (WHISPER, {"audio_url": "https://x/a", "language": None}, {"audio_url": "https://x/a", "language": None}),
    (ULTRA, PROMPT | {"aspect_ratio": "5:4"}, PROMPT | {"aspect_ratio": "5:4"}),
    (SDXL, PROMPT | {"loras": {"path": "a"}}, PROMPT | {"loras": [{"path": "a"}]}),
    (SDXL, PROMPT | {"loras": [{"path": FILE}]}, PROMPT | {"loras": [{"path": FILE}]}),
    (
        SDXL,
        PROMPT | {"embeddings": [{"path": "a", "tokens": "<s>"}]},
        PROMPT | {"embeddings": [{"path": "a", "tokens": ["<s>"]}]},
    ),
]


@pytest.mark.parametrize(("endpoint", "arguments", "wanted"), RIGHT)
def test_right_arguments_go_through_as_the_endpoint_wants_them(schema_of, endpoint, arguments, wanted):
    checked = check_arguments(schema_of(endpoint), arguments, is_file=lambda value: value is FILE)
    assert checked.lines == []
    assert checked.arguments == wanted
    assert list(map(type, checked.arguments.values())) == list(map(type, wanted.values()))


@pytest.mark.parametrize(("endpoint", "arguments", "wanted"), [case for case in RIGHT if FILE not in case[1].values()])
def test_what_the_check_lets_through_the_endpoint_takes(schema_of, simulated, endpoint, arguments, wanted):
    """The check and the endpoint's own models were made apart: neither may promise what the other refuses."""
    if "loras" in arguments and arguments["loras"] == [{"path": FILE}]:
        arguments = PROMPT | {"loras": [{"path": "https://x/y"}]}
    checked = check_arguments(schema_of(endpoint), arguments)
    simulated[endpoint].parse(checked.arguments)


@pytest.mark.parametrize(("endpoint", "arguments"), [case[:2] for case in WRONG])
def test_a_second_check_of_what_a_check_returned_changes_nothing(schema_of, endpoint, arguments):
    first = check_arguments(schema_of(endpoint), arguments, is_file=lambda value: value is FILE)
    second = check_arguments(schema_of(endpoint), first.arguments, is_file=lambda value: value is FILE)
    assert second.lines == first.lines
    assert repr(second.arguments) == repr(first.arguments)


def test_hostile_names_and_values_stay_on_one_line(schema_of):
    checked = check_arguments(schema_of(DEV), PROMPT | {"a\nb" * 99: 1, "seed": "\x1b[2J\n" * 99})
    assert len(checked.problems) == 2
    for line in checked.lines:
        assert line.isprintable()
        assert len(line) < 600


def test_many_problems_are_cut(schema_of):
    checked = check_arguments(schema_of(DEV), {f"x{index}": 1 for index in range(500)})
    assert len(checked.problems) == 50


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["prompt", "seed", "image_size", "loras", "embeddings", "num_images", "sync_mode", "format"])


@given(st.dictionaries(NAMES | st.text(max_size=8), VALUES, max_size=5))
def test_whatever_is_given_is_checked_without_a_crash_and_once_is_enough(arguments):
    from fal_nb.schemas.openapi import read_schema
    from fal_nb.simulator.endpoints.fast_sdxl import FastSdxl
    from fal_nb.simulator.openapi import openapi_document

    schema = read_schema(SDXL, openapi_document(FastSdxl(), "http://127.0.0.1:1"))
    checked = check_arguments(schema, arguments)
    assert all(line.isprintable() for line in checked.lines)
    if checked.ok:
        again = check_arguments(schema, checked.arguments)
        assert again.ok
        assert repr(again.arguments) == repr(checked.arguments)
        FastSdxl().parse(checked.arguments)
