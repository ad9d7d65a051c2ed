import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import FileError
from fal_nb.protocol.files import (
    decode_data_uri,
    encode_data_uri,
    extension_for,
    find_files,
    guess_content_type,
    media_kind,
    safe_file_name,
)


def test_files_are_found_anywhere_in_the_order_they_stand():
    result = {
        "images": [
            {"url": "https://x/1.png", "width": 4, "height": 5, "content_type": "image/png"},
            {"url": "https://x/2"},
        ],
        "model_urls": {"glb": {"url": "https://x/m.glb"}, "fbx": None},
        "seed": 3,
        "video_url": "https://x/v.mp4",
        "note": "https://not/a/file",
        "audio": "data:audio/wav;base64,UklGRg==",
    }
    refs = find_files(result)
    assert [(ref.where, ref.kind) for ref in refs] == [
        (("images", 0), "image"),
        (("images", 1), "image"),
        (("model_urls", "glb"), "mesh"),
        (("video_url",), "video"),
        (("audio",), "audio"),
    ]
    assert (refs[0].width, refs[0].height) == (4, 5)


@pytest.mark.parametrize(
    ("content_type", "url", "where", "kind"),
    [
        ("image/png", "https://x/y.mp4", ("video",), "image"),
        ("application/octet-stream", "https://x/y.mp3", ("images",), "audio"),
        (None, "https://x/y", ("model_mesh",), "mesh"),
        (None, "https://x/y", ("drums",), "audio"),
        (None, "https://x/y", ("lora_file",), "file"),
        (None, "data:image/webp;base64,AA", (), "image"),
        ("model/gltf-binary", "https://x", (), "mesh"),
        ("text/plain; charset=utf-8", "https://x", (), "text"),
        (None, "https://[bad", ("audio", "url"), "audio"),
    ],
)
def test_the_kind_is_judged_by_the_surest_source_first(content_type, url, where, kind):
    assert media_kind(content_type, url, where) == kind


@given(st.binary(), st.sampled_from(["image/png", "text/plain"]))
def test_data_uris_round_trip(data, content_type):
    assert decode_data_uri(encode_data_uri(data, content_type)) == (data, content_type)


def test_data_uris_without_base64_are_read_too():
    assert decode_data_uri("data:,a%20b") == (b"a b", "text/plain")


@pytest.mark.parametrize("uri", ["https://x", "data:", "data:image/png;base64"])
def test_what_is_no_data_uri_is_refused(uri):
    with pytest.raises(FileError):
        decode_data_uri(uri)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\evil\\x.png", "x.png"),
        ("a\x00b\nc.png", "a_b_c.png"),
        ("...", "file"),
        ("", "file"),
        ("ok name.png", "ok name.png"),
        ("x" * 300 + ".png", "x" * 96 + ".png"),
        ("<img src=x>.png", "_img src_x_.png"),
    ],
)
def test_file_names_lose_everything_that_could_be_a_path(name, safe):
    assert safe_file_name(name) == safe


@given(st.text())
def test_no_name_is_a_path(name):
    safe = safe_file_name(name)
    assert safe not in {"", ".", ".."}
    assert not set(safe) & set("/\\\0\n")


@pytest.mark.parametrize(
    ("content_type", "extension"),
    [
        ("image/jpeg", ".jpg"),
        ("video/mp4", ".mp4"),
        ("audio/mpeg; x=1", ".mp3"),
        ("model/gltf-binary", ".glb"),
        (None, ".bin"),
        ("x/y", ".bin"),
    ],
)
def test_extensions_fit_the_content(content_type, extension):
    assert extension_for(content_type) == extension
    if content_type and extension != ".bin":
        assert guess_content_type(f"x{extension}") == content_type.partition(";")[0]
