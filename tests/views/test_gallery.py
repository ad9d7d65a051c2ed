import array
import asyncio
import time
from pathlib import Path

import pandas as pd
import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import HistoryError
from fal_nb.shown_outputs import ShownOutputs
from fal_nb.simulator.server import SimulatorServer
from fal_nb.views.gallery import GalleryView, read_query
from fal_nb.views.gallery_look import Query
from fal_nb.views.gallery_twin import TWIN_BYTES

FLUX = "fal-ai/flux/schnell"
SIZE = {"width": 64, "height": 48}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A history of six calls: pictures, several of one call, a text, and a call that made nothing to look at."""
    with SimulatorServer(runners=4, speed=50) as simulator:
        session = Session(base_url=simulator.base_url, home=tmp_path_factory.mktemp("home"), notify=lambda line: None)
        calls = [
            (FLUX, {"prompt": "a red fox", "seed": 2, "image_size": SIZE, "num_images": 3}),
            (FLUX, {"prompt": "an <b>owl</b>", "seed": 10, "image_size": {"width": 48, "height": 96}}),
            ("fal-ai/flux/dev", {"prompt": "a red boat {x}", "seed": 1, "image_size": SIZE, "guidance_scale": 4}),
            ("fal-ai/any-llm", {"prompt": "Why?"}),
            ("simulator/sleep", {"seconds": 0}),
            (FLUX, {"prompt": "a fox", "seed": 3, "image_size": SIZE}),
        ]
        for endpoint, arguments in calls:
            session.submit(endpoint, arguments).get(60)
        yield session
        session.close()


@pytest.fixture
def outputs(session):
    return ShownOutputs(session)


class Outlet:
    def __init__(self):
        self.changes, self.posts = [], []

    def changed(self, view, *, settled):
        self.changes.append(settled)

    def post(self, view, content, buffer):
        self.posts.append((content, buffer))

    def of(self, kind):
        return [(content, buffer) for content, buffer in self.posts if content["kind"] == kind]


@pytest.fixture
def outlet():
    return Outlet()


@pytest.fixture
def view(outputs, session, outlet):
    def frame_of(records):
        return session.frame(where={"record": list(records)})

    view = GalleryView(outputs, session.artifacts.path, frame_of, session.runtime.post)
    view.outlet = outlet
    return view


@pytest.fixture
def say(session, view, outlet):
    """Return a function that says something to the view as a page would, and waits for what it is answered."""

    def say(content, kind=None):
        before = len(outlet.of(kind)) if kind else len(outlet.changes)

        async def receive():
            view.receive(content)

        session.runtime.call(receive())
        deadline = time.monotonic() + 20
        while (len(outlet.of(kind)) if kind else len(outlet.changes)) == before:
            assert time.monotonic() < deadline, "no answer"
            time.sleep(0.005)
        return outlet.of(kind)[before:] if kind else None

    return say


def records(outputs, places):
    return [outputs.records[place] for place in places]


class TestFinding:
    def test_every_output_has_a_place_newest_call_first_and_its_own_files_in_order(self, outputs):
        assert records(outputs, outputs.find(Query())) == [6, 4, 3, 2, 1, 1, 1]
        assert outputs.ratios[0] == pytest.approx(64 / 48)
        assert outputs.ratios[3] == pytest.approx(0.5)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (Query(words=("red",)), [3, 1, 1, 1]),
            (Query(words=("red", "boat")), [3]),
            (Query(filters={"endpoint": ("fal-ai/flux/dev",)}), [3]),
            (Query(filters={"seed": (10, 3)}), [6, 2]),
            (Query(filters={"kind": ("video",)}), []),
            (Query(filters={"kind": ("text",)}), [4]),
            (Query(sort="seed", is_descending=False), [3, 1, 1, 1, 6, 2, 4]),
            (Query(sort="seed"), [2, 6, 1, 1, 1, 3, 4]),
            (Query(is_descending=False), [1, 1, 1, 2, 3, 4, 6]),
            (Query(words=("nothing of the kind",)), []),
        ],
    )
    def test_words_filters_and_order(self, outputs, query, expected):
        assert records(outputs, outputs.find(query)) == expected

    def test_an_order_there_is_not_is_refused(self, outputs):
        with pytest.raises(HistoryError, match="sorted by created"):
            outputs.find(Query(sort="r.id; DROP TABLE records"))

    def test_what_is_hidden_is_left_out_until_asked_for(self, outputs, session):
        outputs.tag([0], "hidden", is_on=True)
        assert records(outputs, outputs.find(Query())) == [4, 3, 2, 1, 1, 1]
        assert records(outputs, outputs.find(Query(with_hidden=True)))[0] == 6
        outputs.tag([0], "hidden", is_on=False)

    def test_facets_count_what_can_be_told_apart(self, outputs):
        facets = {facet.name: dict(facet.counts) for facet in outputs.facets()}
        assert facets["endpoint"] == {FLUX: 3, "fal-ai/flux/dev": 1, "fal-ai/any-llm": 1}
        assert "backend" not in facets
        assert "prompt" not in facets

    def test_outputs_of_some_records_only(self, session):
        some = ShownOutputs(session, [1, 2], name="two calls")
        assert records(some, some.find(Query())) == [2, 1, 1, 1]
        assert {facet.name for facet in some.facets()} <= {"num_images", "endpoint"}


class TestMessages:
    def test_the_order_travels_as_places_and_shapes(self, say, outputs):
        [(about, buffer)] = say({"kind": "order"}, "order")
        assert (about["count"], about["part"], about["parts"]) == (7, 0, 1)
        places = array.array("I", buffer[: 4 * 7])
        ratios = array.array("H", buffer[4 * 7 :])
        assert list(places) == [0, 1, 2, 3, 4, 5, 6]
        assert list(ratios) == [round(ratio * 1000) for ratio in outputs.ratios]

    def test_a_question_sends_a_new_order_and_says_how_many_pass(self, say, view):
        [(about, _)] = say({"kind": "query", "words": "red boat", "filters": {}, "sort": "created"}, "order")
        assert about == {"kind": "order", "revision": 1, "count": 1, "part": 0, "parts": 1}
        assert (view.state()["matching"], view.state()["count"], len(view)) == (1, 7, 1)

    def test_an_error_is_said_and_the_order_stays(self, say, view):
        say({"kind": "query", "words": "", "filters": {'a"b': ["x"]}, "sort": "created"})
        assert "cannot be filtered" in view.state()["error"]
        assert len(view) == 7

    def test_tiles_are_sent_for_what_is_asked(self, say):
        [(about, _)] = say({"kind": "items", "cells": [3, 0, 99, -1, "1", True]}, "items")
        rows = {row[0]: row for row in about["items"]}
        assert sorted(rows) == [0, 3]
        assert rows[3][1] == "image"
        assert rows[3][9:14] == [2, 0, FLUX, "an <b>owl</b>", 10]

    def test_pictures_come_one_behind_the_other_each_webp(self, say):
        [(about, buffer)] = say({"kind": "thumbnails", "cells": [0, 2]}, "thumbnails")
        sizes = [size for _, _, size in about["pictures"]]
        assert sum(sizes) == len(buffer)
        assert buffer[8:12] == buffer[sizes[0] + 8 : sizes[0] + 12] == b"WEBP"

    def test_an_original_comes_in_parts_and_details_with_the_path_of_the_file(self, say, session):
        [(about, buffer)] = say({"kind": "media", "which": "original", "index": 0}, "media")
        assert about["parts"] == 1
        [(details, _)] = say({"kind": "details", "cells": [0]}, "details")
        assert details["arguments"]["prompt"] == "a fox"
        assert Path(details["path"]).read_bytes() == buffer

    @pytest.mark.parametrize(
        ("what", "endpoint", "expected"),
        [
            ("again", "", ["%fal run fal-ai/flux/dev", "seed=1"]),
            ("vary", "", ["fal.sweep('fal-ai/flux/dev', {'prompt': 'a red boat {{x}}'", "random 8"]),
            (
                "elsewhere",
                "fal-ai/flux/schnell",
                ["%fal run fal-ai/flux/schnell", "seed=1", "guidance_scale=4"],
            ),
            (
                "input",
                "fal-ai/flux/dev/image-to-image",
                ["source = fal.result(3).files[0]\n", "{'image_url': source, 'prompt': 'a red boat {x}'}"],
            ),
            ("input", " fal-ai/hunyuan3d/v2 ", ["fal.subscribe('fal-ai/hunyuan3d/v2', {'input_image_url': source})"]),
        ],
    )
    def test_a_tile_gives_a_cell_that_can_be_run(self, say, what, endpoint, expected):
        [(about, _)] = say({"kind": "code", "cell": 2, "what": what, "endpoint": endpoint}, "code")
        assert [each for each in expected if each not in about["text"]] == []

    def test_what_another_endpoint_lacks_is_left_out_and_named(self, say):
        asked = {"kind": "code", "cell": 2, "what": "elsewhere", "endpoint": "fal-ai/hunyuan3d/v2"}
        [(about, _)] = say(asked, "code")
        assert about["notes"][:2] == [
            "fal-ai/hunyuan3d/v2 takes no prompt",
            "fal-ai/hunyuan3d/v2 takes no image_size",
        ]
        assert "still to be given: input_image_url" in about["notes"]
        assert about["text"].endswith("%fal run fal-ai/hunyuan3d/v2 seed=1 guidance_scale=4")

    @pytest.mark.parametrize(
        ("what", "endpoint", "words"),
        [
            ("input", FLUX, f"{FLUX} takes no image"),
            ("elsewhere", "no endpoint!", "no endpoint!"),
            ("elsewhere", "", "endpoint"),
        ],
    )
    def test_an_endpoint_that_cannot_be_used_is_one_line_in_the_gallery(self, view, say, what, endpoint, words):
        say({"kind": "code", "cell": 2, "what": what, "endpoint": endpoint})
        assert words in view.state()["error"]

    def test_the_path_of_a_file_has_its_extension(self, say):
        [(about, _)] = say({"kind": "code", "cell": 0, "what": "path"}, "code")
        assert about["text"].endswith(".jpg")
        assert Path(about["text"]).stat().st_size > 0

    def test_endpoints_that_take_the_output_are_offered(self, session):
        class Known:
            def endpoints(self):
                return [FLUX, "fal-ai/flux/dev/image-to-image", "fal-ai/unheard", "fal-ai/flux/dev"]

            def schema(self, endpoint):
                return None if "unheard" in endpoint else session.preflight.schema(endpoint)

        outputs = ShownOutputs(session, known=Known())
        assert outputs.offers(2, "input") == ["fal-ai/flux/dev/image-to-image"]
        assert outputs.offers(2, "elsewhere")[-1] == "fal-ai/unheard"
        assert "fal-ai/flux/dev" not in outputs.offers(2, "elsewhere")

    @pytest.mark.parametrize(
        "content",
        [
            {"kind": "query", "words": 3},
            {"kind": "query", "filters": []},
            {"kind": "query", "filters": {"seed": [{}]}},
            {"kind": "query", "sort": "nothing"},
            {"kind": "items", "cells": "all"},
            {"kind": "rate", "cells": [0], "rating": 9},
            {"kind": "rate", "cells": [0], "rating": True},
            {"kind": "tag", "cells": [0], "tag": 7},
            {"kind": "code", "cell": 0, "what": "rm"},
            {"kind": "media", "index": 10**9, "which": "original"},
            {"kind": ["query"]},
            {},
        ],
    )
    def test_nonsense_from_a_page_changes_nothing(self, session, view, outlet, content):
        async def receive():
            view.receive(content)

        before = session.history.get(6)
        session.runtime.call(receive())
        session.runtime.call(_settled(view))
        assert session.history.get(6) == before
        assert not [content for content, _ in outlet.posts if content["kind"] != "items"]


async def _settled(view):
    await asyncio.gather(*view._answers._tasks)


class TestMarks:
    def test_a_rating_a_tag_and_a_note_are_written_and_shown(self, say, session):
        [(about, _)] = say({"kind": "rate", "cells": [0], "rating": 4}, "items")
        assert about["items"][0][16] == 4
        say({"kind": "tag", "cells": [0, 2], "tag": "keeper"}, "items")
        say({"kind": "note", "cells": [0], "text": "good light"}, "items")
        record = session.history.get(6)
        assert (record.rating, tuple(record.tags), record.note) == (4, ("keeper",), "good light")
        assert tuple(session.history.get(3).tags) == ("keeper",)
        say({"kind": "tag", "cells": [0, 2], "tag": "keeper", "on": False}, "items")
        say({"kind": "rate", "cells": [0], "rating": None}, "items")
        assert session.history.get(6).rating is None

    def test_a_tag_that_was_just_given_can_be_filtered_by(self, say, view, session):
        def tags():
            return [value for name, values in view.state()["facets"] if name == "tags" for value, _ in values]

        session.observe_marks(view.marked)
        say({"kind": "order"})
        for tag in ("keeper", "best"):
            say({"kind": "tag", "cells": [2], "tag": tag}, "items")
            deadline = time.monotonic() + 20
            while tag not in tags():
                assert time.monotonic() < deadline, "the filters never had it"
                time.sleep(0.005)

    def test_a_tag_that_is_none_is_said(self, say, view):
        say({"kind": "tag", "cells": [0], "tag": ""})
        assert view.state()["error"]


class TestSelection:
    def test_what_the_page_selects_is_a_frame_in_python(self, say, view):
        say({"kind": "select", "cells": [0, 3], "on": True}, "selection")
        assert sorted(view.selected.index) == [2, 6]
        say({"kind": "select", "cells": [0], "on": False}, "selection")
        assert list(view.selected["prompt"]) == ["an <b>owl</b>"]

    def test_what_python_selects_is_told_to_the_page(self, view, outlet, session):
        view.selected = pd.DataFrame({"record": [1]})
        session.runtime.call(_settled(view))
        [(about, buffer)] = outlet.of("selection")
        assert list(array.array("I", buffer)) == [4, 5, 6]
        assert view.state()["selected"] == about["count"] == 3

    def test_all_that_pass_are_selected_at_once(self, say, view):
        say({"kind": "query", "words": "red", "filters": {}, "sort": "created"}, "order")
        say({"kind": "select", "all": True}, "selection")
        assert sorted(view.selected.index) == [1, 3]
        say({"kind": "select", "none": True}, "selection")
        assert len(view.selected) == 0


class TestTwin:
    def test_it_holds_the_first_pictures_and_no_html_of_a_prompt(self, view):
        twin = view.twin()
        assert twin.count("data:image/webp;base64,") == 6
        assert "an &lt;b&gt;owl&lt;/b&gt;" in twin
        assert "<b>owl" not in twin
        assert len(twin) < TWIN_BYTES

    def test_two_hundred_pictures_stay_under_the_limit_and_it_says_what_is_left_out(self, outputs, view):
        view._order = [0, 1, 2, 3, 4, 5] * 40
        assert len(view.twin()) < TWIN_BYTES
        assert "192 more are in the live gallery and in the history." in view.twin()

    def test_the_text_is_a_line_each(self, view):
        lines = view.text().splitlines()
        assert lines[0] == "history: 7 of 7 outputs"
        assert len(lines) == 8


def test_a_question_is_cut_to_size():
    query = read_query({"words": "w " * 500, "filters": {"seed": []}, "sort": "cost", "is_descending": False})
    assert (len(query.words), query.filters, query.sort, query.is_descending) == (20, {}, "cost", False)
