"""The hostile corpus in a real JupyterLab: live cards, what is said around them, and the saved notebook by itself.

No script runs, no dialog opens, no request leaves for anybody else, and nobody takes the bait.
"""

import time

import pytest

from ..hostile.cases import ENDING  # noqa: TID252 - the corpus is not ours alone
from ..hostile.judge import UNFIT, assert_inert, assert_plain  # noqa: TID252 - the corpus is not ours alone
from ..hostile.server import Bait, HostileServer  # noqa: TID252 - the corpus is not ours alone

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

OPEN = """
import os, warnings
os.environ["FAL_NB_BASE_URL"] = {base!r}
from IPython.display import display
from fal_nb.client import http
from fal_nb.client.download import Downloader
from fal_nb.engine import patience
http.MAX_BODY_BYTES = 16 * 1024 * 1024
http.backoff_s = lambda *_, **__: 0.01
patience._FIRST_S = 0.05
Downloader.download.__kwdefaults__["max_bytes"] = 2 * 1024 * 1024
import sys
sys.path.insert(0, {tests!r})
from hostile.cases import CASES, ENDING
jobs = []
def submit(cases):
    for case in cases:
        try:
            job = fal_nb.session().submit(case.endpoint, case.given({bait!r}), check=case.check)
        except fal_nb.ArgumentsError as error:
            print(error)
        else:
            jobs.append(job)
            display(job)
"""
AT_ONCE = 45
CARDS = [f"submit(ENDING[{start}:{start + AT_ONCE}])" for start in range(0, len(ENDING), AT_ONCE)]
WAIT = "for job in jobs: job.wait(60)"
WIDGETS = "from ipywidgets import VBox\nVBox([fal_nb.card(job).widget for job in jobs[::9]])"
RESULTS = """
for job in jobs[::5]:
    if job.state == "SUCCEEDED":
        display(job.result())
"""
AROUND = """
display(fal_nb.history(limit=60))
for case in CASES:
    if case.name in {"schema-words", "schema-circle", "schema-nested"}:
        try:
            display(fal_nb.schema(case.endpoint))
        except fal_nb.FalError as error:
            print(error)
"""
SUBCOMMANDS = """
for job in jobs:
    if job.endpoint in {"hostile/logs-every-kind", "hostile/logs-many", "hostile/error-html-fals"}:
        for name in ("logs", "cancel", "status"):
            get_ipython().run_line_magic("fal", f"{name} {job.record_id}")
for name in ("jobs", "config", "help", "simulator", "wait"):
    get_ipython().run_line_magic("fal", name)
"""
SWEEP = """%%fal sweep hostile/logs-html --budget 5 --allow-unpriced --yes
prompt: {words}
negative: [a, {worst}]"""
WORDS = """
from hostile.words import EVERYTHING, HALVES, HTML
words, worst = [text[:400] for text in EVERYTHING.values() if text != HALVES], HTML
"""
FAILING = [
    f"%fal run hostile/{name} prompt=x --unchecked" for name in ("error-terminal", "error-html-fals", "error-fields")
]
SHOTS = (0, 40, 80, 115)


@pytest.fixture
def bait():
    bait = Bait()
    yield bait
    bait.close()


@pytest.fixture
def hostile(bait):
    with HostileServer(bait.url) as server:
        yield server


class Watch:
    """What a page asks for and shows that is not its own."""

    def __init__(self, page, *allowed):
        self.asked, self.dialogs, self.pages = [], [], []
        self._page = page
        page.route(lambda url: not url.startswith(allowed), self._refuse)
        self._listeners = {"dialog": self._dialog, "popup": self._page_opened, "download": self._page_opened}
        for event, listener in self._listeners.items():
            page.on(event, listener)

    def assert_quiet(self):
        assert self._page.evaluate("() => window.hostile") is None
        assert self._page.evaluate("() => ({}).polluted") is None
        assert self.asked == []
        assert self.dialogs == []
        assert self.pages == []
        assert len(self._page.frames) == 1

    def end(self):
        self._page.unroute_all()
        for event, listener in self._listeners.items():
            self._page.remove_listener(event, listener)

    def _refuse(self, route):
        self.asked.append(route.request.url)
        route.abort()

    def _page_opened(self, opened):
        self.pages.append(opened)

    def _dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def look_at_all(notebook, cells):
    """Bring every card into sight those with logs open, until its media are there or will not come."""
    for cell in cells:
        cards = notebook.cards(cell)
        for nth in range(cards.count()):
            card = cards.nth(nth)
            # Two frames, so that what comes into sight is noticed.
            card.evaluate(
                """(e) => { e.scrollIntoView();
                if (e.textContent.includes("hostile/logs")) e.querySelector("details").open = true;
                return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))) }"""
            )
    loading = notebook.page.locator(".fal-nb-loading")
    notebook.until(lambda: loading.count() == 0, 20, what="the media")


def shoot(notebook, cells, mode):
    cards = notebook.page.locator(".fal-nb-card")
    for nth in SHOTS:
        cards.nth(min(nth, cards.count() - 1)).evaluate("(e) => e.scrollIntoView({ block: 'start' })")
        notebook.page.wait_for_timeout(150)
        notebook.shot(f"hostile_{mode}_{nth}")


def test_no_script_runs_and_no_request_leaves_neither_live_nor_from_the_saved_notebook(
    open_notebook, hostile, bait, lab, browser, tmp_path, request
):
    tests = str(request.path.parents[1])
    cells = [
        OPEN.format(base=hostile.base, bait=bait.url, tests=tests),
        *CARDS,
        WAIT,
        WIDGETS,
        RESULTS,
        AROUND,
        WORDS,
        SWEEP,
        SUBCOMMANDS,
        *FAILING,
    ]
    notebook = open_notebook("corpus.ipynb", cells)
    watch = Watch(notebook.page, lab.url, "blob:", "data:", "ws://127.0.0.1")
    before = {path.name for path in lab.root.iterdir()}
    try:
        notebook.run(*range(1, len(CARDS) + 3))
        cards = range(2, 2 + len(CARDS))
        ended = notebook.page.locator(
            '.fal-nb-card .fal-nb-state:is([data-state="SUCCEEDED"], [data-state="FAILED"], [data-state="UNKNOWN"])'
        )
        shown = notebook.page.locator(".fal-nb-card")
        notebook.until(
            lambda: shown.count() == ended.count() >= len(ENDING) - 3,
            what=lambda: f"{ended.count()} of {shown.count()} cards",
        )
        look_at_all(notebook, cards)
        rest = range(len(CARDS) + 3, len(cells) + 1)
        for cell in rest:
            notebook.run(cell)
        look_at_all(notebook, [rest[0]])
        watch.assert_quiet()

        huge = [card for cell in cards for card in notebook.cards(cell).all() if "png-bomb" in card.text_content()]
        assert len(huge) == 1
        assert huge[0].locator("img.fal-nb-original").count() == 0
        outputs = notebook.page.locator(".jp-OutputArea-output")
        assert (
            outputs.locator("script, iframe, object, embed, svg[onload], [onerror], [onfocus], [onmouseover]").count()
            == 0
        )
        assert outputs.locator("a[href^='javascript' i], img[src^='http' i]").count() == 0
        for theme, mode in (("JupyterLab Light", "light"), ("JupyterLab Dark", "dark")):
            notebook.theme(theme)
            shoot(notebook, cards, mode)
        time.sleep(0.2)
        notebook.save()
        watch.assert_quiet()
    finally:
        watch.end()
        notebook.theme("JupyterLab Light")
        notebook.problems[:] = [problem for problem in notebook.problems if not is_lost_media(problem)]
    assert {path.name for path in lab.root.iterdir()} - before <= {".ipynb_checkpoints"}
    assert_saved_is_quiet(lab.read("corpus.ipynb"), browser, tmp_path)
    assert bait.strangers == []


def is_lost_media(problem):
    """Whether the page only complains that what is called a picture or a film is none."""
    return "blob:" in problem and "page error" not in problem


def assert_saved_is_quiet(saved, browser, tmp_path):
    """Open the saved outputs, and the notebook as nbconvert writes it, as pages that forbid nothing."""
    from nbconvert import HTMLExporter

    twins = []
    for cell in saved.cells:
        for output in cell.outputs:
            data = output.get("data", {})
            if "data-fal-view" in data.get("text/html", ""):
                assert_inert(data["text/html"])
                assert_plain(data["text/plain"])
            twins.append(data.get("text/html", ""))
            assert "application/vnd.jupyter.widget-view+json" not in data or "VBox" in cell.source
            assert not UNFIT.search(output.get("text", "").replace("\x1b", "")), output["text"][:500]
    assert sum("data-fal-view" in twin for twin in twins) > len(ENDING) - 10
    exporter = HTMLExporter(template_name="basic")
    exporter.exclude_input = True
    whole, _ = exporter.from_notebook_node(saved)
    for name, html in (("twins", "\n".join(twins)), ("exported", whole)):
        path = tmp_path / f"{name}.html"
        path.write_text(f"<!doctype html><meta charset=utf-8><body>{html}", "utf-8")
        page = browser.new_page()
        watch = Watch(page, "file:///", "data:", "blob:")
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        watch.assert_quiet()
        watch.end()
        page.close()
