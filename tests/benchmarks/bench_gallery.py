"""Times a gallery of 10,000 outputs, in Python and in headless Chromium against an empty page. Printed, not asserted.

Run it as ``python tests/benchmarks/bench_gallery.py [--outputs 10000] [--shots FOLDER]``.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import shutil
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench_history import end_of, new_record
from playwright.sync_api import Page, sync_playwright

from fal_nb.artifacts import Artifact
from fal_nb.ledger.store import HistoryStore
from fal_nb.shown_outputs import ShownOutputs
from fal_nb.views.gallery import GalleryView
from fal_nb.views.gallery_look import Query
from fal_nb.views.view import bundle_text

ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
EMPTY = "<!doctype html><html><head></head><body><div id='place' style='width:1200px'></div></body></html>"
SIZES = ((1024, 1024), (1344, 768), (768, 1344), (1152, 896), (896, 1152))
PAINTED = "const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
MOUNT = """
async ({ text, state, order, thumbnail, isEmpty }) => {
  PAINTED
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const { default: view } = await import(url);
  const unpacked = (base64) => Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
  const [bytes, places] = [unpacked(thumbnail), unpacked(order)];
  const listeners = {};
  const tell = (content, buffers, after) =>
    setTimeout(() => listeners["msg:custom"].forEach((each) => each(content, buffers)), after);
  const row = (place) => [place, "image", "image/png", `d${place}`, 1024, 1024, null, 1e6, "", place + 1, 0,
    "fal-ai/flux/dev", `a red fox number ${place}`, place, 0.025, 2.5, place % 6 || null, [], 0, 1790000000, ""];
  const model = {
    get: (key) => (key === "state" ? state : model[key]),
    set: (key, value) => { model[key] = value; },
    save_changes: () => {},
    on: (event, listener) => { (listeners[event] ??= []).push(listener); },
    off: () => {},
    send: (event) => {
      if (event.kind === "order") {
        tell({ kind: "order", revision: 0, count: state.count, part: 0, parts: 1 }, [places.buffer], 0);
      } else if (event.kind === "items") {
        tell({ kind: "items", items: event.cells.map(row) }, [], 10);
      } else if (event.kind === "thumbnails") {
        const pictures = event.cells.map((place) => [place, `d${place}`, bytes.length]);
        const all = new Uint8Array(bytes.length * pictures.length);
        pictures.forEach((_, at) => all.set(bytes, at * bytes.length));
        tell({ kind: "thumbnails", pictures }, [all.buffer], 20);
      }
    },
  };
  const el = document.querySelector("#place");
  await painted();
  const began = performance.now();
  if (!isEmpty) {
    view.render({ model, el });
    while (document.querySelectorAll(".fal-nb-gtile").length === 0) await painted();
  }
  await painted();
  return { painted: performance.now() - began, tiles: document.querySelectorAll(".fal-nb-gtile").length };
}
""".replace("PAINTED", PAINTED)
SCROLL = """
async () => {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration)));
  observer.observe({ type: "longtask" });
  const scroller = document.querySelector(".fal-nb-gscroll");
  let most = 0;
  for (let at = 0; at < 120; at += 1) {
    scroller.scrollTop += at % 30 === 29 ? 20000 : 180;
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    most = Math.max(most, document.querySelectorAll(".fal-nb-gtile").length);
  }
  await new Promise((done) => setTimeout(done, 200));
  observer.disconnect();
  return { long: tasks.filter((each) => each > 50), longest: Math.max(0, ...tasks), most };
}
"""


def thumbnail() -> bytes:
    """Return a small picture of the usual size."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.effect_noise((320, 320), 60).convert("RGB").save(buffer, "WEBP", quality=45)
    return buffer.getvalue()


def history_of(outputs: int, path: Path, picture: bytes) -> HistoryStore:
    """Return a history with a picture a call."""
    store = HistoryStore(path)
    ids = store.add_many(new_record(number + 1) for number in range(outputs))
    store.update_many((record_id, end_of(record_id)) for record_id in ids)
    with store.database.writing():
        for record_id in ids:
            width, height = SIZES[record_id % len(SIZES)]
            artifact = Artifact(
                index=0, where=("images", 0), url="", kind="image", content_type="image/png", file_name="0.png",
                size_bytes=1_000_000, width=width, height=height, digest=f"{record_id:064x}", thumbnail=picture,
            )  # fmt: skip
            store.set_artifacts(record_id, [artifact])
    return store


class Outlet:
    """Keeps what would go to the page."""

    def __init__(self) -> None:
        self.posts: list[tuple[Any, bytes | None]] = []

    def changed(self, _view: Any, *, settled: bool) -> None:
        """Ignore a change."""

    def post(self, _view: Any, content: Any, buffer: bytes | None) -> None:
        """Keep a message."""
        self.posts.append((content, buffer))


def opened(store: HistoryStore) -> tuple[GalleryView, Outlet]:
    """Return a gallery of the whole history, its twin drawn and its order sent."""
    outputs = ShownOutputs(SimpleNamespace(history=store))  # type: ignore[arg-type]
    view = GalleryView(outputs, Path, lambda records: None, lambda *_: None)  # type: ignore[arg-type, return-value]
    view.outlet = outlet = Outlet()  # type: ignore[assignment]
    view.twin()
    view.state()
    view._post_order()
    return view, outlet


def measure(page: Page, given: dict[str, Any], *, is_empty: bool) -> dict[str, float]:
    """Return what mounting a gallery took; with `is_empty` what a page takes that mounts none."""
    page.set_content(EMPTY)
    measured: dict[str, float] = page.evaluate(MOUNT, given | {"isEmpty": is_empty})
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--outputs", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--shots", type=Path)
    given = parser.parse_args()
    picture = thumbnail()
    chromium = os.environ.get("FAL_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder:
        store = history_of(given.outputs, Path(folder) / "history.sqlite", picture)
        taken = []
        for _ in range(given.times):
            began = time.perf_counter()
            view, outlet = opened(store)
            taken.append(time.perf_counter() - began)
        tracemalloc.start()
        view, outlet = opened(store)
        grown = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        began = time.perf_counter()
        ShownOutputs(SimpleNamespace(history=store)).facets()  # type: ignore[arg-type]
        facets_s = time.perf_counter() - began
        began = time.perf_counter()
        found = len(ShownOutputs(SimpleNamespace(history=store)).find(Query(words=("number 77",))))  # type: ignore[arg-type]
        find_s = time.perf_counter() - began
        state, twin = view.state(), view.twin()
        store.close()
    order = outlet.posts[0][1] or b""
    sent = {
        "text": bundle_text("gallery"),
        "state": state,
        "order": base64.b64encode(order).decode(),
        "thumbnail": base64.b64encode(picture).decode(),
    }
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium, args=ARGUMENTS, viewport={"width": 1280, "height": 900}
        )
        page = context.new_page()
        empty = [measure(page, sent, is_empty=True)["painted"] for _ in range(given.times)]
        full = [measure(page, sent, is_empty=False) for _ in range(given.times)]
        page.wait_for_timeout(300)
        scrolled = [page.evaluate(SCROLL) for _ in range(given.times)]
        if given.shots:
            page.screenshot(path=str(given.shots / "bench_gallery.png"))
        context.close()
    over = statistics.median(each["painted"] for each in full) - statistics.median(empty)
    longest = statistics.median(each["longest"] for each in scrolled)
    most = max(*(each["most"] for each in scrolled), full[0]["tiles"])
    print(f"gallery of {given.outputs:,} outputs")
    print(f"  from the call to the first message   {statistics.median(taken) * 1000:7.0f} ms  (target 1,000)")
    print(f"  memory it keeps                      {grown / 1e6:7.1f} MB")
    print(f"  filters by any column                {facets_s * 1000:7.0f} ms")
    print(f"  words looked for, {found:>5,} found        {find_s * 1000:7.0f} ms")
    print(f"  its twin in the notebook             {len(twin) / 1000:7.0f} kB  (target 3,000 for 200 outputs)")
    print(f"  first paint over an empty page       {over:7.0f} ms  (target 500)")
    print(f"  tiles in the DOM, at most            {most:7.0f}     (target 80)")
    print(f"  longest task while scrolling, median {longest:7.0f} ms  (target 50)")


if __name__ == "__main__":
    main()
