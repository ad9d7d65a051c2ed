"""Times a whole sweep, ledger, files, thumbnails and live board, against the simulator with a bare client. Printed.

Run it as ``python tests/benchmarks/bench_sweep.py [--cells 2000] [--window 60] [--profile FILE]``. Both do the same
calls in one run, so that their ratio says what the sweep adds whatever else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import itertools
import json
import os
import pstats
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from fal_nb.engine.session import Session
from fal_nb.shown_sweep import ShownSweep
from fal_nb.sweeps.sweep import Sweep
from fal_nb.views.board import BoardView
from fal_nb.views.hub import Hub

ENDPOINT = "fal-ai/flux/schnell"
BEAT_S = 0.1
TILES = 80


@dataclass
class Options:
    """What is run."""

    cells: int
    seconds: float
    runners: int
    window: int
    side: int

    @property
    def ideal_s(self) -> float:
        """How long it takes where nothing but the runners does."""
        return -(-self.cells // self.runners) * self.seconds

    def arguments(self, number: int) -> dict[str, Any]:
        """Return the arguments of one call."""
        size = {"width": self.side, "height": self.side}
        return {"prompt": "a cup", "image_size": size, "seed": number}

    @property
    def plan(self) -> str:
        """The same calls as a plan."""
        size = f"image_size: {{width: {self.side}, height: {self.side}}}"
        return f"prompt: a cup\n{size}\nseed: 1..{self.cells}\n"


class Simulator:
    """A simulator in a process of its own, whose calls take exactly the seconds that are asked."""

    def __init__(self, options: Options) -> None:
        token = secrets.token_hex(8)
        command = [sys.executable, "-m", "fal_nb.simulator", "--runners", str(options.runners), "--speed", "100"]
        environment = {**os.environ, "FAL_NB_SIMULATOR_ADMIN": token}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        assert self._process.stdout is not None
        self.base_url = json.loads(self._process.stdout.readline())["base_url"]
        self._call("/admin/faults", token, {"kind": "long", "seconds": options.seconds})
        self._token = token

    def _call(self, path: str, token: str, values: dict[str, Any] | None = None) -> Any:
        data = None if values is None else json.dumps(values).encode()
        headers = {"x-fal-simulator-admin": token, "content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.base_url + path, data, headers)) as answer:
            return json.loads(answer.read())

    @property
    def accepted(self) -> int:
        """How many calls it accepted."""
        return len(self._call("/admin/ledger", self._token))

    @property
    def cpu_s(self) -> float:
        """Seconds of CPU it has used."""
        user, system = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)


@contextmanager
def simulator(options: Options) -> Iterator[Simulator]:
    """Run a new simulator, warm after one call."""
    server = Simulator(options)
    try:
        asyncio.run(bare(server.base_url, options, [0]))
        yield server
    finally:
        server.close()


async def bare(base_url: str, options: Options, numbers: list[int]) -> None:
    """Make calls as barely as can be: submit, status stream, result, file."""
    gate = asyncio.Semaphore(options.window)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:

        async def one(number: int) -> None:
            async with gate:
                url = f"{base_url}/queue/{ENDPOINT}"
                async with http.post(url, json=options.arguments(number)) as answer:
                    told = await answer.json()
                async with http.get(f"{told['status_url']}/stream?logs=1") as answer:
                    async for _ in answer.content.iter_any():
                        pass
                async with http.get(told["response_url"]) as answer:
                    result = await answer.json()
                async with http.get(result["images"][0]["url"]) as answer:
                    await answer.read()

        await asyncio.gather(*map(one, numbers))


class Control:
    """The same heartbeat in a process that does nothing else: what of the gaps is the machine's."""

    _CODE = """
import sys, time, threading
done, beats = threading.Event(), [time.monotonic()]
threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
while not done.is_set():
    time.sleep(0.1)
    beats.append(time.monotonic())
gaps = [b - a for a, b in zip(beats, beats[1:])]
print(max(gaps), sum(gap > 0.3 for gap in gaps))
"""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> tuple[float, int]:
        """Return its longest gap in seconds, and how many were over 300 ms."""
        longest, late = self._process.communicate("", 10)[0].split()
        return float(longest), int(late)


@dataclass
class Page:
    """Stands for the front end: counts what is sent, and asks for the pictures of the tiles it would show."""

    view: BoardView | None = None
    messages: list[tuple[float, int]] = field(default_factory=list)
    done: set[int] = field(default_factory=set)

    def send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        """Take a message, as the comm of a widget does."""
        text = json.dumps(content)
        self.messages.append((time.monotonic(), len(text) + sum(map(len, buffers))))
        for state in content.get("views", {}).values():
            new = [at for at in range(TILES) if (row := state.get(f"c{at}")) and row[1] == "SUCCEEDED"]
            new = [at for at in new if at not in self.done]
            self.done.update(new)
            if new and self.view is not None:
                self.view.receive({"kind": "thumbnails", "cells": new})

    def update(self, *_parts: Any, **_more: Any) -> None:
        """Take a new twin, as a display handle does."""
        self.messages.append((time.monotonic(), 0))

    @property
    def most_a_second(self) -> int:
        """The most messages within any second."""
        moments = [at for at, _ in self.messages]
        return max((sum(at <= other < at + 1.0 for other in moments) for at in moments), default=0)


def whole_sweep(base_url: str, options: Options, home: Path, profile: Path | None) -> dict[str, Any]:
    """Run the sweep with everything a person has on, and return what it took."""
    session = Session(base_url=base_url, home=home, notify=print)
    try:
        session.schema(ENDPOINT)
        sweep = Sweep.new(session, *Sweep.plan_text(session, options.plan, ENDPOINT), window=options.window)
        began = time.monotonic()
        page = Page()
        hub = Hub(session.runtime)
        hub._widget = page  # type: ignore[assignment]
        page.view = BoardView(ShownSweep(sweep), session.artifacts.path, session.history.thumbnail)
        hub.add(page.view, page)
        board_s = time.monotonic() - began
        profiler = _profile_loop(session) if profile is not None else None
        control = Control()
        cpu, began = time.process_time(), time.monotonic()
        sweep.run()
        beats = [time.monotonic()]
        while sweep.is_running:
            time.sleep(BEAT_S)
            beats.append(time.monotonic())
        wall_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
        machine = control.close()
        if profiler is not None and profile is not None:
            session.runtime.call(_ended(profiler))
            profiler.dump_stats(profile)
            pstats.Stats(str(profile)).sort_stats("tottime").print_stats(45)
        threads = _cpu_by_thread()
        assert sweep.counts() == {"SUCCEEDED": options.cells}, sweep.counts()
        assert all(view.artifacts[0].width == options.side for view in sweep)
        thumbnails = sum(session.history.thumbnail(view.artifacts[0].digest) is not None for view in sweep)
        assert thumbnails == options.cells
        gaps = sorted((after - before, before - began) for before, after in itertools.pairwise(beats))
        return {
            "wall_s": wall_s, "cpu_s": cpu_s, "board_s": board_s, "gaps": gaps, "page": page, "machine": machine,
            "threads": threads,
        }  # fmt: skip
    finally:
        session.close()


def _cpu_by_thread() -> Counter[str]:
    """Return the seconds of CPU each living thread of this process has used, the numbered ones of a pool together."""
    used: Counter[str] = Counter()
    for thread in threading.enumerate():
        user, system = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        used[thread.name.rstrip("0123456789").rstrip("_")] += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return used


def whole_plan(base_url: str, home: Path) -> str:
    """Plan ten thousand combinations as a person does and return what it took."""
    session = Session(base_url=base_url, home=home, notify=print)
    try:
        session.schema(ENDPOINT)
        session.unit_price(ENDPOINT)
        words = ", ".join(f"w{number}" for number in range(10))
        text = f"prompt: a {{animal}} in {{style}}\nanimal: [{words}]\nstyle: [{words}]\n"
        text += "seed: 1..10\nguidance_scale: 1..10\n"
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        Sweep.new(session, *Sweep.plan_text(session, text, ENDPOINT)).outlook()
        peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        cpu, began = time.process_time(), time.monotonic()
        outlook = Sweep.new(session, *Sweep.plan_text(session, text, ENDPOINT)).outlook()
        took, cpu = time.monotonic() - began, time.process_time() - cpu
        assert outlook.calls == 10_000
        return f"plan of 10,000: {took:.2f} s (CPU {cpu:.2f} s), at most {peak / 1e6:.0f} MB"
    finally:
        session.close()


def _profile_loop(session: Session) -> cProfile.Profile:
    profiler = cProfile.Profile(time.thread_time)

    async def begin() -> None:
        profiler.enable()

    session.runtime.call(begin())
    return profiler


async def _ended(profiler: cProfile.Profile) -> None:
    profiler.disable()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--runners", type=int, default=50)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--profile", type=Path, help="profile the session's loop into this file")
    given = parser.parse_args()
    options = Options(given.cells, given.seconds, given.runners, given.window, given.side)
    print(f"{options.cells} cells of {options.seconds:g} s, {options.side}², {options.runners} runners, ", end="")
    print(f"window {options.window}: ideal {options.ideal_s:.1f} s")
    with simulator(options) as server:
        with tempfile.TemporaryDirectory() as home:
            print(whole_plan(server.base_url, Path(home)))
        cpu, began = server.cpu_s, time.monotonic()
        own = time.process_time()
        asyncio.run(bare(server.base_url, options, list(range(1, options.cells + 1))))
        alone_s = time.monotonic() - began
        print(f"simulator, bare client   {alone_s:6.2f} s = {alone_s / options.ideal_s:.3f} × ideal", end="")
        print(f"   CPU {server.cpu_s - cpu:.1f} s + client {time.process_time() - own:.1f} s")
    with simulator(options) as server, tempfile.TemporaryDirectory() as home:
        cpu = server.cpu_s
        took = whole_sweep(server.base_url, options, Path(home), given.profile)
        assert server.accepted == options.cells + 1
        wall_s, gaps, page = took["wall_s"], took["gaps"], took["page"]
        print(f"whole sweep              {wall_s:6.2f} s = {wall_s / options.ideal_s:.3f} × ideal", end="")
        print(f"   CPU {server.cpu_s - cpu:.1f} s + kernel {took['cpu_s']:.1f} s", end="")
        print(f"   = {wall_s / alone_s:.3f} × the simulator alone")
    per_cell = (f"{name} {spent * 1e3 / options.cells:.1f}" for name, spent in took["threads"].most_common(6))
    print(f"kernel, ms of CPU a cell: {took['cpu_s'] * 1e3 / options.cells:.1f} ({', '.join(per_cell)})")
    late = [gap for gap, _ in gaps if gap > 0.3]
    print(f"heartbeat of {BEAT_S:g} s: longest gap {gaps[-1][0] * 1e3:.0f} ms (after {gaps[-1][1]:.1f} s), ", end="")
    print(f"{len(late)} over 300 ms, median {gaps[len(gaps) // 2][0] * 1e3:.0f} ms; ", end="")
    print(f"an idle process beside it {took['machine'][0] * 1e3:.0f} ms, {took['machine'][1]} over 300 ms")
    sizes = [size for _, size in page.messages]
    print(
        f"messages: {len(sizes)}, at most {page.most_a_second} in any second, largest {max(sizes) / 1e3:.0f} kB", end=""
    )
    print(f"; board made in {took['board_s'] * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
