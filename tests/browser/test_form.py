"""A form as a person uses it: filled in, checked while it is typed, written as a cell, run."""

import io
import os

import pytest
from PIL import Image

pytestmark = pytest.mark.browser


def picture_file():
    """Return a PNG that is longer than one part of an upload."""
    data = io.BytesIO()
    Image.effect_noise((900, 700), 90).convert("RGB").save(data, "PNG")
    return data.getvalue()


def field(form, name):
    return form.locator(f'.fal-nb-ffield[data-name="{name}"]')


def cell_of(form):
    return form.locator('.fal-nb-fcell[data-fresh="true"]')


def sources(notebook):
    return notebook.page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells].map((cell) => cell.source)"
    )


def pick_a_file(notebook):
    """A file that is picked goes to the kernel, is shown, stands in the cell, and is sent."""
    notebook.run(4)
    form = notebook.cell(4).locator(".fal-nb-form")
    form.get_by_label("Prompt").fill("a wolf")
    file = {"name": "my cat.png", "mimeType": "image/png", "buffer": picture_file()}
    form.locator('input[type="file"]').first.set_input_files(file)
    form.locator("img.fal-nb-fpreview").wait_for()
    notebook.until(lambda: cell_of(form).count() and "my cat.png" in cell_of(form).inner_text())
    notebook.shot("form_file_dark")
    form.get_by_role("button", name="Run").click()
    notebook.state("SUCCEEDED", 4)
    notebook.card(4).scroll_into_view_if_needed()
    assert notebook.original(4)


def in_sight(notebook, index):
    """Bring a cell's end into sight: the cell, since its output is put anew whenever its twin is."""
    notebook.cell(index).evaluate("(cell) => cell.scrollIntoView({ block: 'end' })")


@pytest.mark.parametrize("simulator", [{"speed": 4.0}], indirect=True)
def test_a_form_is_filled_in_run_and_written_as_a_cell(open_notebook, simulator):
    notebook = open_notebook(
        "form.ipynb",
        ["%fal form fal-ai/flux/dev -o form", "form.arguments", "%fal form fal-ai/flux/dev/image-to-image"],
    )
    notebook.theme("JupyterLab Light")
    notebook.run(1)
    form = notebook.cell(1).locator(".fal-nb-form")
    form.wait_for()

    # What is missing is not an error before anybody has wanted to run it; then it is, and nothing is sent.
    assert form.locator('[aria-invalid="true"]').count() == 0
    form.get_by_role("button", name="Run").click()
    field(form, "prompt").locator('[aria-invalid="true"]').wait_for()
    assert simulator.ledger() == []

    form.get_by_label("Prompt").fill("a red fox")
    form.locator("summary").click()
    steps = field(form, "num_inference_steps").locator(".fal-nb-fnumber")
    steps.fill("200")
    field(form, "num_inference_steps").get_by_text("at most 50").wait_for()
    notebook.until(lambda: "1 input to mend" in form.locator(".fal-nb-fprice").inner_text())
    notebook.shot("form_wrong_light")
    field(form, "num_inference_steps").locator('input[type="range"]').fill("12")
    assert steps.input_value() == "12"
    field(form, "image_size").locator("select").select_option("own")
    field(form, "image_size").get_by_label("height").fill("640")
    field(form, "seed").locator(".fal-nb-fnumber").fill("7")
    written = '%fal run fal-ai/flux/dev prompt="a red fox" image_size={"width": 1024, "height": 640} num_inference_steps=12 seed=7'
    notebook.until(lambda: cell_of(form).count() and cell_of(form).inner_text() == written)
    assert "USD" in form.locator(".fal-nb-fprice").inner_text()

    form.get_by_role("button", name="Write cell").click()
    notebook.until(lambda: sources(notebook)[2:3] == [written])
    assert sources(notebook)[3] == "form.arguments"

    form.get_by_role("button", name="Run").click()
    notebook.state("SUCCEEDED", 1)
    in_sight(notebook, 1)
    assert notebook.original(1) == (1024, 640)
    notebook.shot("form_ran_light")
    notebook.theme("JupyterLab Dark")
    notebook.shot("form_ran_dark")

    # The cell that was written makes the same picture, and Python sees what is filled in.
    notebook.run(2)
    notebook.state("SUCCEEDED", 2)
    in_sight(notebook, 2)
    assert notebook.original(2) == (1024, 640)
    notebook.run(3)
    assert "'num_inference_steps': 12" in notebook.text(3)
    assert len(simulator.ledger()) == 2

    pick_a_file(notebook)

    # The saved notebook has the inputs, the cell and the card, and no widget.
    notebook.save()
    saved = str(notebook.server.read("form.ipynb"))
    assert "widget-view" not in saved
    assert "num_inference_steps=12" in saved
    assert "guidance_scale" in saved


@pytest.mark.skipif(
    os.environ.get("FAL_NB_TEST_SIZE") != "full", reason="JupyterLab tries the same; this is Notebook 7"
)
def test_a_cell_is_written_into_notebook_7_too(open_notebook, start_server):
    source = "%fal form fal-ai/flux/dev 'a red fox' seed=7"
    notebook = open_notebook("form7.ipynb", [source], server=start_server("notebook"))
    notebook.run(1)
    form = notebook.cell(1).locator(".fal-nb-form")
    form.get_by_role("button", name="Write cell").click()
    notebook.until(lambda: sources(notebook)[2:] == ['%fal run fal-ai/flux/dev prompt="a red fox" seed=7'])
    notebook.run(2)
    notebook.state("SUCCEEDED", 2)
