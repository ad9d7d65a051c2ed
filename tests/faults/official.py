"""The same faults met by the official Python client, for the record: results had, submissions accepted."""

import asyncio
import gc
import warnings
from dataclasses import dataclass, field

import fal_client
import httpx
import pytest

from tests.conformance import shim

from . import ours
from .cells import CELLS
from .refusals import MARK

JOBS = 5
_CELLS_AT_ONCE = 6
ENDINGS = (fal_client.FalClientError, httpx.HTTPError, ValueError, KeyError)
"""What its calls raise; the last two where an answer is not what it expects."""


@dataclass
class Seen:
    """What came of its jobs in one cell; `texts` are those its calls bear."""

    jobs: int = JOBS
    results: int = 0
    accepted: int = 0
    texts: list = field(default_factory=list)


def cells():
    """Return those cells that it can meet: it opens no status streams and fetches no files."""
    return [cell for cell in CELLS if cell.stage not in {"status stream", "download"} and cell.times == 1]


def run_all(server, refusals):
    """Run its jobs in every cell and return what was seen, by cell."""
    server.reset()
    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        # It leaves connections to the garbage collector, and warns where it takes its second way of uploading.
        warnings.simplefilter("ignore")
        shim.lead(patched, server.base_url, [])
        _lead_backups(patched)
        _lead_refused(patched, refusals)
        seen = asyncio.run(_run_cells(server, refusals))
        gc.collect()
    texts = ours.accepted_by_text(server)
    for found in seen.values():
        found.accepted = sum(len(texts.get(text, ())) for text in found.texts)
    return seen


async def _run_cells(server, refusals):
    client = fal_client.AsyncClient(key="id:a-secret-for-tests")
    seen = {cell: Seen() for cell in cells()}
    by_header = [cell for cell in seen if cell.fault.words and cell.stage != "upload"]
    gate = asyncio.Semaphore(_CELLS_AT_ONCE)
    await asyncio.gather(*(_run_cell(client, cell, seen[cell], gate) for cell in by_header))
    for cell in seen.keys() - set(by_header):
        ours.set_faults(cell, server, refusals, JOBS)
        await _run_cell(client, cell, seen[cell], gate)
        server.clear_faults()
        refusals.end()
    await (await client._client).aclose()
    return seen


async def _run_cell(client, cell, found, gate):
    async with gate:
        await asyncio.gather(*(_run_job(client, cell, number, found) for number in range(JOBS)))


async def _run_job(client, cell, number, found):
    endpoint, arguments = ours.call_of(cell, number)
    headers = ours.headers_of(cell, number)
    headers = {name: text.replace("mark=", "mark=official-") for name, text in headers.items()}
    headers[MARK] = f"official {cell} {number}"
    try:
        if cell.stage == "upload":
            arguments["echo"] = await client.upload(arguments["echo"], "text/plain", f"{number}.txt")
        found.texts.append(arguments.get("echo") or arguments["prompt"])
        result = await _call(client, cell.stage, endpoint, arguments, headers)
    except ENDINGS:
        return
    found.results += result is not None


async def _call(client, stage, endpoint, arguments, headers):
    if stage == "run":
        return await client.run(endpoint, arguments, headers=headers)
    if stage == "stream":
        events = [event async for event in client.stream(endpoint, arguments, headers=headers)]
        return events[-1] if events and "images" in events[-1] and "seed" in events[-1] else None
    return await client.subscribe(endpoint, arguments, headers=headers, interval=0.1)


def _lead_backups(patched):
    """Lead its second domains to the same server: nothing goes outside."""
    patched.setitem(shim.PLACES, "queue.falrun.com", "queue")
    patched.setitem(shim.PLACES, "falrun.com", "run")


def _lead_refused(patched, refusals):
    led = httpx.AsyncHTTPTransport.handle_async_request

    async def handle_async_request(transport, request):
        meant, prefix = request.url, shim.PLACES.get(request.url.host, "")
        refusals.lead(request, f"/{prefix}{request.url.path}")
        try:
            return await led(transport, request)
        except httpx.TransportError:
            request.url = meant  # by it the client finds its second domain
            raise

    patched.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_async_request)
