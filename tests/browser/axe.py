"""axe-core in a page: what keeps people with a screen reader, a keyboard or weak eyes from using it."""

from pathlib import Path

SOURCE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """
async (element, { isWhole, rules }) => {
  const options = { resultTypes: ["violations"], preload: false };
  if (rules) options.runOnly = { type: "rule", values: rules };
  const { violations } = await axe.run(isWhole ? document : element, options);
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").flatMap(
    ({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${node.html.slice(0, 160)}`
      + (node.any[0]?.message ? `: ${node.any[0].message.slice(0, 160)}` : "")));
}
"""
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules that a theme can break."""


def faults_in(element, rules=None):
    """Return the serious and critical faults inside an element, a line each; its page is left out of it."""
    return _run(element, rules, is_whole=False)


def faults_of(page):
    """Return those of a whole page, with what a page of ours must have beyond its elements."""
    return _run(page.locator("body"), None, is_whole=True)


def _run(element, rules, *, is_whole):
    page = element.page
    if not page.evaluate("() => 'axe' in window"):
        # Not as a script of the page: what our exports allow to run does not include it.
        page.evaluate(f"() => {{ {SOURCE.read_text('utf-8')} }}")
    # JupyterLab's body is 0 pixels high and hides what overflows, whereby axe takes all of the page for hidden.
    page.evaluate("() => { document.body.style.minHeight = '100vh' }")
    return element.evaluate(RUN, {"isWhole": is_whole, "rules": rules and list(rules)})
