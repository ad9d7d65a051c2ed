"""An exported gallery opens from disk with the network off: lightbox, slider, filters, table, by keyboard alone."""

import csv
import io
import json
import re

import pytest

from fal_nb.engine.session import Session
from fal_nb.shown_outputs import ShownOutputs
from fal_nb.simulator.server import SimulatorServer
from fal_nb.views.gallery import GalleryView

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

FLUX = "fal-ai/flux/schnell"
EVIL = "<img src=x onerror='window.hostile = 1'></script><script>window.hostile = 1</script>"
SIZE = {"width": 128, "height": 96}
VALUE = "el => Number(el.value ?? el.getAttribute('aria-valuenow'))"
COUNT = "document.querySelectorAll('.fal-nb-gtile').length"
ROLE = "document.activeElement.getAttribute('role')"
FACET = "document.activeElement.closest('fieldset')?.querySelector('legend').textContent"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Pictures, a film, a sound and an answer; one picture is hidden, two prompts are hostile."""
    with SimulatorServer(runners=8, speed=100) as simulator:
        home = tmp_path_factory.mktemp("home")
        session = Session(base_url=simulator.base_url, home=home, notify=lambda line: None)
        calls = [
            (FLUX, {"prompt": "a red fox", "seed": 1, "image_size": SIZE, "num_inference_steps": 4}),
            (FLUX, {"prompt": "a red fox", "seed": 2, "image_size": SIZE, "num_inference_steps": 2}),
            (FLUX, {"prompt": EVIL, "seed": 3, "image_size": SIZE, "num_inference_steps": 4}),
            (FLUX, {"prompt": "=1+1", "seed": 4, "image_size": SIZE, "num_inference_steps": 4}),
            (FLUX, {"prompt": "out of sight", "seed": 5, "image_size": SIZE}),
            ("fal-ai/kling-video/v3/pro/text-to-video", {"prompt": "a boat", "duration": "3"}),
            ("fal-ai/stable-audio", {"prompt": "rain", "seconds_total": 1}),
            ("fal-ai/any-llm", {"prompt": "Why is the sky blue?"}),
        ]
        jobs = [session.submit(endpoint, arguments) for endpoint, arguments in calls]
        for job in jobs:
            job.get(60)
        jobs[4].tag("hidden")
        yield session
        session.close()


@pytest.fixture
def write(session, tmp_path):
    def write(**options):
        view = GalleryView(
            ShownOutputs(session), session.artifacts.path,
            lambda numbers: session.frame(where={"record": list(numbers)}), session.runtime.post,
        )  # fmt: skip
        (path,) = view.export(tmp_path / "gallery.html", on_note=lambda line: None, **options)
        return path

    return write


@pytest.fixture
def opened(new_offline_page):
    """Return a function that opens a file with the network off; at the end nothing was asked for and nothing wrong."""
    pages, asked, wrong, files = [], [], [], []

    def opened(file):
        page = new_offline_page()
        pages.append(page)
        files.append(file.as_uri())
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(file.as_uri())
        page.locator(".fal-nb-gtile img").first.wait_for()
        return page

    yield opened
    assert [page.evaluate("window.hostile") for page in pages] == [None] * len(pages)
    assert wrong == []
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == files


def until(page, claim, wanted):
    """Wait until an expression has a value; the page's own policy forbids Playwright to wait inside it."""
    for _ in range(400):
        if page.evaluate(claim) == wanted:
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{claim} is {page.evaluate(claim)!r}, not {wanted!r}")


def tab_to(page, claim, wanted):
    for _ in range(40):
        if page.evaluate(claim) == wanted:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no key leads to {wanted}")


def tile(page, words):
    return page.get_by_role("gridcell", name=words)


def test_it_works_from_disk_by_pointer(opened, write):
    page = opened(write())
    tiles = page.locator(".fal-nb-gtile")
    assert tiles.count() == 7
    assert tile(page, "out of sight").count() == 0
    assert tile(page, EVIL).count() == 1

    tile(page, "a red fox").first.click()
    page.locator(".pswp [data-state=original]").first.wait_for()
    page.keyboard.press("i")
    page.locator(".fal-nb-lpanel dt", has_text="num_inference_steps").first.wait_for()
    page.keyboard.press("Escape")
    page.locator(".pswp").wait_for(state="detached")

    foxes = tile(page, "a red fox")
    for at in (0, 1):
        foxes.nth(at).hover()
        foxes.nth(at).locator("input[type=checkbox]").check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="slider", exact=True).click()
    slider = page.get_by_role("slider")
    before = slider.evaluate(VALUE)
    slider.focus()
    page.keyboard.press("ArrowRight")
    until(page, f"({VALUE})(document.querySelector('.fal-nb-compare input')) > {before}", True)
    page.get_by_role("button", name="difference").click()
    page.locator(".fal-nb-compare canvas").first.wait_for()
    page.keyboard.press("Escape")
    page.locator(".fal-nb-compare").wait_for(state="detached")


def test_films_sounds_and_answers_are_in_it(opened, write):
    page = opened(write())
    tile(page, "a boat").click()
    page.locator(".pswp video[src^=blob]").wait_for()
    until(page, "document.querySelector('.pswp video').readyState > 0", True)
    page.keyboard.press("Escape")
    page.locator(".pswp").wait_for(state="detached")
    tile(page, "rain").click()
    until(page, "document.querySelector('.pswp audio')?.readyState > 0", True)
    page.keyboard.press("Escape")
    page.locator(".pswp").wait_for(state="detached")
    tile(page, "Why is the sky blue?").click()
    page.locator(".pswp .fal-nb-lwords").first.wait_for()
    assert "sky blue" in page.locator(".pswp .fal-nb-lwords").first.inner_text()


def test_it_works_by_keyboard_alone(opened, write):
    page = opened(write())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("red fox")
    until(page, COUNT, 2)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # opens the filters
    page.get_by_role("group", name="num_inference_steps").wait_for()
    tab_to(page, FACET, "num_inference_steps")
    page.keyboard.press("Space")
    until(page, COUNT, 1)
    page.keyboard.press("Space")
    until(page, COUNT, 2)
    tab_to(page, ROLE, "gridcell")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_text("2 selected").wait_for()
    page.keyboard.press("c")
    page.locator(".fal-nb-compare").wait_for()
    page.keyboard.press("Escape")
    page.locator(".fal-nb-compare").wait_for(state="detached")
    page.keyboard.press("Enter")
    page.locator(".pswp [data-state=original]").first.wait_for()
    page.keyboard.press("Escape")
    page.locator(".pswp").wait_for(state="detached")
    until(page, ROLE, "gridcell")


def test_the_data_leave_the_page_as_files(opened, write, session):
    page = opened(write())
    with page.expect_download() as csv_file:
        page.get_by_role("button", name="Download CSV").click()
    assert csv_file.value.suggested_filename == "history.csv"
    rows = list(csv.DictReader(io.StringIO(csv_file.value.path().read_text("utf-8"))))
    prompts = {row["prompt"] for row in rows}
    assert {EVIL, "'=1+1"} <= prompts
    assert "out of sight" not in prompts
    page.get_by_role("searchbox").fill("red fox")
    page.get_by_text("2 calls").first.wait_for()
    with page.expect_download() as json_file:
        page.get_by_role("button", name="Download JSON").click()
    rows = json.loads(json_file.value.path().read_text("utf-8"))
    expected = session.frame(words=("red fox",))
    assert [row["request_id"] for row in rows] == list(expected["request_id"])[::-1]
    assert [row["seed"] for row in rows] == [2, 1]
    page.get_by_role("button", name="Table").click()
    assert page.get_by_role("region", name="table of calls").locator("tbody tr").count() == 2


def test_what_was_left_out_is_said_and_small_pictures_stand_in(opened, write):
    whole = write().read_text("utf-8")
    originals = sum(map(len, re.findall(r'<script[^>]*data-fal-nb="original-[^<]*</script>', whole)))
    page = opened(write(overwrite=True, max_mb=(len(whole.encode()) - originals + 3_000) / 1e6))
    assert re.match(r"Not in this file: \d of 6 originals \(", page.get_by_role("note").inner_text())
    tile(page, "a boat").click()
    page.get_by_text("the original is not in this file").wait_for()
    page.keyboard.press("Escape")
