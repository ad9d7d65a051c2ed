"""Every view is used by keyboard alone: reached, left, seen where the focus is, and its main actions done."""

import pytest

from .views import VIEWS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

MOST_TABS = 60
CALLING = {"plan", "form"}
"""Views that make calls of their own, for which the slow calls of the others leave no runner."""
AROUND = """
(root) => {
  for (const id of ["fal-before", "fal-after"]) document.getElementById(id)?.remove();
  const host = root.closest("[data-fal-view]") ?? root;
  for (const [id, where] of [["fal-before", "beforebegin"], ["fal-after", "afterend"]]) {
    const button = Object.assign(document.createElement("button"), { id, textContent: id });
    host.insertAdjacentElement(where, button);
  }
}
"""
FOCUSED = """
() => {
  const { activeElement: found } = document;
  const { outlineStyle, outlineWidth, boxShadow, stroke } = getComputedStyle(found);
  const isPlayer = found.matches("video, audio");  // the browser's own, which shows the focus inside
  const isDrawn = found.closest("svg") && stroke !== "none";  // points have a rim while they have the focus only
  const isSeen = isPlayer || isDrawn || (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  return { id: found.id, what: found.outerHTML.slice(0, 120), isSeen, isOurs: Boolean(found.closest(".fal-nb-theme, .fal-nb-card")) };
}
"""


def between_two_buttons(views, view):
    """Put a button before and one after a view, and return the view."""
    root = views.root(view)
    root.evaluate(AROUND)
    return root


def tabs_through(page, start, end, key="Tab"):
    """Press Tab from one button to the other and return what had the focus between them."""
    page.locator(f"#{start}").focus()
    seen = []
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        focused = page.evaluate(FOCUSED)
        if focused["id"] == end:
            return seen
        seen.append(focused)
    pytest.fail(f"a trap: {[each['what'] for each in seen[-3:]]}")


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name.replace(" ", "-"))
def test_a_view_is_passed_through_and_used_by_keyboard_alone(shown_views, view):
    page = shown_views.notebook.page
    if view.name in CALLING:
        shown_views.simulator.set_runners(20)
    between_two_buttons(shown_views, view)
    there = tabs_through(page, "fal-before", "fal-after")
    assert [each["what"] for each in there if not each["isSeen"]] == []
    assert all(each["isOurs"] for each in there)
    back = tabs_through(page, "fal-after", "fal-before", "Shift+Tab")
    assert len(back) == len(there)
    for opened in view.opens:
        open_and_close(shown_views, view, opened)
    for done in view.does:
        do(shown_views, view, done)


def open_and_close(views, view, opened):
    """Open what a view opens; Tab stays in it, and after Escape the focus is where it was."""
    page = views.notebook.page
    shown = views.open(view, opened)
    if opened.is_over:
        for _ in range(12):
            page.keyboard.press("Tab")
            assert shown.evaluate(
                "(e) => e.contains(document.activeElement) || document.activeElement === document.body"
            )
    views.close(opened, shown)
    cell = views.notebook.cell(views.cell(view))
    assert cell.evaluate("(e) => e.contains(document.activeElement)"), page.evaluate(FOCUSED)


def do(views, view, done):
    """Tab to what an action is on, press its keys and wait for what they do."""
    page, cell = views.notebook.page, views.notebook.cell(views.cell(view))
    on = cell.locator(done.on)
    between_two_buttons(views, view)
    if not on.evaluate_all("(all) => all.includes(document.activeElement)"):
        page.locator("#fal-before").focus()
    for _ in range(MOST_TABS):
        if on.evaluate_all("(all) => all.includes(document.activeElement)"):
            break
        page.keyboard.press("Tab")
    else:
        pytest.fail(f"Tab does not lead to {done.on}")
    for key in done.keys:
        page.keyboard.press(key)
    cell.locator(done.shows).first.wait_for()
