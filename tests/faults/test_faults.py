"""Every fault at every stage, many jobs at once: nothing paid is lost, nothing is paid twice."""

import os

import pytest

from . import official, ours, table
from .cells import CELLS
from .conftest import TABLE_JOBS

# The official client leaves connections to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def rows():
    """Return what came of each cell that has run."""
    return {}


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore:The upload by")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_nothing_is_lost_and_nothing_is_paid_twice(cell, jobs, rows, server, refusals, quick, monkeypatch, tmp_path):
    refusals.install(monkeypatch)
    row = rows[cell] = ours.run(cell, jobs, server, refusals, tmp_path)
    assert (row.lost, row.duplicates) == (0, 0), row.trouble
    assert not row.trouble
    assert (row.settled, row.unknown) == ((0, jobs) if cell.state == "UNKNOWN" else (jobs, 0))


def test_the_page_in_the_documentation_is_what_a_run_gives(jobs, rows, server, refusals):
    if jobs != TABLE_JOBS or len(rows) < len(CELLS):
        pytest.skip("the page is about all cells, at the size of `make test`")
    page = table.page(rows, official.run_all(server, refusals), official.JOBS)
    if os.environ.get("FAL_NB_WRITE_FAULTS"):
        table.write(main=page)
    assert table.parts()[0] == page, "`make faults` writes it anew"
