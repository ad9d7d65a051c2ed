"""A catalogue whose every word is hostile: what its view sends and draws, and where its pictures come from."""

import asyncio

import pytest

import fal_nb
from fal_nb import workbench
from fal_nb.catalogue.search import ANY, ModelQuery
from fal_nb.views.models_twin import TWIN_BYTES
from fal_nb.workbench import current

from .judge import assert_inert, assert_plain, assert_sendable


class Outlet:
    def __init__(self):
        self.posted = []

    def changed(self, view, *, settled):
        """Nothing to do."""

    def post(self, view, content, buffer):
        self.posted.append((content, buffer))


@pytest.fixture
def models(server, world, small_disk, monkeypatch):
    monkeypatch.setenv("FAL_NB_BASE_URL", server.base)
    monkeypatch.setenv("FAL_NB_HOME", str(world / "home" / "models"))
    monkeypatch.setattr(workbench, "_shell", lambda: None)
    current.forget()
    yield fal_nb.models(status=ANY, refresh=True)
    current().close()
    current.forget()


def test_the_list_its_frame_and_its_renderings_are_plain_and_inert(models):
    assert len(models) > 10
    assert_plain(repr(models), 10**6)
    assert_inert(models._repr_html_(), TWIN_BYTES)
    assert_plain(models.frame.to_csv(), 10**7)
    assert all(endpoint.startswith("hostile/") for endpoint in models.endpoints)
    assert "never came to its end" in models.note


def test_the_view_sends_plain_text_of_bearable_size_and_takes_no_bait(models, server, bait):
    view = current().models_view(current().catalogue.listing(), models.note, ModelQuery(status=ANY))
    view.outlet = outlet = Outlet()
    places = list(range(len(models)))

    async def ask():
        view.receive({"kind": "order"})
        view.receive({"kind": "items", "cells": places[:100]})
        view.receive({"kind": "thumbnails", "cells": places[:12]})
        for place in places[:2]:
            view.receive({"kind": "details", "cell": place})
        while view._answers._tasks:
            await asyncio.gather(*view._answers._tasks)

    current().session.runtime.call(ask(), 120)
    assert {content["kind"] for content, _ in outlet.posted} == {"order", "items", "thumbnails", "details"}
    for content, buffer in outlet.posted:
        assert_sendable(content)
        assert len(buffer or b"") < 512_000
    assert_sendable(view.state())
    assert_inert(view.twin(), TWIN_BYTES)
    assert_plain(view.text(), 10**6)
    # The kernel may look at a picture on this machine, as its base is on it; nobody else does, and no key goes along.
    assert bait.strangers == []
    assert all(b"authorization" not in head.lower() for head in bait.heads)
