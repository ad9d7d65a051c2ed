"""A contact sheet shows every combination in its place, says why one is missing, and never grows past what opens."""

import pytest
from PIL import Image

from fal_nb.errors import FileError
from fal_nb.exports.lettering import Lettering
from fal_nb.exports.sheet_drawing import Head, SheetPage, Tile, draw_page
from fal_nb.sweeps import sheet as sheet_module
from fal_nb.sweeps.sheet import GAP, HEAD_HEIGHT, LABEL_WIDTH

LONG = "an owl " * 200
INK = (255, 0, 0)


def ink(image, box):
    """Darkest value of a part of a picture: 255 is bare paper."""
    return image.crop(box).convert("L").getextrema()[0]


def tile_box(row, column, side):
    left, top = LABEL_WIDTH + GAP + column * (side + GAP), HEAD_HEIGHT + GAP + row * (side + GAP)
    return left, top, left + side, top + side


def test_a_sheet_has_the_size_that_the_plan_announced_and_a_tile_for_each_cell(sweep, tmp_path):
    seen = []
    paths = sweep.export(tmp_path / "out" / "x.png", on_progress=lambda *told: seen.append(told))
    assert paths == [tmp_path / "out" / "x.png"]
    announced = sweep.outlook().sheet
    with Image.open(paths[0]) as image:
        assert image.format == "PNG"
        assert image.size == (announced.width, announced.height)
        colours = [
            len(image.crop(tile_box(row, column, 256)).getcolors(70_000)) for row in range(2) for column in (0, 1)
        ]
    assert max(colours) > 500  # pictures
    assert seen[-1] == (8, 8, "tiles on 1 page")
    assert list(paths[0].parent.iterdir()) == paths


def test_a_tile_holds_the_original_where_it_is_here(session, sweep, tmp_path):
    view = next(iter(sweep))
    sweep.export(tmp_path / "x.png")
    with (
        Image.open(tmp_path / "x.png") as sheet,
        Image.open(session.artifacts.path(view.artifacts[0].digest)) as original,
    ):
        tiles = [sheet.crop(tile_box(row, column, 256)) for row in range(2) for column in range(4)]
        middles = [tile.crop((96, 104, 160, 152)).tobytes() for tile in tiles if tile.height == 256]
        assert original.convert("RGB").tobytes() in middles


def test_words_stay_inside_their_tile_and_labels_in_their_column():
    side = 96
    page = SheetPage(
        title=LONG, words=LONG, corner=(LONG, LONG), rows=(Head(LONG, LONG), Head("漢字" * 90, LONG)),
        columns=(Head(LONG, LONG), Head("x" * 900, LONG)),
        tile_at=lambda row, column: Tile(title=LONG, text=LONG if column else "W" * 900, colour="#ff0000"),
    )  # fmt: skip
    size = (700, HEAD_HEIGHT + GAP + 2 * (side + GAP))
    image = draw_page(page, size, side)
    for at in range(2):
        left, top, right, bottom = tile_box(at, at, side)
        assert ink(image, (left + 1, top + 1, right - 1, bottom - 1)) < 120
        assert ink(image, (right, top, right + GAP, bottom)) == 255
        assert ink(image, (left - GAP, top, left, bottom)) == 255
    assert ink(image, (LABEL_WIDTH, 0, LABEL_WIDTH + GAP, 1)) == 255
    below = tile_box(0, 0, side)
    assert ink(image, (GAP, below[3] + 5, LABEL_WIDTH, below[3] + GAP)) == 255  # between two labels of rows
    assert ink(image, (tile_box(0, 1, side)[2] + GAP, HEAD_HEIGHT - 56, 700, size[1])) == 255


def test_what_a_font_lacks_is_spelled_out_and_nothing_turns_a_line_around():
    letters = Lettering(14)
    assert letters.lines("\u202e\x1b[31mred", 500, 1)[0].endswith("red")
    assert letters.spell("a\u200d b") == "a b"
    assert letters.spell("\U0001f98a") in {"\U0001f98a", "[fox face]"}
    assert letters.spell("\U00020c3a") in {"\U00020c3a", "[20C3A]"}
    for text in ("", " ", "a", LONG, "x" * 5_000, "漢" * 80, "a\nb\tc"):
        for width in (1, 40, 200):
            lines = letters.lines(text, width, 3)
            assert len(lines) <= 3
            assert width == 1 or all(letters.width(line) <= width for line in lines)
    assert letters.lines(LONG, 200, 2)[1].endswith("…")
    assert letters.lines("a b", 200, 0) == []


def test_a_sheet_too_large_for_one_page_is_cut_into_several(sweep, tmp_path, monkeypatch):
    monkeypatch.setattr(sheet_module, "MOST_PIXELS", 640 * 400)
    (tmp_path / "x-3.png").write_bytes(b"mine")
    announced = sweep.outlook().sheet
    assert announced.pages == 4
    with pytest.raises(FileError, match=r"x-3\.png is there already"):
        sweep.export(tmp_path / "x.png")
    assert [path.name for path in tmp_path.iterdir()] == ["x-3.png"]
    paths = sweep.export(tmp_path / "x.png", overwrite=True)
    assert [path.name for path in paths] == ["x-1.png", "x-2.png", "x-3.png", "x-4.png"]
    for number, path in enumerate(paths):
        page = announced.page(number)
        with Image.open(path) as image:
            assert image.size == (page.width, page.height)


def test_cells_without_a_picture_say_why_and_the_others_are_drawn(make_sweep, tmp_path, monkeypatch):
    said = []
    from fal_nb.exports import contact_sheet

    monkeypatch.setattr(
        contact_sheet, "draw_page", lambda page, size, side, on_tile: _note(page, said) or Image.new("RGB", size)
    )
    make_sweep("prompt: [a, b]\nseed: [1, 2]\nskip: seed == 2 and prompt == a\n", is_run=False).export(
        tmp_path / "x.png"
    )
    assert [(tile.title, tile.text) for tile in said].count(("waiting", "not run yet")) == 3
    assert ("not in the plan", "skipped: seed == 2 and prompt == a") in [(tile.title, tile.text) for tile in said]
    said.clear()
    make_sweep("prompt: [hello, a haiku]\n", "fal-ai/any-llm").export(tmp_path / "y.png")
    assert all(tile.picture is None and len(tile.text) > 20 for tile in said)


def _note(page, said):
    said += [page.tile_at(row, column) for row in range(len(page.rows)) for column in range(len(page.columns))]


def test_a_damaged_or_vanished_original_is_replaced_by_its_thumbnail(session, make_sweep, tmp_path):
    sweep = make_sweep("prompt: a hare\nseed: [7, 8]\nimage_size: {width: 72, height: 72}\n")
    for view, content in zip(sweep, (b"damaged", None), strict=True):
        path = session.artifacts.path(view.artifacts[0].digest)
        path.chmod(0o644)
        path.write_bytes(content) if content else path.unlink()
    sweep.export(tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        assert all(len(image.crop(tile_box(0, at, 256)).getcolors(70_000)) > 500 for at in range(2))


def test_an_interrupt_leaves_no_file_and_a_file_that_is_there_is_kept(sweep, tmp_path):
    def stop(*_told):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep.export(tmp_path / "x.png", on_progress=stop)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x.png").write_bytes(b"mine")
    with pytest.raises(FileError, match=r"overwrite=True"):
        sweep.export(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == b"mine"
    with pytest.raises(FileError, match="64 to 1024"):
        sweep.export(tmp_path / "x.png", tile=4, overwrite=True)
    with pytest.raises(FileError, match=r"\.gif"):
        sweep.export(tmp_path / "x.gif")
    with pytest.raises(FileError, match="cannot be written"):
        sweep.export(tmp_path / "x.png" / "y.png")
