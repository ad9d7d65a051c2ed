"""Style sheets of views lie on one page together: none reaches into another view."""

import re
from collections import defaultdict
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "js" / "src"
SHARED = "theme.css"
ELSEWHERE = "page.css"
"""Of exported pages, which hold no other view than the one it places."""
ROOTS = {f"fal-nb-{path.stem}" for path in SOURCES.rglob("*.css")}
"""What each view is, as a whole; one may stand in another, whose style sheet then places it."""


def selectors(text):
    """Return the selectors of a style sheet, one for each part of a list outside of parentheses."""
    text = re.sub(r"/\*.*?\*/|@keyframes[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", text, flags=re.DOTALL)
    for found in re.findall(r"([^{};]+)\{", text):
        if not found.strip().startswith("@"):
            yield from (part.strip() for part in re.split(r",(?![^(]*\))", found))


def test_what_a_style_sheet_names_without_its_view_is_in_no_other():
    bare, named = defaultdict(set), defaultdict(set)
    for path in sorted(SOURCES.rglob("*.css")):
        if path.name == ELSEWHERE:
            continue
        for selector in selectors(path.read_text("utf-8")):
            classes = re.findall(r"\.(fal-nb-[\w-]+)", selector)
            subject = [name for name in classes if name != "fal-nb-theme"]
            if len(subject) == 1:
                bare[subject[0]].add(path.name)
            for name in classes:
                named[name].add(path.name)
    strangers = {
        name: sorted(named[name] - own - {SHARED})
        for name, own in bare.items()
        if SHARED not in own and name not in ROOTS
    }
    assert bare
    assert {name: others for name, others in strangers.items() if others} == {}
