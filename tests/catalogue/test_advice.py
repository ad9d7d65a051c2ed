"""What documentation and adviser say becomes hints, in whatever shape it comes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fal_nb.catalogue.advice import Advice, Hint, read_hints
from fal_nb.plain import is_plain

PAGE = "Title: Queue API\nLink: https://fal.ai/docs/queue\nContent: Submit,\nthen wait.\nTitle: Errors\nContent: 422"


def test_pages_are_read_by_their_lines():
    assert read_hints([PAGE]) == (
        Hint("Queue API", "Submit,\nthen wait.", "https://fal.ai/docs/queue"),
        Hint("Errors", "422"),
    )


@pytest.mark.parametrize(
    "value",
    [
        {"recommendations": [{"endpoint_id": "a/b", "name": "B", "category": "x", "hints": ["fast", "cheap"]}]},
        [{"endpoint_id": "a/b", "name": "B", "category": "x", "reason": "fast", "description": "cheap"}],
        {
            "task": "t",
            "candidates": {"first": {"model_id": "a/b", "title": "B", "category": "x", "why": "fast\ncheap"}},
        },
    ],
)
def test_models_are_found_wherever_they_stand(value):
    assert read_hints([json.dumps(value)]) == (Hint("B", "fast\ncheap", "", "a/b", "x"),)


def test_what_has_no_shape_is_text_and_links_follow():
    assert read_hints(["Just words."], [("A page", "https://x.org")]) == (
        Hint(text="Just words."),
        Hint("A page", link="https://x.org"),
    )
    assert read_hints(['{"answer": 7}']) == (Hint(text='{"answer": 7}'),)
    assert read_hints([]) == ()
    assert "Nothing was found" in repr(Advice("q", ()))


JSONS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["endpoint_id", "title", "name", "link", "hints", "x"]), inner, max_size=4)
    ),
    max_leaves=10,
)
FIELDS = st.lists(
    st.sampled_from(["Title: ", "Link: ", "Content: ", "\n", "x", "\x1b[31m", "{", "["]), max_size=12
).map("".join)


@settings(max_examples=60)
@given(st.lists(FIELDS | st.text(max_size=40) | JSONS.map(json.dumps), max_size=4))
def test_whatever_is_said_is_plain_text_and_html_without_a_link(texts):
    advice = Advice("\x1b[31mq<b>", read_hints(texts), "https://x\x1b.org", "<i>")
    assert is_plain(repr(advice))
    html = advice._repr_html_()
    assert is_plain(html)
    assert "<a" not in html
    assert "<b>" not in html
    for hint in advice:
        assert len(hint.text) <= 2_000
        assert "\n" not in hint.title + hint.link
