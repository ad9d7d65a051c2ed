"""Hostile texts as everything a board shows: names, labels, reasons, arguments, texts of results."""

import pytest

from fal_nb.views.board import BoardView, CellArtifact
from tests.views.fake_sweep import FakeSweep

from .judge import assert_inert, assert_plain, assert_sendable
from .words import EVERYTHING


@pytest.mark.parametrize("words", EVERYTHING.values(), ids=list(EVERYTHING))
def test_a_board_is_text_whatever_it_shows(words):
    sweep = FakeSweep({words: (words, "owl"), "style": ("x", f"{words}{words}")}, name=words)
    sweep.endpoint_text = words
    sweep.become("k0", state="FAILED", reason=words)
    text = CellArtifact(kind="text", content_type=words, digest="d" * 64, text=words)
    sweep.become("k1", state="SUCCEEDED", artifact=text, artifact_count=1, scores={words: 1.0})
    sweep.become("k2", state="SKIPPED", reason=words, arguments={words: words, "inner": {words: [words]}})
    view = BoardView(sweep, lambda digest: None, lambda digest: None)
    assert_sendable(view.state())
    assert_inert(view.twin())
    assert_plain(view.text())
    sent = []
    view.outlet = type("Outlet", (), {"post": lambda _self, _view, content, _buffer: sent.append(content)})()
    view.receive({"kind": "details", "cells": [0, 1, 2]})
    assert sent
    for content in sent:
        assert_sendable(content)


def test_a_picture_that_is_too_large_to_look_into_is_not_given_to_the_page(tmp_path):
    sweep = FakeSweep({"seed": ("1", "2")})
    bomb = CellArtifact(
        kind="image", content_type="image/png", digest="d" * 64, error="60000×60000 pixels are too many"
    )
    sweep.become("k0", state="SUCCEEDED", artifact=bomb, artifact_count=1)
    (tmp_path / "blob").write_bytes(b"x")
    view = BoardView(sweep, lambda digest: tmp_path / "blob", lambda digest: None)
    sent = []
    view.outlet = type("Outlet", (), {"post": lambda _self, _view, content, buffer: sent.append((content, buffer))})()
    view.receive({"kind": "media", "which": "original", "index": 0})
    ((content, buffer),) = sent
    assert (content["kind"], buffer) == ("media-error", None)
    assert "too many" in content["error"]
