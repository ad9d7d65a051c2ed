"""A notebook whose server is gone: its pictures without a kernel, its originals with one, and what was lost by name."""

import shutil

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MADE = """
import os
os.environ["FAL_NB_HOME"] = {home!r}
fal_nb.close()
from IPython.display import display
card = fal_nb.subscribe("fal-ai/flux/dev", {{"prompt": "a red fox", "seed": 7}})
"""
SWEEP = """
%%fal sweep fal-ai/flux/schnell --name styles --budget 1 --yes
prompt: a {animal}
animal: [fox, owl]
"""
AGAIN = """
import os
os.environ["FAL_NB_HOME"] = {home!r}
%load_ext fal_nb
import fal_nb
fal_nb.close()
gallery = %fal gallery
"""


def originals_of(page):
    """Wait until the lightbox shows an original or says why not, and return (its width, what is said)."""
    image = page.locator('.pswp__item[aria-hidden="false"] .fal-nb-limage').first
    page.locator(':is([data-state="original"], [data-state="failed"]).fal-nb-limage').first.wait_for()
    width = image.evaluate("(e) => e.complete ? e.naturalWidth : 0")
    return width, page.locator(".fal-nb-lcaption").inner_text()


@pytest.mark.parametrize("simulator", [{"speed": 50.0}], indirect=True)
def test_a_notebook_outlives_its_server_and_names_what_is_lost(open_notebook, simulator, lab, tmp_path):
    home = tmp_path / "home"
    cells = [MADE.format(home=str(home)), SWEEP.strip(), "gallery = %fal gallery"]
    notebook = open_notebook("offline.ipynb", cells)
    notebook.run(1, 2, 3)
    notebook.until(lambda: "2 done" in str(notebook.outputs(2)))
    notebook.until(lambda: all("data:image/webp" in str(notebook.outputs(cell)) for cell in (1, 2, 3)))
    notebook.save()
    notebook.close_all()
    lab.end_kernels()
    simulator.close()

    # (a) no kernel: the small pictures are in the file.
    lab.copy("offline.ipynb", "offline_copy.ipynb", language="klingon", signed=True)
    reopened = open_notebook("offline_copy.ipynb", kernel=False)
    reopened.page.locator(".jp-Dialog button", has_text="No Kernel").click()
    reopened.page.locator(".jp-Dialog").wait_for(state="detached")
    for cell, pictures in ((1, 1), (2, 2), (3, 3)):
        reopened.cell(cell).scroll_into_view_if_needed()
        reopened.until(lambda cell=cell, pictures=pictures: len(reopened.pictures(cell)) == pictures)
    assert lab.get("/api/kernels") == []
    reopened.shot("offline_no_kernel")
    reopened.close_all()

    # (b) a kernel, and still no server: the originals are in the store.
    lab.write("offline_again.ipynb", [AGAIN.format(home=str(home))])
    again = open_notebook("offline_again.ipynb")
    again.run(0)
    page, tiles = again.page, again.cell(0).locator(".fal-nb-gtile")
    again.until(lambda: again.cell(0).locator(".fal-nb-gtile > img").count() == 3)
    tiles.first.focus()
    page.keyboard.press("Enter")
    width, said = originals_of(page)
    assert width == 1024
    assert "store" not in said
    page.keyboard.press("Escape")
    page.locator(".fal-nb-lightbox").wait_for(state="detached")

    # A file that is lost is named, and what is seen in its place is the small picture.
    for file in (home / "artifacts").rglob("*"):
        if file.is_file() and not file.name.endswith((".sqlite", ".json")):
            file.unlink()
    tiles.nth(2).focus()
    page.keyboard.press("Enter")
    page.locator(".fal-nb-lmissing").wait_for()
    width, said = originals_of(page)
    assert 0 < width <= 320
    (line,) = [line for line in said.splitlines() if "store" in line]
    assert line.startswith("its file ")
    assert line.endswith(" is not in the store any more")
    again.shot("offline_lost_file")
    page.keyboard.press("Escape")
    page.locator(".fal-nb-lightbox").wait_for(state="detached")
    shutil.rmtree(home, ignore_errors=True)
