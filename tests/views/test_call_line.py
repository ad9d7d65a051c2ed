"""What a call is about, in one line, as a person would say it."""

import pytest

from fal_nb.views.call_line import call_line, kept_for_line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"image_url": "https://v3.fal.media/files/a/fox%20one.png", "upscaling_factor": 4}, "image: fox one.png · upscaling factor: 4"),
        ({"audio_url": "data:audio/wav;base64,AAAA"}, "audio: audio/wav, in the call"),
        ({"image_urls": ["https://x.org/a.png", "https://x.org/b.png", "https://x.org/c.png"]}, "image urls: a.png and 2 more"),
        ({"image_url": "https://user:pass@x.org"}, "image: x.org"),
        ({"seed": None, "mode": "fast", "size": {"width": 3}}, 'mode: fast · size: {"width": 3}'),
        ({f"a{n}": n for n in range(8)}, "a0: 0 · a1: 1 · a2: 2 · a3: 3 · a4: 4 · a5: 5 · and 2 more"),
        ({"image_url": "http://[broken"}, "image: http://[broken"),
        ({"x": "one\ntwo"}, "x: one two"),
        ({}, ""),
    ],
)  # fmt: skip
def test_arguments_are_named_as_a_person_would_name_them(arguments, line):
    assert call_line(arguments) == line
    assert call_line(kept_for_line(arguments)) == line


def test_a_prompt_is_kept_and_the_rest_is_not():
    assert kept_for_line({"prompt": "x" * 5_000, "seed": 1}) == {"prompt": "x" * 1_000}
