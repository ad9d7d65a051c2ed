"""An exported board opens from disk with the network off: axes, lightbox and compare work, and no request leaves."""

import pytest

from fal_nb.engine.session import Session
from fal_nb.simulator.server import SimulatorServer
from fal_nb.sweeps.sweep import Sweep

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PLAN = """\
prompt: a {animal} in {style}
animal: [fox, "<img src=x onerror='window.hostile = 1'></script>"]
style: [ukiyo-e, bauhaus]
image_size: {width: 128, height: 96}
"""


@pytest.fixture
def file(tmp_path):
    with SimulatorServer(runners=4, speed=40) as simulator:
        session = Session(base_url=simulator.base_url, home=tmp_path / "home", notify=lambda line: None)
        plan, schemas = Sweep.plan_text(session, PLAN, "fal-ai/flux/schnell")
        sweep = Sweep.new(session, plan, schemas, name="styles").run().wait(60)
        (path,) = sweep.export(tmp_path / "board.html")
        session.close()
    return path


def test_an_exported_board_works_from_disk_without_a_network(new_offline_page, file):
    page = new_offline_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(file.as_uri())
    page.locator(".fal-nb-btile img").nth(3).wait_for()
    assert page.locator(".fal-nb-btile").count() == 4
    assert page.locator(".fal-nb-bcommands").count() == 0

    first = page.locator(".fal-nb-btile").first
    first.locator(".fal-nb-tcheck").check()
    page.locator(".fal-nb-btile").nth(1).locator(".fal-nb-tcheck").check()
    page.locator("button[data-action=compare]").click()
    page.locator(".fal-nb-compare img").first.wait_for()
    page.keyboard.press("Escape")
    page.locator(".fal-nb-compare").wait_for(state="detached")

    before = first.locator(".fal-nb-spoken").inner_text()
    page.locator(".fal-nb-baxes button").first.click()
    assert page.locator(".fal-nb-btile").nth(1).locator(".fal-nb-spoken").inner_text() != before

    page.locator(".fal-nb-btile").first.click(position={"x": 60, "y": 80})
    page.locator("[data-state=original]").first.wait_for()
    page.keyboard.press("i")
    page.get_by_text("a fox in ukiyo-e").first.wait_for()
    assert page.evaluate("window.hostile") is None
    assert wrong == []
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == [file.as_uri()]
