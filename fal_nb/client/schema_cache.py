"""Schemas of endpoints: fetched once, kept on disk, refreshed in the background, good without a network."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from fal_nb.client.http import Http, read_whole
from fal_nb.client.kept import keep
from fal_nb.client.options import call_headers
from fal_nb.client.schema_files import SchemaFiles, kept_form
from fal_nb.client.verdicts import Answer, Call, Lost, loss_error, refusal_error, unreadable_error
from fal_nb.errors import FalError, NotFoundError, ProtocolError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.openapi import read_schema

__all__ = ["SchemaCache"]

_FRESH_S = 24 * 3600.0
_UNKNOWN_S = 600.0
_UNREACHABLE_S = 30.0
_FETCH_S = 8.0
_MOST_BYTES = 8 * 1024 * 1024
_MOST_IN_MEMORY = 2_000
_TRIES = 2


@dataclass(slots=True)
class _Entry:
    schema: EndpointSchema
    fetched_at: float
    asked_at: float


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: FalError
    until: float


class SchemaCache:
    """The schemas of one server's endpoints; used on one event loop.

    Parameters
    ----------
    folder
        Where documents are kept between kernels; None keeps them in memory alone.
    clock
        Unix time in seconds.
    """

    def __init__(self, http: Http, folder: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._http = http
        self._files = None if folder is None else SchemaFiles(folder)
        self._clock = clock
        self._known: OrderedDict[str, _Entry] = OrderedDict()
        self._refused: dict[str, _Refusal] = {}
        self._fetching: dict[str, asyncio.Task[_Entry]] = {}

    def peek(self, endpoint: str) -> EndpointSchema | None:
        """Return what is in memory, whatever its age; any thread, never waits."""
        entry = self._known.get(endpoint)
        return None if entry is None else entry.schema

    async def schema(self, endpoint: str) -> EndpointSchema:
        """Return an endpoint's schema; one that is over a day old is used, and fetched anew in the background.

        Raises
        ------
        NotFoundError
            Where the server knows no such endpoint, or publishes no schema of it.
        ProtocolError
            Where its document cannot be read.
        NotSent, TransferError, FalClientHTTPError
            Where it cannot be had and none is kept; the next 30 seconds give the same answer without asking.
        """
        entry = self._known.get(endpoint) or await self._from_disk(endpoint)
        if entry is None:
            entry = await self._fetched(endpoint)
        elif self._clock() - max(entry.fetched_at, entry.asked_at) > _FRESH_S:
            entry.asked_at = self._clock()
            self._http.background.start(self._refresh(endpoint))
        self._remember(endpoint, entry)
        return entry.schema

    async def _fetched(self, endpoint: str) -> _Entry:
        """Return a fetched schema; those who ask meanwhile wait for the same answer."""
        refusal = self._refused.get(endpoint)
        if refusal is not None and self._clock() < refusal.until:
            raise refusal.error.with_traceback(None)
        task = self._fetching.get(endpoint)
        if task is None:
            task = self._http.background.start(self._fetch(endpoint))
            self._fetching[endpoint] = task
            task.add_done_callback(lambda _task: self._fetching.pop(endpoint, None))
        return await self._http.background.outcome(task)

    async def _refresh(self, endpoint: str) -> None:
        """Replace what is kept, if a new one can be had."""
        with contextlib.suppress(FalError):
            self._remember(endpoint, await self._fetch(endpoint))

    async def _fetch(self, endpoint: str) -> _Entry:
        try:
            document = await self._ask(endpoint)
            now = self._clock()
            entry = _Entry(read_schema(endpoint, document), now, now)
        except FalError as error:
            wait_s = _UNKNOWN_S if isinstance(error, (NotFoundError, ProtocolError)) else _UNREACHABLE_S
            self._refused[endpoint] = _Refusal(error, self._clock() + wait_s)
            raise
        self._refused.pop(endpoint, None)
        if self._files is not None:
            kept = kept_form(endpoint, entry.fetched_at, document)
            await asyncio.to_thread(keep, self._files.path(self._server, endpoint), kept)
        return entry

    async def _ask(self, endpoint: str) -> JSON:
        call = Call(
            "GET",
            self._http.settings.hosts.openapi(EndpointId.parse(endpoint)),
            f"the schema of {endpoint}",
            endpoint=endpoint,
            headers=call_headers(),
            timeout_s=_FETCH_S,
        )
        outcome: Answer | Lost = Lost("no try was made", sent=False)
        for _ in range(_TRIES):
            opened = await self._http.open_once(call)
            outcome = await read_whole(opened) if isinstance(opened, httpx.Response) else opened
            if isinstance(outcome, Answer) and outcome.status < 500:
                break
        if isinstance(outcome, Lost):
            raise loss_error(call, outcome, _TRIES)
        if outcome.status >= 300:
            raise refusal_error(call, outcome)
        try:
            return outcome.json() if len(outcome.body) <= _MOST_BYTES else None
        except (ValueError, RecursionError):
            raise unreadable_error(call, outcome.headers, "it is not JSON") from None

    def _remember(self, endpoint: str, entry: _Entry) -> None:
        self._known[endpoint] = entry
        self._known.move_to_end(endpoint)
        while len(self._known) > _MOST_IN_MEMORY:
            self._known.popitem(last=False)

    async def _from_disk(self, endpoint: str) -> _Entry | None:
        """Return what is kept on disk; what cannot be read counts as absent and is fetched again."""
        if self._files is None:
            return None
        kept = await asyncio.to_thread(self._files.read, self._server, endpoint)
        return None if kept is None else _Entry(kept.schema, kept.fetched_at, 0.0)

    @property
    def _server(self) -> str:
        return self._http.settings.hosts.schema
