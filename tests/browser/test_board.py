"""A sweep's board in a real JupyterLab, over a sweep in the kernel's memory that calls nothing."""

from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

VIEWS = Path(__file__).parents[1] / "views"
SHOW = f"""
import pathlib, sys, tempfile
sys.path.insert(0, {str(VIEWS)!r})
import fake_sweep
from fal_nb.views.board import BoardView
from fal_nb.workbench import current

folder = pathlib.Path(tempfile.mkdtemp())
post = current().session.runtime.post
def show(sweep):
    current().display.show(BoardView(sweep, sweep.path, sweep.thumbnail))
"""
STYLES = """
sweep = fake_sweep.styles(folder=folder)
keys = list(sweep.cells)
for key in keys[:20]:
    sweep.finish(key)
sweep.become(keys[3], state="FAILED", reason="the runner went away <img src=x onerror='window.hostile = 1'>", artifact=None)
sweep.become(keys[5], is_from_memo=True, rating=4, artifact_count=4)
sweep.become(keys[9], state="UNKNOWN", artifact=None)
for number, key in enumerate(keys[20:24]):
    sweep.become(key, state="RUNNING", progress=number / 5 + 0.2)
for key in keys[24:28]:
    sweep.become(key, state="QUEUED")
for key in keys[44:]:
    sweep.become(key, state="SKIPPED", reason="budget: 2.00 USD would be passed")
sweep.seconds_left = 48
show(sweep)
"""
FINISH = """
def finish():
    sweep.seconds_left = None
    sweep.tell(*[sweep.finish(key) for key in keys[:44] if sweep.cells[key].state in ("RUNNING", "QUEUED", "PREPARED")])
post(finish)
"""
THOUSAND = """
many = fake_sweep.thousand(folder=folder, budget=None)
for key in many.cells:
    number = int(key[1:])
    many.finish(key, look=(number % 24, (number % 5, number % 7)), size=(256, 256))
show(many)
"""
FILMS = """
films = fake_sweep.FakeSweep({"seed": ("1", "2", "3", "4")}, name="films", folder=folder)
for key, seconds in (("k0", 2), ("k1", 3), ("k2", 3)):
    films.finish_film(key, seconds)
films.finish_sound("k3")
show(films)
"""
OURS = {"comm_open", "comm_msg", "comm_close", "update_display_data"}


def board_in(notebook, index):
    board = notebook.cell(index).locator(".fal-nb-board")
    board.wait_for()
    return board


def seen_pictures(board):
    read = "(all) => all.filter((each) => each.complete && each.naturalWidth > 0).length"
    return board.locator(".fal-nb-tbox img").evaluate_all(read)


def turn(notebook, board):
    labels = board.locator(".fal-nb-blabel")
    before = labels.all_inner_texts()
    board.locator("[data-action=swap]").click()
    notebook.until(lambda: labels.all_inner_texts() != before)
    board.locator('[data-place="superRows"] select').select_option("seed")
    notebook.page.wait_for_timeout(200)
    notebook.shot("board_turned_dark")
    board.locator('[data-tool="sort"] select').select_option("-score:sharpness")
    notebook.page.wait_for_timeout(200)
    notebook.shot("board_sorted_dark")
    board.locator('[data-tool="sort"] select').select_option("")


def look_into(notebook, board):
    board.locator('.fal-nb-btile[data-state="SUCCEEDED"]').first.click()
    lightbox = notebook.page.locator(".fal-nb-lightbox")
    lightbox.locator("img.fal-nb-limage[data-state=original]").first.wait_for()
    notebook.page.keyboard.press("ArrowRight")
    notebook.page.keyboard.press("i")
    lightbox.locator(".fal-nb-lpanel dt").first.wait_for()
    notebook.until(lambda: "differs from the one before" in lightbox.inner_text())
    notebook.page.wait_for_timeout(600)
    notebook.shot("board_lightbox")
    for key in ("+", "+", "-", "0", "0", "i", "i"):
        notebook.page.keyboard.press(key)
    notebook.page.keyboard.press("Escape")
    lightbox.wait_for(state="detached")
    assert notebook.page.locator(".jp-Dialog").count() == 0


def compare_two(notebook, board):
    checks = board.locator('.fal-nb-btile[data-state="SUCCEEDED"] .fal-nb-tcheck')
    checks.nth(0).click(force=True)
    checks.nth(1).click(force=True)
    board.locator("[data-action=compare]").click()
    compare = notebook.page.locator(".fal-nb-compare")
    compare.locator("tbody td").first.wait_for()
    notebook.until(lambda: "prompt" in compare.inner_text())
    notebook.page.wait_for_timeout(400)
    notebook.shot("compare_side_dark")
    compare.locator("button", has_text="slider").click()
    notebook.page.wait_for_timeout(200)
    notebook.shot("compare_slider_dark")
    compare.locator("button", has_text="difference").click()
    notebook.until(lambda: "mean difference" in compare.inner_text())
    notebook.shot("compare_difference_dark")
    compare.locator("button", has_text="side by side").click()
    notebook.page.keyboard.press("Escape")
    compare.wait_for(state="detached")
    notebook.theme("JupyterLab Light")
    board.locator("[data-action=compare]").click()
    notebook.page.wait_for_timeout(400)
    notebook.shot("compare_side_light")
    notebook.page.keyboard.press("Escape")


def close_and_see_the_twin(notebook):
    notebook.save()
    notebook.restart_kernel()
    notebook.until(lambda: notebook.page.locator(".fal-nb-board").count() == 0)
    notebook.cell(2).locator(".jp-OutputArea").first.evaluate("(each) => each.scrollIntoView({ block: 'start' })")
    notebook.shot("board_twin_light")
    notebook.theme("JupyterLab Dark")
    notebook.page.locator("#jupyterlab-splash").wait_for(state="detached")
    notebook.shot("board_twin_dark")
    notebook.theme("JupyterLab Light")
    notebook.until(lambda: len(notebook.pictures(2)) == 42, what="the pictures of the twin")
    assert notebook.page.evaluate("() => window.hostile") is None


def test_a_board_fills_in_is_turned_looked_into_and_compared_without_running_anything(open_notebook):
    notebook = open_notebook("board.ipynb", [SHOW, STYLES, FINISH])
    page = notebook.page
    notebook.run(1, 2)
    board = board_in(notebook, 2)
    notebook.until(lambda: seen_pictures(board) >= 6)
    assert "48 cells" in board.inner_text()
    assert "the runner went away <img" in board.locator('[data-state="FAILED"] .fal-nb-treason').first.inner_text()
    notebook.cell(2).scroll_into_view_if_needed()
    board.evaluate("(each) => each.scrollIntoView({ block: 'start' })")
    notebook.shot("board_filling_light")

    notebook.run(3)
    board = board_in(notebook, 2)
    notebook.until(lambda: seen_pictures(board) >= 12)
    notebook.until(lambda: "42 done" in board.inner_text())
    notebook.until(lambda: "42 done" in str(notebook.outputs(2)))
    notebook.until(lambda: seen_pictures(board) >= 12)
    board.evaluate("(each) => each.scrollIntoView({ block: 'start' })")
    page.wait_for_timeout(300)
    notebook.shot("board_light")
    notebook.theme("JupyterLab Dark")
    notebook.shot("board_dark")

    turn(notebook, board)
    look_into(notebook, board)
    compare_two(notebook, board)
    close_and_see_the_twin(notebook)


def test_a_board_of_a_thousand_cells_keeps_to_its_budgets(open_notebook):
    notebook = open_notebook("thousand.ipynb", [SHOW, THOUSAND])
    notebook.run(1, 2)
    board = board_in(notebook, 2)
    notebook.until(lambda: seen_pictures(board) >= 15)
    tiles = board.locator(".fal-nb-btile")
    assert 20 <= tiles.count() <= 80
    board.evaluate("(each) => each.scrollIntoView({ block: 'start' })")
    notebook.shot("board_1000_light")
    scroller = board.locator(".fal-nb-bscroll")
    for _ in range(12):
        scroller.evaluate("(each) => { each.scrollTop += 300; each.scrollLeft += 400 }")
        notebook.page.wait_for_timeout(60)
        assert tiles.count() <= 80
    notebook.until(lambda: seen_pictures(board) >= 15)

    sent = sorted(message for message in notebook.messages() if message.kind in OURS)
    assert max(len(message.content) for message in sent) < 512_000
    seconds = [[each for each in sent[place:] if each.sent < first.sent + 1] for place, first in enumerate(sent)]
    assert max(map(len, seconds)) <= 10
    notebook.save()
    assert len(str(notebook.outputs(2))) < 330_000


def times(board):
    return board.locator("video").evaluate_all("(all) => all.map((each) => each.currentTime)")


def test_films_play_under_the_pointer_and_all_of_them_in_step(open_notebook):
    notebook = open_notebook("films.ipynb", [SHOW, FILMS])
    notebook.run(1, 2)
    board = board_in(notebook, 2)
    notebook.until(lambda: seen_pictures(board) == 4)
    board.locator(".fal-nb-btile").nth(0).hover()
    notebook.until(lambda: times(board) and times(board)[0] > 0.2)
    board.locator(".fal-nb-bname").hover()
    notebook.until(lambda: not times(board))

    board.get_by_text("Play all in step").click()
    notebook.until(lambda: len(times(board)) == 3 and min(times(board)) > 0.3)
    notebook.page.wait_for_timeout(600)
    first, second, third = times(board)
    assert abs(second - third) < 0.25
    assert first <= 2.01
    notebook.shot("board_films_light")
    board.get_by_text("Stop all").click()
    notebook.until(lambda: not times(board))

    for number in (1, 2):
        board.locator(".fal-nb-tcheck").nth(number).click(force=True)
    board.locator("[data-action=compare]").click()
    compare = notebook.page.locator(".fal-nb-compare")
    compare.get_by_text("Play in step").click()
    notebook.until(lambda: len(times(compare)) == 2 and min(times(compare)) > 0.3)
    notebook.shot("compare_films_light")
    notebook.page.keyboard.press("Escape")
