"""``python script.py``: what the script prints is its own, what its calls do stands beside it."""

import subprocess
import sys

import pytest

SCRIPT = """\
import fal_nb as fal
result = fal.subscribe("fal-ai/flux/dev", {"prompt": "a red fox", "num_inference_steps": 20})
print(result.files[0].kind)
"""
pytestmark = pytest.mark.usefixtures("environ")


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return [sys.executable, str(path)]


def test_a_script_tells_each_state_beside_its_own_output_and_names_the_picture(script, tmp_path):
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=True, cwd=tmp_path)
    assert done.stdout == "image\n"
    lines = done.stderr.splitlines()
    words = [line.removeprefix("fal-ai/flux/dev  ").split(" · ")[:2] for line in lines[:-1]]
    states = [state for state, _ in words]
    assert {number for _, number in words} == {"#1"}
    assert states == [state for state in ("preparing", "sending", "queued", "running", "done") if state in states]
    assert len(states) > 1
    assert states[-1] == "done"
    assert lines[-1].startswith("  image: ")
    assert "\r" not in done.stderr


def test_a_script_can_be_told_to_be_quiet(script, tmp_path, monkeypatch):
    monkeypatch.setenv("FAL_NB_PROGRESS", "off")
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("image\n", "")
