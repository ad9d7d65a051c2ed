"""Every view there is: the cell that shows it, when it is all there, and what it opens over the page.

What is measured, tried by keyboard or pictured takes its views from `VIEWS`: a new view is one more entry.
"""

from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]
MADE = f"""
# A history of its own: what other notebooks of this server have made is not of interest here.
import os, pathlib, sys, tempfile
os.environ["FAL_NB_HOME"] = tempfile.mkdtemp()
fal_nb.close()
sys.path.insert(0, {str(TESTS / "views")!r})
import fake_sweep
from IPython.display import clear_output
words = ("a red fox", "an owl at night", "a boat on a lake", "a city of glass")
sizes = ("square", "landscape_16_9", "portrait_4_3")
jobs = [
    fal_nb.submit("fal-ai/flux/schnell", {{"prompt": words[at % 4], "seed": at, "image_size": sizes[at % 3]}})
    for at in range(8)
]
film = fal_nb.submit("fal-ai/kling-video/v3/pro/text-to-video", {{"prompt": "waves"}})
sound = fal_nb.submit("fal-ai/minimax/speech-2.8-hd", {{"prompt": "A red fox sleeps under a birch."}})
text = fal_nb.submit("fal-ai/any-llm", {{"prompt": "Why is the sky blue?"}})
fal_nb.wait(jobs)
solid = fal_nb.submit("fal-ai/trellis", {{"image_url": jobs[0].result().files[0]}})
several = fal_nb.submit("fal-ai/flux/schnell", {{"prompt": "four foxes", "num_images": 4}})
wrong = fal_nb.submit("fal-ai/flux/dev", {{"prompt": "a fox", "num_images": 99}}, check=False)
for job in (film, sound, text, solid, several, wrong):
    job.wait(60)
for number in range(1, 6):
    fal_nb.rate(number, number)
fal_nb.tag(2, "keep")
slow = [fal_nb.submit("simulator/sleep", {{"seconds": 1, "steps": 100}}) for _ in range(6)]
while any(job.state != "RUNNING" for job in slow):
    time.sleep(0.02)
# The one that waits, and none before it.
slow.append(fal_nb.submit("simulator/sleep", {{"seconds": 1, "steps": 100}}))
clear_output()
"""
"""The second cell: outputs of every kind, a call that failed, and calls that run and wait until the kernel ends."""
BOARD = """
sweep = fake_sweep.styles(folder=pathlib.Path(tempfile.mkdtemp()))
keys = list(sweep.cells)
for key in keys[:20]:
    sweep.finish(key)
sweep.become(keys[3], state="FAILED", reason="the runner went away", artifact=None)
sweep.become(keys[5], is_from_memo=True, rating=4, artifact_count=4)
sweep.become(keys[9], state="UNKNOWN", artifact=None)
for number, key in enumerate(keys[20:24]):
    sweep.become(key, state="RUNNING", progress=number / 5 + 0.2)
for key in keys[24:28]:
    sweep.become(key, state="QUEUED")
for key in keys[44:]:
    sweep.become(key, state="SKIPPED", reason="budget: 2.00 USD would be passed")
sweep.finish_film(keys[28])
sweep.finish_sound(keys[29])
sweep.seconds_left = 48
from fal_nb.views.board import BoardView
from fal_nb.workbench import current
current().display.show(BoardView(sweep, sweep.path, sweep.thumbnail))
"""
PLAN = """
%%fal sweep fal-ai/flux/schnell --name styles --budget 2
prompt: a {animal} in {style} style
animal: [fox, owl]
style: [ukiyo-e, bauhaus, risograph]
seed: [1, 2, 3, 4]
"""


@dataclass(frozen=True)
class Opened:
    """What a view opens: `keys` pressed on `on` open what `shows` finds.

    Attributes
    ----------
    until
        What must be there before it is looked at, in the page.
    is_over
        Whether it lies over the page, as a dialog does, and Escape closes it; else it belongs to the view.
    undo
        Keys that leave the view as it was, once it is closed.
    """

    name: str
    on: str
    keys: tuple[str, ...]
    shows: str
    until: str = ""
    is_over: bool = True
    undo: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """One thing a person does by keyboard alone: Tab leads to `on`, then `keys` make that `shows` is in the cell."""

    name: str
    on: str
    keys: tuple[str, ...]
    shows: str


@dataclass(frozen=True)
class ShownView:
    """One view in one state.

    Attributes
    ----------
    cell
        What is run after `MADE` to show it.
    root
        Where it is, inside the cell's output.
    until
        What must be there before it is looked at, inside the root.
    opens
        What it opens over the page or within itself.
    does
        Its main actions, in the order in which they are tried by keyboard.
    """

    name: str
    cell: str
    root: str
    until: str
    opens: tuple[Opened, ...] = ()
    does: tuple[Done, ...] = ()


LIGHTBOX = {
    "keys": ("Enter", "i"),
    "shows": ".fal-nb-lightbox",
    "until": "img.fal-nb-limage[data-state=original], .fal-nb-lightbox video",
}
COMPARE = {"shows": "dialog.fal-nb-compare", "until": ".fal-nb-compare tbody td"}
FACET, CLOSE_LOOK = ".fal-nb-cfacet", ".fal-nb-cpane .fal-nb-cinputs"
CANCELLED_ROW = '.fal-nb-mrow[data-state="CANCELLED"]'
FIRST_TILE = '.fal-nb-btile[data-state="SUCCEEDED"]'

VIEWS = (
    ShownView(
        "canvas",
        "canvas = fal_nb.canvas('fal-ai/fast-turbo-diffusion/image-to-image', {'prompt': 'an island'})\n"
        "canvas.frame()\ncanvas.pin()\ncanvas",
        ".fal-nb-canvas",
        ".fal-nb-cpins img",
    ),
    ShownView(
        "card",
        "display(several)",
        ".fal-nb-card",
        "img.fal-nb-original",
        (
            Opened("lightbox", ".fal-nb-open", **LIGHTBOX),
            Opened("copying", ".fal-nb-copyas", ("Enter",), ".fal-nb-forms", is_over=False, undo=("Escape",)),
        ),
    ),
    ShownView("card of a film", "display(film)", ".fal-nb-card", "video"),
    ShownView("card of a sound", "display(sound)", ".fal-nb-card", "audio"),
    ShownView("card of a text", "display(text)", ".fal-nb-card", '[data-state="SUCCEEDED"]'),
    ShownView("card of a solid", "display(solid)", ".fal-nb-card", '[data-state="SUCCEEDED"]'),
    ShownView("card that failed", "display(wrong)", ".fal-nb-card", '[data-state="FAILED"]'),
    ShownView("card that runs", "display(slow[0])", ".fal-nb-card", '[data-state="RUNNING"]'),
    ShownView(
        "card that waits",
        "display(slow[-1])",
        ".fal-nb-card",
        '[data-state="QUEUED"]',
        does=(Done("cancel", ".fal-nb-cancel", ("Enter",), '.fal-nb-state[data-state="CANCELLED"]'),),
    ),
    ShownView(
        "monitor",
        "%fal jobs",
        ".fal-nb-monitor",
        '.fal-nb-mrow[data-state="RUNNING"]',
        does=(Done("cancel", '.fal-nb-mrow[data-state="RUNNING"] button', ("Enter",), CANCELLED_ROW),),
    ),
    ShownView(
        "plan",
        PLAN,
        ".fal-nb-plan",
        "[data-command=run]",
        does=(Done("run", "[data-command=run]", ("Enter",), '.fal-nb-btile[data-state="SUCCEEDED"]'),),
    ),
    ShownView(
        "board",
        BOARD,
        ".fal-nb-board",
        ".fal-nb-tbox img",
        (
            Opened("lightbox", FIRST_TILE, **LIGHTBOX),
            Opened("compare", FIRST_TILE, ("c", "ArrowRight", "c"), **COMPARE),
        ),
        (
            Done("rate", ".fal-nb-btile", ("ArrowRight", "5"), '.fal-nb-tfacts:has-text("★★★★★")'),
            Done("swap", "[data-action=swap]", ("Enter",), ".fal-nb-btile"),
        ),
    ),
    ShownView(
        "gallery",
        "gallery = %fal gallery",
        ".fal-nb-gallery",
        ".fal-nb-gtile > img",
        (
            Opened("filters", "button[aria-expanded]", ("Enter",), ".fal-nb-gfacet", is_over=False, undo=("Enter",)),
            Opened("lightbox", ".fal-nb-gtile", **LIGHTBOX),
            Opened("compare", ".fal-nb-gtile", (" ", "ArrowRight", " ", "c"), **COMPARE, undo=(" ", "ArrowLeft", " ")),
        ),
        (
            Done("rate", ".fal-nb-gtile", ("4",), '.fal-nb-gtile:focus .fal-nb-gfacts:has-text("★★★★")'),
            Done("menu", ".fal-nb-gtile", ("m",), ".fal-nb-gmenu button:focus"),
            Done("close the menu", ".fal-nb-gmenu button", ("Escape",), ".fal-nb-gtile:focus"),
            Done("search", ".fal-nb-gwords", ("o", "w", "l"), '.fal-nb-ghead:has-text("2 of ")'),
        ),
    ),
    ShownView(
        "pareto",
        "fal_nb.history(endpoint='fal-ai/flux/schnell').fal.pareto(x='total_s', y='rating')",
        ".fal-nb-pareto",
        ".fal-nb-pdot",
        (
            Opened("lightbox", '.fal-nb-pdot[tabindex="0"]', **LIGHTBOX),
            Opened(
                "compare",
                '.fal-nb-pdot[tabindex="0"]',
                (" ", "Shift+End", " ", "c"),
                **COMPARE,
                undo=(" ", "Home", " "),
            ),
        ),
        (
            Done("look at the last", ".fal-nb-pdot", ("End",), ".fal-nb-ptip .fal-nb-pnumbers"),
            Done("select", ".fal-nb-pdot", (" ",), '.fal-nb-phead:has-text("1 selected")'),
        ),
    ),
    ShownView(
        "models",
        "%fal models",
        ".fal-nb-models",
        ".fal-nb-cpicture img",
        (
            Opened("filters", "button[aria-expanded]", ("Enter",), FACET, is_over=False, undo=("Enter",)),
            Opened("details", "button.fal-nb-ccard", ("Enter",), CLOSE_LOOK, is_over=False, undo=("Escape",)),
        ),
        (Done("search", 'input[type="search"]', ("f", "l", "u", "x"), '.fal-nb-models:has-text(" of ")'),),
    ),
    ShownView(
        "form",
        "%fal form fal-ai/flux/dev -o form",
        ".fal-nb-form",
        ".fal-nb-ffield",
        does=(
            Done("fill in", ".fal-nb-ffield :is(textarea, input)", ("f", "o", "x"), '.fal-nb-fcell:has-text("fox")'),
            Done("run", 'button:text-is("Run")', ("Enter",), '.fal-nb-state[data-state="SUCCEEDED"]'),
        ),
    ),
)

PLOTS = (
    ShownView("usage", "%fal usage --days 7", ".jp-OutputArea-output", "table"),
    ShownView(
        "effects",
        """
from fal_nb.sweeps.effects import Effects
values = [("animal", "fox"), ("animal", "owl"), *(("style", each) for each in ("ukiyo-e", "bauhaus", "risograph"))]
values += [("guidance_scale", 2), ("guidance_scale", 3.5), ("guidance_scale", 5)]
effects = Effects([
    {"axis": axis, "value": value, "mean": 0.3 + at % 3 / 9, "std": 0.04 + at % 4 / 40, "n": 12}
    for at, (axis, value) in enumerate(values)
])
effects.of = "sharpness"
effects.plot()
""",
        ".jp-OutputArea",
        "img",
    ),
)
"""What is shown as it is, without a view behind it: only pictured."""


class ShownViews:
    """A notebook that shows every view of `VIEWS`, a cell each."""

    def __init__(self, notebook, simulator, shown=VIEWS):
        self.notebook, self.simulator, self.shown = notebook, simulator, shown

    @staticmethod
    def cells():
        return [MADE, *(view.cell.strip("\n") for view in VIEWS)]

    def cell(self, view):
        """Return the number of the cell that shows a view."""
        return self.shown.index(view) + 2

    def root(self, view):
        """Bring a view into sight and return it, once all of it is there."""
        notebook = self.notebook
        cell = notebook.cell(self.cell(view))
        root = cell.locator(view.root).first

        def is_there():
            # The cell, since its output is put anew whenever its twin is; views out of sight rest.
            cell.evaluate("(cell) => cell.scrollIntoView({ block: 'start' })")
            return root.count() and root.locator(view.until).count()

        notebook.until(is_there, what=f"{view.name} to be there")
        return root

    def open(self, view, opened):
        """Open what a view opens by keys alone, and return it once all of it is there."""
        notebook, root = self.notebook, self.root(view)
        root.locator(opened.on).first.focus()
        for key in opened.keys:
            notebook.page.keyboard.press(key)
        shown = (notebook.page if opened.is_over else root).locator(opened.shows).first
        shown.wait_for()
        if opened.until:
            notebook.page.locator(opened.until).first.wait_for()
        return shown

    def close(self, opened, shown):
        """Close it again, by keys alone."""
        if opened.is_over:
            self.notebook.page.keyboard.press("Escape")
            shown.wait_for(state="detached")
        for key in opened.undo:
            self.notebook.page.keyboard.press(key)
