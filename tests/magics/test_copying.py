"""What a card copies: the call as source, written in the kernel when the page asks."""

import json
import time

from fal_nb.workbench import current

SCHNELL = "fal-ai/flux/schnell"


def asked(view, form):
    """Return what the card answers a page that asks for a form."""
    said = []
    view._post = lambda content, buffer: said.append(content)
    current().session.runtime.call(receive(view, {"kind": "copy", "form": form}))
    deadline = time.monotonic() + 30
    while not said:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return said[0]


async def receive(view, content):
    view.receive(content)


def test_a_card_writes_its_call_in_each_form_after_its_job_is_gone_too(run):
    run(f"%fal run {SCHNELL} 'a fox' seed=3")
    view = current().card(current().session.job(None))
    assert view.state()["can_copy"] is True
    assert asked(view, "magic")["text"].startswith(f'%fal run {SCHNELL} prompt="a fox" seed=3')
    assert "fal.subscribe(" in asked(view, "python")["text"]
    assert "@fal-ai/client" in asked(view, "javascript")["text"]
    assert asked(view, "curl")["text"].startswith("curl")


def test_a_form_that_is_none_and_a_call_made_elsewhere_are_said_in_a_line(run):
    run(f"%fal run {SCHNELL} 'a fox'")
    view = current().card(current().session.job(None))
    for form in ("<b>", None, 5, ["magic"]):
        answer = asked(view, form)
        assert (answer["form"], "copied as magic" in answer["error"]) == (None, True)
        json.dumps(answer)
    run(f"%fal attach {SCHNELL} 764cabcf-b745-4b3e-ae38-1200304cf45b")
    assert "made elsewhere" in asked(current().card(current().session.job(None)), "curl")["error"]
