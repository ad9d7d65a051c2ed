import dataclasses
import threading

import pytest

from fal_nb.artifacts.describe import TEXT_CHARS


def test_a_wrong_content_type_is_corrected_by_the_bytes(described, picture):
    artifact = described(picture("JPEG"), "https://x/fox.png", "image/png")
    assert (artifact.kind, artifact.content_type, artifact.file_name) == ("image", "image/jpeg", "fox.jpg")
    assert artifact.thumbnail


def test_a_missing_content_type_is_found_in_the_bytes(described, film):
    artifact = described(film("mp3", None, sound="libmp3lame"), "https://x/abc", where=("audio",))
    assert (artifact.kind, artifact.content_type, artifact.file_name) == ("audio", "audio/mpeg", "abc.mp3")


@pytest.mark.parametrize("claim", ["image/png", "video/mp4", None, "application/octet-stream"])
def test_html_is_never_a_picture(described, claim):
    data = b"<!DOCTYPE html><script>alert(1)</script>"
    artifact = described(data, "https://x/fox.png", claim)
    assert (artifact.kind, artifact.content_type, artifact.thumbnail) == ("text", "text/html", None)
    assert artifact.file_name == "fox.html"
    assert artifact.text == data.decode()
    assert "text/html" in artifact.error


@pytest.mark.parametrize("claim", ["image/png", "image/svg+xml", None])
def test_svg_is_never_a_picture(described, claim):
    artifact = described(b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "https://x/fox.svg", claim)
    assert (artifact.kind, artifact.content_type, artifact.file_name) == ("file", "image/svg+xml", "fox.svg")
    assert (artifact.thumbnail, artifact.text, artifact.error) == (None, None, None)


def test_a_text_gives_its_first_characters(described):
    artifact = described(("ü" * 5000).encode(), "https://x/long.txt", "text/plain", where=("text_file",))
    assert artifact.kind == "text"
    assert artifact.text == "ü" * TEXT_CHARS
    assert artifact.error is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\ufeffhello".encode(), "hello"),
        ("grüße".encode("utf-16"), "grüße"),
        (("a" * 1999 + "üx").encode(), "a" * 1999 + "ü"),
        (("a" * 8003 + "ü").encode(), "a" * 2000),
    ],
)
def test_texts_of_other_encodings_are_read(described, data, text):
    assert described(data).text == text


@pytest.mark.parametrize(
    ("data", "name", "content_type", "kind", "kept"),
    [
        (b'{"a": 1}', "x.json", "application/json", "text", True),
        (b"1\n00:00:01,000 --> 00:00:02,000\nhello", "x.srt", "application/x-subrip", "text", True),
        (b"v 0 0 0\nf 1 1 1\n", "x.obj", "model/obj", "mesh", False),
        (b"glTF\x02\0\0\0", "x.glb", "model/gltf-binary", "mesh", False),
        (b"PK\x03\x04" + bytes(40), "x.zip", "application/zip", "archive", False),
        (b"PK\x03\x04" + bytes(40), "x.usdz", "model/vnd.usdz+zip", "mesh", False),
        (b"\x10\0\0\0\0\0\0\0{}", "x.safetensors", "application/x-safetensors", "file", False),
        (b"\x1f\x8b\x08\0", "x.tar.gz", "application/gzip", "archive", False),
        (b"\x93NUMPY\x01\0", "x.npy", "application/x-npy", "file", False),
        (b"\x80\x81\x82", "x.ckpt", "application/octet-stream", "file", False),
        (b"", "x.bin", "application/octet-stream", "file", False),
    ],
)
def test_what_is_no_media_keeps_name_and_type_and_has_no_error(described, data, name, content_type, kind, kept):
    for claim in (content_type, None, "application/octet-stream"):
        if claim != content_type and name == "x.srt":
            continue  # known to some systems only
        artifact = described(data, f"https://x/{name}", claim, where=("result_file",))
        assert (artifact.file_name, artifact.content_type, artifact.kind) == (name, content_type, kind)
        assert artifact.error is None
        assert (artifact.text is not None) == kept
        assert artifact.thumbnail is None


def test_what_was_to_be_a_picture_and_is_something_else_says_so(described):
    artifact = described(b"\x80\x81\x82\x83", "https://x/y.png", "image/png")
    assert (artifact.kind, artifact.content_type) == ("file", "application/octet-stream")
    assert "image" in artifact.error
    artifact = described(b"quota exceeded", "https://x/y.png", "image/png")
    assert (artifact.kind, artifact.text) == ("text", "quota exceeded")
    assert "image" in artifact.error
    assert described(b"", "https://x/y.png", "image/png").error


def test_a_format_that_cannot_be_drawn_is_kept_and_named(described):
    artifact = described(b"v/1\x01" + bytes(100), "https://x/y.exr", where=("exr_file",))
    assert (artifact.kind, artifact.content_type, artifact.file_name) == ("file", "image/x-exr", "y.exr")
    assert "image/x-exr" in artifact.error


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_damaged_pictures_of_every_length_do_no_harm(described, picture, kind):
    data = picture(kind, (40, 30))
    for length in range(8, len(data), max(1, len(data) // 40)):
        artifact = described(data[:length], "https://x/y", "image/png")
        assert artifact.digest
        assert artifact.thumbnail is not None or artifact.error
    for place in range(0, len(data), max(1, len(data) // 40)):
        described(data[:place] + b"\xff" + data[place + 1 :], "https://x/y", "image/png")


def test_a_data_uri_is_not_kept_as_a_url(described, picture, ref):
    artifact = described(picture(), "data:image/png;base64,AAAA", where=("image",))
    assert artifact.url == ""
    assert artifact.file_name == "image-0.png"


def test_the_type_of_the_answer_counts_where_the_result_names_none(described):
    assert described(b"\x01\x02\xff", "https://x/y", answered="application/x-safetensors; v=1").content_type == (
        "application/x-safetensors"
    )


def test_threads_describe_at_the_same_time_as_one_does_alone(described, picture, film):
    sources = [picture("JPEG", (800, 600)), picture("PNG", alpha=True), film(), film("mp3", None, sound="libmp3lame")]
    alone = [described(data) for data in sources]
    found = {}

    def work(number):
        found[number] = [described(data) for data in sources]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 6
    for artifacts in found.values():
        assert [dataclasses.asdict(artifact) for artifact in artifacts] == [dataclasses.asdict(item) for item in alone]
