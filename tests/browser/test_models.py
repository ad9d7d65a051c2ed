"""The models view in JupyterLab: look through the catalogue, find, filter, look closely, write the form's cell."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def cards(notebook, index):
    return notebook.cell(index).locator("button.fal-nb-ccard")


def endpoints(notebook, index):
    return cards(notebook, index).evaluate_all("(all) => all.map((each) => each.dataset.endpoint)")


def test_the_catalogue_is_looked_through_and_a_form_is_opened_from_it(open_notebook, simulator):
    notebook = open_notebook("models.ipynb", ["%fal models", "1"])
    notebook.theme("JupyterLab Light")
    notebook.run(1)
    cell = notebook.cell(1)
    notebook.until(lambda: cards(notebook, 1).count() > 8)
    notebook.until(lambda: cell.locator(".fal-nb-cpicture img").count() > 8)
    pictures = cell.locator(".fal-nb-cpicture img").evaluate_all("(all) => all.map((each) => each.src)")
    assert all(each.startswith("blob:") for each in pictures)  # no page asks a stranger's host
    notebook.shot("models_light")
    # Each pause is a question, whose answer puts the output anew under the hand that writes.
    cell.get_by_label("words to look for").focus()
    for letter in "flux":
        notebook.page.keyboard.press(letter)
        notebook.page.wait_for_timeout(400)
    notebook.until(lambda: cards(notebook, 1).count() and all("flux" in each for each in endpoints(notebook, 1)))
    cell.get_by_role("button", name="Filters").click()
    cell.locator("label", has_text="text-to-image").locator("input").click()
    found = {
        "fal-ai/flux/schnell",
        "fal-ai/flux/dev",
        "fal-ai/flux-lora",
        "fal-ai/flux-pro/v1.1",
        "fal-ai/flux-pro/v1.1-ultra",
    }
    notebook.until(lambda: set(endpoints(notebook, 1)) == found)
    notebook.shot("models_filtered_light")
    cell.locator('[data-endpoint="fal-ai/flux/dev"]').click()
    pane = cell.locator(".fal-nb-cpane")
    notebook.until(lambda: "prompt" in pane.inner_text())
    assert '%fal run fal-ai/flux/dev prompt=""' in pane.inner_text()
    assert "0.025 USD per megapixel" in pane.inner_text()
    notebook.shot("models_details_light")
    notebook.theme("JupyterLab Dark")
    notebook.shot("models_details_dark")
    notebook.page.set_viewport_size({"width": 760, "height": 900})
    notebook.until(lambda: not cell.locator(".fal-nb-cscroll").is_visible())
    notebook.shot("models_narrow_dark")
    pane.get_by_role("button", name="Open its form below").click()
    notebook.until(lambda: notebook.cell(2).inner_text().find("%fal form fal-ai/flux/dev") >= 0)
    pane.press("Escape")
    cell.get_by_label("words to look for").fill("nothing of this kind")
    notebook.until(lambda: cell.locator(".fal-nb-cempty").count())
