"""Hostile words as everything a form shows: names, titles, descriptions, choices, defaults, values, prices, errors."""

import pytest

from fal_nb.schemas.openapi import read_schema
from fal_nb.views.form import FormView
from tests.views.fake_form import FakeForm

from .judge import assert_inert, assert_plain, assert_sendable
from .words import EVERYTHING, LONG

WORDS = EVERYTHING | {"long": LONG}


def schema_of(words):
    about = {"title": words, "description": words}
    inner = {"type": "object", "title": words, "properties": {words[:200]: {"type": "string", "default": words}}}
    properties = {
        "prompt": {"type": "string", **about},
        words[:200]: {"type": "string", "default": words, **about},
        "style": {"enum": [words, f"{words}2"], "default": words, **about},
        "size": {"anyOf": [inner, {"enum": [words]}, {"type": "integer"}], **about},
        "parts": {"type": "array", "items": inner, **about},
        "any": about,
    }
    inputs = {"type": "object", "properties": properties, "required": ["prompt", words[:200]]}
    body = {"content": {"application/json": {"schema": inputs}}}
    info = {"x-fal-metadata": {"category": words, "about": words}}
    return read_schema("a/b", {"info": info, "paths": {"/a/b": {"post": {"requestBody": body}}}})


@pytest.mark.parametrize("words", WORDS.values(), ids=list(WORDS))
def test_a_form_is_text_whatever_it_shows(words):
    form = FakeForm(schema_of(words), price=words)
    some = words[:2_000]
    form.fill({"prompt": some, some[:200]: some, "style": some, "parts": [{some[:200]: some}], some: [some]})
    view = FormView(form)
    view.prepare()
    assert_sendable(view.state())
    assert_inert(view.twin())
    assert_plain(view.text())


def test_a_huge_document_makes_a_form_of_bearable_size_and_says_what_is_left_out():
    names = [f"input_{number}" for number in range(3_000)]
    choices = [f"{'v' * 30}{number}" for number in range(900)]
    properties = {name: {"enum": choices, "description": "d" * 2_000} for name in names}
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}
    schema = read_schema("a/b", {"paths": {"/a/b": {"post": {"requestBody": body}}}})
    view = FormView(FakeForm(schema))
    view.prepare()
    assert_sendable(view.state())
    assert view.state()["left_out"] > 2_000
    assert_inert(view.twin())
    assert_plain(view.text())
