"""Times a canvas against a bare realtime connection, in Python and drawn on in JupyterLab. Printed, not asserted.

Run it as ``python tests/benchmarks/bench_canvas.py [--seconds 5] [--no-page]``. The simulator is a process of its own, so
that it shares no lock with whoever is timed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ENDPOINT = "fal-ai/fast-turbo-diffusion/image-to-image"
ARGUMENTS = {"prompt": "an island near sea, oil painting", "strength": 0.8, "seed": 7}
CHROMIUM = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
STATS = "import dataclasses, json; print('STATS ' + json.dumps(dataclasses.asdict(canvas.stats)))"


@contextmanager
def simulator() -> Iterator[str]:
    """Run a simulator as a process of its own, and give its address."""
    command = [sys.executable, "-m", "fal_nb.simulator", "--speed", "4"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["base_url"]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def drawing() -> str:
    """Return a drawing as the canvas sends it."""
    import io

    from PIL import Image, ImageDraw

    from fal_nb.protocol.files import encode_data_uri

    image = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(image).ellipse((100, 100, 400, 400), outline="#1f6feb", width=24)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return encode_data_uri(buffer.getvalue(), "image/jpeg")


async def bare(base_url: str, seconds: float) -> tuple[float, list[float]]:
    """Return round trips a second and their seconds over a bare connection, two inputs on their way."""
    from fal_nb import AsyncClient

    picture, trips, sent = drawing(), [], []
    async with AsyncClient(base_url=base_url) as client, client.realtime(ENDPOINT, max_buffering=2) as connection:
        for _ in range(2):
            sent.append(time.perf_counter())
            await connection.send({**ARGUMENTS, "image_url": picture})
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            await connection.recv()
            trips.append(time.perf_counter() - sent.pop(0))
            sent.append(time.perf_counter())
            await connection.send({**ARGUMENTS, "image_url": picture})
        return len(trips) / (time.perf_counter() - began), trips


def in_lab(base_url: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Return what page and kernel tell of a canvas that is drawn on in JupyterLab for some seconds."""
    sys.path.insert(0, str(ROOT))
    from playwright.sync_api import sync_playwright

    from tests.browser.lab_server import LabServer
    from tests.browser.notebook_page import NotebookPage

    chromium = os.environ.get("FAL_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    server = LabServer(folder, environ={"FAL_NB_BASE_URL": base_url, "FAL_KEY": "test:key"})
    try:
        words = f"{ENDPOINT} '{ARGUMENTS['prompt']}' strength=0.8 seed=7 -o canvas"
        server.write("canvas.ipynb", ["%load_ext fal_nb", f"%fal canvas {words}", STATS])
        with sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                str(folder / "profile"),
                executable_path=chromium,
                args=CHROMIUM,
                viewport={"width": 1280, "height": 900},
            )
            notebook = NotebookPage(context.new_page(), server, "canvas.ipynb")
            notebook.open()
            notebook.run(0, 1)
            canvas = notebook.cell(1).locator(".fal-nb-canvas")
            canvas.wait_for()
            area = notebook.cell(1).locator(".jp-OutputArea").first
            area.evaluate("(area) => area.scrollIntoView({ block: 'start' })")
            first = draw(notebook, canvas, 1.0)
            began = time.perf_counter()
            last = draw(notebook, canvas, seconds)
            taken = time.perf_counter() - began
            pace = canvas.locator(".fal-nb-cpace").inner_text()
            notebook.run(2)
            told = "".join(str(output.get("text", "")) for output in notebook.outputs(2))
            context.close()
    finally:
        server.stop()
    found: dict[str, Any] = json.loads(told.split("STATS ")[1])
    return found | {"page": pace, "shown_per_s": (last - first) / taken}


def draw(notebook: Any, canvas: Any, seconds: float) -> int:
    """Draw circles by mouse, and return the number of the frame that is shown in the end."""
    box = canvas.locator(".fal-nb-carea canvas").bounding_box()
    x, y, side = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"] * 0.3
    mouse, began = notebook.page.mouse, time.perf_counter()
    mouse.move(x + side, y)
    mouse.down()
    while (at := time.perf_counter() - began) < seconds:
        mouse.move(x + side * math.cos(at * 3), y + side * math.sin(at * 3))
        notebook.page.wait_for_timeout(8)
    mouse.up()
    return int(canvas.locator(".fal-nb-cshown").get_attribute("data-frame") or 0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--no-page", action="store_true")
    given = parser.parse_args()
    with simulator() as base_url, tempfile.TemporaryDirectory() as folder:
        rate, trips = asyncio.run(bare(base_url, given.seconds))
        print(f"bare connection, two on their way: {rate:.1f}/s, median {statistics.median(trips) * 1000:.0f} ms")
        os.environ |= {"FAL_NB_BASE_URL": base_url, "FAL_KEY": "test:key", "FAL_NB_HOME": str(Path(folder) / "home")}
        import fal_nb as fal

        canvas = fal.canvas(ENDPOINT, ARGUMENTS)
        canvas.frame()
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < given.seconds:
            canvas.frame()
            count += 1
        one_by_one = count / given.seconds
        stats = canvas.stats
        print(f"canvas.frame(), one by one: {one_by_one:.1f}/s, median {(stats.p50_s or 0) * 1000:.0f} ms")
        fal.close()
        if given.no_page:
            return
        lab = in_lab(base_url, given.seconds, Path(folder))
        page = re.sub(r"\s+", " ", str(lab["page"]))
        print(
            f"drawn on in JupyterLab: {lab['shown_per_s']:.1f} frames shown/s ({lab['shown_per_s'] / rate:.2f} × bare)"
        )
        print(f"  the page says {page}")
        print(
            f"  the kernel says {lab['frames']} frames of {lab['sent']} sent, {lab['skipped']} overtaken, "
            f"{lab['most_in_flight']} on their way at most, median {(lab['p50_s'] or 0) * 1000:.0f} ms"
        )


if __name__ == "__main__":
    main()
