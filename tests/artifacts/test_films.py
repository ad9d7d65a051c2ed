import io
import struct

import numpy as np
import pytest
from PIL import Image

from fal_nb.artifacts.thumbnails import MAX_BYTES


def opened(artifact):
    assert len(artifact.thumbnail) <= MAX_BYTES
    image = Image.open(io.BytesIO(artifact.thumbnail))
    assert (image.format, max(image.size) <= 320) == ("WEBP", True)
    return image


@pytest.mark.parametrize(
    ("container", "codec", "content_type"),
    [
        ("mp4", "libx264", "video/mp4"),
        ("mov", "libx264", "video/quicktime"),
        ("webm", "libvpx", "video/webm"),
        ("matroska", "libx264", "video/x-matroska"),
        ("avi", "mpeg4", "video/x-msvideo"),
        ("mpegts", "libx264", "video/mp2t"),
    ],
)
def test_a_film_gets_size_length_and_a_poster(described, film, container, codec, content_type):
    artifact = described(film(container, codec, size=(640, 360), rate=10), "https://x/film", where=("video",))
    assert (artifact.kind, artifact.content_type, artifact.error) == ("video", content_type, None)
    assert (artifact.width, artifact.height) == (640, 360)
    assert artifact.duration_s == pytest.approx(2, abs=0.2)
    assert opened(artifact).size == (320, 180)


@pytest.mark.slow
def test_the_poster_of_a_long_film_is_not_its_very_first_picture(described, film):
    first = opened(described(film(seconds=4, rate=8))).convert("L").getpixel((200, 100))
    later = opened(described(film(seconds=40, rate=8))).convert("L").getpixel((200, 100))
    assert first < 5
    assert 10 < later < 40


@pytest.mark.parametrize(
    ("turns", "red"),
    [(0, (10, 10)), (1, (170, 10)), (2, (310, 170)), (3, (10, 310))],
    ids=["upright", "clockwise", "upside down", "counter-clockwise"],
)
def test_a_film_taken_sideways_is_shown_upright(described, film, turns, red):
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[turns]
    matrix = struct.pack(">9i", *(part << 16 for part in (cosine, sine, 0, -sine, cosine, 0, 0, 0)), 1 << 30)
    data = bytearray(film())
    start = data.index(b"tkhd") + 44
    data[start : start + 36] = matrix
    artifact = described(bytes(data))
    size = (320, 180) if turns % 2 == 0 else (180, 320)
    assert (artifact.width, artifact.height) == size
    image = opened(artifact).convert("RGB")
    assert image.size == size
    assert image.getpixel(red)[0] > 180
    assert (
        sum(
            pixel[0] > 180 for pixel in (image.getpixel((x, y)) for x in (10, size[0] - 10) for y in (10, size[1] - 10))
        )
        == 1
    )


def test_a_film_with_sound_is_a_film(described, film):
    artifact = described(film(sound="aac"))
    assert (artifact.kind, artifact.width) == ("video", 320)


@pytest.mark.parametrize(
    ("container", "codec", "content_type", "extension"),
    [
        ("wav", "pcm_s16le", "audio/wav", ".wav"),
        ("mp3", "libmp3lame", "audio/mpeg", ".mp3"),
        ("flac", "flac", "audio/flac", ".flac"),
        ("ogg", "libopus", "audio/ogg", ".ogg"),
        ("adts", "aac", "audio/aac", ".aac"),
        ("ipod", "aac", "audio/mp4", ".m4a"),
        ("mp4", "aac", "audio/mp4", ".m4a"),
        ("webm", "libopus", "audio/webm", ".webm"),
        ("aiff", "pcm_s16be", "audio/aiff", ".aiff"),
    ],
)
def test_a_sound_gets_its_length_and_a_drawn_wave(described, film, container, codec, content_type, extension):
    artifact = described(film(container, None, sound=codec), "https://x/sound", where=("audio",))
    assert (artifact.kind, artifact.content_type, artifact.error) == ("audio", content_type, None)
    assert artifact.file_name.endswith(extension)
    assert artifact.width is None
    assert artifact.duration_s == pytest.approx(2, abs=0.3)
    opened(artifact)


def test_the_wave_is_tall_where_it_is_loud_and_shows_on_any_paper(described, film):
    image = opened(described(film("wav", None, sound="pcm_s16le")))
    assert image.mode == "RGBA"
    drawn = np.asarray(image)[:, :, 3] > 128
    height = drawn.sum(axis=0)
    assert height[:150].max() > 60
    assert 0.4 < (height[:150] > 50).mean() < 0.8
    assert (height[280:] > 0).any()
    assert height[170:].max() < 10
    assert not drawn[0].any()
    ink = np.asarray(image)[drawn][:, :3].mean(axis=0) / 255
    linear = np.where(ink <= 0.03928, ink / 12.92, ((ink + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    assert 1.05 / (luminance + 0.05) > 3
    assert (luminance + 0.05) / 0.06 > 3


def test_a_sound_whose_container_does_not_know_its_length_is_measured(described, film):
    data = bytearray(film("flac", None, sound="flac"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    assert described(bytes(data)).duration_s == pytest.approx(2, abs=0.1)


def test_silence_is_drawn_as_a_line(described):
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(44_100)
        sound.writeframes(bytes(4 * 44_100))
    artifact = described(buffer.getvalue())
    assert artifact.duration_s == pytest.approx(1)
    drawn = np.asarray(opened(artifact))[:, :, 3] > 128
    assert 0 < drawn.sum(axis=0).max() < 10


def test_a_very_short_sound_is_drawn_too(described, film):
    assert opened(described(film("wav", None, sound="pcm_s16le", seconds=0.1))).size == (320, 80)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\0\x20ftypisom" + bytes(400), "video"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt " + b"\xff" * 60, "audio"),
        (b"\x1aE\xdf\xa3" + b"\xff" * 300, "video"),
        (b"ID3\x04\0\0\0\0\0\0" + b"nothing that sounds" * 30, "audio"),
        (b"OggS" + bytes(100), "audio"),
    ],
)
def test_damaged_media_are_kept_without_a_thumbnail_and_say_why(described, capfd, data, kind):
    artifact = described(data, f"https://x/{kind}", where=(kind,))
    assert artifact.digest
    assert artifact.thumbnail is None
    assert artifact.kind == "file"
    assert artifact.error.startswith("no preview")
    assert "\n" not in artifact.error
    assert capfd.readouterr() == ("", "")


def test_a_film_cut_short_is_kept_with_or_without_a_poster(described, film):
    data = film()
    for length in (len(data) // 2, len(data) - 200, 100):
        artifact = described(data[:length])
        assert (artifact.thumbnail is None) == (artifact.error is not None)


def test_a_play_list_never_makes_us_open_other_files(described, tmp_path):
    secret = tmp_path / "secret.ts"
    secret.write_bytes(b"G" + bytes(187))
    listing = f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n".encode()
    artifact = described(listing, "https://x/film.mp4", "video/mp4", where=("video",))
    assert (artifact.kind, artifact.content_type) == ("text", "text/plain")
    assert artifact.file_name == "film.txt"


def test_a_picture_of_too_many_pixels_inside_a_film_is_not_decoded(described, film, monkeypatch):
    from fal_nb.artifacts import films

    monkeypatch.setattr(films, "MAX_PIXELS", 320 * 180 - 1)
    artifact = described(film())
    assert (artifact.kind, artifact.width, artifact.thumbnail) == ("video", 320, None)
    assert "320×180" in artifact.error


def test_decoding_stops_when_its_time_is_over(described, film, monkeypatch):
    from fal_nb.artifacts import films

    sound, moving = film("wav", None, sound="pcm_s16le"), film()
    monkeypatch.setattr(films, "_DECODE_S", -1.0)
    artifact = described(sound)
    assert (artifact.kind, artifact.thumbnail) == ("file", None)
    assert "not one sound" in artifact.error
    assert "not one picture" in described(moving).error
