"""What a gallery's tiles are good for beyond looking, by keys alone, in a real JupyterLab."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MAKE = """
# A history of its own: other notebooks of this server have made things, too.
import os, tempfile
os.environ["FAL_NB_HOME"] = tempfile.mkdtemp()
import fal_nb as fal
fal.close()
from IPython.display import clear_output
jobs = [
    fal.submit("fal-ai/flux/schnell", {"prompt": "a red fox", "seed": 7, "image_size": "square"}),
    fal.submit("fal-ai/any-llm", {"prompt": "Why is the sky blue?"}),
    fal.submit("fal-ai/kling-video/v3/pro/text-to-video", {"prompt": "waves", "duration": "3"}),
    fal.submit("fal-ai/minimax/speech-2.8-hd", {"prompt": "A red fox sleeps under a birch."}),
]
fal.wait(jobs)
clear_output()
"""


@pytest.mark.parametrize("simulator", [{"speed": 50.0, "runners": 4}], indirect=True, ids=["fast"])
def test_a_tile_is_noted_hidden_and_taken_further_by_keys_alone(open_notebook, simulator):
    notebook = open_notebook("actions.ipynb", [MAKE, "gallery = fal.gallery()", "fal.history()[['note', 'tags']]"])
    page = notebook.page
    notebook.run(1, 2)
    view = notebook.cell(2).locator(".fal-nb-gallery")
    notebook.until(lambda: view.locator(".fal-nb-gtile > img").count() == 3)
    tiles = view.locator(".fal-nb-gtile")
    picture = tiles.last
    picture.focus()
    page.keyboard.press("?")
    view.locator(".fal-nb-gkeys").wait_for()
    page.keyboard.press("n")
    view.locator(".fal-nb-geditor textarea").fill("soft light")
    notebook.shot("gallery_actions_light_note")
    page.keyboard.press("Enter")
    notebook.until(lambda: view.locator(".fal-nb-gbadges", has_text="✎").count() == 1)
    page.keyboard.press("?")

    notebook.theme("JupyterLab Dark")
    picture.focus()
    page.keyboard.press("m")
    view.locator(".fal-nb-gmenu").wait_for()
    notebook.shot("gallery_actions_dark_menu")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    view.locator(".fal-nb-geditor input").fill("fal-ai/flux/dev/image-to-image")
    notebook.shot("gallery_actions_dark_input")
    page.keyboard.press("Enter")
    written = notebook.cell(3)
    notebook.until(lambda: "fal.result(1).files[0]" in written.inner_text())
    notebook.run(3)
    notebook.state("SUCCEEDED", 3)

    picture.focus()
    page.keyboard.press("h")
    notebook.until(lambda: tiles.count() == 3)
    notebook.run(4)
    assert "soft light" in notebook.text(4)
    assert not notebook.problems
