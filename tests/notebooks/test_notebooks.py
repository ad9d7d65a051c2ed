"""The notebooks that are shipped, run top to bottom as nbclient and nbconvert run them by default."""

import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from fal_nb.simulator.process import ensure_running, stop

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

SHOWN = {
    "01_quickstart": {"data:image/webp;base64,": 5, "output.mp4": 1, "output.mp3": 1},
    "02_prompt_sweep": {
        "data:image/webp;base64,": 12 + 16 + 8 + 1 + 4,
        "12 to send": 1,
        "4 to send, 12 known already": 1,
        "0 to send, 8 known already": 1,
        "1 done \\u00b7 3 skipped": 2,
        "4 done \\u00b7 spent 0.10 of 0.10 USD": 1,
    },
    "03_gallery_and_compare": {
        "data:image/webp;base64,": 8 + 8 + 2 + 8 + 1,
        "8 of 8 outputs": 1,
        "2 of 2 outputs": 1,
        "\\u2605\\u2605\\u2605\\u2605\\u2605": 1,
        "birds.html": 2,
    },
    "04_history": {
        "data:image/webp;base64,": 8 + 4 + 8 + 4 + 1,
        "data:image/svg+xml;base64,": 1,
        "calls passes: sweep, rating.": 1,
        "4 of 8 calls are beaten by no other": 1,
        "nothing was sent, it cost 0.003 USD then": 1,
        "duplicate_of": 1,
    },
    "05_video_audio_3d": {
        "data:image/webp;base64,": 1 + 1 + 2 + 2 + 4,
        "output.mp4": 1,
        "output.mp3": 1,
        "output.wav": 1,
        "model.glb": 2,
        "The lamp turns all night.": 2,
        "5 of 5 outputs": 1,
    },
    "06_realtime": {
        "data:image/webp;base64,": 1 + 4,
        "7 frames; round trips of": 1,
        "image/jpeg": 1,
        "most_in_flight=1": 1,
        "Pinned into the history": 1,
        "(pinned,)": 4,
    },
    "07_async_and_webhooks": {
        "data:image/webp;base64,": 1 + 4 + 1 + 1 + 1,
        "queued, 0 ahead": 1,
        "completed in": 1,
        "belongs to job #": 1,
        "is UNKNOWN": 1,
        "is SUCCEEDED: paid once": 1,
        "signature - The delivery's signature is of none": 1,
        "(401, 4)": 1,
    },
}
"""Notebook → what must be in it, and how often at least."""

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    ensure_running(folder, speed=4.0)  # the notebooks take what runs already
    yield folder
    stop(folder)


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request, home):
    """The notebook as nbclient leaves it, with its defaults, and no key or network."""
    notebook = nbformat.read(request.param, as_version=4)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAL_")}
    env = {**kept, "FAL_NB_HOME": str(home), "HOME": str(home), "IPYTHONDIR": str(home / "ipython")}
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(home)}})
    client.execute(env=env)
    return notebook


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_it_is_kept_without_outputs_in_the_repository():
    for path in NOTEBOOKS:
        assert not outputs(nbformat.read(path, as_version=4)), path.name


def test_every_cell_runs_and_no_job_failed(executed):
    assert not [output for output in outputs(executed) if output.output_type == "error"]
    assert "failed</b>" not in json.dumps(executed)


def test_no_widget_state_and_no_widget_view_is_in_it(executed):
    assert "widgets" not in executed.metadata
    assert not [
        output for output in outputs(executed) if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]


def test_every_output_is_plain_html_without_script_or_outside_address(executed):
    pages = [output.data["text/html"] for output in outputs(executed) if "text/html" in output.get("data", {})]
    assert pages
    for page in pages:
        assert "<script" not in page
        assert "http" not in re.sub(r'data:[^"]*', "", page)


def test_it_shows_what_it_is_about(executed, request):
    text = json.dumps(executed)
    for words, least in SHOWN[request.node.callspec.params["executed"].stem].items():
        assert text.count(words) >= least, words


def test_an_output_of_one_picture_stays_small(executed):
    for output in outputs(executed):
        page = output.get("data", {}).get("text/html", "")
        pictures = page.count("data:image/webp")
        assert len(page) <= 15_000 * max(pictures, 1)


def test_nbconvert_shows_the_pictures_and_needs_no_widget_code(executed):
    page, _ = HTMLExporter().from_notebook_node(executed)
    assert page.count("data:image/webp;base64,") >= 5
    assert "html-manager" not in page
