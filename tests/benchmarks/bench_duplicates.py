"""Times `df.fal.duplicates` over many outputs against bare decoding of the same thumbnails, in one run.

Run it as ``python tests/benchmarks/bench_duplicates.py [--outputs 10000]``. Printed, not asserted.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

from fal_nb.artifacts import Artifact
from fal_nb.frames.duplicates import with_duplicates
from fal_nb.ledger.frame import frame
from fal_nb.ledger.store import HistoryStore
from fal_nb.scoring.likeness import Fingerprint
from fal_nb.scoring.look_alikes import find_like

sys.path.insert(0, str(Path(__file__).parent))
from bench_history import new_record

DISTINCT = 400
SIZE = (320, 240)


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def thumbnail(number: int) -> bytes:
    """Return a small picture of random shapes, of the size that the store's have."""
    numbers = random.Random(number)
    picture = Image.new("RGB", SIZE, f"hsl({numbers.randrange(360)}, 40%, 60%)")
    pen = ImageDraw.Draw(picture)
    for _ in range(30):
        x, y, side = numbers.randrange(SIZE[0]), numbers.randrange(SIZE[1]), numbers.randrange(120)
        pen.ellipse((x, y, x + side, y + side), fill=f"hsl({numbers.randrange(360)}, 70%, {numbers.randrange(90)}%)")
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=60)
    return buffer.getvalue()


def fill(store: HistoryStore, thumbnails: list[bytes], count: int) -> None:
    """Write `count` calls with a picture each; digests differ, pictures recur."""
    for first in range(0, count, 500):
        numbers = range(first, min(first + 500, count))
        ids = store.add_many([new_record(number) for number in numbers])
        for record_id, number in zip(ids, numbers, strict=True):
            artifact = Artifact(
                index=0, where=("images", 0), url="", kind="image", content_type="image/png", file_name="a.png",
                digest=f"{number:064x}", thumbnail=thumbnails[number % len(thumbnails)],
            )  # fmt: skip
            store.set_artifacts(record_id, [artifact])


def main() -> None:
    """Fill a history in a temporary folder and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outputs", type=int, default=10_000)
    count = parser.parse_args().outputs
    thumbnails = [thumbnail(number) for number in range(DISTINCT)]

    def decode() -> None:
        for number in range(count):
            with Image.open(io.BytesIO(thumbnails[number % DISTINCT])) as picture:
                picture.load()

    with tempfile.TemporaryDirectory() as folder, HistoryStore(Path(folder) / "history.sqlite") as store:
        fill(store, thumbnails, count)
        calls = frame(store)
        bare = seconds(decode)
        first = seconds(lambda: with_duplicates(store, calls, 4))
        second = seconds(lambda: with_duplicates(store, calls, 4))
    numbers = random.Random(1)
    unlike = {at: Fingerprint(numbers.getrandbits(64), tuple(numbers.randbytes(48))) for at in range(count)}
    search = seconds(lambda: find_like(unlike, 4))
    print(f"{'seconds, ' + format(count, ',') + ' outputs':<46} {'ours':>8} {'decoding':>9} {'ratio':>7}")
    print(f"{'first call: decode, hash, keep, search':<46} {first:8.2f} {bare:9.2f} {first / bare:6.2f}x")
    print(f"{'second call: from the history':<46} {second:8.2f} {bare:9.2f} {second / bare:6.2f}x")
    print(f"{'search alone, where nothing is like another':<46} {search:8.2f} {bare:9.2f} {search / bare:6.2f}x")


if __name__ == "__main__":
    main()
