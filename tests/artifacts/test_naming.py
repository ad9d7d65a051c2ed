from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.artifacts.naming import fill_pattern, free_path, name_artifact, name_part
from fal_nb.errors import FileError
from fal_nb.protocol.files import FileRef

HOSTILE = [
    "../../etc/passwd",
    "..\\..\\windows\\system32",
    "/etc/passwd",
    "C:\\x",
    "....//....//x",
    "~root",
    "~/x",
    "a\0b.png",
    "a\nb",
    "con",
    "NUL.txt",
    "lpt1.png",
    ".bashrc",
    "..",
    ".",
    "",
    " ",
    "x" * 5000,
    "ü" * 5000,
    "\ud800",
    "%2e%2e%2fx",
    'a:b|c?d*e<f>g"h',
    "\u202egnp.exe",
]  # fmt: skip


def is_one_safe_name(name):
    return (
        name not in {"", ".", ".."}
        and len(PurePosixPath(name).parts) == 1
        and len(PureWindowsPath(name).parts) == 1
        and not PureWindowsPath(name).drive
        and not any(character < " " for character in name)
        and not name.startswith(".")
        and len(name) <= 140
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_servers_file_name_never_leaves_its_folder(name):
    for ref in (
        FileRef(("x",), "https://x/y", "image", file_name=name),
        FileRef((name,), f"https://x/{name}", "image"),
    ):
        for content_type in ("image/png", "application/octet-stream"):
            assert is_one_safe_name(name_artifact(ref, content_type, 0))


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_never_leaves_its_folder(value):
    assert is_one_safe_name(name_part(value))


@given(st.text(max_size=200))
def test_no_text_at_all_becomes_more_than_one_name(text):
    assert is_one_safe_name(name_part(text))
    assert len(Path(fill_pattern("out/{x}.png", {"x": text})).parts) == 2


@pytest.mark.parametrize(
    ("name", "url", "content_type", "expected"),
    [
        ("fox.png", "https://x/y", "image/png", "fox.png"),
        ("fox.jpeg", "https://x/y", "image/jpeg", "fox.jpeg"),
        ("fox.PNG", "https://x/y", "image/png", "fox.PNG"),
        ("fox.png", "https://x/y", "image/jpeg", "fox.jpg"),
        ("fox.exe.png", "https://x/y", "image/webp", "fox.exe.webp"),
        (None, "https://x/a/b.mp4?token=1", "video/mp4", "b.mp4"),
        (None, "https://x/a/b%20c.mp4", "video/mp4", "b c.mp4"),
        (None, "https://x/", "image/png", "images-3.png"),
        (None, "data:image/png;base64,AA", "image/png", "images-3.png"),
        (None, "https://[x", "image/png", "images-3.png"),
        ("model", "https://x/y", "model/gltf-binary", "model.glb"),
        ("v1.5", "https://x/y", "image/png", "v1.5.png"),
        ("x.ckpt", "https://x/y", "application/octet-stream", "x.ckpt"),
        ("x.html", "https://x/y", "application/octet-stream", "x.bin"),
        ("x.png", "https://x/y", "application/octet-stream", "x.bin"),
        ("x", "https://x/y", "application/octet-stream", "x.bin"),
        ("aux.png", "https://x/y", "image/png", "_aux.png"),
        ("x.psd", "https://x/y", "image/vnd.adobe.photoshop", "x.psd"),
        ("x.exr", "https://x/y", "image/x-exr", "x.exr"),
    ],
)
def test_names_keep_what_is_known_and_get_a_fitting_extension(name, url, content_type, expected):
    assert name_artifact(FileRef(("images", 0), url, "image", file_name=name), content_type, 3) == expected


def test_a_file_without_any_name_is_called_file():
    assert name_artifact(FileRef((0,), "https://x/", "image"), "image/png", 2) == "file-2.png"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("out/{seed}.png", "out/42.png"),
        ("{index:03}-{seed:05d}.png", "007-00042.png"),
        ("{{x}}/{prompt}.jpg", "{x}/a fox-b c.jpg"),
        ("{endpoint}/{seed}", "fal-ai-flux-dev/42"),
        ("plain.png", "plain.png"),
    ],
)
def test_patterns_are_filled(pattern, expected):
    values = {"seed": 42, "index": 7, "prompt": "a fox/b\n c", "endpoint": "fal-ai/flux/dev"}
    assert fill_pattern(pattern, values) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "{nothing}", "{seed.__class__}", "{seed[0]}", "{", "}", "{}", "{0}", "{seed!r}", "{seed:>99999999}", "{seed:0100}", "{seed:x}",
        "{seed:{index}}", "{prompt:03}",
    ],
)  # fmt: skip
def test_broken_patterns_are_named(pattern):
    with pytest.raises(FileError) as caught:
        fill_pattern(f"out/{pattern}.png", {"seed": 42, "index": 1, "prompt": "x"})
    assert pattern in str(caught.value) or "not a pattern" in str(caught.value)


def test_the_error_for_an_unknown_name_lists_the_known_ones():
    with pytest.raises(FileError, match="index, seed"):
        fill_pattern("{sed}", {"seed": 1, "index": 2})


def test_the_next_choice_for_a_name_has_a_number():
    assert free_path(Path("a/b.png"), 0) == Path("a/b.png")
    assert free_path(Path("a/b.png"), 2) == Path("a/b-2.png")
    assert free_path(Path("a/b"), 1) == Path("a/b-1")
