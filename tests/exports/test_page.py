"""A board in one file: its policy lets nothing out, no text becomes a tag, and what is left out is said first."""

import base64
import hashlib
import html
import json
import re

import pytest

from fal_nb.errors import FileError
from fal_nb.views.view import bundle_text

BLOCK = re.compile(r'<script type="([^"]+)"(?: data-fal-nb="([^"]+)")?>(.*?)</script>', re.DOTALL)


def blocks(text):
    return {name or kind: content for kind, name, content in BLOCK.findall(text)}


@pytest.fixture(scope="module")
def page(sweep, tmp_path_factory):
    (path,) = sweep.export(tmp_path_factory.mktemp("page") / "x.html")
    return path.read_text("utf-8")


def test_the_page_holds_the_board_its_arguments_and_its_pictures(page, session, sweep):
    found = blocks(page)
    state = json.loads(found["state"])
    assert (state["name"], state["count"], state["is_export"]) == ("styles", 6, True)
    for place, view in enumerate(sweep):
        digest = view.artifacts[0].digest
        assert state[f"c{place}"][9][2] == digest[:16]
        assert base64.b64decode(found[f"original-{digest[:16]}"]) == session.artifacts.read(digest)
        assert base64.b64decode(found[f"thumbnail-{digest[:16]}"]) == session.history.thumbnail(digest)
        details = json.loads(found[f"details-{place}"])
        assert details["arguments"]["prompt"] == view.cell.arguments["prompt"]
        assert details["request_id"] == view.request_id


def test_only_the_script_of_the_page_may_run_and_nothing_may_be_asked_for(page):
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    script = blocks(page)["module"]
    assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "media-src", "base-uri", "form-action"}
    assert not re.search(r"https?:|unsafe-eval|\*", policy)
    assert "unsafe-inline" not in rules["script-src"]
    assert script == bundle_text("page").replace("</script", "<\\/script")


def test_no_text_of_a_sweep_ends_its_block_or_becomes_a_tag(page):
    assert page.count("</script>") == page.count("<script ")  # the value "狐 </script> CON" ends none
    assert "<b>fox" not in page
    kinds = {kind for kind, _, _ in BLOCK.findall(page)}
    assert kinds == {"application/json", "text/plain", "module"}


def test_what_does_not_fit_is_said_before_anything_is_written(sweep, tmp_path):
    notes = []

    def note(line):
        assert list(tmp_path.iterdir()) == []
        notes.append(line)

    (path,) = sweep.export(tmp_path / "x.html", max_mb=0.1, on_note=note)
    assert len(notes) == 1
    assert notes[0].startswith("Left out for size: 6 of 6 originals")
    found = blocks(path.read_text("utf-8"))
    assert len([name for name in found if name.startswith("thumbnail-")]) == 6
    assert not [name for name in found if name.startswith("original-")]
    sweep.export(tmp_path / "y.html", on_note=notes.append)
    assert len(notes) == 1
    with pytest.raises(FileError, match="is there already"):
        sweep.export(path)


def test_an_interrupt_leaves_no_page(sweep, tmp_path):
    def stop(*_told):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep.export(tmp_path / "x.html", on_progress=stop)
    assert list(tmp_path.iterdir()) == []
