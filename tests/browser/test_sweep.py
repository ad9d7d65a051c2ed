"""A sweep in a real JupyterLab, called at the simulator: from its plan to the board, the comparison and the frame."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PLAN = """
%%fal sweep fal-ai/flux/schnell --name styles --budget 1.00 --window 8
prompt: a {animal} in {style} style, {mood} light
animal: [fox, owl]
style: [ukiyo-e, bauhaus, risograph]
num_inference_steps: [2, 4]
seed: [1, 2, 3, 4]
image_size: {width: 256, height: 256}
"""
FRAME = """
frame = fal_nb.find_sweep("styles").frame()
frame[["animal", "style", "num_inference_steps", "seed", "state", "cost", "total_s"]]
"""
FILMS = """
%%fal sweep fal-ai/kling-video/v3/pro/text-to-video --name films --yes
prompt: a paper boat, {light}
light: [dawn, noon]
duration: [3, 4]
"""
SOUND = """
%%fal sweep fal-ai/elevenlabs/tts/turbo-v2.5 --name voices --yes
text: The {animal} waits in the snow.
animal: [fox, owl]
"""


def board_in(notebook, index):
    board = notebook.cell(index).locator(".fal-nb-board")
    board.wait_for()
    return board


def seen_pictures(board):
    read = "(all) => all.filter((each) => each.complete && each.naturalWidth > 0).length"
    return board.locator(".fal-nb-tbox img").evaluate_all(read)


def show_top(notebook, place):
    place.evaluate("(each) => each.scrollIntoView({ block: 'start' })")
    notebook.page.wait_for_timeout(200)


def shots(notebook, name):
    """Keep a picture in each theme."""
    for theme in ("Light", "Dark"):
        notebook.theme(f"JupyterLab {theme}")
        notebook.page.locator("#jupyterlab-splash").wait_for(state="detached")
        notebook.page.wait_for_timeout(200)
        notebook.shot(f"{name}_{theme.lower()}")
    notebook.theme("JupyterLab Light")


def see_the_plan(notebook, simulator):
    plan = notebook.cell(2).locator(".fal-nb-plan")
    plan.wait_for()
    shown = plan.inner_text()
    for words in (
        "48 calls",
        "0.14",
        "animal 2 × style 3 × num_inference_steps 2 × seed 4 = 48",
        "1 page of",
        "style on rows, seed on columns, animal on row groups, num_inference_steps on column groups",
    ):
        assert words in shown
    assert simulator.ledger() == []
    show_top(notebook, notebook.cell(2))
    shots(notebook, "sweep_plan")
    return plan


def run_it(notebook, plan):
    plan.locator("[data-command=run]").dblclick()
    board = board_in(notebook, 2)
    plan.wait_for(state="detached")
    notebook.until(lambda: seen_pictures(board) >= 4)
    show_top(notebook, board)
    notebook.shot("sweep_filling_light")
    notebook.until(lambda: "48 done" in board.inner_text(), 120)
    notebook.until(lambda: "48 done" in str(notebook.outputs(2)))
    board = board_in(notebook, 2)
    notebook.until(lambda: seen_pictures(board) >= 12)
    shots(notebook, "sweep_board")
    return board


def turn(notebook, board):
    labels = board.locator(".fal-nb-blabel")
    before = labels.all_inner_texts()
    board.locator("[data-action=swap]").click()
    notebook.until(lambda: labels.all_inner_texts() != before)
    board.locator('[data-place="superRows"] select').select_option("seed")
    notebook.page.wait_for_timeout(300)
    shots(notebook, "sweep_turned")


def look_into(notebook, board):
    page = notebook.page
    board.locator(".fal-nb-btile").first.click()
    lightbox = page.locator(".fal-nb-lightbox")
    lightbox.locator("img.fal-nb-limage[data-state=original]").first.wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("i")
    notebook.until(lambda: "differs from the one before" in lightbox.inner_text())
    page.wait_for_timeout(500)
    notebook.shot("sweep_lightbox_light")
    page.keyboard.press("Escape")
    lightbox.wait_for(state="detached")


def compare_two(notebook, board):
    """The first `c` keeps a cell, the second one opens the comparison of both."""
    page = notebook.page
    board.locator(".fal-nb-btile").first.focus()
    page.keyboard.press("c")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("c")
    compare = page.locator(".fal-nb-compare")
    compare.locator("tbody td").first.wait_for()
    notebook.until(lambda: "prompt" in compare.inner_text())
    assert compare.locator("tbody th").all_inner_texts() == ["cost", "time", "prompt"]
    assert compare.locator("tbody ins, tbody del, tbody mark").count() >= 2
    page.wait_for_timeout(400)
    shots(notebook, "sweep_compare")
    page.keyboard.press("Escape")
    compare.wait_for(state="detached")


def restart(notebook):
    """The button is not there any more; the board is a picture of itself."""
    notebook.save()
    notebook.restart_kernel()
    notebook.until(lambda: notebook.page.locator(".fal-nb-board, .fal-nb-plan").count() == 0)
    assert notebook.cell(4).locator(".jp-OutputArea button").count() == 0
    assert "`%fal sweep resume later` runs it" in notebook.text(4)
    show_top(notebook, notebook.cell(4))
    shots(notebook, "sweep_twins")


@pytest.mark.parametrize("simulator", [{"runners": 8, "speed": 4.0}], indirect=True)
def test_a_sweep_from_its_plan_to_the_comparison_with_one_click_to_run_it(open_notebook, simulator):
    later = PLAN.replace("--name styles", "--name later").replace("ukiyo-e", "woodcut")
    notebook = open_notebook("sweep.ipynb", ["mood = 'soft'", PLAN, FRAME, later])
    notebook.run(1, 2)
    plan = see_the_plan(notebook, simulator)
    board = run_it(notebook, plan)
    assert len(simulator.ledger()) == 48
    turn(notebook, board)
    look_into(notebook, board)
    compare_two(notebook, board)
    notebook.run(3, 4)
    notebook.shows(3, "ukiyo-e", "SUCCEEDED", "0.003")
    assert len(simulator.ledger()) == 48
    restart(notebook)


def times(board, kind="video"):
    return board.locator(kind).evaluate_all("(all) => all.map((each) => each.currentTime)")


@pytest.mark.parametrize("simulator", [{"runners": 8, "speed": 8.0}], indirect=True)
def test_films_and_sounds_of_real_calls_play_on_the_board(open_notebook, simulator):
    notebook = open_notebook("films.ipynb", [FILMS, SOUND])
    notebook.run(1, 2)
    board = notebook.cell(1).locator(".fal-nb-board")
    notebook.until(lambda: seen_pictures(board) == 4)
    show_top(notebook, board)
    board.locator(".fal-nb-btile").nth(0).hover()
    notebook.until(lambda: times(board) and times(board)[0] > 0.2)
    board.locator(".fal-nb-bname").hover()
    notebook.until(lambda: not times(board))
    board.get_by_text("Play all in step").click()
    notebook.until(lambda: len(times(board)) == 4 and min(times(board)) > 0.3)
    notebook.shot("sweep_films_light")
    board.get_by_text("Stop all").click()
    voices = notebook.cell(2).locator(".fal-nb-board")
    show_top(notebook, voices)
    notebook.until(lambda: seen_pictures(voices) == 2)
    voices.locator(".fal-nb-tplay").first.click()
    notebook.until(lambda: times(voices, "audio") and times(voices, "audio")[0] > 0.1)
    shots(notebook, "sweep_voices")
