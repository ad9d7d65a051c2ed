"""A canvas as a person uses it: drawn on, turned, pinned, stopped; few frames on their way, each of what was drawn."""

import math

import pytest

pytestmark = pytest.mark.browser

ENDPOINT = "fal-ai/fast-turbo-diffusion/image-to-image"
SEEN = """
import io, numpy as np
from PIL import Image
def red(data): return float((np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))[..., 1] < 100).mean())
last = canvas.frames[-1]
print('drawn', round(red(last.drawing), 2), 'prompt', last.arguments['prompt'], 'frames', canvas.stats.frames,
      'flight', canvas.stats.most_in_flight, 'skipped', canvas.stats.skipped, 'connections', canvas.stats.connections)
"""
PINS = """
import fal_nb as fal
record = fal.session().record(canvas.pins[-1])
print('pinned', record.tags, record.rating, record.cost, record.arguments['prompt'], record.note.split('#')[0],
      len(fal.session().history.artifacts(record.id)), fal.session().record(int(record.note.split('#')[1].split(',')[0])).kind)
"""


def canvas_in(notebook, index):
    canvas = notebook.cell(index).locator(".fal-nb-canvas")
    canvas.wait_for()
    # The area, since what is in it is put anew whenever the twin is.
    notebook.cell(index).locator(".jp-OutputArea").first.evaluate("(area) => area.scrollIntoView({ block: 'start' })")
    return canvas


def still(notebook, locator):
    """Return an element's box once the front end has put its output where it stays, else nothing."""
    before = locator.element_handles()
    notebook.page.wait_for_timeout(300)
    box = locator.bounding_box() if locator.count() == 1 else None
    return box if len(before) == 1 and box and before[0].evaluate("(e) => e.isConnected") else None


def draw(notebook, canvas, seconds=2.0):
    """Draw a circle by mouse, as long as that takes a hand."""
    box = notebook.until(lambda: still(notebook, canvas.locator(".fal-nb-carea canvas")))
    x, y, side = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"] * 0.3
    mouse = notebook.page.mouse
    mouse.move(x + side, y)
    mouse.down()
    steps = int(seconds * 50)
    for step in range(steps):
        angle = step / steps * 2 * math.pi
        mouse.move(x + side * math.cos(angle), y + side * math.sin(angle))
        notebook.page.wait_for_timeout(20)
    mouse.up()


def shown(canvas):
    """Return the number of the frame that is shown, 0 before the first."""
    return int(canvas.locator(".fal-nb-cshown").get_attribute("data-frame") or 0)


def at_rest(notebook, canvas):
    """Wait until the newest input is answered and nothing is on its way."""
    notebook.until(lambda: canvas.locator('[data-pace="flight"]').inner_text().startswith("0 "))
    return shown(canvas)


@pytest.mark.timeout(300)
@pytest.mark.both_stacks
def test_frames_follow_the_drawing_few_at_a_time_and_are_pinned(open_notebook):
    notebook = open_notebook("canvas.ipynb", [f"%fal canvas {ENDPOINT} 'an island near sea' -o canvas", SEEN, PINS])
    notebook.theme("JupyterLab Light")
    notebook.run(1)
    canvas = canvas_in(notebook, 1)
    assert canvas.locator(".fal-nb-cstate").get_attribute("data-line") == "closed"

    # A stroke brings frames while it goes on; what is shown at the end is of the whole drawing.
    draw(notebook, canvas)
    canvas.locator('[data-pace="p95"]').wait_for()
    assert at_rest(notebook, canvas) > 1
    notebook.shot("canvas_light")
    canvas.get_by_role("button", name="Fill").click()
    canvas.locator('input[type="color"]').fill("#c00000")
    canvas.locator(".fal-nb-carea canvas").click(position={"x": 8, "y": 8})
    canvas.get_by_label("Prompt").first.fill("an island in a red sea")
    at_rest(notebook, canvas)
    notebook.until(lambda: "red sea" in _run(notebook, 2))
    said = _run(notebook, 2)
    assert "flight 1" in said or "flight 2" in said, said
    assert float(said.split("drawn ")[1].split()[0]) > 0.5, said
    assert "connections 1" in said, said

    # Pinned with its arguments; rated from the page; the session's record has the cost.
    canvas = canvas_in(notebook, 1)
    canvas.get_by_role("button", name="Pin frame").click()
    pin = canvas.locator(".fal-nb-cpins li")
    pin.locator("img").wait_for()
    pin.locator("select").select_option("5")
    notebook.until(lambda: "('pinned',) 5 0.0 an island in a red sea Frame" in _run(notebook, 3))
    assert _run(notebook, 3).strip().endswith("1 realtime")
    notebook.theme("JupyterLab Dark")
    canvas_in(notebook, 1)
    notebook.shot("canvas_pinned_dark")
    notebook.page.set_viewport_size({"width": 560, "height": 900})
    canvas_in(notebook, 1)
    notebook.shot("canvas_narrow_dark")
    notebook.page.set_viewport_size({"width": 1280, "height": 900})

    # The saved notebook has the newest frame and what was filled in, and no widget.
    notebook.save()
    saved = str(notebook.server.read("canvas.ipynb"))
    assert "widget-view" not in saved
    assert "data:image/webp;base64," in saved
    assert "an island in a red sea" in saved

    # A closed tab ends the session: this is all it says, as its last word.
    notebook.page.evaluate("() => { window.dispatchEvent(new Event('pagehide')) }")
    canvas.locator('.fal-nb-cstate[data-line="closed"]').wait_for()
    notebook.shows(1, "Nobody shows it any more")


@pytest.mark.timeout(300)
def test_a_session_ends_when_it_is_stopped_left_or_idle_and_goes_on(open_notebook):
    cells = [
        f"%fal canvas {ENDPOINT} 'an island near sea' -o canvas",
        "old = canvas",
        "print(repr(old))",
        f"%fal canvas {ENDPOINT} 'a boat' --idle 1 -o brief",
    ]
    notebook = open_notebook("canvas_ends.ipynb", cells)
    notebook.run(1)
    canvas = canvas_in(notebook, 1)
    draw(notebook, canvas, 0.4)
    at_rest(notebook, canvas)
    canvas.get_by_role("button", name="Stop").click()
    canvas_in(notebook, 1).locator('.fal-nb-cstate[data-line="closed"]').wait_for()
    canvas = notebook.cell(1).locator(".fal-nb-canvas")
    before = shown(canvas)
    canvas.get_by_role("button", name="Go on").click()
    notebook.until(lambda: shown(canvas) > before)

    # A cell that is run again ends the session of its earlier canvas.
    notebook.run(2, 1)
    canvas_in(notebook, 1)
    notebook.until(lambda: "closed" in _run(notebook, 3))

    # An idle one disconnects by itself, and says so.
    notebook.run(4)
    draw(notebook, canvas_in(notebook, 4), 0.3)
    notebook.shows(4, "Disconnected after 1 s")


def _run(notebook, index):
    notebook.run(index)
    outputs = notebook.outputs(index)
    return "".join(str(each.get("text", "")) for each in outputs)
