"""The gallery in a real JupyterLab over a real history: pictures, films, sounds and texts, looked through and marked."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MAKE = """
# A history of its own: other notebooks of this server have made things, too.
import os, tempfile
os.environ["FAL_NB_HOME"] = tempfile.mkdtemp()
import fal_nb as fal
fal.close()
from IPython.display import clear_output
jobs = []
sizes = ("square", "landscape_16_9", "portrait_4_3", "landscape_4_3", "portrait_16_9")
for number in range(60):
    size = sizes[number % 5]
    words = ("a red fox", "an owl at night", "a boat on a lake", "a city of glass")[number % 4]
    jobs.append(fal.submit("fal-ai/flux/schnell", {"prompt": words, "seed": number, "image_size": size}))
jobs.append(fal.submit("fal-ai/any-llm", {"prompt": "Why is the sky blue?"}))
jobs.append(fal.submit("fal-ai/flux/dev", {"prompt": "<img src=x onerror='window.hostile = 1'>", "seed": 1}))
jobs.append(fal.submit("fal-ai/kling-video/v3/pro/text-to-video", {"prompt": "waves"}))
jobs.append(fal.submit("fal-ai/minimax/speech-2.8-hd", {"prompt": "A red fox sleeps under a birch."}))
fal.wait(jobs)
for number in range(0, 40, 7):
    fal.rate(number + 1, number % 5 + 1)
clear_output()
"""


@pytest.mark.parametrize("simulator", [{"speed": 50.0, "runners": 6}], indirect=True, ids=["fast"])
def test_outputs_are_found_looked_at_marked_and_selected(open_notebook, simulator):
    notebook = open_notebook("gallery.ipynb", [MAKE, "gallery = %fal gallery", "gallery.selected[['prompt', 'seed']]"])
    page = notebook.page
    notebook.run(1, 2)
    view = notebook.cell(2).locator(".fal-nb-gallery")
    tiles = view.locator(".fal-nb-gtile")

    def loaded():
        return tiles.count() > 8 and view.locator(".fal-nb-gtile > img").count() > tiles.count() - 3

    notebook.until(loaded)
    notebook.shot("gallery_light_1")
    assert tiles.count() <= 80
    assert page.evaluate("() => window.hostile") is None
    # The rows are laid out anew where the scroll bar takes its width.
    notebook.until(lambda: len({tiles.nth(at).bounding_box()["height"] for at in range(3)}) == 1)

    notebook.theme("JupyterLab Dark")
    view.get_by_role("button", name="Filters").click()
    notebook.until(lambda: view.locator(".fal-nb-gfacet").count() > 1)
    tiles.nth(1).hover()
    notebook.shot("gallery_dark_2_filters")
    view.locator(".fal-nb-gchoice", has_text="fal-ai/flux/dev").first.click()
    notebook.until(lambda: tiles.count() == 1)
    view.get_by_role("button", name="Clear filters").click()
    notebook.until(lambda: tiles.count() > 8)
    view.get_by_role("button", name="Filters").click()

    view.locator(".fal-nb-gwords").fill("owl at night")
    notebook.until(lambda: "15 of" in view.locator(".fal-nb-ghead").inner_text())
    notebook.until(loaded)
    tiles.nth(0).focus()
    for key in (" ", "ArrowRight", " "):
        page.keyboard.press(key)
    notebook.until(lambda: "2 selected" in view.locator(".fal-nb-gfoot").inner_text())
    page.keyboard.press("5")
    notebook.until(lambda: view.locator(".fal-nb-gbadges", has_text="★★★★★").count() >= 2)
    notebook.shot("gallery_dark_3_selected")
    page.keyboard.press("c")
    page.locator("dialog.fal-nb-compare").wait_for()
    notebook.until(lambda: page.locator("dialog.fal-nb-compare img").count() >= 2)
    notebook.shot("gallery_dark_4_compare")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.locator(".fal-nb-lightbox").wait_for()
    notebook.until(lambda: page.locator('.fal-nb-limage[data-state="original"]').count() > 0)
    notebook.shot("gallery_dark_5_lightbox")
    page.keyboard.press("Escape")
    page.locator(".fal-nb-lightbox").wait_for(state="detached")

    notebook.run(3)
    assert notebook.text(3).count("an owl at night") == 2
    assert not notebook.problems
