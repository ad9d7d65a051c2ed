"""What there is of views, subcommands and files that render them, and which suite says that it tries it.

A new view, twin, subcommand or bundle is added here to every suite of `SUITES` once that suite tries it;
`test_registry.py` fails until then. A new subcommand also goes into `KILLED`, or, where it sends no call, into
`SPARED`. A new suite is one more entry.
"""

SUBCOMMANDS = frozenset({
    "run", "submit", "status", "result", "logs", "cancel", "wait", "jobs", "history", "config", "simulator", "help",
    "resume", "attach", "reconcile", "replay", "stream", "sweep", "gallery", "alias",
    "form", "canvas", "models", "schema", "price", "docs", "recommend", "usage",
})  # fmt: skip
VIEWS = frozenset({
    "fal_nb.views.card.CardView", "fal_nb.views.board.BoardView", "fal_nb.views.gallery.GalleryView",
    "fal_nb.views.plan.PlanView", "fal_nb.views.form.FormView", "fal_nb.views.canvas.CanvasView",
    "fal_nb.views.monitor.MonitorView", "fal_nb.views.models.ModelsView", "fal_nb.views.pareto.ParetoView",
})  # fmt: skip
TWINS = frozenset({"artifacts_html", "card_html", "frame_html", "text_html"})
TABLES = frozenset({"html_table", "text_table"})
BUNDLES = frozenset({
    "board", "canvas", "card", "form", "gallery", "hub", "models", "monitor", "page", "pareto", "plan", "three", "viewer",
})  # fmt: skip

SUITES = {
    "hostile": {"subcommands": SUBCOMMANDS, "views": VIEWS, "twins": TWINS, "tables": TABLES, "bundles": BUNDLES},
    "canary": {"subcommands": SUBCOMMANDS, "views": VIEWS, "twins": TWINS, "tables": TABLES, "bundles": BUNDLES},
}
"""Suite → kind of thing → the names it tries."""

KILLED = {
    "run": ["%fal run {picture} seed=1", "%fal run --direct {picture} seed=2"],
    "submit": ["%fal submit {picture} seed=3"],
    "stream": ["%fal stream fal-ai/any-llm prompt='Why is the sky blue?'"],
    "replay": ["%fal replay"],
    "sweep": ["%%fal sweep {picture} --budget 1 --yes\nseed: [4, 5, 6]"],
}
"""Subcommand that sends calls → cells in which the kill suite (`tests/kernels/test_kill.py`) kills the kernel."""
SPARED = {
    "resume": "the kill suite does it in the next kernel",
    "reconcile": "the kill suite does it in the next kernel",
    "attach": "sends nothing; its record is followed and resumed like any other",
    "cancel": "sends no call; a record that is open goes on, whether the cancel arrived or not",
    "wait": "sends nothing and writes nothing",
    "status": "sends nothing and writes nothing",
    "result": "sends nothing and writes nothing",
    "logs": "sends nothing and writes nothing",
    "jobs": "sends nothing and writes nothing",
    "history": "sends nothing and writes nothing",
    "gallery": "sends nothing; a mark is one commit",
    "alias": "sends nothing; it lasts as long as the kernel",
    "form": "its cell sends nothing; Run is a submit like any other",
    "models": "sends no call; the list it keeps is whole or absent",
    "schema": "sends no call",
    "docs": "sends no call",
    "usage": "sends no call",
    "recommend": "sends no call",
    "price": "sends no call",
    "canvas": "its cell sends nothing; a pinned frame is one commit of a call that has ended",
    "config": "sends nothing and writes nothing",
    "simulator": "sends nothing; the server is a process of its own that outlives the kernel",
    "help": "sends nothing and writes nothing",
}
"""Subcommand that the kill suite leaves out → why it may."""
