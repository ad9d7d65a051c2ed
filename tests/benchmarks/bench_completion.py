"""How long Tab takes with 1,500 endpoints on disk and 20,000 records, in a real shell; target: p95 under 50 ms."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

ENDPOINTS = 1_500
RECORDS = 20_000
ROUNDS = 60
LINES = (
    "%fal ",
    "%fal run ",
    "%fal run image-to",
    "x = %fal run owner-707/model-7",
    "%fal run owner-{n}/model-{n}/image-to-video ",
    "%fal run owner-{n}/model-{n}/image-to-video inp",
    "%fal run owner-{n}/model-{n}/image-to-video prompt=x style=",
    "%fal result ",
    "%%fal sweep owner-{n}/model-{n}/image-to-video\nprompt: x\nst",
)


def document(number):
    """A document as long as fal's: 30 inputs, descriptions, a choice, a nested object."""
    words = f"What input {number} is about, in a sentence or two that nobody reads while typing. " * 3
    properties = {
        f"input_{at}": {"type": "number", "minimum": 0, "maximum": 9, "description": words} for at in range(28)
    }
    properties["prompt"] = {"type": "string", "description": words}
    properties["style"] = {"type": "string", "enum": [f"style_{at}" for at in range(40)]}
    inputs = {"type": "object", "required": ["prompt"], "properties": properties}
    output = {"type": "object", "properties": {"images": {"type": "array", "items": {"type": "object"}}}}
    return {"openapi": "3.0.4", "components": {"schemas": {"ModelInput": inputs, "ModelOutput": output}}}


def fill(home):
    from fal_nb.client.schema_files import SchemaFiles, kept_form
    from fal_nb.ledger.records import NewRecord
    from fal_nb.ledger.store import HistoryStore
    from fal_nb.protocol.urls import Hosts

    files = SchemaFiles(home / "schemas")
    files.folder.mkdir(parents=True)
    server = Hosts.under(os.environ["FAL_NB_BASE_URL"]).schema
    names = [f"owner-{number}/model-{number}/image-to-video" for number in range(ENDPOINTS)]
    for number, name in enumerate(names):
        files.path(server, name).write_text(json.dumps(kept_form(name, time.time(), document(number))), "utf-8")
    with HistoryStore(home / "history.sqlite") as store:
        store.add_many(
            NewRecord(
                endpoint=names[number % 100],
                kind="queue",
                backend="server",
                arguments={"prompt": "x"},
                created=time.time(),
            )
            for number in range(RECORDS)
        )


def main():
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell

    with tempfile.TemporaryDirectory() as folder:
        os.environ["FAL_NB_HOME"] = folder
        os.environ["FAL_NB_BASE_URL"] = "http://127.0.0.1:9"
        fill(Path(folder))
        shell = InteractiveShell.instance()
        shell.Completer.use_jedi = False
        shell.run_line_magic("load_ext", "fal_nb")

        def press(code):
            start = time.perf_counter()
            with provisionalcompleter():
                found = list(shell.Completer.completions(code, len(code)))
            assert found, code
            return (time.perf_counter() - start) * 1e3

        print(f"first press {press('%fal run image-to'):.0f} ms (loads the parser, lists {ENDPOINTS} endpoints)")
        times = sorted(press(line.replace("{n}", str(at))) for at in range(ROUNDS) for line in LINES)
        p95 = times[int(len(times) * 0.95)]
        print(
            f"{len(times)} presses: median {times[len(times) // 2]:.1f} ms, p95 {p95:.1f} ms, worst {times[-1]:.1f} ms"
        )
        print("target: p95 under 50 ms", "met" if p95 < 50 else "MISSED")


if __name__ == "__main__":
    sys.exit(main())
