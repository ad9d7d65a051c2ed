"""Endpoints that send their output as it grows, as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping

import httpx

from fal_nb.client.decoding import unpacked
from fal_nb.client.http import Http, read_whole
from fal_nb.client.options import DEFAULTS, CallOptions, json_body
from fal_nb.client.verdicts import Call, Lost, loss_error, unreadable_error
from fal_nb.errors import ProtocolError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.events import EventDecoder
from fal_nb.protocol.status import JSON

__all__ = ["EventStreams"]

_STREAM_PATH = "stream"


class EventStreams:
    """Streaming calls of the run service."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def events(
        self,
        endpoint: EndpointId,
        arguments: JSON,
        options: CallOptions = DEFAULTS,
        *,
        timeout_s: float | None = None,
        on_open: Callable[[Mapping[str, str]], None] | None = None,
    ) -> AsyncGenerator[JSON, None]:
        """Yield the decoded events of one streaming call; the last is the final value, if the app got so far.

        An app that crashes in the middle ends its answer like one that is done, and no client can tell the two apart
        (Starlette closes it properly).

        Parameters
        ----------
        options
            Its path is the endpoint's streaming path, ``/stream`` with most.
        timeout_s
            Longest silence; None waits as long as the connection lives.
        on_open
            Called with the answer's headers before the first event.

        Raises
        ------
        FalClientHTTPError
            Where the server refused, before the first event.
        SubmissionUnknown
            Where the stream broke: the run may go on and be charged. The message says how much had arrived.

        Source: fal-js ``streaming.ts`` (the path is not appended twice).
        """
        call = self._call(endpoint, arguments, options, timeout_s)
        response = await self._http.open(call)
        arrived = 0
        try:
            if on_open is not None:
                on_open(response.headers)
            async for text in _texts(call, response):
                yield _decoded(call, response, text, arrived)
                arrived += 1
        except httpx.RequestError as error:
            lost = Lost(f"{error}, after {arrived} events", sent=True, headers=response.headers)
            raise loss_error(call, lost, 1) from None
        except ProtocolError as error:
            raise unreadable_error(call, response.headers, f"{error} {arrived} events had arrived") from None
        finally:
            await response.aclose()

    def _call(self, endpoint: EndpointId, arguments: JSON, options: CallOptions, timeout_s: float | None) -> Call:
        path = options.path.strip("/")
        if path == _STREAM_PATH and endpoint.path.rpartition("/")[2] == _STREAM_PATH:
            path = ""
        headers = options.wire_headers("text/event-stream")
        return Call(
            "POST",
            self._http.settings.hosts.direct(endpoint, path),
            f"the stream of {endpoint}",
            endpoint=str(endpoint),
            headers=headers | {"content-type": "application/json", "accept-encoding": "identity"},
            content=json_body(arguments, str(endpoint)),
            timeout_s=timeout_s,
            pool="direct",
            paid=True,
            withdrawal=options.withdrawal,
        )


async def _texts(call: Call, response: httpx.Response) -> AsyncGenerator[str, None]:
    """Yield the data of each event; an answer that is no event stream counts as one event."""
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        outcome = await read_whole(response)
        if isinstance(outcome, Lost):
            raise loss_error(call, outcome, 1)
        yield outcome.body.decode("utf-8", "replace")
        return
    decoder = EventDecoder()
    async for chunk in unpacked(response):
        for event in decoder.feed(chunk):
            yield event.data


def _decoded(call: Call, response: httpx.Response, text: str, arrived: int) -> JSON:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    raise unreadable_error(call, response.headers, f"event {arrived + 1} is not JSON")
