"""What there is of views, subcommands and files that render them, and which suite says that it tries it.

A new view, twin, subcommand or bundle is added here to every suite of `SUITES` once that suite tries it;
`test_registry.py` fails until then. A new suite is one more entry.
"""

SUBCOMMANDS = frozenset({
    "run", "submit", "status", "result", "logs", "cancel", "wait", "jobs", "history", "config", "simulator", "help",
    "resume", "attach", "reconcile", "replay", "stream", "sweep",
})  # fmt: skip
VIEWS = frozenset({"fal_nb.views.card.CardView", "fal_nb.views.board.BoardView"})
TWINS = frozenset({"artifacts_html", "card_html", "frame_html", "text_html"})
TABLES = frozenset({"html_table", "text_table"})
BUNDLES = frozenset({"board", "card", "hub"})

SUITES = {
    "hostile": {"subcommands": SUBCOMMANDS, "views": VIEWS, "twins": TWINS, "tables": TABLES, "bundles": BUNDLES},
    "canary": {"subcommands": SUBCOMMANDS, "views": VIEWS, "twins": TWINS, "tables": TABLES, "bundles": BUNDLES},
}
"""Suite → kind of thing → the names it tries."""
