"""In marimo's editor, which has no magics and draws widgets itself: a result, a card and a form as a person meets them."""

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


def test_a_result_a_card_and_a_form_work_in_marimo(marimo, browser):
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
    page.close()
    assert problems == []
