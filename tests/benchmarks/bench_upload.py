"""Times an upload of a large file against a bare PUT of the same file, in one run. Printed, not asserted.

Run it as ``python tests/benchmarks/bench_upload.py [--megabytes 200] [--times 7]``. The sink is a process of its own
that reads and throws away, so that neither its time nor its memory counts as the client's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx

from fal_nb.client.async_client import AsyncClient

SINK = r"""
import asyncio, json, sys

async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            target = head.split(" ", 2)[1]
            left = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
            while left:
                left -= len(await reader.read(min(left, 1 << 20)))
            base = f"http://127.0.0.1:{port}"
            body = {
                "token": "t", "token_type": "Bearer", "expires_at": "2999-01-01T00:00:00+00:00",
                "access_url": f"{base}/cdn/files/x", "uploadId": "u1",
            }
            data = json.dumps(body).encode()
            lines = f"HTTP/1.1 200 OK\r\netag: e\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
            writer.write(lines.encode() + data)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    global port
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"""


def memory_mb() -> float:
    """Return what the process holds in memory now, in MB."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


class Peak:
    """Watches the most memory the process holds within a block, over what it held before, in MB."""

    def __enter__(self) -> Self:
        self.before = self.most = memory_mb()
        self._is_over = threading.Event()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._watching.join()

    @property
    def growth_mb(self) -> float:
        """How much it grew at most."""
        return self.most - self.before

    def _watch(self) -> None:
        while not self._is_over.wait(0.005):
            self.most = max(self.most, memory_mb())


def raw_put(base: str, path: Path) -> None:
    """Send a file with httpx and nothing else, in one PUT."""
    headers = {"content-length": str(path.stat().st_size)}
    with httpx.Client(timeout=60, trust_env=False) as client, path.open("rb") as file:
        client.put(f"{base}/raw", content=file, headers=headers).raise_for_status()


def our_upload(base: str, path: Path) -> None:
    """Send it with the client: loop, token, parts and all."""

    async def upload() -> None:
        async with AsyncClient("id:secret", base_url=base) as client:
            await client.upload_file(path)

    asyncio.run(upload())


def seconds(send: Callable[[str, Path], None], base: str, path: Path) -> float:
    """Return how long it takes to send a file."""
    start = time.perf_counter()
    send(base, path)
    return time.perf_counter() - start


def growth_mb(send: Callable[[str, Path], None], base: str, path: Path) -> float:
    """Return how much the process grows while it sends a file, what is loaded once apart."""
    send(base, path.with_name("small.bin"))
    with Peak() as peak:
        send(base, path)
    return peak.growth_mb


def measure(base: str, path: Path, times: int) -> None:
    """Take both in turn, so that a busy machine slows both, and print the table."""
    ours_mb, raw_mb = growth_mb(our_upload, base, path), growth_mb(raw_put, base, path)
    pairs = [(seconds(our_upload, base, path), seconds(raw_put, base, path)) for _ in range(times)]
    ours_s, raw_s = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    ratio = statistics.median(ours / raw for ours, raw in pairs)
    print(f"{f'{path.stat().st_size // 1_000_000} MB':<24} {'ours':>10} {'raw PUT':>10} {'ratio':>8}  target")
    print(f"{'seconds, median':<24} {ours_s:10.3f} {raw_s:10.3f} {ratio:7.2f}x  <= 1.3x")
    print(f"{'memory grown by, MB':<24} {ours_mb:10.1f} {raw_mb:10.1f} {'':>8}  < 50 MB")


def main() -> None:
    """Write a file of random bytes into a temporary folder, start the sink and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--times", type=int, default=7)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-c", SINK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as sink,
    ):
        assert sink.stdin is not None
        assert sink.stdout is not None
        path = Path(folder) / "large.bin"
        path.with_name("small.bin").write_bytes(b"x")
        with path.open("wb") as file:
            for _ in range(given.megabytes):
                file.write(os.urandom(1_000_000))
        port = json.loads(sink.stdout.readline())
        measure(f"http://127.0.0.1:{port}", path, given.times)
        sink.stdin.close()


if __name__ == "__main__":
    main()
