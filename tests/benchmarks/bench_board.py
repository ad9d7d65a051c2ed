"""Times a board of 1,000 cells in headless Chromium against an empty page. Printed, not asserted.

Run it as ``python tests/benchmarks/bench_board.py [--cells 1000] [--shots FOLDER]``.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "views"))
from fake_sweep import FakeSweep

from fal_nb.views.board import BoardView
from fal_nb.views.view import bundle_text

ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
EMPTY = "<!doctype html><html><head></head><body><div id='place' style='width:1200px'></div></body></html>"
PAINTED = "const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
MOUNT = """
async ({ text, state, thumbnail, isEmpty }) => {
  PAINTED
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const { default: view } = await import(url);
  const bytes = Uint8Array.from(atob(thumbnail), (each) => each.charCodeAt(0));
  const listeners = {};
  let asked = 0;
  const model = {
    get: (key) => (key === "state" ? state : model[key]),
    set: (key, value) => { model[key] = value; },
    save_changes: () => {},
    on: (event, listener) => { (listeners[event] ??= []).push(listener); },
    off: () => {},
    send: (event) => {
      if (event.kind !== "thumbnails") return;
      asked += event.cells.length;
      const pictures = event.cells.map((cell) => [cell, state[`c${cell}`][9][2], bytes.length]);
      const all = new Uint8Array(bytes.length * pictures.length);
      pictures.forEach((_, at) => all.set(bytes, at * bytes.length));
      setTimeout(() => listeners["msg:custom"].forEach((each) => each({ kind: "thumbnails", pictures }, [all.buffer])), 20);
    },
  };
  const el = document.querySelector("#place");
  await painted();
  const began = performance.now();
  if (!isEmpty) view.render({ model, el });
  const rendered = performance.now() - began;
  await painted();
  return { rendered, painted: performance.now() - began, tiles: document.querySelectorAll(".fal-nb-btile").length };
}
""".replace("PAINTED", PAINTED)
SWAP = """
async () => {
  PAINTED
  const began = performance.now();
  document.querySelector("[data-action=swap]").click();
  await painted();
  return performance.now() - began;
}
""".replace("PAINTED", PAINTED)
SCROLL = """
async () => {
  const scroller = document.querySelector(".fal-nb-bscroll");
  const all = []; let most = 0;
  for (let at = 0; at < 60; at += 1) {
    const began = performance.now();
    scroller.scrollTop += 180; scroller.scrollLeft += 60;
    await new Promise(requestAnimationFrame);
    all.push(performance.now() - began);
    most = Math.max(most, document.querySelectorAll(".fal-nb-btile").length);
  }
  all.sort((a, b) => b - a);
  return { longest: all[0], tenth: all[Math.floor(all.length / 10)], middle: all[Math.floor(all.length / 2)], most };
}
"""


def board_of(cells: int) -> tuple[dict[str, Any], bytes]:
    """Return the state of a finished board and one thumbnail that stands for all."""
    sweep = FakeSweep({"steps": [str(n) for n in range(cells // 50)], "seed": [str(n) for n in range(50)]})
    for key in sweep.cells:
        sweep.finish(key, look=(1, (3, 4)))
    view = BoardView(sweep, Path, sweep.thumbnail)
    return view.state(), next(iter(sweep.pictures.values()))


def measure(page: Page, state: dict[str, Any], thumbnail: bytes, *, is_empty: bool) -> dict[str, float]:
    """Return what mounting a board took; with `is_empty` what a page takes that mounts none."""
    page.set_content(EMPTY)
    given = {"text": bundle_text("board"), "state": state, "thumbnail": base64.b64encode(thumbnail).decode()}
    measured: dict[str, float] = page.evaluate(MOUNT, given | {"isEmpty": is_empty})
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--shots", type=Path)
    given = parser.parse_args()
    state, thumbnail = board_of(given.cells)
    chromium = os.environ.get("FAL_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium, args=ARGUMENTS, viewport={"width": 1280, "height": 900}
        )
        page = context.new_page()
        empty = [measure(page, state, thumbnail, is_empty=True)["painted"] for _ in range(given.times)]
        full = [measure(page, state, thumbnail, is_empty=False) for _ in range(given.times)]
        swaps = [page.evaluate(SWAP) for _ in range(given.times)]
        scrolled = page.evaluate(SCROLL)
        if given.shots:
            page.wait_for_timeout(500)
            page.screenshot(path=str(given.shots / "bench_board.png"))
        context.close()
    over = statistics.median(each["painted"] for each in full) - statistics.median(empty)
    print(f"board of {given.cells} cells")
    print(f"  first paint over an empty page  {over:7.1f} ms  (target 500)")
    print(f"  tiles in the DOM, at most       {max(scrolled['most'], full[0]['tiles']):7.0f}     (target 80)")
    print(f"  axis swap, median of {given.times}          {statistics.median(swaps):7.1f} ms  (target 100)")
    frames = f"{scrolled['middle']:.0f} / {scrolled['tenth']:.0f} / {scrolled['longest']:.0f} ms"
    print(f"  frames while scrolling: median, 90th percentile, longest  {frames}")


if __name__ == "__main__":
    main()
