"""A board is another order of the same cells: each stands in exactly one place, or says why not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import GrammarError
from fal_nb.sweeps.arrange import Arrangement, Board, CellTable, default_arrangement
from fal_nb.sweeps.cells import Cells
from fal_nb.sweeps.plan import SweepPlan
from fal_nb.sweeps.sheet import MOST_PIXELS, MOST_SIDE, plan_sheet

AXES = {"a": [1, 2], "b": [1, 2, 3], "c": ["x", "y"], "d": [1, 2, 3, 4], "e": [True, False]}
CELLS = Cells(SweepPlan.of("o/p", axes=AXES, skip="a == 1 and b == 2"))
TABLE = CellTable(CELLS)
ROLES = ("rows", "columns", "super_rows", "super_columns")


def test_the_longest_axes_go_on_rows_and_columns_and_the_rest_are_picked():
    expected = Arrangement(rows="d", columns="b", super_rows="a", super_columns="c", pickers=("e",))
    assert default_arrangement(CELLS.dimensions) == expected
    assert default_arrangement(CELLS.dimensions[:1]) == Arrangement(columns="a")
    assert default_arrangement(()) == Arrangement()


def test_a_place_has_the_cell_with_its_coordinates_or_the_rule_that_left_it_out():
    by_key = {cell.key: cell.coordinates for cell in CELLS}
    board = Board(TABLE, default_arrangement(TABLE.dimensions), {"e": 1})
    assert board.shape == (2, 2, 4, 3)
    assert by_key[board.at(3, 2, 1, 0).key] == {"a": 2, "b": 3, "c": "x", "d": 4, "e": False}
    assert board.at(0, 1, 0, 0).reason == "skipped: a == 1 and b == 2"
    assert board.labels("super_columns") == ["x", "y"]
    assert board.line(5)[2] == board.at(1, 2, 1, 0)


@given(st.permutations(list(AXES)), st.integers(0, 4))
def test_every_arrangement_shows_every_cell_once(names, count):
    arrangement = Arrangement(**dict(zip(ROLES[:count], names, strict=False)), pickers=tuple(names[count:]))
    shown = []
    sizes = [len(AXES[name]) for name in arrangement.pickers]
    for number in range(len(TABLE) // _shown(arrangement)):
        picked, rest = {}, number
        for name, size in zip(reversed(arrangement.pickers), reversed(sizes), strict=True):
            rest, picked[name] = divmod(rest, size)
        shown += [place.key for line in Board(TABLE, arrangement, picked) for place in line]
    assert sorted(key for key in shown if key) == sorted(cell.key for cell in CELLS)
    assert shown.count(None) == len(TABLE) - len(list(CELLS))


def _shown(arrangement):
    board = Board(TABLE, arrangement)
    return board.row_count * board.column_count


def test_swapping_reads_the_same_table_in_another_order():
    arrangement = default_arrangement(TABLE.dimensions)
    swapped = Board(TABLE, arrangement.swapped("d", "b"))
    assert swapped.at(2, 3).key == Board(TABLE, arrangement).at(3, 2).key
    picked = Board(TABLE, arrangement.moved("e", "rows"), {"d": 3})
    assert picked.at(0, 2).key == Board(TABLE, arrangement).at(3, 2).key
    assert arrangement.moved("e", "rows").moved("d", "rows") == arrangement
    assert arrangement.moved("d", "rows") is arrangement


@pytest.mark.parametrize(
    ("arrangement", "line"),
    [
        (Arrangement(rows="aa", pickers=("b", "c", "d", "e")), "The sweep has no axis aa; "),
        (Arrangement(rows="a", columns="a", pickers=("b", "c", "d", "e")), "a can stand in one place of a board only."),
        (Arrangement(rows="a"), "The board has no place for b, c, d, e: make it a picker."),
    ],
)
def test_an_arrangement_that_makes_no_sense_gets_a_line(arrangement, line):
    with pytest.raises(GrammarError) as caught:
        Board(TABLE, arrangement)
    assert str(caught.value).startswith(line)


@given(st.lists(st.integers(1, 40), max_size=3), st.integers(1, 3), st.sampled_from([64, 256, 512, 1024]))
def test_a_contact_sheet_shows_every_tile_once_within_the_limits_of_formats(sizes, more, tile):
    lengths = [*sizes, 2, more] if len(sizes) < 3 else [*sizes[:2], 2, 2, more]
    plan = SweepPlan.of("o/p", axes={f"x{at}": list(range(length)) for at, length in enumerate(lengths)})
    sheet = plan_sheet(plan.dimensions, default_arrangement(plan.dimensions), tile)
    tiles = 0
    for number in range(sheet.pages):
        page = sheet.page(number)
        assert page.width <= MOST_SIDE
        assert page.height <= MOST_SIDE
        assert page.width * page.height <= MOST_PIXELS
        tiles += (page.rows[1] - page.rows[0]) * (page.columns[1] - page.columns[0])
    assert tiles == plan.combinations
    with pytest.raises(IndexError):
        sheet.page(sheet.pages)
