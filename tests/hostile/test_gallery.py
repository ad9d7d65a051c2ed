"""Hostile texts as everything a gallery shows: prompts, endpoints, notes, tags, errors, texts of results."""

import asyncio
import json
import re

import pandas as pd
import pytest

from fal_nb.views.board_look import CellArtifact
from fal_nb.views.gallery import GalleryView
from fal_nb.views.gallery_look import Facet, OutputLook, Written

from .judge import assert_inert, assert_plain, assert_sendable
from .words import EVERYTHING


class HostileOutputs:
    """Three outputs of which every text is the same hostile one."""

    backend = "simulator"
    records = (3, 2, 1)
    ratios = (1.0, 1.0, 1.0)

    def __init__(self, words):
        self.name = self.words = words

    def subset(self, places):
        return self

    def find(self, query):
        return [0, 1, 2]

    def facets(self):
        return [Facet(self.words, ((self.words, 2), ("x", 1)))]

    def looks(self, places):
        words = self.words
        artifacts = (
            CellArtifact(kind="text", content_type=words, digest="d" * 64, text=words),
            CellArtifact(kind="image", content_type=words, digest="d" * 64, error=words),
            CellArtifact(kind="file", content_type=words, text=words),
        )
        return {
            place: OutputLook(
                record=self.records[place], position=0, endpoint=words, artifact=artifacts[place], created=0.0,
                prompt=words, seed=words, tags=(words,), note=words, request_id=words,
                arguments={words: words, "inner": {words: [words]}},
            )
            for place in places
        }  # fmt: skip

    def thumbnails(self, places):
        return {}

    def code(self, place, what, endpoint=""):
        return Written("%fal run x", (self.words,))

    def offers(self, place, what):
        return [self.words, "fal-ai/x"]


@pytest.mark.parametrize("words", EVERYTHING.values(), ids=list(EVERYTHING))
def test_a_gallery_is_text_whatever_it_shows(words, tmp_path):
    view = GalleryView(HostileOutputs(words), lambda digest: tmp_path / "blob", lambda records: None, lambda *_: None)
    sent = []
    outlet = {"post": lambda _self, _view, content, _buffer: sent.append(content), "changed": lambda *_, **__: None}
    view.outlet = type("Outlet", (), outlet)()

    async def look():
        view.receive({"kind": "order"})
        view.receive({"kind": "items", "cells": [0, 1, 2]})
        view.receive({"kind": "details", "cells": [0, 1, 2]})
        view.receive({"kind": "media", "which": "original", "index": 1})
        view.receive({"kind": "code", "cell": 0, "what": "elsewhere", "endpoint": words})
        view.receive({"kind": "offers", "cell": 0, "what": "input"})
        view.receive({"kind": "query", "words": words, "filters": {words[:50]: [words[:50]]}, "sort": "created"})
        await asyncio.gather(*view._answers._tasks)

    asyncio.run(look())
    assert {content["kind"] for content in sent} == {"order", "items", "details", "media-error", "code", "offers"}
    for content in sent:
        assert_sendable(content)
    assert_sendable(view.state())
    assert_inert(view.twin())
    assert_plain(view.text())


@pytest.mark.parametrize("words", EVERYTHING.values(), ids=list(EVERYTHING))
def test_an_exported_gallery_is_text_whatever_is_in_it(words, tmp_path):
    def frame_of(records):
        columns = {"backend": words, "sweep": words, words: words, "arguments": [{words: [words]}] * len(records)}
        return pd.DataFrame(columns, index=pd.Index(list(records), name="record"))

    view = GalleryView(HostileOutputs(words), lambda digest: tmp_path / "blob", frame_of, lambda *_: None)
    notes = []
    (path,) = view.export(tmp_path / "x.html", on_note=notes.append)
    page = path.read_text("utf-8")
    assert page.count("</script>") == page.count("<script ")
    assert_inert(page[page.index("<main") : page.index("</main>")].partition(">")[2], 300_000)
    for text in re.findall(r'type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL):
        assert_sendable(json.loads(text))
    title = re.search(r"<title>(.*?)</title>", page)[1]
    assert "<" not in title
    assert_plain("".join(notes), 10**4)
    (path,) = view.export(tmp_path / "x.csv")
    assert_plain(path.read_text("utf-8"), 10**6)
