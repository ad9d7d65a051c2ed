"""The jobs monitor in JupyterLab; and in Notebook 7 with it what else a person sees most: a run, a stream."""

import pytest

pytestmark = pytest.mark.browser

MADE = """\
# A history of its own: what other notebooks of this server have left open is not of interest here.
import os, tempfile
os.environ["FAL_NB_HOME"] = tempfile.mkdtemp()
fal_nb.close()
for _ in range(5):
    fal_nb.subscribe("simulator/sleep", {"seconds": 0})
from IPython.display import clear_output
clear_output()"""
LONG = """\
slow = [fal_nb.submit("simulator/sleep", {"seconds": 900}) for _ in range(5)]
one = fal_nb.submit("fal-ai/flux/dev", {"prompt": "a red fox"}, max_cost=1)"""


def rows_of(notebook, index, state=None):
    mark = f'[data-state="{state}"]' if state else ""
    return notebook.cell(index).locator(f".fal-nb-mrow{mark}")


def test_all_open_work_is_seen_live_in_jupyterlab_and_each_call_can_be_stopped(open_notebook, simulator):
    notebook = open_notebook("monitor.ipynb", [MADE, LONG, "%fal jobs", "x = fal_nb.jobs()\nlen(x)"])
    notebook.theme("JupyterLab Light")
    notebook.run(1, 2, 3)
    # Out of sight it rests, and the cards of five calls are above it.
    notebook.cell(3).evaluate("(cell) => cell.scrollIntoView()")
    notebook.until(lambda: rows_of(notebook, 3, "RUNNING").count() == 2)
    assert rows_of(notebook, 3).count() == 6
    stalled = notebook.cell(3).locator(".fal-nb-mstalled")
    notebook.until(lambda: stalled.count() > 0)
    assert "nothing has moved for" in stalled.first.inner_text()
    notebook.shot("monitor_light")
    notebook.theme("JupyterLab Dark")
    notebook.shot("monitor_dark")
    told = rows_of(notebook, 3, "RUNNING").first
    notebook.until(lambda: told.locator(".fal-nb-mstalled").count())
    told.get_by_role("button", name="Keep waiting").click()
    notebook.until(lambda: not told.locator(".fal-nb-mstalled").count())
    queued = rows_of(notebook, 3, "QUEUED").first
    record = queued.get_attribute("data-record")
    queued.get_by_role("button", name="Cancel").click()
    notebook.until(lambda: notebook.cell(3).locator(f'[data-record="{record}"][data-state="CANCELLED"]').count())
    notebook.until(lambda: rows_of(notebook, 3).count() == 5)
    notebook.run(4)
    assert notebook.text(4).endswith("5")


def test_notebook_7_shows_a_run_a_stream_and_the_monitor(open_notebook, simulator, start_server):
    simulator.fault("long", seconds=2, times=1)
    notebook = open_notebook(
        "seven.ipynb",
        [
            '%fal stream fal-ai/any-llm "Why is the sky blue?"',
            "%%fal run fal-ai/flux/schnell seed=7\na red fox, asleep under a birch",
            LONG,
            "%fal jobs",
        ],
        server=start_server("notebook"),
    )
    notebook.theme("JupyterLab Light")
    notebook.start(1)
    reading = notebook.card(1).locator(".fal-nb-reading")
    notebook.until(lambda: reading.count() and reading.inner_text())
    notebook.state("SUCCEEDED", 1)
    notebook.run(2)
    assert notebook.original(2) == (1024, 768)
    notebook.run(3, 4)
    rows_of(notebook, 4).last.scroll_into_view_if_needed()  # out of sight it rests
    notebook.until(lambda: rows_of(notebook, 4, "RUNNING").count() == 2)
    notebook.shot("seven_light")
    notebook.theme("JupyterLab Dark")
    notebook.shot("seven_dark")
    rows_of(notebook, 4, "RUNNING").first.get_by_role("button", name="Cancel").click()
    notebook.until(lambda: rows_of(notebook, 4, "RUNNING").count() + rows_of(notebook, 4, "QUEUED").count() < 6)
