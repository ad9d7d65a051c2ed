"""What a notebook shows when it is opened again: by its author, by a stranger, with and without a kernel."""

import json

import pytest

pytestmark = pytest.mark.browser

RUN = '%fal run fal-ai/flux/schnell prompt="a red fox"'
TWENTY = """
prompts = ["a red fox", "an old lighthouse at night", "a market in the rain", "two herons, ink"]
for seed in range(20):
    display(fal_nb.submit("fal-ai/flux/dev", {"prompt": prompts[seed % 4], "seed": seed}))
"""


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
def run_and_save(open_notebook, kept):
    """Return a function that runs one prompt in a notebook and saves it."""

    def run(name):
        notebook = open_notebook(name, [RUN])
        notebook.run(1)
        notebook.original(1)
        notebook.until(lambda: "data:image/webp" in json.dumps(notebook.outputs(1)))
        notebook.save()
        kept["notebook"] = (notebook.server.root / name).read_bytes()
        return notebook

    return run


@pytest.fixture
def saved(request, kept, lab):
    """Return a function that writes a notebook in which one prompt was run, as its author saved it."""

    def write(name):
        if not kept:
            notebook = request.getfixturevalue("run_and_save")(name)
            notebook.close_all()
            lab.end_kernels()
        (lab.root / name).write_bytes(kept["notebook"])

    return write


def assert_static(notebook, index=1):
    """The twin is seen with its thumbnail, and nothing is live or broken."""
    notebook.until(lambda: notebook.pictures(index))
    (width, height) = notebook.pictures(index)[0]
    assert 200 <= max(width, height) <= 320
    text = notebook.text(index)
    assert "a red fox" in text
    assert "done" in text
    assert "Error displaying widget" not in text
    assert notebook.cards(index).count() == 0


def is_trusted(notebook, index):
    cells = "window.jupyterapp.shell.currentWidget.content.widgets.filter(cell => cell.model.type === 'code')"
    return notebook.page.evaluate(f"(i) => {cells}[i].model.trusted", index)


@pytest.mark.both_stacks
def test_a_saved_notebook_holds_html_and_text_and_no_widget(saved, lab):
    saved("plain.ipynb")
    notebook = lab.read("plain.ipynb")
    assert [set(output.data) for output in notebook.cells[1].outputs] == [{"text/html", "text/plain"}]
    assert "widgets" not in notebook.metadata
    whole = (lab.root / "plain.ipynb").read_text()
    assert "widget-view" not in whole
    assert "<script" not in whole


@pytest.mark.both_stacks
def test_after_a_kernel_restart_the_static_pictures_stand_in_place_of_the_live_cards(run_and_save):
    notebook = run_and_save("restart.ipynb")
    notebook.restart_kernel()
    notebook.until(lambda: notebook.cards(1).count() == 0)
    assert_static(notebook)
    notebook.run(0, 1)
    assert notebook.original(1) == (1024, 768)


@pytest.mark.both_stacks
def test_reopened_by_its_author_with_a_fresh_kernel_it_shows_the_pictures(saved, open_notebook, lab):
    saved("fresh.ipynb")
    reopened = open_notebook("fresh.ipynb")
    assert_static(reopened)
    assert is_trusted(reopened, 1)
    reopened.shot("reopened_fresh_kernel")


def test_reopened_without_any_kernel_it_shows_the_pictures(saved, open_notebook, lab):
    saved("none.ipynb")
    lab.copy("none.ipynb", "none_copy.ipynb", language="klingon", signed=True)
    reopened = open_notebook("none_copy.ipynb", kernel=False)
    reopened.page.locator(".jp-Dialog button", has_text="No Kernel").click()
    reopened.page.locator(".jp-Dialog").wait_for(state="detached")
    assert_static(reopened)
    assert is_trusted(reopened, 1)
    assert lab.get("/api/kernels") == []
    reopened.shot("reopened_no_kernel")


def test_a_strangers_copy_shows_the_pictures_and_hydrates_nothing_even_beside_the_living_original(run_and_save, lab):
    notebook = run_and_save("mine.ipynb")
    lab.copy("mine.ipynb", "stranger.ipynb")
    notebook.open_beside("stranger.ipynb")
    assert_static(notebook)
    assert not is_trusted(notebook, 1)
    assert notebook.page.locator(".fal-nb-card").count() == 1
    notebook.shot("reopened_by_a_stranger")


@pytest.mark.both_stacks
def test_after_a_page_reload_on_the_living_kernel_the_card_is_live_again(open_notebook, simulator):
    simulator.set_runners(0)
    notebook = open_notebook("reload.ipynb", ["%%fal submit fal-ai/flux/dev\na red fox"])
    notebook.run(1)
    notebook.state("QUEUED", 1)
    notebook.save()
    notebook.reload()
    notebook.state("QUEUED", 1)
    simulator.set_runners(1)
    notebook.state("RUNNING", 1)
    assert notebook.original(1) == (1024, 768)
    notebook.state("SUCCEEDED", 1)


@pytest.mark.parametrize("simulator", [{"runners": 20, "speed": 4.0}], indirect=True)
def test_twenty_results_of_one_picture_add_less_than_300_kilobytes(open_notebook, simulator, lab):
    notebook = open_notebook("twenty.ipynb", [TWENTY])
    notebook.save()
    before = lab.size("twenty.ipynb")
    notebook.run(1)
    notebook.until(lambda: sum("data:image/webp" in json.dumps(output) for output in notebook.outputs(1)) == 20)
    notebook.save()
    assert lab.size("twenty.ipynb") - before < 300_000
    assert "widgets" not in lab.read("twenty.ipynb").metadata
