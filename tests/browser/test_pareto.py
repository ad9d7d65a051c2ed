"""The plot of calls against two numbers in a real JupyterLab: looked at, walked along by keys, opened, compared."""

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
for number in range(30):
    endpoint = ("fal-ai/flux/schnell", "fal-ai/flux/dev", "fal-ai/recraft/v3/text-to-image")[number % 3]
    words = ("a red fox", "an owl at night", "<img src=x onerror='window.hostile = 1'>")[number % 3]
    size = ("square", "square_hd", "landscape_16_9")[number // 3 % 3]
    jobs.append(fal.submit(endpoint, {"prompt": words, "seed": number, "image_size": size}, check=False))
fal.wait(jobs)
for number in range(1, 28):
    fal.rate(number, (number * 7) % 5 + 1)
clear_output()
"""
SHOW = "plot = fal.history(state='succeeded').fal.pareto(x='cost', y='rating')"


@pytest.mark.parametrize("simulator", [{"speed": 50.0, "runners": 6}], indirect=True, ids=["fast"])
def test_calls_are_seen_against_two_numbers_and_their_points_open(open_notebook, simulator):
    notebook = open_notebook("pareto.ipynb", [MAKE, SHOW, "list(plot.selected.index)"])
    page = notebook.page
    notebook.run(1, 2)
    view = notebook.cell(2).locator(".fal-nb-pareto")
    dots = view.locator(".fal-nb-pdot")
    notebook.until(lambda: dots.count() >= 1)
    assert "no rating" in view.locator(".fal-nb-pnotes").inner_text()
    dots.first.hover()
    notebook.until(lambda: view.locator(".fal-nb-ptip img").count() == 1)
    notebook.shot("pareto_light_1")

    notebook.theme("JupyterLab Dark")
    dots.first.focus()
    page.keyboard.press("Shift+End")
    notebook.until(lambda: view.locator(".fal-nb-ptip img").count() == 1)
    notebook.shot("pareto_dark_2_last")
    page.keyboard.press(" ")
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    notebook.until(lambda: "2 selected" in view.locator(".fal-nb-phead").inner_text())
    page.keyboard.press("c")
    page.locator("dialog.fal-nb-compare").wait_for()
    notebook.until(lambda: page.locator("dialog.fal-nb-compare img").count() >= 2)
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.locator(".fal-nb-lightbox").wait_for()
    notebook.until(lambda: page.locator('.fal-nb-limage[data-state="original"]').count() > 0)
    notebook.shot("pareto_dark_3_lightbox")
    page.keyboard.press("Escape")
    page.locator(".fal-nb-lightbox").wait_for(state="detached")
    assert page.evaluate("() => window.hostile") is None

    notebook.run(3)
    assert len(notebook.text(3).strip("[]\n ").split(",")) == 2
    assert not notebook.problems
