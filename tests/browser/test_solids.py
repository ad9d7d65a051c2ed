"""Solids in a real JupyterLab: turned in the card and in the lightbox, by pointer and keys, with nothing fetched."""

import io
import json

import pytest
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MAKE = """
# A history of its own: other notebooks of this server have made things, too.
import os, tempfile
os.environ["FAL_NB_HOME"] = tempfile.mkdtemp()
import fal_nb as fal
fal.close()
from PIL import Image, ImageDraw
picture = Image.new("RGB", (256, 256), "#203050")
ImageDraw.Draw(picture).ellipse((40, 40, 216, 216), fill="#ff9040")
ImageDraw.Draw(picture).rectangle((100, 100, 156, 156), fill="#40c060")
"""
RUN = "solid = fal.subscribe('fal-ai/hunyuan3d/v2', {'input_image_url': picture, 'textured_mesh': True, 'seed': 1})"


def modules_sent(notebook):
    """Return the modules that the kernel has sent, by name, each part once."""
    data = [json.loads(each.content)["data"] for each in notebook.messages() if '"module"' in each.content]
    contents = [each["content"] for one in data for each in one["content"].get("messages", ())]
    return [(each["name"], each["part"]) for each in contents if each.get("kind") == "module"]


@pytest.mark.parametrize("simulator", [{"speed": 50.0, "runners": 2}], indirect=True, ids=["fast"])
def test_a_solid_is_turned_by_pointer_and_keys_and_its_viewer_comes_once_and_only_when_wanted(open_notebook, simulator):
    notebook = open_notebook("solids.ipynb", [MAKE, RUN, "%fal gallery"])
    page = notebook.page
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    notebook.run(1, 2)
    card = notebook.card(2)
    card.get_by_role("button", name="turn it in 3D").wait_for()
    poster = card.locator("img.fal-nb-thumbnail")
    notebook.until(lambda: poster.count() and poster.evaluate("(e) => e.naturalWidth") == 320)
    notebook.until(
        lambda: notebook.outputs(2)[0]["data"]["text/html"].count("data:image/webp") == 1, what="the poster in the twin"
    )
    notebook.shot("solid_card_light_poster")
    assert modules_sent(notebook) == []

    card.get_by_role("button", name="turn it in 3D").click()
    solid = card.locator("fal-nb-solid")
    notebook.until(lambda: solid.count() and solid.evaluate("(e) => e.loaded && e.modelIsVisible"))
    notebook.until(lambda: card.locator(".fal-nb-said").count() == 0)
    assert sorted(modules_sent(notebook)) == [("three", 0), ("three", 1), ("viewer", 0)]
    notebook.shot("solid_card_light_turned")

    before = solid.screenshot()
    assert len(Image.open(io.BytesIO(before)).convert("RGB").resize((40, 30)).getcolors(1200)) > 10
    solid.evaluate("(e) => e.focus()")
    cell = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    notebook.until(lambda: abs(solid.evaluate("(e) => e.getCameraOrbit().theta")) > 0.5)
    notebook.until(lambda: solid.screenshot() != before)
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex") == cell
    by_keys = solid.evaluate("(e) => e.getCameraOrbit().theta")
    box = solid.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 130, steps=6)
    page.mouse.up()
    notebook.until(lambda: abs(solid.evaluate("(e) => e.getCameraOrbit().theta") - by_keys) > 0.3)

    notebook.theme("JupyterLab Dark")
    notebook.shot("solid_card_dark_turned")
    card.get_by_role("button", name="large").click()
    turn_in_the_lightbox(notebook)
    notebook.run(3)
    notebook.cell(3).locator(".fal-nb-gtile > img").first.wait_for()
    notebook.shot("solid_gallery_dark")
    notebook.cell(3).locator(".fal-nb-gtile").first.click()
    turn_in_the_lightbox(notebook)
    assert len(modules_sent(notebook)) == 3, "one page loads the viewer once"
    assert [url for url in asked if not url.startswith((notebook.server.url, "blob:", "data:"))] == []


def turn_in_the_lightbox(notebook):
    page = notebook.page
    large = page.locator(".fal-nb-lightbox fal-nb-solid")
    notebook.until(lambda: large.count() and large.evaluate("(e) => e.loaded && e.modelIsVisible"))
    page.keyboard.press("o")
    theta = large.evaluate("(e) => e.getCameraOrbit().theta")
    page.keyboard.press("ArrowLeft")
    notebook.until(lambda: abs(large.evaluate("(e) => e.getCameraOrbit().theta") - theta) > 0.2)
    notebook.shot("solid_lightbox")
    page.keyboard.press("Escape")
    page.locator(".fal-nb-lightbox").wait_for(state="detached")
