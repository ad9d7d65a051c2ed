"""Runs the quickstart on the simulator, headless, and writes ``build/demo.html`` with its media inside the file."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

HERE = Path(__file__).parent
TARGET = HERE.parent / "build" / "demo.html"
WANTED = {"pictures": (r"<img[^>]+src=\"data:image/", 3), "videos": (r"<video\b", 1), "audio players": (r"<audio\b", 1)}
"""What the page must show: a pattern and how many at least."""


def main() -> int:
    """Write the page and return 0, or say what is missing and return 1."""
    notebook = nbformat.read(HERE / "01_quickstart.ipynb", as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("get_ipython().config.FalMagics.embed_media = True"))
    with tempfile.TemporaryDirectory() as home:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("FAL_")}
        os.environ.clear()
        os.environ.update(environ, FAL_NB_HOME=home)
        client = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            resources={"metadata": {"path": home}},
            store_widget_state=False,
            on_cell_start=lambda cell, cell_index: print(f"  cell {cell_index}: {_first_line(cell)}", flush=True),
        )
        try:
            client.execute()
        except CellExecutionError as error:
            print(f"The quickstart stopped: {error}", file=sys.stderr)
            return 1
        finally:
            _stop_simulator(Path(home))
    del notebook.cells[0]
    return _write(notebook)


def _write(notebook: nbformat.NotebookNode) -> int:
    # Every address that nbconvert would load from another host is emptied: the page must work offline.
    exporter = HTMLExporter(require_js_url="", mathjax_url="", jquery_url="", mermaid_js_url="")
    html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": "fal_nb quickstart"}})
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(html, "utf-8")
    counts = {name: len(re.findall(pattern, html)) for name, (pattern, _) in WANTED.items()}
    print(f"{TARGET.relative_to(HERE.parent)}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    missing = [name for name, (_, least) in WANTED.items() if counts[name] < least]
    if missing:
        print(f"The page lacks {' and '.join(missing)}.", file=sys.stderr)
    return 1 if missing else 0


def _first_line(cell: nbformat.NotebookNode) -> str:
    lines = [line for line in str(cell.source).splitlines() if line.strip()]
    return lines[0][:90] if lines else ""


def _stop_simulator(home: Path) -> None:
    from fal_nb.simulator.process import stop  # noqa: PLC0415 - only after the run

    stop(home)


if __name__ == "__main__":
    sys.exit(main())
