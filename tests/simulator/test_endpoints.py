import base64
import io
import math
from itertools import pairwise

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from fal_nb.simulator.media.encoding import encode_picture
from fal_nb.simulator.media.picture import PictureSpec, paint
from fal_nb.simulator.media.recording import encode_speech
from fal_nb.simulator.media.sound import SAMPLE_RATE, film_sound

KLING = "fal-ai/kling-video/v3/pro/text-to-video"
TTS = "fal-ai/elevenlabs/tts/turbo-v2.5"


def pictures(caller, result):
    for image in result["images"]:
        answer = caller.http.get(image["url"])
        assert answer.headers["content-type"] == image["content_type"]
        picture = Image.open(io.BytesIO(answer.content))
        assert picture.size == (image["width"], image["height"])
        yield picture


@pytest.mark.parametrize(
    ("endpoint", "arguments", "size", "kind", "units"),
    [
        ("fal-ai/flux/schnell", {}, (1024, 768), "JPEG", 1),
        ("fal-ai/flux/schnell", {"image_size": "portrait_16_9", "output_format": "png"}, (576, 1024), "PNG", 1),
        ("fal-ai/flux/dev", {"image_size": "square_hd"}, (1024, 1024), "JPEG", 2),
        ("fal-ai/flux/dev", {"image_size": {"width": 333, "height": 77}}, (333, 77), "JPEG", 1),
        ("fal-ai/flux/dev", {"image_size": {"width": 1}}, (1, 512), "JPEG", 1),
        ("fal-ai/flux-pro/v1.1", {"image_size": "landscape_16_9"}, (1024, 576), "JPEG", 1),
        ("fal-ai/flux-pro/v1.1-ultra", {"aspect_ratio": "1:1", "output_format": "png"}, (2048, 2048), "PNG", 1),
        ("fal-ai/flux-pro/v1.1-ultra", {"aspect_ratio": "21:9"}, (3104, 1312), "JPEG", 1),
        ("fal-ai/fast-sdxl", {"image_size": "square", "format": "png"}, (512, 512), "PNG", None),
    ],
)
def test_pictures_have_the_size_and_format_asked_for_and_are_billed_by_the_unit(
    caller, endpoint, arguments, size, kind, units
):
    answer = caller.finished(endpoint, {"prompt": "a red fox", "seed": 1, **arguments})
    found = list(pictures(caller, answer.json()))
    assert [(picture.size, picture.format) for picture in found] == [(size, kind)]
    if units is not None:
        assert float(answer.headers["x-fal-billable-units"]) == units


def test_several_pictures_differ_and_each_is_billed(caller):
    answer = caller.finished("fal-ai/flux/schnell", {"prompt": "a red fox", "num_images": 3, "image_size": "square"})
    result = answer.json()
    found = [picture.tobytes() for picture in pictures(caller, result)]
    assert len(set(found)) == 3
    assert result["has_nsfw_concepts"] == [False] * 3
    assert answer.headers["x-fal-billable-units"] == "3"


def test_the_same_arguments_and_seed_give_the_same_bytes(caller):
    arguments = {"prompt": "an owl at night", "seed": 42, "image_size": "square"}
    urls = [caller.finished("fal-ai/flux/dev", arguments).json()["images"][0]["url"] for _ in range(2)]
    first, second = (caller.http.get(url).content for url in urls)
    assert urls[0] != urls[1]
    assert first == second


def test_without_a_seed_one_is_drawn_and_told(caller):
    arguments = {"prompt": "an owl", "image_size": "square"}
    first, second = (caller.finished("fal-ai/flux/schnell", arguments).json() for _ in range(2))
    assert first["seed"] != second["seed"]
    again = caller.finished("fal-ai/flux/schnell", {**arguments, "seed": first["seed"]}).json()
    files = [caller.http.get(result["images"][0]["url"]).content for result in (first, second, again)]
    assert files[0] == files[2] != files[1]


def test_sync_mode_answers_with_a_data_uri(caller):
    result = caller.finished("fal-ai/flux/schnell", {"prompt": "x", "sync_mode": True, "image_size": "square"}).json()
    head, _, payload = result["images"][0]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(payload))).size == (512, 512)
    assert caller.server.counters().get("cdn_get") is None


def test_a_picture_the_checker_flags_is_black_unless_the_checker_is_off(caller):
    arguments = {"prompt": "nsfw test", "image_size": "square", "seed": 1}
    flagged = caller.finished("fal-ai/flux/dev", arguments).json()
    assert flagged["has_nsfw_concepts"] == [True]
    assert next(pictures(caller, flagged)).convert("L").getextrema()[1] < 8
    free = caller.finished("fal-ai/flux/dev", {**arguments, "enable_safety_checker": False}).json()
    assert free["has_nsfw_concepts"] == [False]


def test_a_picture_too_large_to_draw_is_a_422(caller):
    result = caller.finished("fal-ai/flux/dev", {"prompt": "x", "image_size": {"width": 9000, "height": 9000}})
    assert result.status_code == 422
    assert result.json()["detail"][0]["type"] == "image_too_large"


def test_compute_seconds_are_billed_as_measured(caller):
    submitted = caller.accepted("fal-ai/fast-sdxl", {"prompt": "x", "image_size": "square"})
    metrics = caller.events(submitted)[-1]["metrics"]
    units = caller.http.get(submitted["response_url"]).headers["x-fal-billable-units"]
    assert float(units) == pytest.approx(metrics["inference_time"], abs=1e-6)


@pytest.fixture
def fox():
    return encode_picture(paint(PictureSpec("a red fox", 1, 300, 200)), "png")[0]


def difference(first, second):
    return sum(ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB"))).mean)


@pytest.mark.parametrize("by", ["upload", "data URI"])
def test_image_to_image_transforms_the_input_more_the_stronger(caller, fox, by):
    if by == "upload":
        url = caller.upload(fox, "image/png").json()["access_url"]
    else:
        url = "data:image/png;base64," + base64.b64encode(fox).decode()
    source, distances = Image.open(io.BytesIO(fox)), []
    for strength in (0.1, 0.5, 0.95):
        arguments = {"image_url": url, "prompt": "an autumn evening", "strength": strength, "seed": 3}
        answer = caller.finished("fal-ai/flux/dev/image-to-image", {**arguments, "output_format": "png"})
        picture = next(pictures(caller, answer.json()))
        assert picture.size == (300, 200)
        distances.append(difference(source, picture))
    assert distances == sorted(distances)
    assert distances[0] > 0
    assert difference(source, paint(PictureSpec("an autumn evening", 3, 300, 200))) > distances[-1]


@pytest.mark.parametrize(
    ("url", "error_type"),
    [
        ("https://example.com/cat.png", "file_download_error"),
        ("http://127.0.0.1:1/cdn/files/b/x/y.png", "file_download_error"),
        ("file:///etc/hosts", "file_download_error"),
        ("data:image/png;base64,!!!", "image_load_error"),
        ("data:nonsense", "file_download_error"),
        ("data:image/png;base64,aGVsbG8=", "image_load_error"),
    ],
)
def test_an_input_from_elsewhere_or_that_is_no_picture_is_a_422_about_its_field(caller, url, error_type):
    result = caller.finished("fal-ai/flux/dev/image-to-image", {"image_url": url, "prompt": "x"})
    item = result.json()["detail"][0]
    assert result.status_code == 422
    assert (item["loc"], item["type"]) == (["body", "image_url"], error_type)


def test_an_image_prompt_of_ultra_shows_in_the_picture(caller, fox):
    url = caller.upload(fox, "image/png").json()["access_url"]
    arguments = {"prompt": "the sea", "seed": 1}
    plain = next(pictures(caller, caller.finished("fal-ai/flux-pro/v1.1-ultra", arguments).json()))
    with_fox = {**arguments, "image_url": url, "image_prompt_strength": 0.9}
    led = next(pictures(caller, caller.finished("fal-ai/flux-pro/v1.1-ultra", with_fox).json()))
    source = Image.open(io.BytesIO(fox)).resize(led.size)
    assert difference(source, led) < difference(source, plain)


def open_media(caller, file):
    answer = caller.http.get(file["url"])
    assert len(answer.content) == file["file_size"]
    assert answer.headers["content-type"] == file["content_type"]
    return av.open(io.BytesIO(answer.content))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "size", "seconds", "units"),
    [
        ({}, (640, 360), 5, 7.5),
        ({"generate_audio": False, "duration": "3", "aspect_ratio": "9:16"}, (360, 640), 3, 3),
        ({"prompt": None, "aspect_ratio": "1:1", "multi_prompt": [{"prompt": "a fox", "duration": "1"}, {"prompt": "the sea", "duration": "2"}]}, (480, 480), 3, 4.5),
    ],
)  # fmt: skip
def test_films_play_and_have_length_shape_and_sound_as_asked(caller, arguments, size, seconds, units):
    answer = caller.finished(KLING, {"prompt": "a sailing boat at sunset", **arguments})
    video = answer.json()["video"]
    assert float(answer.headers["x-fal-billable-units"]) == pytest.approx(units)
    with open_media(caller, video) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", *size)
        assert container.duration / av.time_base == pytest.approx(seconds, abs=0.2)
        assert [part.codec_context.name for part in container.streams.audio] == (
            ["aac"] if arguments.get("generate_audio", True) else []
        )
        frames = [frame.to_image() for frame in container.decode(video=0)]
    assert len(frames) == seconds * 12
    assert difference(frames[0], frames[len(frames) // 2]) > 0.5


@pytest.mark.slow
def test_a_film_can_start_before_it_is_all_there(caller):
    video = caller.finished(KLING, {"prompt": "x", "duration": "3"}).json()["video"]
    data = caller.http.get(video["url"]).content
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("arguments", [{}, {"prompt": "x", "multi_prompt": [{"prompt": "y"}]}])
def test_a_film_takes_one_prompt_or_several_but_not_both(caller, arguments):
    result = caller.finished(KLING, arguments)
    assert result.status_code == 422
    assert "multi_prompt" in result.json()["detail"][0]["msg"]


def test_speech_plays_and_is_billed_by_a_thousand_characters(caller):
    text = "Hello there. How are you today?"
    answer = caller.finished(TTS, {"text": text, "timestamps": True})
    result = answer.json()
    assert float(answer.headers["x-fal-billable-units"]) == pytest.approx(len(text) / 1000)
    with open_media(caller, result["audio"]) as container:
        heard = [frame.to_ndarray() for frame in container.decode(audio=0)]
        assert container.streams.audio[0].codec_context.name.startswith("mp3")
    assert max(abs(part).max() for part in heard) > 0.05
    words = result["timestamps"]
    assert [word["text"] for word in words] == ["Hello", "there", "How", "are", "you", "today"]
    assert all(one["end"] <= other["start"] + 0.4 for one, other in pairwise(words))


def test_another_text_voice_or_speed_sounds_different(caller):
    arguments = {"text": "A quiet evening by the sea."}
    sounds = [
        caller.http.get(caller.finished(TTS, {**arguments, **change}).json()["audio"]["url"]).content
        for change in ({}, {"voice": "George"}, {"speed": 0.8}, {"text": "Something else."}, {})
    ]
    assert len(set(sounds)) == 4
    assert sounds[0] == sounds[-1]


def test_whisper_writes_down_what_our_own_speech_said(caller):
    text = "The quick brown fox jumps over the lazy dog. It does so every day, rain or shine."
    audio = caller.finished(TTS, {"text": text}).json()["audio"]
    result = caller.finished("fal-ai/whisper", {"audio_url": audio["url"]}).json()
    chunks = result["chunks"]
    assert result["text"] == text
    assert result["inferred_languages"] == ["en"]
    assert result["diarization_segments"] == []
    assert " ".join(chunk["text"] for chunk in chunks) == text
    assert len(chunks) == 2
    edges = [edge for chunk in chunks for edge in chunk["timestamp"]]
    assert edges == sorted(edges)


def test_whisper_makes_up_a_transcript_of_the_right_length_for_anything_else(caller):
    data = encode_speech(film_sound("rain", 1, 8.0))
    url = caller.upload(data, "audio/mpeg", "rain.mp3").json()["access_url"]
    first, second = (caller.finished("fal-ai/whisper", {"audio_url": url, "chunk_level": "word"}) for _ in range(2))
    chunks = first.json()["chunks"]
    assert first.json() == second.json()
    assert chunks[-1]["timestamp"][1] == pytest.approx(8.0, abs=0.3)
    assert 10 < len(chunks) < 45
    assert " ".join(chunk["text"] for chunk in chunks) == first.json()["text"]


def test_whisper_tells_speakers_apart_and_leaves_chunks_out_when_asked(caller):
    url = caller.upload(encode_speech(film_sound("wind", 1, 14.0)), "audio/mpeg").json()["access_url"]
    arguments = {"audio_url": url, "diarize": True, "num_speakers": 3, "language": "de"}
    result = caller.finished("fal-ai/whisper", arguments).json()
    speakers = {segment["speaker"] for segment in result["diarization_segments"]}
    assert speakers <= {"SPEAKER_00", "SPEAKER_01", "SPEAKER_02"}
    assert len(speakers) > 1
    assert [chunk["speaker"] for chunk in result["chunks"]] == [
        segment["speaker"] for segment in result["diarization_segments"]
    ]
    assert result["inferred_languages"] == ["de"]
    bare = caller.finished(
        "fal-ai/whisper", {"audio_url": url, "chunk_level": "none", "task": "translate", "language": "de"}
    )
    assert "chunks" not in bare.json()
    assert bare.json()["inferred_languages"] == ["en"]


def test_whisper_refuses_what_holds_no_sound(caller):
    url = caller.upload(b"not a sound", "audio/mpeg").json()["access_url"]
    result = caller.finished("fal-ai/whisper", {"audio_url": url})
    item = result.json()["detail"][0]
    assert (result.status_code, item["type"]) == (422, "unsupported_audio_format")
    assert "mp3" in item["ctx"]["supported_formats"]


def test_more_work_takes_longer(caller):
    def seconds(endpoint, **arguments):
        submitted = caller.accepted(endpoint, {"prompt": "x", "image_size": "square", **arguments})
        caller.events(submitted)
        return caller.http.get(submitted["response_url"]).json()["timings"]["inference"]

    few, usual = seconds("fal-ai/flux/dev", num_inference_steps=5), seconds("fal-ai/flux/dev")
    many = seconds("fal-ai/flux/dev", num_images=4)
    large = seconds("fal-ai/flux/dev", image_size="square_hd")
    assert few < usual < many
    assert usual < large
    assert math.isclose(seconds("fal-ai/flux/dev"), usual)


def test_sound_has_the_length_asked_for():
    assert film_sound("the sea", 1, 2.0).size == 2 * SAMPLE_RATE
