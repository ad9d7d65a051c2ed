"""What the endpoints of language, sound, solids and flat drawings answer is what it says, and follows its arguments."""

import io
import itertools
import json
import struct
import xml.etree.ElementTree as ET

import av
import httpx
import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from fal_nb.artifacts.sniff import sniff

PICTURE = {"prompt": "a red fox in snow", "image_size": {"width": 96, "height": 64}, "seed": 3}


@pytest.fixture
def source(caller):
    return caller.finished("fal-ai/flux/schnell", PICTURE).json()["images"][0]["url"]


def fetched(file):
    data = httpx.get(file["url"]).content
    assert len(data) == file["file_size"]
    return data


def opened(file):
    return Image.open(io.BytesIO(fetched(file)))


def read_glb(data):
    """Return (document, its binary part), by the glTF specification's layout."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    document = json.loads(data[20 : 20 + size])
    assert kind == b"JSON"
    assert size % 4 == 0
    body_size, kind = struct.unpack_from("<I4s", data, 20 + size)
    body = data[28 + size :]
    assert (kind, body_size) == (b"BIN\0", len(body))
    assert document["buffers"] == [{"byteLength": body_size}]
    return document, body


def accessor(document, body, index):
    item = document["accessors"][index]
    view = document["bufferViews"][item["bufferView"]]
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}[item["type"]]
    kind = {5126: "<f4", 5125: "<u4"}[item["componentType"]]
    values = np.frombuffer(body, kind, item["count"] * width, view["byteOffset"])
    assert view["byteOffset"] % 4 == 0
    assert view["byteLength"] == values.nbytes
    return values.reshape(-1, width)


@pytest.mark.parametrize(
    ("endpoint", "arguments", "key", "textured"),
    [
        ("fal-ai/trellis", {"texture_size": 512}, "model_mesh", 512),
        ("fal-ai/trellis-2", {"resolution": 512, "texture_size": 1024}, "model_glb", 1024),
        ("fal-ai/hunyuan3d/v2", {"seed": 7}, "model_mesh", None),
        ("fal-ai/hunyuan3d/v2", {"textured_mesh": True}, "model_mesh", 1024),
    ],
)
def test_a_solid_is_a_closed_mesh_in_a_valid_container(caller, source, endpoint, arguments, key, textured):
    name = "input_image_url" if "hunyuan" in endpoint else "image_url"
    answer = caller.finished(endpoint, {name: source, **arguments}).json()
    data = fetched(answer[key])
    assert answer[key]["content_type"] == "model/gltf-binary"
    document, body = read_glb(data)
    primitive = document["meshes"][0]["primitives"][0]
    points = accessor(document, body, primitive["attributes"]["POSITION"])
    triangles = accessor(document, body, primitive["indices"]).reshape(-1, 3)
    assert document["accessors"][0]["min"] == pytest.approx(points.min(0).tolist())
    assert triangles.max() < len(points)
    assert np.ptp(points[:, 0]) == pytest.approx(2)
    assert np.ptp(points[:, 1]) == pytest.approx(2 * 64 / 96, rel=0.01)
    # Closed and all turned one way: each edge is walked once in either direction.
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert {tuple(edge) for edge in edges.tolist()} == {tuple(edge[::-1]) for edge in edges.tolist()}
    if textured is None:
        assert "images" not in document
    else:
        view = document["bufferViews"][document["images"][0]["bufferView"]]
        picture = Image.open(io.BytesIO(body[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]))
        assert max(picture.size) == textured
    assert answer.get("seed", 7) == 7 or "seed" not in arguments


def test_simplifying_makes_a_solid_smaller_and_bad_choices_are_refused(caller, source):
    sizes = [
        caller.finished("fal-ai/trellis", {"image_url": source, "mesh_simplify": factor, "texture_size": 512}).json()
        for factor in (0.9, 0.98)
    ]
    assert sizes[0]["model_mesh"]["file_size"] > 2 * sizes[1]["model_mesh"]["file_size"]
    answer = caller.finished("fal-ai/trellis", {"image_url": source, "texture_size": 700})
    assert answer.json()["detail"][0]["loc"] == ["body", "texture_size"]


@pytest.mark.parametrize(
    ("arguments", "units"),
    [
        ({"resolution": 512}, "1"),
        ({}, "1.20000000"),
        ({"resolution": 1536}, "1.40000000"),
    ],
)
def test_the_finer_solid_costs_more(caller, source, arguments, units):
    answer = caller.finished("fal-ai/trellis-2", {"image_url": source, "texture_size": 1024, **arguments})
    assert answer.headers["x-fal-billable-units"] == units


def test_the_background_goes_and_the_figure_stays(caller):
    picture = Image.new("RGB", (120, 80), (30, 90, 200))
    picture.paste((240, 200, 30), (45, 25, 75, 55))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    url = caller.upload(buffer.getvalue(), "image/png").json()["access_url"]
    answer = caller.finished("fal-ai/birefnet", {"image_url": url, "output_mask": True}).json()
    cut, mask = opened(answer["image"]), opened(answer["mask_image"]).convert("L")
    assert (cut.mode, cut.size, mask.size) == ("RGBA", (120, 80), (120, 80))
    assert cut.getpixel((60, 40)) == (240, 200, 30, 255)
    assert cut.getpixel((5, 5))[3] == 0
    assert (mask.getpixel((60, 40)), mask.getpixel((5, 5))) == (255, 0)
    only = caller.finished("fal-ai/birefnet/v2", {"image_url": url, "mask_only": True, "output_format": "webp"}).json()
    shown = opened(only["image"])
    assert shown.format == "WEBP"
    assert ImageStat.Stat(ImageChops.difference(shown.convert("L"), mask)).mean[0] < 8
    assert "mask_image" not in only
    gif = caller.finished("fal-ai/birefnet", {"image_url": url, "output_format": "gif"}).json()
    assert opened(gif["image"]).format == "GIF"


def test_an_inline_cut_out_is_a_data_uri(caller, source):
    answer = caller.finished("fal-ai/birefnet", {"image_url": source, "sync_mode": True}).json()
    assert answer["image"]["url"].startswith("data:image/png;base64,")


def test_a_vector_style_is_a_drawing_of_paths_at_twice_the_price(caller):
    arguments = {"prompt": "a lighthouse by the sea", "image_size": {"width": 300, "height": 200}}
    drawn = caller.finished("fal-ai/recraft/v3/text-to-image", arguments | {"style": "vector_illustration/line_art"})
    file = drawn.json()["images"][0]
    assert file["content_type"] == "image/svg+xml"
    root = ET.fromstring(fetched(file))
    assert (root.get("width"), root.get("height")) == ("300", "200")
    assert {part.tag.rpartition("}")[2] for part in root} == {"path"}
    assert 4 < len(root) < 20
    assert drawn.headers["x-fal-billable-units"] == "2"
    painted = caller.finished("fal-ai/recraft/v3/text-to-image", arguments)
    assert opened(painted.json()["images"][0]).size == (300, 200)
    assert painted.headers["x-fal-billable-units"] == "1"
    assert set(painted.json()["images"][0]) == {"url", "content_type", "file_name", "file_size"}


def test_colours_asked_for_are_seen(caller):
    arguments = {"prompt": "hills", "image_size": {"width": 128, "height": 96}}
    red = [{"r": 90, "g": 0, "b": 0}, {"r": 255, "g": 60, "b": 40}]
    answer = caller.finished("fal-ai/recraft/v4/text-to-image", arguments | {"colors": red}).json()
    mean = ImageStat.Stat(opened(answer["images"][0]).convert("RGB")).mean
    assert mean[0] > mean[1] + 40
    assert mean[0] > mean[2] + 40
    refused = caller.finished("fal-ai/recraft/v4/text-to-image", arguments | {"colors": [{"r": 300}]})
    assert refused.json()["detail"][0]["loc"] == ["body", "colors", 0, "r"]


def test_a_film_begins_with_one_picture_and_ends_with_the_other(caller, source):
    last = caller.finished("fal-ai/flux/schnell", PICTURE | {"prompt": "a green garden", "seed": 8}).json()
    arguments = {
        "prompt": "it turns",
        "start_image_url": source,
        "end_image_url": last["images"][0]["url"],
        "duration": "3",
        "generate_audio": False,
    }
    answer = caller.finished("fal-ai/kling-video/v3/pro/image-to-video", arguments)
    with av.open(io.BytesIO(fetched(answer.json()["video"]))) as film:
        frames = [frame.to_image() for frame in film.decode(video=0)]
        assert not film.streams.audio
    assert len(frames) == 36
    assert frames[0].width / frames[0].height == pytest.approx(96 / 64, rel=0.02)

    def distance(frame, url):
        picture = Image.open(io.BytesIO(httpx.get(url).content)).convert("RGB").resize((48, 32))
        return sum(ImageStat.Stat(ImageChops.difference(frame.resize((48, 32)), picture)).mean)

    assert distance(frames[0], source) < 12 < distance(frames[-1], source)
    assert distance(frames[-1], last["images"][0]["url"]) < distance(frames[0], last["images"][0]["url"]) / 2
    assert answer.headers["x-fal-billable-units"] == "3"
    for wrong, field in (
        ({"prompt": None}, "prompt"),
        ({"elements": [{"reference_image_urls": []}]}, "elements"),
        ({"elements": [{"video_url": "a"}, {"video_url": "b"}]}, "elements"),
        ({"start_image_url": None}, "start_image_url"),
    ):
        refused = caller.finished("fal-ai/kling-video/v3/pro/image-to-video", arguments | wrong)
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"][1] == field


@pytest.mark.parametrize(
    ("setting", "codec"),
    [({}, "mp3"), ({"format": "flac", "channel": 2, "sample_rate": 44100}, "flac")],
)
def test_speech_has_the_format_and_the_length_it_says(caller, setting, codec):
    arguments = {"prompt": "Hello there. <#1.5#> (laughs) Good morning!", "audio_setting": setting}
    answer = caller.finished("fal-ai/minimax/speech-2.8-hd", arguments).json()
    with av.open(io.BytesIO(fetched(answer["audio"]))) as sound:
        stream = sound.streams.audio[0]
        assert stream.codec_context.name.startswith(codec)
        assert stream.rate == setting.get("sample_rate", 32000)
        assert stream.channels == setting.get("channel", 1)
        heard = sum(frame.samples for frame in sound.decode(audio=0)) / stream.rate
    assert heard * 1000 == pytest.approx(answer["duration_ms"], abs=120)
    without = caller.finished("fal-ai/minimax/speech-2.8-hd", {"prompt": "Hello there. Good morning!"}).json()
    assert answer["duration_ms"] - without["duration_ms"] == pytest.approx(1500, abs=400)
    assert caller.finished("fal-ai/wizper", {"audio_url": answer["audio"]["url"]}).json()["text"] == (
        "Hello there. Good morning!"
    )


def test_bare_samples_are_as_long_as_they_say(caller):
    setting = {"format": "pcm", "sample_rate": 8000, "channel": 2}
    answer = caller.finished("fal-ai/minimax/speech-2.8-hd", {"prompt": "Hello.", "audio_setting": setting}).json()
    assert len(fetched(answer["audio"])) / 4 / 8 == pytest.approx(answer["duration_ms"], abs=2)
    assert answer["audio"]["content_type"] == "audio/pcm"
    faster = {"voice_setting": {"speed": 2}}
    assert caller.finished("fal-ai/minimax/speech-2.8-hd", {"prompt": "Hello."} | faster).json()["duration_ms"] < (
        answer["duration_ms"] * 0.8
    )


def test_pieces_of_a_transcript_are_merged_up_to_the_longest(caller):
    text = " ".join(["One is here."] * 30)
    speech = caller.finished("fal-ai/elevenlabs/tts/turbo-v2.5", {"text": text}).json()["audio"]["url"]
    merged = caller.finished("fal-ai/wizper", {"audio_url": speech, "max_segment_len": 12}).json()
    single = caller.finished("fal-ai/wizper", {"audio_url": speech, "merge_chunks": False}).json()
    assert merged["text"] == single["text"] == text
    assert len(single["chunks"]) == 30
    assert 2 <= len(merged["chunks"]) < 10
    assert all(stop - start <= 12 for start, stop in (chunk["timestamp"] for chunk in merged["chunks"]))
    assert merged["languages"] == ["en"]
    refused = caller.finished("fal-ai/wizper", {"audio_url": speech, "max_segment_len": 30})
    assert refused.json()["detail"][0]["ctx"] == {"le": 29}


def test_a_language_model_answers_counts_its_tokens_and_says_the_same_at_no_temperature(caller):
    arguments = {"prompt": "Why is the sky blue?", "model": "a/b", "temperature": 0}
    first = caller.finished("openrouter/router", arguments)
    body = first.json()
    usage = body["usage"]
    assert body["output"].split()
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert float(first.headers["x-fal-billable-units"]) == pytest.approx(usage["total_tokens"] / 1000)
    assert caller.finished("openrouter/router", arguments).json()["output"] == body["output"]
    warm = {caller.finished("openrouter/router", arguments | {"temperature": 1}).json()["output"] for _ in range(3)}
    assert len(warm) == 3
    short = caller.finished("openrouter/router", arguments | {"max_tokens": 5}).json()
    assert len(short["output"].split()) == 5
    assert caller.finished("openrouter/router", {"prompt": "x"}).json()["detail"][0]["loc"] == ["body", "model"]
    older = caller.finished("fal-ai/any-llm", {"prompt": "Why?", "reasoning": True}).json()
    assert older["reasoning"]
    assert "usage" not in older


def test_text_streams_as_it_grows(caller):
    arguments = {"prompt": "Why is the sky blue?", "model": "a/b"}
    events = list(caller.iter_events("/run/openrouter/router/stream", "POST", json=arguments))
    outputs = [event["output"] for event in events]
    assert len(outputs) > 5
    assert all(after.startswith(before) for before, after in itertools.pairwise(outputs))
    assert [event["partial"] for event in events] == [True] * (len(events) - 1) + [False]
    assert events[-1]["usage"]["completion_tokens"] == len(outputs[-1].split())


def test_music_is_as_long_as_asked_and_silent_before_its_start(caller):
    answer = caller.finished("fal-ai/stable-audio", {"prompt": "waves", "seconds_start": 1, "seconds_total": 3}).json()
    data = fetched(answer["audio_file"])
    assert sniff(data[:4096]) == "audio/wav"
    with av.open(io.BytesIO(data)) as sound:
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in sound.decode(audio=0)])
    assert len(samples) == 3 * 24_000
    assert not samples[:24_000].any()
    assert samples[30_000:].any()


def test_the_quick_ones_answer_in_their_own_names(caller, source):
    answer = caller.finished("fal-ai/lcm-sd15-i2i", {"prompt": "an owl", "image_url": source, "request_id": "r"}).json()
    assert list(answer) == ["images", "timings", "seed", "num_inference_steps", "request_id", "nsfw_content_detected"]
    assert (answer["request_id"], answer["num_inference_steps"]) == ("r", 4)
    assert Image.open(io.BytesIO(httpx.get(answer["images"][0]["url"]).content)).size == (96, 64)
    flagged = caller.finished("fal-ai/lcm-sd15-i2i", {"prompt": "nsfw", "image_url": source}).json()
    assert flagged["nsfw_content_detected"] == [True]
    small = {"prompt": "an owl", "image_size": {"width": 64, "height": 64}}
    inline = caller.finished("fal-ai/fast-lcm-diffusion", small | {"num_images": 2}).json()
    assert [image["url"][:22] for image in inline["images"]] == ["data:image/jpeg;base64"] * 2
    assert (
        caller.finished("fal-ai/fast-lcm-diffusion", small | {"sync_mode": False}).json()["images"][0]["url"][:4]
        == "http"
    )
