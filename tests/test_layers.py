"""Lower rooms never import higher ones, and the package stays light until it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "fal_nb"
LEVELS = {
    "plain": 0, "allocator": 0, "errors": 0, "states": 0, "settings": 0, "protocol": 0, "schemas": 0, "pricing": 0,
    "templates": 0, "forms": 0, "catalogue": 0,
    "client": 1, "ledger": 1, "runtime": 1, "kernel_loop": 1,
    "artifacts": 2, "results": 2, "scoring": 2,
    "engine": 3,
    "views": 4, "sweeps": 4, "exports": 4, "shown_sweep": 4,
    "magics": 5, "workbench": 5, "api": 5, "api_async": 5, "api_copy": 5, "api_history": 5, "api_jobs": 5, "api_realtime": 5, "api_uploads": 5,
    "api_sweeps": 5, "frames": 5, "shown_outputs": 5, "tile_code": 5, "shown_plan": 5, "api_gallery": 5,
    "filled_form": 5, "api_forms": 5, "webhooks": 5,
    "usage_report": 5, "api_usage": 5, "model_list": 5, "shown_models": 5, "api_catalogue": 5,
    "live_canvas": 5, "canvas_feed": 5, "api_canvas": 5,
}  # fmt: skip
# What a room may import although the order alone would not let it.
ALLOWED = {
    ("ledger", "artifacts"): "the dataclass of one artifact, which the records hold",
    ("engine", "simulator"): "only grounds.py, where nothing else is configured",
    ("magics", "simulator"): "handlers.py, for %fal simulator; completion, for its list; the line that loading says",
}
HEAVY = (
    "pandas",
    "PIL",
    "numpy",
    "ipywidgets",
    "anywidget",
    "httpx",
    "aiohttp",
    "starlette",
    "fastapi",
    "pydantic",
    "av",
    "cryptography",
)


def imports(path):
    """Yield (module of ours, line) for each import of the package, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "fal_nb":
            names = [node.module] if node.module != "fal_nb" else [f"fal_nb.{alias.name}" for alias in node.names]
            yield from ((name, node.lineno) for name in names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name.split(".")[0] == "fal_nb")


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def sources():
    return [path for path in PACKAGE.rglob("*.py") if "static" not in path.parts]


def test_lower_rooms_never_import_higher_ones():
    breaches = []
    for path in sources():
        own = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if own == "__init__":
            continue
        for module, line in imports(path):
            other = room(module)
            if other in {own, ""} or (own, other) in ALLOWED:
                continue
            # The simulator stands beside the order: level 0 only, so that it shares nothing but the protocol.
            highest = LEVELS.get(own, 0)
            allowed = LEVELS.get(other, highest + 1) <= highest
            if not allowed:
                breaches.append(f"{path.relative_to(PACKAGE)}:{line} imports {module}")
    assert not breaches, "\n".join(breaches)


def test_only_the_session_and_the_package_itself_import_the_simulator():
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in sources()
        for module, _ in imports(path)
        if room(module) == "simulator" and path.relative_to(PACKAGE).parts[0] != "simulator"
    }
    assert users <= {"engine/grounds.py", "magics/__init__.py", "magics/handlers.py", "magics/completion/known.py"}


def test_every_room_has_a_level():
    rooms = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in sources()} - {"__init__", "simulator"}
    assert rooms == set(LEVELS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement", ["import fal_nb", "import fal_nb; fal_nb.errors; fal_nb.FalError", "import fal_nb; fal_nb.Job"]
)
def test_importing_the_package_loads_nothing_heavy(statement):
    code = f"import sys; {statement}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
