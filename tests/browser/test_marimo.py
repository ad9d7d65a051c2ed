"""In marimo's editor, which has no magics and draws widgets itself: each view as a person meets it."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from .lab_server import free_port, until
from .notebook_page import SHOTS

pytestmark = [pytest.mark.browser, pytest.mark.marimo]

ENDPOINTS = "(all) => all.map((each) => each.dataset.endpoint)"

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def imported():
    import fal_nb as fal
    return (fal,)


@app.cell
def subscribed(fal):
    result = fal.subscribe("fal-ai/flux/schnell", {"prompt": "a red fox", "image_size": "square"})
    result
    return


@app.cell
def submitted(fal):
    job = fal.submit("fal-ai/flux/schnell", {"prompt": "a grey wolf", "image_size": "square"})
    fal.card(job).widget
    return


@app.cell
def filled_in(fal):
    form = fal.form("fal-ai/flux/schnell", {"prompt": "a brown bear"})
    form.widget
    return


@app.cell
def drawn(fal):
    canvas = fal.canvas("fal-ai/fast-turbo-diffusion/image-to-image", {"prompt": "an island near sea"})
    canvas.widget
    return


@app.cell
def looked_through(fal):
    fal.models().view.widget
    return
"""


@pytest.fixture
def marimo(tmp_path, simulator):
    """The address of marimo's editor with the notebook, every folder of it a temporary one."""
    (tmp_path / ".marimo.toml").write_text("[runtime]\nauto_instantiate = true\n")
    (tmp_path / "notebook.py").write_text(NOTEBOOK.lstrip())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAL_", "MARIMO", "XDG_"))}
    kept |= {
        "HOME": str(tmp_path),
        "FAL_NB_HOME": str(tmp_path / "fal_nb"),
        "FAL_NB_BASE_URL": simulator.base_url,
        "FAL_KEY": "test:key",
    }
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable, "-m", "marimo", "edit", "notebook.py", "--headless", "--no-token", "--skip-update-check",
        "--host=127.0.0.1", f"--port={port}",
    ]  # fmt: skip
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=kept, stdout=log, stderr=log, start_new_session=True)
        try:
            until(lambda: answers(url), what="marimo to answer")
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(15)


def answers(url):
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def has_picture(output, width):
    """Whether a picture this wide is there; a card far out of sight is sent none."""
    return output.evaluate_all(
        """(all, width) => all.some((output) => {
            output.scrollIntoView({ block: "nearest" });
            return [...output.querySelectorAll("img")].some((one) => one.complete && one.naturalWidth === width);
        })""",
        width,
    )


def draw(page, canvas):
    """Draw a line by mouse, as long as that takes a hand."""
    pad = canvas.locator(".fal-nb-carea canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    left, middle = box["x"] + 20, box["y"] + box["height"] / 2
    page.mouse.move(left, middle)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(left + step * 5, middle + step % 7)
        page.wait_for_timeout(20)
    page.mouse.up()


def test_results_cards_forms_canvases_and_the_catalogue_work_in_marimo(marimo, browser, simulator):
    page = browser.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(marimo)
    result, job, form = (
        page.locator(f'[data-cell-name="{name}"]') for name in ("subscribed", "submitted", "filled_in")
    )
    SHOTS.mkdir(parents=True, exist_ok=True)

    # Of the result a preview is kept in the notebook; the card has the original sent.
    until(lambda: has_picture(result.locator("figure"), 320), what="the result's preview")
    card = job.locator(".fal-nb-card")
    card.get_by_text("done", exact=True).wait_for()
    until(lambda: has_picture(card, 512), what="the card's picture")
    page.screenshot(path=SHOTS / "marimo_card.png")

    cell = form.locator('.fal-nb-fcell[data-fresh="true"]')
    form.get_by_label("Prompt").fill("a white owl")
    until(lambda: cell.count() and "a white owl" in cell.inner_text(), what="the cell to follow the form")
    form.get_by_role("button", name="Run").click()
    card = form.locator(".fal-nb-card")
    card.get_by_text("done", exact=True).wait_for()
    until(lambda: has_picture(card, 1024), what="the picture of the form's call")
    page.screenshot(path=SHOTS / "marimo_form.png")

    # Frames come as it is drawn; Stop ends the session at the endpoint, not only here.
    canvas = page.locator('[data-cell-name="drawn"] .fal-nb-canvas')
    draw(page, canvas)
    until(lambda: int(canvas.locator(".fal-nb-cshown").get_attribute("data-frame") or 0) > 1, what="frames to come")
    page.screenshot(path=SHOTS / "marimo_canvas.png")
    canvas.get_by_role("button", name="Stop").click()
    canvas.locator('.fal-nb-cstate[data-line="closed"]').wait_for()
    until(lambda: all(each["ended_at"] for each in simulator.ledger() if each["via"] == "realtime"))

    models = page.locator('[data-cell-name="looked_through"]')
    models.get_by_label("words to look for").fill("esrgan")
    found = models.locator("button.fal-nb-ccard")
    until(lambda: found.count() and all("esrgan" in each for each in found.evaluate_all(ENDPOINTS)), what="one model")
    page.screenshot(path=SHOTS / "marimo_models.png")
    page.close()
    assert problems == []
