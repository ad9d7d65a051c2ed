"""Every fault at every stage of a realtime session: nothing is lost, nothing goes twice, and the record is true."""

import os

import pytest

from . import live, table
from .conftest import LIVE_SESSIONS
from .live_cells import CELLS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows():
    """Return what came of each cell that has run."""
    return {}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_session_is_one_true_record_and_nothing_goes_twice(
    cell, live_sessions, rows, server, refusals, brief, monkeypatch, tmp_path
):
    refusals.install(monkeypatch)
    row = rows[cell] = live.run(cell, live_sessions, server, refusals, tmp_path, monkeypatch)
    assert (row.lost, row.duplicates) == (0, 0), row.trouble
    assert not row.trouble


def test_the_page_in_the_documentation_is_what_a_run_gives(live_sessions, rows):
    if live_sessions != LIVE_SESSIONS or len(rows) < len(CELLS):
        pytest.skip("the page is about all cells, at the size of `make test`")
    page = table.live_page(rows)
    if os.environ.get("FAL_NB_WRITE_FAULTS"):
        table.write(live=page)
    assert table.parts()[1] == page, "`make faults` writes it anew"
