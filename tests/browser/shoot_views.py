"""Takes pictures of every view with 1, 20 and 2,000 mixed outputs, light and dark, narrow and wide, to be looked at.

Run it as ``make screenshots``, or ``python -m tests.browser.shoot_views [--items 20] [--views card form] [--docs]``.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from fal_nb.simulator.server import SimulatorServer

from .conftest import CHROMIUM_ARGUMENTS, OPEN_EXTENSION
from .lab_server import LabServer, free_port
from .notebook_page import NotebookPage
from .views import MADE, PLOTS, TESTS, VIEWS, ShownView, ShownViews

WIDTHS = {"wide": 1280, "narrow": 480}
GAP = 16
IN_DOCS = (
    "card", "card_of_a_film", "card_of_a_sound", "card_of_a_text", "card_of_a_solid", "card_that_failed",
    "card_that_runs", "card_that_waits", "monitor", "plan", "board", "board_compare", "board_of_1", "board_of_20",
    "board_of_2000", "gallery_filters", "gallery_lightbox", "gallery_compare", "gallery_of_1", "gallery_of_20",
    "gallery_of_2000", "pareto", "models", "models_details", "form", "canvas", "usage", "effects",
)  # fmt: skip
"""The sheets that `docs/views.md` shows."""
DOCS_PIXELS = 1400
TALL, USUAL = 1250, 900
"""Heights of the window: one in which every view is seen whole, and one for what lies over the page."""
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
OFTEN = (
    "limit = ITEMS\n"
    f"""
sys.path.insert(0, {str(TESTS / "benchmarks")!r})
from bench_history import end_of, new_record
from fal_nb.ledger.rows import insert_artifact
history = fal_nb.session().history
made = [files for number in range(1, 14) if (files := history.artifacts(number))]
ids = history.add_many(new_record(number + 1) for number in range(limit))
history.update_many((number, end_of(number)) for number in ids)
with history.database.writing() as connection:
    for at, number in enumerate(ids):
        insert_artifact(connection, number, made[-1 - at % len(made)][0])
"""
)
"""Records with the files of the calls that were made, over and over."""
GALLERY = "gallery = fal_nb.gallery(ids)"
BOARD = """
rows = max(1, limit // 50)
axes = {"steps": [str(n + 1) for n in range(rows)], "seed": [str(n + 1) for n in range(max(1, limit // rows))]}
many = fake_sweep.FakeSweep(axes, folder=pathlib.Path(tempfile.mkdtemp()))
for at, key in enumerate(many.cells):
    if at % 9 == 7:
        many.finish_sound(key)
    elif at % 200 == 8:
        many.finish_film(key)
    else:
        many.finish(key, look=(at % 24, (at % 5, at % 7)), size=((256, 256), (320, 200), (200, 320))[at % 3])
current().display.show(BoardView(many, many.path, many.thumbnail))
"""


def views_of(items):
    """Return the views whose looks depend on how much there is."""
    (gallery,) = [view for view in VIEWS if view.name == "gallery"]
    (board,) = [view for view in VIEWS if view.name == "board"]
    made = OFTEN.replace("ITEMS", str(items))
    return (
        ShownView(
            f"gallery of {items}", made + GALLERY, gallery.root, ".fal-nb-gtile", gallery.opens if items > 1 else ()
        ),
        ShownView(f"board of {items}", BOARD, board.root, board.until, board.opens if items > 1 else ()),
    )


def shoot(views, into):
    """Take each view, and what it opens, in both themes and widths; one that cannot be taken is named."""
    notebook = views.notebook
    for theme, title in THEMES.items():
        notebook.theme(title)
        for width, pixels in WIDTHS.items():
            for view in views.shown:
                name = f"{view.name.replace(' ', '_')}_{theme}_{width}"
                try:
                    notebook.page.set_viewport_size({"width": pixels, "height": TALL})
                    root = views.root(view)
                    notebook.page.wait_for_timeout(400)
                    root.screenshot(path=str(into / f"{name}.png"))
                    for opened in view.opens:
                        height = USUAL if opened.is_over else TALL
                        notebook.page.set_viewport_size({"width": pixels, "height": height})
                        shown = views.open(view, opened)
                        notebook.page.wait_for_timeout(400)
                        picture = notebook.page if opened.is_over else root
                        picture.screenshot(path=str(into / f"{name}_{opened.name}.png"))
                        views.close(opened, shown)
                except Exception as error:  # noqa: BLE001 - the other pictures are wanted all the same
                    print(f"{name}: {str(error).splitlines()[0]}")
                    notebook.page.keyboard.press("Escape")


def lay_out(folder):
    """Put the pictures of each view beside each other, both themes and widths on a sheet, to be looked at in one go."""
    (folder / "sheets").mkdir(exist_ok=True)
    names = {path.stem.replace("_light_wide", "|") for path in folder.glob("*_light_wide*.png")}
    for name in names:
        paths = {
            (theme, width): folder / f"{name.replace('|', f'_{theme}_{width}')}.png"
            for theme in THEMES
            for width in WIDTHS
        }
        pictures = {at: Image.open(path).convert("RGB") for at, path in paths.items() if path.exists()}
        wide = [picture for (_, width), picture in pictures.items() if width == "wide"]
        narrow = [picture for (_, width), picture in pictures.items() if width == "narrow"]
        left = max(picture.width for picture in wide) + 2 * GAP
        size = (
            left + sum(picture.width + GAP for picture in narrow),
            GAP + max(sum(picture.height + GAP for picture in wide), *(picture.height + GAP for picture in narrow), 0),
        )
        sheet = Image.new("RGB", size, "#808080")
        top = GAP
        for picture in wide:
            sheet.paste(picture, (GAP, top))
            top += picture.height + GAP
        for picture in narrow:
            sheet.paste(picture, (left, GAP))
            left += picture.width + GAP
        sheet.save(folder / "sheets" / f"{name.replace('|', '')}.png")


def put_into_docs(sheets, into, only=None):
    """Write what `docs/views.md` shows, smaller; with `only`, the views whose names begin so."""
    names = [name for name in IN_DOCS if only is None or name.startswith(tuple(only))]
    for old in into.glob("sheet_*.webp"):
        if only is None or old.stem.removeprefix("sheet_") in names:
            old.unlink()
    for name in names:
        sheet = Image.open(sheets / f"{name}.png")
        sheet.thumbnail((DOCS_PIXELS, DOCS_PIXELS))
        sheet.save(into / f"sheet_{name}.webp", quality=80, method=6)


def main():
    """Take the pictures and say where they are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, nargs="*", default=[1, 20, 2000])
    parser.add_argument("--into", type=Path, default=Path("build/screenshots/views"))
    parser.add_argument("--only-many", action="store_true", help="leave out the views that are the same for any number")
    parser.add_argument("--docs", action="store_true", help="put sheets into docs/images/views, too")
    parser.add_argument("--views", nargs="*", help="only those whose names begin so")
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    shown = () if given.only_many else (*VIEWS, *PLOTS)
    # The board's cell of VIEWS brings the names that the boards of many use.
    first = [view for view in VIEWS if view.name == "board"] if given.only_many else []
    shown = (*shown, *first, *(view for items in given.items for view in views_of(items)))
    if given.views:
        shown = tuple(view for view in shown if view.name.startswith(tuple(given.views)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        port = free_port()
        environ = {"FAL_NB_BASE_URL": f"http://127.0.0.1:{port}", "FAL_KEY": "test:key"}
        lab = LabServer(Path(folder), environ=environ)
        lab.set("@jupyterlab/application-extension", "shell", {"hiddenMode": "remove"})
        try:
            with SimulatorServer(port=port, runners=6, speed=50.0) as server:
                server.fault("long", endpoint="simulator/sleep", seconds=3600)
                context = playwright.chromium.launch_persistent_context(
                    str(Path(folder) / "profile"), executable_path=chromium, args=CHROMIUM_ARGUMENTS,
                    viewport={"width": 1280, "height": 900},
                )  # fmt: skip
                lab.write("views.ipynb", [OPEN_EXTENSION, MADE, *(view.cell.strip("\n") for view in shown)])
                notebook = NotebookPage(context.new_page(), lab, "views.ipynb")
                notebook.open()
                notebook.command("application:toggle-left-area")
                notebook.command("application:set-mode", {"mode": "single-document"})
                notebook.command("statusbar:toggle")
                notebook.run_all()
                notebook.idle(timeout_s=240)
                shoot(ShownViews(notebook, server, shown), given.into)
                context.close()
        finally:
            lab.stop()
    lay_out(given.into)
    if given.docs:
        put_into_docs(given.into / "sheets", Path("docs/images/views"), given.views)
    print(f"{len(list(given.into.glob('*.png')))} pictures in {given.into}")


if __name__ == "__main__":
    main()
