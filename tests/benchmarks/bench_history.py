"""Times the ledger against plain SQLite and pandas, in one run. Printed, not asserted.

Run it as ``python tests/benchmarks/bench_history.py [--records 100000]``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from fal_nb.ledger.frame import FIXED_COLUMNS, frame
from fal_nb.ledger.records import NewRecord
from fal_nb.ledger.store import HistoryStore

ENDPOINTS = ("fal-ai/flux/dev", "fal-ai/flux/schnell", "fal-ai/fast-sdxl", "fal-ai/kling-video/v2/master")
STORED_ELSEWHERE = {"prompt", "artifacts", "seed", "total_s", "estimate"}


def median_ms(action: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the median duration of an action, in milliseconds; by `process_time` what a busy machine leaves alone."""
    taken = []
    for _ in range(times):
        start = clock()
        action()
        taken.append((clock() - start) * 1e3)
    return statistics.median(taken)


def paired_ms(ours: Callable[[], object], others: Callable[[], object], times: int) -> tuple[float, float]:
    """Return the median durations of two actions taken in turn, so that a busy machine slows both."""
    pairs = [(median_ms(ours, 1), median_ms(others, 1)) for _ in range(times)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def new_record(number: int) -> NewRecord:
    """Return a call as people make them: a prompt, a size, a few numbers."""
    arguments = {
        "prompt": f"a red fox number {number} in the snow, ukiyo-e, soft light, wide angle, highly detailed",
        "image_size": "landscape_4_3",
        "num_inference_steps": 28 if number % 3 else 4,
        "guidance_scale": 2.0 + number % 5 / 2,
        "num_images": 1,
        "enable_safety_checker": True,
    }
    if number % 2:
        arguments["seed"] = number
    return NewRecord(
        endpoint=ENDPOINTS[number % len(ENDPOINTS)],
        arguments=arguments,
        backend="fal",
        created=1_790_000_000.0 + number,
        owner=f"kernel-{number % 7}",
        estimate_low=0.02,
        estimate_high=0.03,
        currency="USD",
        notebook="sweep.ipynb",
        cell=f"cell-{number % 40}",
        sweep="styles" if number % 4 == 0 else None,
    )


def end_of(number: int) -> dict[str, object]:
    """Return what the end of a call changes in its record."""
    if number % 50 == 0:
        return {"state": "FAILED", "error": "the runner went away", "error_type": "runner_disconnected"}
    return {
        "state": "SUCCEEDED",
        "request_id": f"{number:08x}-1f2e-4d3c-8b4a-{number:012x}",
        "started": 1_790_000_000.4 + number,
        "ended": 1_790_000_003.0 + number,
        "queue_s": 0.4,
        "inference_s": 2.5,
        "cost": 0.025,
        "result": {"images": [{"url": f"https://v3.fal.media/files/{number}.png"}], "seed": number},
    }


def fill(store: HistoryStore, count: int) -> None:
    """Write `count` ended records, a thousand a commit."""
    for first in range(0, count, 1000):
        batch = range(first, min(first + 1000, count))
        ids = store.add_many([new_record(number) for number in batch])
        store.update_many([(record_id, end_of(number)) for record_id, number in zip(ids, batch, strict=True)])


def baseline(path: Path) -> int:
    """Read the fixed columns with pandas and decode the arguments; return how many."""
    names = ", ".join(f"r.{name}" for name in ("id", *FIXED_COLUMNS) if name not in STORED_ELSEWHERE)
    sql = (
        f"SELECT {names}, r.result_seed, r.ended - r.created AS total_s, r.estimate_high, p.arguments "
        "FROM records r JOIN payloads p ON p.record_id = r.id ORDER BY r.id"
    )
    connection = sqlite3.connect(path)
    table = pd.read_sql(sql, connection, index_col="id")
    calls = [json.loads(text) for text in table["arguments"]]
    connection.close()
    return len(calls)


def plain_insert(connection: sqlite3.Connection) -> None:
    """Insert one row of the same size and commit it."""
    connection.execute("INSERT INTO plain VALUES (?, ?)", ("fal-ai/flux/dev", json.dumps(new_record(1).arguments)))
    connection.commit()


def report(what: str, ours_ms: float, baseline_ms: float | None, target: str) -> None:
    """Print one line of the table."""
    ratio = "" if baseline_ms is None else f"{baseline_ms:10.2f} {ours_ms / baseline_ms:7.2f}x"
    print(f"{what:<46} {ours_ms:10.2f} {ratio:<19}  {target}")


def main() -> None:
    """Fill a history in a temporary folder and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory() as folder, HistoryStore(Path(folder) / "history.sqlite") as store:
        plain = sqlite3.connect(Path(folder) / "plain.sqlite")
        plain.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE plain (a, b)")
        print(f"{'milliseconds, median':<46} {'ours':>10} {'baseline':>10} {'ratio':>8}  target")
        report(
            "append, empty file",
            median_ms(lambda: store.add(new_record(1)), 500),
            median_ms(lambda: plain_insert(plain), 500),
            "<= 1 ms",
        )
        plain.close()
        fill(store, count)
        states = itertools.cycle(("QUEUED", "RUNNING"))
        report(f"append, {count} records", median_ms(lambda: store.add(new_record(1)), 500), None, "<= 1 ms")
        report(
            "update of one step",
            median_ms(lambda: store.update(count // 2, state=next(states), started=1.0), 500),
            None,
            "<= 1 ms",
        )
        report("get one record", median_ms(lambda: store.get(count // 2), 200), None, "")
        ours_ms, baseline_ms = paired_ms(lambda: frame(store), lambda: baseline(store.path), 7)
        cpu_ms = median_ms(lambda: frame(store), 3, time.process_time)
        bare_ms = median_ms(lambda: baseline(store.path), 3, time.process_time)
        report(
            f"{count} records to DataFrame", ours_ms, baseline_ms, f"<= 1.5x; {cpu_ms:.0f} of {bare_ms:.0f} ms of CPU"
        )
        filters = {
            "state": {"state": "FAILED"},
            "endpoint and limit": {"endpoint": "fal-ai/flux/dev", "limit": 200},
            "since": {"since": 1_790_000_000.0 + count - 500},
            "an argument": {"where": {"guidance_scale": 3.5}, "limit": 200},
            "a prompt": {"where": {"prompt": new_record(77).arguments["prompt"]}},
            "a word": {"words": ("number 77 ",)},
            "an argument nobody has": {"where": {"seed": -1}},
        }
        for name, chosen in filters.items():
            cpu_ms = median_ms(lambda chosen=chosen: frame(store, **chosen), 5, time.process_time)
            taken_ms = median_ms(lambda chosen=chosen: frame(store, **chosen), 5)
            report(f"frame filtered by {name}", taken_ms, None, f"< 300 ms; {cpu_ms:.0f} ms of CPU")


if __name__ == "__main__":
    main()
