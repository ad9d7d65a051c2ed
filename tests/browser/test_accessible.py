"""No view, no twin and no exported page has a fault that axe-core calls serious or critical, light or dark."""

import pytest

from fal_nb.engine.session import Session
from fal_nb.shown_outputs import ShownOutputs
from fal_nb.simulator.server import SimulatorServer
from fal_nb.sweeps.sweep import Sweep
from fal_nb.views.gallery import GalleryView

from .axe import COLOURS, faults_in, faults_of
from .views import VIEWS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

THEMES = {"JupyterLab Light": None, "JupyterLab Dark": COLOURS}
"""Theme → the rules of axe-core that are tried in it, None for all."""
TWIN = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>twin</title></head>
<body style="color-scheme:{mode};background:{ground};color:{text};font-family:sans-serif"><main>{twin}</main></body></html>
"""
CUT_OFF = """
(root) => {
  const edge = root.getBoundingClientRect().right + 0.5;
  const isScrolled = (e) => e !== root && (/auto|scroll/.test(getComputedStyle(e).overflowX)
    && e.scrollWidth > e.clientWidth && e.clientWidth > 0 && !e.matches("ol, ul") || isScrolled(e.parentElement));
  return [...root.querySelectorAll("button, input, select, textarea, dd, dt")]
    .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > edge && !isScrolled(e))
    .map((e) => e.outerHTML.slice(0, 100));
}
"""
"""What is used or told beyond the right edge of a view, unless it lies in a window of its own that scrolls."""
MODES = {"light": ("#ffffff", "#000000de"), "dark": ("#111111", "#ffffffde")}


@pytest.mark.parametrize("theme", THEMES)
def test_no_view_has_a_serious_fault_nor_has_what_it_opens(shown_views, theme):
    shown_views.notebook.theme(theme)
    faults = {}
    for view in VIEWS:
        faults[view.name] = faults_in(shown_views.root(view), THEMES[theme])
        for opened in view.opens:
            shown = shown_views.open(view, opened)
            faults[f"{view.name}, {opened.name}"] = faults_in(shown, THEMES[theme])
            shown_views.close(opened, shown)
    assert {name: found for name, found in faults.items() if found} == {}


def test_no_button_of_a_view_is_out_of_reach_in_a_narrow_window(shown_views):
    page = shown_views.notebook.page
    usual = page.viewport_size
    beside = page.evaluate("() => document.querySelector('#jp-left-stack')?.offsetWidth ?? 0")
    page.set_viewport_size({"width": 480 + beside, "height": usual["height"]})
    cut = {view.name: shown_views.root(view).evaluate(CUT_OFF) for view in VIEWS}
    (models,) = [view for view in VIEWS if view.name == "models"]
    # There the details take the place of the cards: Escape leads back to the one they are of.
    shown_views.close(models.opens[-1], shown_views.open(models, models.opens[-1]))
    is_back = page.evaluate("() => document.activeElement.matches('.fal-nb-ccard[aria-expanded=false]')")
    page.set_viewport_size(usual)
    assert {name: found for name, found in cut.items() if found} == {}
    assert is_back


@pytest.mark.parametrize("mode", MODES)
def test_no_twin_has_a_serious_fault(shown_views, browser, mode):
    faults = {}
    page = browser.new_page()
    for view in VIEWS:
        (twin,) = [output["data"]["text/html"] for output in shown_views.notebook.outputs(shown_views.cell(view))]
        ground, text = MODES[mode]
        page.set_content(TWIN.format(mode=mode, ground=ground, text=text, twin=twin))
        faults[view.name] = faults_of(page)
    page.close()
    assert {name: found for name, found in faults.items() if found} == {}


def export_board(folder):
    """Return an exported board of nine calls, one of which failed, as a file."""
    plan_text = "prompt: a {animal} in {style}\nanimal: [fox, owl, wolf]\nstyle: [ukiyo-e, bauhaus, ink]"
    with SimulatorServer(runners=4, speed=50) as simulator:
        simulator.fault("fail", times=1, after=2)
        session = Session(base_url=simulator.base_url, home=folder / "home", notify=lambda line: None)
        plan, schemas = Sweep.plan_text(session, plan_text, "fal-ai/flux/schnell")
        sweep = Sweep.new(session, plan, schemas, name="styles").run().wait(60)
        (path,) = sweep.export(folder / "board.html")
        session.close()
    return path


def open_lightbox(page):
    page.locator(".fal-nb-btile[data-state=SUCCEEDED]").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("i")
    page.locator("[data-state=original]").first.wait_for()


def export_gallery(folder):
    """Return an exported gallery of pictures, a film, a sound and an answer, with something left out, as a file."""
    calls = [("fal-ai/flux/schnell", {"prompt": "a fox", "seed": seed, "num_inference_steps": seed}) for seed in (1, 2)]
    calls += [("fal-ai/kling-video/v3/pro/text-to-video", {"prompt": "waves", "duration": "3"})]
    calls += [("fal-ai/stable-audio", {"prompt": "rain", "seconds_total": 1}), ("fal-ai/any-llm", {"prompt": "Why?"})]
    with SimulatorServer(runners=5, speed=100) as simulator:
        session = Session(base_url=simulator.base_url, home=folder / "home", notify=lambda line: None)
        jobs = [session.submit(endpoint, arguments) for endpoint, arguments in calls]
        for job in jobs:
            job.get(60)
        jobs[0].rate(4)
        view = GalleryView(
            ShownOutputs(session), session.artifacts.path,
            lambda numbers: session.frame(where={"record": list(numbers)}), session.runtime.post,
        )  # fmt: skip
        (path,) = view.export(folder / "gallery.html", max_mb=0.6, on_note=lambda line: None)
        session.close()
    return path


def open_filters_table_and_lightbox(page):
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="Table").click()
    assert faults_of(page) == []
    page.get_by_role("gridcell", name="a fox").first.focus()
    page.keyboard.press("Enter")
    page.locator(".pswp :is([data-state=original], [data-state=failed])").first.wait_for()
    page.keyboard.press("i")
    page.locator(".fal-nb-lpanel dt").first.wait_for()


EXPORTS = {
    "board": (export_board, ".fal-nb-btile img", open_lightbox),
    "gallery": (export_gallery, ".fal-nb-gtile img", open_filters_table_and_lightbox),
}
"""Exported page → what writes it into a folder, what is there once it is open, what opens more of it."""


@pytest.mark.parametrize("name", EXPORTS)
def test_no_exported_page_has_a_serious_fault_from_disk_without_a_network(new_offline_page, tmp_path, name):
    export, until, open_more = EXPORTS[name]
    path = export(tmp_path)
    page = new_offline_page()
    page.goto(path.as_uri())
    page.locator(until).first.wait_for()
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found[scheme] = faults_of(page)
    open_more(page)
    found["opened"] = faults_of(page)
    assert {when: faults for when, faults in found.items() if faults} == {}
