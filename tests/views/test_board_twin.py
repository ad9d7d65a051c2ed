import base64
import io
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from fal_nb.views.board import BoardView, CellLook, placement
from fal_nb.views.board_twin import TWIN_BYTES, board_text

from .fake_sweep import FakeSweep, styles, thousand

EVIL = '"><img src=x onerror="hacked()"><script>hacked()</script><style>*{}</style>\n&lt;b&gt;'
ALLOWED = {"div", "span", "b", "br", "table", "tr", "th", "td", "img"}


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]

    def handle_data(self, data):
        self.words.append(data)


def read(sweep):
    reader = Reader()
    reader.feed(BoardView(sweep, sweep.path, sweep.thumbnail).twin())
    return reader


def finished(sweep):
    for key in sweep.cells:
        sweep.finish(key, size=(320, 320))
    return sweep


def test_every_cell_of_a_board_is_in_its_twin_with_a_small_picture():
    reader = read(finished(styles()))
    sources = [value for tag, name, value in reader.attributes if (tag, name) == ("img", "src")]
    assert len(sources) == 48
    for source in sources:
        assert source.startswith("data:image/webp;base64,")
        with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as picture:
            assert max(picture.size) <= 320
    assert "more are on the live one" not in " ".join(reader.words)
    assert reader.tags.count("table") == 2


def test_the_twin_uses_nothing_that_a_strangers_notebook_loses():
    reader = read(finished(styles()))
    assert set(reader.tags) <= ALLOWED
    assert {name for _, name, _ in reader.attributes} <= {"style", "src", "alt", "title", "colspan"}
    assert not [value for _, name, value in reader.attributes if name == "style" and "url(" in value]


def test_a_large_board_keeps_to_300_kilobytes_and_says_what_it_leaves_out():
    sweep = thousand()
    for number, key in enumerate(sweep.cells):
        sweep.finish(key, look=(number % 30, (number % 5, number % 7)), size=(320, 320))
    html = BoardView(sweep, sweep.path, sweep.thumbnail).twin()
    assert len(html.encode()) <= TWIN_BYTES
    shown = html.count("<img")
    assert shown >= 50
    assert f"{shown} of 1000 cells" in html


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_noisy_pictures_and_long_words_do_not_break_the_limit(count):
    sweep = FakeSweep({f"axis{n}": [f"{EVIL}{n}{at}" * 3 for at in range(4)] for n in range(count)})
    buffer = io.BytesIO()
    Image.frombytes("RGB", (96, 96), os.urandom(96 * 96 * 3)).save(buffer, "WEBP", quality=95)
    for key in sweep.cells:
        sweep.finish(key, look=(0, (0, 0)), size=(32, 32), reason=EVIL * 20)
    sweep.pictures = dict.fromkeys(sweep.pictures, buffer.getvalue())
    html = BoardView(sweep, sweep.path, sweep.thumbnail).twin()
    assert len(html.encode()) <= TWIN_BYTES


def test_hostile_words_stay_words_in_twin_and_text():
    sweep = FakeSweep({EVIL: (EVIL, "b"), "other": (EVIL,)}, name=EVIL)
    sweep.endpoint_text = EVIL
    for key in sweep.cells:
        sweep.become(key, state="FAILED", reason=EVIL)
    reader = read(sweep)
    assert set(reader.tags) <= ALLOWED - {"img"}
    assert "hacked()" in "".join(reader.words)
    assert len(board_text(sweep).splitlines()) == 4


def test_a_cell_without_a_picture_says_why():
    sweep = FakeSweep({"animal": ("fox", "owl"), "seed": ("1", "2", "3")})
    sweep.become("k0", state="FAILED", reason="the runner went away")
    sweep.become("k1", state="SKIPPED", reason="budget")
    sweep.become("k2", state="RUNNING", progress=0.4)
    del sweep.cells["k5"]
    words = " ".join(" ".join(read(sweep).words).split())
    for said in ("failed the runner went away", "skipped budget", "running 40 %", "no such call", "waiting"):
        assert said in words


def test_a_cell_to_which_an_axis_does_not_apply_is_shown_at_each_of_its_values():
    sweep = FakeSweep({"endpoint": ("a", "b"), "guidance": ("2", "3")})
    sweep.cells = {
        "x": CellLook(key="x", coordinates=(0, -1), state="FAILED", reason="only once"),
        "y": CellLook(key="y", coordinates=(1, 0), state="QUEUED"),
        "z": CellLook(key="z", coordinates=(1, 1), state="QUEUED"),
    }
    assert "".join(read(sweep).words).count("only once") == 2
    assert board_text(sweep).splitlines()[2].split()[:2] == ["a", "–"]


def test_the_text_is_an_aligned_table_of_at_most_sixty_cells():
    sweep = finished(styles())
    sweep.become("k2", is_from_memo=True, rating=3)
    head, names, *lines = board_text(sweep).splitlines()
    assert head.startswith("styles  fal-ai/flux/dev  48 cells · 48 done · spent 1.20 of 2.00 USD · simulated")
    assert names.split() == [
        "animal",
        "style",
        "guidance_scale",
        "seed",
        "state",
        "time",
        "cost",
        "rating",
        "sharpness",
    ]
    at = names.index("state")
    assert {line[at - 1] for line in lines} == {" "}
    assert {line[at : at + 4] for line in lines} == {"done"}
    assert "done, from memo" in lines[2]
    assert "★★★" in lines[2]
    many = board_text(thousand())
    assert many.endswith("… and 940 more cells")
    assert len(many.splitlines()) == 63


def test_axes_lie_where_the_live_board_puts_them():
    source = (Path(__file__).parents[2] / "js" / "tests" / "board_layout.test.ts").read_text()
    place = placement(styles().axes)
    names = [axis.name for axis in styles().axes]
    placed = {
        "superRows": names[place.super_rows], "rows": names[place.rows],
        "superColumns": names[place.super_columns], "columns": names[place.columns],
    }  # fmt: skip
    expected = re.search(r"const four = \{(.*?)\}", source, re.DOTALL)[1]
    assert dict(re.findall(r'(\w+): "(\w+)"', expected)) == placed
