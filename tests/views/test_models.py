"""The models view over a fake front end: what it sends, what it takes in, what it draws."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fal_nb.catalogue.model import Model
from fal_nb.catalogue.search import ANY, ModelQuery
from fal_nb.views.models import ModelsView, read_query
from fal_nb.views.models_look import InputLook, ModelDetails
from fal_nb.views.models_twin import TWIN_BYTES

WEBP = b"RIFF\x00\x00\x00\x00WEBP"


class FakeModels:
    def __init__(self, models, note="", pictures=None):
        self.models, self.note, self.is_simulated = models, note, True
        self.pictures = {} if pictures is None else pictures
        self.asked = []

    def known_picture(self, model):
        return self.pictures.get(model.endpoint)

    async def picture(self, model):
        self.asked.append(model.endpoint)
        return self.pictures.get(model.endpoint)

    def details(self, model):
        inputs = (InputLook("prompt", "text", "", "", is_required=True, description="What to \x1b[31mdraw"),)
        return ModelDetails(f'%fal run {model.endpoint} prompt=""', f"%fal form {model.endpoint}", inputs, "0.025 USD")


class Outlet:
    def __init__(self):
        self.posted, self.changes = [], []

    def changed(self, view, *, settled):
        self.changes.append(settled)

    def post(self, view, content, buffer):
        self.posted.append((content, buffer))

    def of(self, kind):
        return [(content, buffer) for content, buffer in self.posted if content["kind"] == kind]


MODELS = [
    Model(
        endpoint="fal-ai/flux/dev",
        name="FLUX",
        category="text-to-image",
        tags=("fast",),
        status="active",
        thumbnail_url="https://x.org/a",
    ),
    Model(endpoint="fal-ai/flux/old", name="Old", category="text-to-image", status="deprecated"),
    Model(
        endpoint="fal-ai/kling",
        name="Kling",
        category="text-to-video",
        status="active",
        description="moving <b>pictures</b>",
    ),
]


def view_of(models=MODELS, query=None, **options):
    view = ModelsView(FakeModels(models, **options), query or ModelQuery(), lambda function, *given: function(*given))
    view.outlet = Outlet()
    return view


async def settle(view):
    while view._answers._tasks:
        await asyncio.gather(*view._answers._tasks)


def order_of(buffer):
    return [int.from_bytes(buffer[at : at + 4], "little") for at in range(0, len(buffer), 4)]


def test_the_state_names_what_there_is_and_what_can_be_chosen():
    state = view_of(note="as of 3 days ago").state()
    assert (state["count"], state["matching"], state["note"]) == (3, 2, "as of 3 days ago")
    assert {name: dict(map(tuple, values)) for name, values in state["facets"]}["category"] == {
        "text-to-image": 1,
        "text-to-video": 1,
    }


def test_the_order_travels_as_bytes_and_a_question_brings_another():
    view = view_of()
    view.receive({"kind": "order"})
    ((content, buffer),) = view.outlet.of("order")
    assert (content["count"], order_of(buffer)) == (2, [0, 2])
    view.receive(
        {"kind": "query", "words": "flux", "filters": {}, "status": "any", "sort": "name", "is_descending": True}
    )
    content, buffer = view.outlet.of("order")[-1]
    assert order_of(buffer) == [1, 0]
    assert view.outlet.changes == [True]
    assert [model.endpoint for model in view.found] == ["fal-ai/flux/old", "fal-ai/flux/dev"]
    view.query = ModelQuery(words=("kling",))
    assert len(view) == 1


def test_a_choice_is_counted_as_if_it_were_made_and_what_is_chosen_stays():
    view = view_of(query=ModelQuery(words=("flux",), filters={"category": ("text-to-video",)}, status=ANY))
    facets = {name: dict(map(tuple, values)) for name, values in view.state()["facets"]}
    assert facets["category"] == {"text-to-image": 2, "text-to-video": 0}


async def test_cards_pictures_and_details_are_sent_when_asked_for():
    view = view_of(pictures={"fal-ai/flux/dev": WEBP})
    view.receive({"kind": "items", "cells": [0, 2, 99, -1, "x", True]})
    ((content, _),) = view.outlet.of("items")
    assert [row[:3] for row in content["items"]] == [[0, "fal-ai/flux/dev", "FLUX"], [2, "fal-ai/kling", "Kling"]]
    view.receive({"kind": "thumbnails", "cells": [0, 2]})
    await settle(view)
    ((content, buffer),) = view.outlet.of("thumbnails")
    assert content["pictures"] == [[0, "fal-ai/flux/dev", len(WEBP)], [2, "fal-ai/kling", 0]]
    assert buffer == WEBP
    view.receive({"kind": "details", "cell": 0})
    await settle(view)
    ((content, _),) = view.outlet.of("details")
    assert content["run_line"] == '%fal run fal-ai/flux/dev prompt=""'
    assert content["inputs"][0] == ["prompt", "text", "", "", True, "What to draw"]
    assert ["category", "text-to-image"] in content["facts"]


async def test_the_pictures_that_came_are_in_the_twin_which_stays_small():
    models = [Model(endpoint=f"a/b{n}", name="N" * 100, description="d" * 600, category="c") for n in range(300)]
    view = view_of(models, pictures={model.endpoint: WEBP + bytes(9_000) for model in models})
    html = view.twin()
    assert 0 < html.count("data:image/webp") < 10
    assert len(html) <= TWIN_BYTES
    assert "more" in html
    assert len(view.text().splitlines()) < 70


def test_twin_and_text_escape_what_models_say():
    view = view_of()
    assert "&lt;b&gt;" in view.twin()
    assert "moving <b>pictures</b>" in view.text()
    assert "2 of 3 models" in view.text()


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3), max_size=3)
    | st.dictionaries(
        st.sampled_from(["category", "tags", "x"]),
        st.none() | st.lists(st.text(max_size=3) | st.integers(), max_size=3),
        max_size=2,
    )
)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["kind", "words", "filters", "status", "sort", "is_descending", "cells", "cell"]),
        VALUES | st.sampled_from(["order", "query", "items", "thumbnails", "best", "newest", "any"]),
    )
)
def test_whatever_a_page_sends_is_a_question_or_nothing(content):
    query = read_query(content)
    assert query is None or (query.sort and query.status)
    if content.get("kind") not in ("thumbnails", "details"):  # these want a loop
        view_of().receive(content)


@pytest.mark.parametrize(
    "wrong",
    [
        {"filters": {"name": ["x"]}},
        {"filters": {"tags": ["\x1b[31m"]}},
        {"sort": "price"},
        {"status": "x"},
        {"words": 7},
    ],
)
def test_what_is_no_question_is_left(wrong):
    view = view_of()
    view.receive({"kind": "query", "words": "flux", **wrong})
    assert view.outlet.posted == []
