import pytest

from fal_nb.artifacts.sniff import kind_of, plain_type, settle_type, sniff

SVG = b'<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\x89PNG\n\n\n\n", None),
        (b"GIF89a", "image/gif"),
        (b"MM\0*\0\0", "image/tiff"),
        (b"II*\0\0\0", "image/tiff"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
        (b"RIFF\0\0\0\0ABCD", None),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x20ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x20ftypavif", "image/avif"),
        (b"\x1aE\xdf\xa3\x01B\x82\x84webm", "video/webm"),
        (b"\x1aE\xdf\xa3\x01B\x82\x88matroska", "video/x-matroska"),
        (b"OggS\0\x02", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xfb\xf0\x64", None),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"FORM\0\0\0\0AIFF", "audio/aiff"),
        (b"glTF\x02\0\0\0", "model/gltf-binary"),
        (b"ply\nformat ascii 1.0\n", "model/ply"),
        (b"PK\x03\x04", "application/zip"),
        (b"%PDF-1.7", "application/pdf"),
        (b"BM" + bytes(12) + b"\x28\0\0\0" + bytes(20), "image/bmp"),
        (b"BM is what this text begins with, and it goes on", "text/plain"),
        (b"G" + bytes(187) + b"G" + bytes(187) + b"G", "video/mp2t"),
        (b"hello", "text/plain"),
        ("grüße".encode() + b"\n", "text/plain"),
        ("grüß".encode()[:-1], "text/plain"),
        ("\ufeffx".encode("utf-16"), "text/plain"),
        (b'{"a": 1}', "text/plain"),
        (SVG, "image/svg+xml"),
        (b"\xef\xbb\xbf  <SVG onload=alert(1)>", "image/svg+xml"),
        (b"<!DOCTYPE html><body><svg>", "text/html"),
        (b"\n<html>", "text/html"),
        (b"<script>alert(1)</script>", "text/html"),
        (b"<svg><body></svg>", "image/svg+xml"),
        (b"a < b and <html>", "text/plain"),
        (b"", None),
        (b"\0\1\2\3", None),
        (b"\x80\x81", None),
    ],
)  # fmt: skip
def test_first_bytes_prove_a_type_or_nothing(head, expected):
    assert sniff(head) == expected


@pytest.mark.parametrize(
    ("sniffed", "claimed", "expected"),
    [
        ("image/jpeg", "image/png", "image/jpeg"),
        ("image/jpeg", "", "image/jpeg"),
        ("text/html", "image/png", "text/html"),
        ("application/zip", "model/vnd.usdz+zip", "model/vnd.usdz+zip"),
        ("application/zip", "image/png", "application/zip"),
        ("application/zip", "application/octet-stream", "application/zip"),
        ("text/plain", "application/json", "application/json"),
        ("text/plain", "application/x-subrip", "application/x-subrip"),
        ("text/plain", "text/csv", "text/csv"),
        ("text/plain", "text/html", "text/plain"),
        ("text/plain", "model/obj", "model/obj"),
        ("text/plain", "image/png", "text/plain"),
        ("text/plain", "application/pdf", "text/plain"),
        ("audio/ogg", "video/ogg", "video/ogg"),
        ("audio/ogg", "video/mp4", "audio/ogg"),
        (None, "application/x-safetensors", "application/x-safetensors"),
        (None, "model/splat", "model/splat"),
        (None, "model/gltf-binary", "application/octet-stream"),
        (None, "image/png", "application/octet-stream"),
        (None, "video/mp4", "application/octet-stream"),
        (None, "text/plain", "application/octet-stream"),
        (None, "", "application/octet-stream"),
    ],
)
def test_a_claim_decides_only_between_what_the_bytes_allow(sniffed, claimed, expected):
    assert settle_type(sniffed, claimed) == expected


def test_types_are_compared_by_their_usual_names():
    assert plain_type(" Image/JPG; charset=x") == "image/jpeg"
    assert plain_type("audio/x-wav") == "audio/wav"
    assert plain_type(None) == ""


def test_a_drawing_that_can_hold_a_script_is_no_picture():
    assert kind_of("image/svg+xml") == "file"
    assert kind_of("image/png") == "image"
    assert kind_of("text/html") == "text"
