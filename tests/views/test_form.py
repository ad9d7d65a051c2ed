import base64
import io
import json
import os
from pathlib import Path

import pytest
from PIL import Image

from fal_nb.schemas.openapi import read_schema
from fal_nb.views import form as form_module
from fal_nb.views.form import FormView
from fal_nb.views.form_files import MOST_BYTES, PART_BYTES
from fal_nb.views.form_state import VALUES_CHARS, sound_values
from fal_nb.views.view import View

from .fake_form import FakeForm
from .test_board import Outlet, say, wait_for

PROPERTIES = {
    "prompt": {"type": "string", "title": "Prompt"},
    "image_url": {"type": "string"},
    "num_images": {"type": "integer", "minimum": 1, "maximum": 4, "default": 1},
    "seed": {"type": "integer"},
    "style": {"enum": ["<b>", "plain"], "default": "plain"},
}


def schema():
    inputs = {"type": "object", "properties": PROPERTIES, "required": ["prompt"]}
    body = {"content": {"application/json": {"schema": inputs}}}
    return read_schema("a/b", {"paths": {"/a/b": {"post": {"requestBody": body}}}})


class Card(View):
    name = "card"
    is_settled = False

    def __init__(self):
        super().__init__()
        self.received = []

    def state(self):
        return {"view": self.id, "state": "RUNNING"}

    def twin(self):
        return "<div>a card</div>"

    def text(self):
        return "a card"

    def receive(self, content):
        self.received.append(content)


@pytest.fixture
def outlet():
    return Outlet()


@pytest.fixture
def form(tmp_path):
    return FakeForm(schema(), tmp_path / "inputs")


@pytest.fixture
def view(form, outlet):
    view = FormView(form)
    view.outlet = outlet
    return view


def edit(values, number=1, kind="edit", page="p1"):
    return {"kind": kind, "page": page, "edit": number, "values": json.dumps(values)}


def say_changed(runtime, card):
    async def changed():
        card._changed(settled=True)

    runtime.call(changed())


def looked(view, number):
    return lambda: view.state()["looked"] == ["p1", number]


def test_an_edit_is_looked_at_and_answered_with_cell_problems_and_price(view, form, runtime):
    say(runtime, view, edit({"prompt": "a fox", "num_images": 9, "style": "plain"}))
    wait_for(looked(view, 1))
    state = view.state()
    assert json.loads(state["values"]) == {"prompt": "a fox", "num_images": 9, "style": "plain"}
    assert json.loads(state["cell"]) == '%fal run a/b prompt="a fox" num_images=9'
    assert [problem["path"] for problem in state["problems"]] == [["num_images"]]
    assert state["price"] == "0.025 USD"


def test_edits_that_come_while_one_is_looked_at_are_looked_at_once_together(view, form, runtime):
    looks = form.look

    def slow():
        import time

        time.sleep(0.1)
        return looks()

    form.look = slow
    for number in range(1, 8):
        say(runtime, view, edit({"prompt": f"fox {number}"}, number))
    wait_for(looked(view, 7))
    assert form.looks <= 3
    assert "fox 7" in view.state()["cell"]


@pytest.mark.parametrize(
    "values",
    [
        "[1]",
        "nonsense",
        "NaN",
        '{"a": NaN}',
        "[" * 5000,
        '{"a":' * 50 + "1" + "}" * 50,
        " " * (VALUES_CHARS + 1),
        7,
        None,
    ],
)
def test_values_that_are_none_change_nothing_and_are_answered(view, form, runtime, values):
    assert sound_values(values) is None
    say(runtime, view, {"kind": "edit", "page": "p1", "edit": 1, "values": values})
    assert form.values == {}
    assert "too long" in view.state()["error"]


@pytest.mark.parametrize("content", [{}, {"kind": "run"}, {"kind": "file"}, {"kind": "card", "card": 1}, {"kind": 7}])
def test_other_messages_are_ignored(view, form, runtime, content):
    say(runtime, view, content)
    assert (form.values, form.looks) == ({}, 0)


def test_run_shows_the_calls_card_below_and_carries_its_messages_both_ways(view, form, outlet, runtime):
    card = Card()
    form._card = lambda: card
    say(runtime, view, edit({"prompt": "x"}, kind="run"))
    wait_for(lambda: view.state()["cards"] == [card.id])
    assert view.state()[f"card:{card.id}"] == {"view": card.id, "state": "RUNNING"}
    assert not view.is_settled
    assert "a card" in view.twin()
    assert view.text().endswith("a card")

    say(runtime, view, {"kind": "card", "card": card.id, "content": {"kind": "cancel"}})
    say(runtime, view, {"kind": "card", "card": "another", "content": {"kind": "cancel"}})
    assert card.received == [{"kind": "cancel"}]
    card._post({"kind": "media"}, b"bytes")
    assert outlet.posts[-1] == ({"kind": "card", "card": card.id, "content": {"kind": "media"}}, b"bytes")
    # The twin of the whole form is brought up to date when the call begins and when it has ended, not between.
    assert outlet.changes.count(True) == 1
    say_changed(runtime, card)
    assert outlet.changes.count(True) == 1
    card.is_settled = True
    say_changed(runtime, card)
    assert outlet.changes.count(True) == 2
    assert view.is_settled


def test_the_twin_is_not_brought_up_to_date_under_somebodys_typing(view, form, outlet, runtime, monkeypatch):
    monkeypatch.setattr(form_module, "_QUIET_S", 0.4)
    card = Card()
    form._card = lambda: card
    say(runtime, view, edit({"prompt": "x"}, kind="run"))
    wait_for(lambda: outlet.changes.count(True) == 1)
    say(runtime, view, edit({"prompt": "xy"}, 2))
    card.is_settled = True
    say_changed(runtime, card)
    assert outlet.changes.count(True) == 1
    wait_for(lambda: outlet.changes.count(True) == 2)


def test_a_call_that_is_refused_says_why_and_starts_nothing(view, runtime):
    say(runtime, view, edit({"prompt": "x"}, kind="run"))
    wait_for(lambda: "budget" in view.state()["error"])
    assert view.state()["cards"] == []
    assert view.state()["is_starting"] is False
    say(runtime, view, edit({"prompt": "y"}, 2))
    assert view.state()["error"] == ""


def test_only_the_newest_calls_stay_below(view, form, runtime):
    form._card = Card
    for number in range(1, 7):
        say(runtime, view, edit({"prompt": "x"}, number, kind="run"))
        wait_for(lambda: not view.state()["is_starting"])
    assert len(view.state()["cards"]) == 4


def test_the_twin_and_the_text_list_the_inputs_and_the_cell(view, form):
    form.fill({"prompt": "<b>fox</b>", "seed": 7})
    view.prepare()
    html, text = view.twin(), view.text()
    assert "<b>fox" not in html
    assert "&lt;b&gt;fox&lt;/b&gt;" in html
    for words in ("num_images", "integer", "1–4", 'prompt="', "seed=7", "required"):
        assert words in html
    assert '%fal run a/b prompt="<b>fox</b>" seed=7' in text
    assert "prompt *" in text


def parts_of(data, name="cat.png", upload="u1", size=None):
    pieces = [data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)] or [b""]
    about = {"kind": "file", "upload": upload, "name": name, "size": len(data) if size is None else size}
    return [{**about, "part": part, "data": base64.b64encode(piece).decode()} for part, piece in enumerate(pieces)]


def answers(outlet):
    return [content for content, _ in outlet.posts]


def send(view, runtime, outlet, parts):
    for part in parts:
        before = len(outlet.posts)
        say(runtime, view, part)
        wait_for(lambda before=before: len(outlet.posts) > before)
    return answers(outlet)[-1]


def test_a_file_comes_in_parts_and_is_kept_by_its_content(view, outlet, runtime, tmp_path):
    data = os.urandom(2 * PART_BYTES + 5)
    last = send(view, runtime, outlet, parts_of(data))
    assert [each["kind"] for each in answers(outlet)] == ["file-part", "file-part", "file-stored"]
    path = last["value"].removeprefix("@")
    assert Path(path).read_bytes() == data
    assert path.startswith(str(tmp_path / "inputs"))
    assert path.endswith("cat.png")
    # Again it is the same file, and nothing is left over.
    assert send(view, runtime, outlet, parts_of(data, upload="u2"))["value"] == f"@{path}"
    assert len([each for each in (tmp_path / "inputs").rglob("*") if each.is_file()]) == 1


@pytest.mark.parametrize(
    "name", ["../../evil.png", "/etc/passwd", "a/b\\c.png", "\x00", "", "." * 300, "x" * 500 + ".png"]
)
def test_a_name_leads_nowhere_else(view, outlet, runtime, tmp_path, name):
    last = send(view, runtime, outlet, parts_of(b"data", name=name))
    path = (tmp_path / "inputs" / last["value"].removeprefix("@")).resolve()
    assert path.parent.parent == (tmp_path / "inputs").resolve()
    assert path.read_bytes() == b"data"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"size": MOST_BYTES + 1}, "256 MiB"),
        ({"size": -1}, "missing"),
        ({"name": 7}, "missing"),
        ({"part": 1}, "lost"),
        ({"data": "?"}, "damaged"),
        ({"data": "A" * (PART_BYTES * 2)}, "lost"),
        ({"size": 1}, "size"),
    ],
)
def test_what_is_no_sound_part_of_a_file_is_refused_and_leaves_nothing(view, outlet, runtime, tmp_path, changed, why):
    last = send(view, runtime, outlet, [{**parts_of(b"data")[0], **changed}])
    assert last["kind"] == "file-error"
    assert why in last["error"]
    assert [each for each in (tmp_path / "inputs").rglob("*") if each.is_file()] == []


def test_a_form_that_goes_takes_half_a_file_with_it(view, outlet, runtime, tmp_path):
    send(view, runtime, outlet, parts_of(b"x" * (PART_BYTES + 1))[:1])
    view.close()
    assert [each for each in (tmp_path / "inputs").rglob("*") if each.is_file()] == []


def test_a_local_picture_is_shown_small_and_nothing_else_is(view, outlet, runtime, tmp_path):
    picture, text = tmp_path / "my cat.png", tmp_path / "secret.txt"
    Image.new("RGB", (900, 600), "red").save(picture)
    text.write_text("secret")
    for path in (picture, text, tmp_path, tmp_path / "nowhere.png"):
        send(view, runtime, outlet, [{"kind": "preview", "value": f"@{path}"}])
    (shown, data), *others = outlet.posts
    assert shown == {"kind": "preview", "value": f"@{picture}", "found": True}
    assert Image.open(io.BytesIO(data)).size == (320, 213)
    assert [(content["found"], buffer) for content, buffer in others] == [(False, None)] * 3
