"""Restart & Run All, as nbclient does it, in a kernel that answers from the history."""

import os

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

SETUP = "%load_ext fal_nb\n%config FalMagics.memo = 'reuse'\nimport fal_nb as fal\nfrom pathlib import Path"
CELLS = [
    "first = %fal run fal-ai/flux/schnell prompt='a red fox' image_size=square seed=1",
    "%%fal run fal-ai/flux/schnell image_size=square seed=2\na heron, pencil sketch",
    "%fal run fal-ai/flux/schnell 'no seed at all' image_size=square",
    "%fal run --direct fal-ai/flux/schnell prompt=direct image_size=square",
    "job = %fal submit fal-ai/flux/schnell prompt=later image_size=square\njob.get()",
    "%fal run fal-ai/flux/dev/image-to-image prompt='in oil' image_url={first}",
    "%fal run fal-ai/flux/dev/image-to-image prompt='in ink' image_url=@input.png",
    "fal.subscribe('fal-ai/flux/schnell', {'prompt': 'from Python', 'image_size': 'square'}, tags=['kept'])",
    "fal.run('simulator/sleep', {'seconds': 0, 'echo': 'words'})",
    "fal.submit('fal-ai/flux/schnell', {'image_size': 'square', 'prompt': 'a job'}).get()",
]


@pytest.fixture
def run_all(simulator, tmp_path):
    """Run the notebook from its first cell to its last in a new kernel, and return how many calls were accepted."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (SETUP, *CELLS)])
    env = {**os.environ, "FAL_NB_BASE_URL": simulator.base_url, "FAL_NB_HOME": str(tmp_path / "home")}

    def run():
        before = len(simulator.ledger())
        resources = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute(env=env)
        return len(simulator.ledger()) - before

    run.notebook = notebook
    return run


def test_restart_and_run_all_of_ten_calls_sends_nothing_until_a_byte_changes(run_all, tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64), "red").save(tmp_path / "input.png")
    assert run_all() == 10
    assert run_all() == 0
    pages = str(run_all.notebook)
    assert pages.count("from history: #") >= 10
    assert "widgets" not in run_all.notebook.metadata
    Image.new("RGB", (64, 64), "blue").save(tmp_path / "input.png")
    assert run_all() == 1
    assert run_all() == 0
