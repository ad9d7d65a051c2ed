"""A server that follows the protocol as far as it must to be listened to, and serves the hostile corpus."""

import asyncio
import contextlib
import itertools
import json
import socket
import threading
import time
import uuid
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .cases import CASES, Case
from .media import endless
from .words import EVERYTHING, LONG


class Bait:
    """A server that nobody may connect to; it counts who does."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.heads: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def strangers(self) -> list[bytes]:
        """What was asked by anybody but our own client."""
        return [head for head in self.heads if b"fal_nb/" not in head]

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(2)
                    self.heads.append(connection.recv(4096))
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-type: text/html\r\n\r\n<b>x\n")


class HostileServer:
    """The corpus, served on loopback.

    Parameters
    ----------
    base
        What its own URLs begin with, where that is not its address.
    """

    def __init__(self, bait_url: str, *, base: str | None = None, ssl: dict | None = None) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._socket.getsockname()[1]
        self.base = base.format(port=self.port) if base else f"http://127.0.0.1:{self.port}"
        self.bait_url = bait_url
        self.keys: set[str] = set()
        self.redirects: list[str] = []
        self.advice = ""
        self.cases = {case.name: case for case in CASES}
        self._requests: dict[str, str] = {}
        application = Starlette(
            routes=[
                Route("/queue/hostile/{name}", self._submit, methods=["POST"]),
                Route("/queue/hostile/{name}/requests/{request_id:path}", self._request, methods=["GET", "PUT"]),
                Route("/run/hostile/{name}", self._run, methods=["POST"]),
                Route("/run/hostile/{name}/stream", self._events, methods=["POST"]),
                Route("/api/openapi/queue/openapi.json", self._document),
                Route("/api/v1/models", self._models),
                Route("/mcp/{place}", self._mcp, methods=["POST"]),
                Route("/api/v1/models/pricing", self._prices),
                Route("/api/v1/models/requests/by-endpoint", self._ended),
                Route("/redirect/{number:int}", self._redirect),
                Route("/media/{name}/{number}", self._media),
                Route("/media/{name}/{number}/{rest:path}", self._media),
            ]
        )
        config = uvicorn.Config(
            application, log_config=None, lifespan="off", timeout_graceful_shutdown=1, **(ssl or {})
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    # -- what it answers -----------------------------------------------------------------------------------

    def _case(self, request: Request) -> Case:
        self.keys.add(request.headers.get("authorization", ""))
        return self.cases[request.path_params["name"]]

    async def _submit(self, request: Request) -> Response:
        case = self._case(request)
        await request.body()
        if isinstance(case.submit, tuple):
            return self._whole(case, *case.submit)
        request_id = str(uuid.uuid4())
        return self._json(case, {"request_id": request_id, "queue_position": case.queue_position} | (case.submit or {}))

    async def _request(self, request: Request) -> Response:
        case = self._case(request)
        action = request.path_params["request_id"].partition("/")[2]
        if action == "cancel":
            return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)
        if action == "status/stream":
            return StreamingResponse(self._statuses(case), media_type="text/event-stream")
        if action == "status":
            return self._json(case, self._steps(case)[-1])
        if case.result == b"ENDLESS":
            return StreamingResponse(itertools.chain([b"["], endless(b"0," * 32_000)), media_type="application/json")
        if case.error is not None:
            return self._whole(case, *case.error)
        return self._json(case, case.result)

    async def _run(self, request: Request) -> Response:
        case = self._case(request)
        return self._whole(case, *case.error) if case.error else self._json(case, case.result)

    async def _events(self, request: Request) -> Response:
        case = self._case(request)
        data = self._text(case, case.result)

        async def events():
            for _ in range(3):
                yield b"event: \x1b[31m\ndata: " + data.replace(b"\n", b" ") + b"\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _document(self, request: Request) -> Response:
        case = self.cases.get(request.query_params["endpoint_id"].split("/")[1])
        if case is None:
            return JSONResponse({"detail": EVERYTHING["html"]}, 404)
        if case.documents is None:
            return JSONResponse({"detail": "No schemas just now"}, 503)
        return self._json(case, case.documents)

    async def _ended(self, request: Request) -> Response:
        """The account's list of requests: some equal to a call whose answer was lost, their words hostile."""
        endpoint = request.query_params["endpoint_id"]
        case = self.cases[endpoint.split("/")[1]]
        known = {"endpoint_id": endpoint, "sent_at": time.time(), "status_code": 200, "duration": float("inf")}
        entries = [
            known | {"request_id": word, "json_input": case.given(self.bait_url)}
            for word in ("first-equal-1", "second-equal-2", *EVERYTHING.values(), LONG)
        ]
        entries += [None, 7, {"request_id": 5}, known | {"request_id": "nested-1", "json_input": "[" * 50_000}]
        return self._json(case, {"items": entries, "has_more": True, "cursor": EVERYTHING["html"]})

    async def _mcp(self, request: Request) -> Response:
        """An MCP server whose tools say `advice`, as JSON, as pages and as text, and link to it."""
        message = await request.json()
        if "id" not in message:
            return Response(status_code=202)
        said = self.advice[:5_000]
        models = {
            "recommendations": [
                {"endpoint_id": "a/b", "name": said, "hints": [said]},
                {"endpoint_id": said, "title": said, "link": said},
            ]
        }
        texts = [said, json.dumps(models), f"Title: {said}\nLink: {said}\nContent: {said}"]
        results = {
            "initialize": {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": said, "version": said}},
            "tools/list": {"tools": [{"name": name, "description": said, "inputSchema": {"type": "object", "properties": {said: {}}}}
                                     for name in (said, "search_docs", "recommend_model")]},
            "tools/call": {"content": [{"type": "text", "text": text} for text in texts]},
        }  # fmt: skip
        return self._json(CASES[0], {"jsonrpc": "2.0", "id": message["id"], "result": results[message["method"]]})

    async def _models(self, request: Request) -> Response:
        """A catalogue that goes in circles, and whose every word is hostile."""
        case = CASES[0]
        words = [*EVERYTHING.values(), LONG[:5_000]]
        entries: list = [None, 7, "text", [], {"endpoint_id": 7}, {"endpoint_id": LONG}]
        entries += [{"endpoint_id": word} for word in words]
        for number, (word, case_of) in enumerate(itertools.product(words, ("prompt-html", "media-png-bomb"))):
            pictures = (
                "{bait}/thumbnail.png",
                f"{self.base}/media/{case_of}/0",
                "javascript:alert(1)",
                "file:///etc/passwd",
                word,
            )
            metadata = {
                "display_name": word, "category": word, "description": word * 3, "status": (word, "active")[number % 2],
                "tags": [word, 7, None, *([word[:9]] * 500)], "updated_at": word, "date": "9999-12-31T23:59:59-23:59",
                "thumbnail_url": pictures[number % len(pictures)], "license_type": word, "group": {"label": word},
                "kind": word, "duration_estimate": 1e999, "stream_url": word, "training_endpoint_ids": [word, "a/b"],
            }  # fmt: skip
            entries.append({"endpoint_id": f"hostile/model-{number}", "metadata": metadata, "enterprise_status": word})
        entries.append(
            {"endpoint_id": "hostile/prompt-html", "metadata": {"display_name": 7, "tags": "x", "group": []}}
        )
        return self._json(case, {"models": entries, "has_more": True, "next_cursor": EVERYTHING["html"]})

    async def _prices(self, request: Request) -> Response:
        names = request.query_params.getlist("endpoint_id")
        found = [self.cases.get(name.split("/")[1]) for name in names]
        entries = [
            {"unit": EVERYTHING["html"], "unit_price": 1.0} if case is None else case.price or {} for case in found
        ]
        return self._json(CASES[0], {"prices": [{"endpoint_id": n} | e for n, e in zip(names, entries, strict=True)]})

    async def _media(self, request: Request) -> Response:
        case = self.cases[request.path_params["name"]]
        media = case.media[request.path_params["number"]]
        headers = {name: self._filled(case, value) for name, value in media.headers.items()}
        if media.content_type is not None:
            headers["content-type"] = media.content_type
        body = await asyncio.to_thread(media.body) if callable(media.body) else media.body
        if not isinstance(body, bytes):
            return StreamingResponse(body, media.status, headers)
        body = self._filled(case, body)
        response = Response(body, media.status)
        response.raw_headers = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        length = media.length if media.length is not None else len(body)
        response.raw_headers.append((b"content-length", str(length).encode()))
        return response

    async def _redirect(self, request: Request) -> Response:
        response = Response(status_code=302)
        response.raw_headers.append((b"location", self.redirects[request.path_params["number"]].encode()))
        return response

    def _steps(self, case: Case) -> list:
        logs = [
            {"message": line, "timestamp": f"2026-01-01T00:00:{n:09d}"} if isinstance(line, str) else line
            for n, line in enumerate(case.logs)
        ]
        ended = {"status": "COMPLETED", "logs": logs, "metrics": case.metrics or {"inference_time": 0.1}}
        if case.name == "status-error":
            ended |= {"error": json.dumps(case.name) * 10, "error_type": "\x1b[31m<b>"}
        return [
            {"status": "IN_QUEUE", "queue_position": case.queue_position},
            {"status": "IN_PROGRESS", "logs": logs[: len(logs) // 2]},
            ended,
        ]

    async def _statuses(self, case: Case):
        for step in self._steps(case):
            yield b"data: " + self._text(case, step) + b"\n\n"

    def _whole(self, case: Case, status: int, headers: dict[str, str], body: bytes) -> Response:
        response = Response(self._filled(case, body), status)
        response.raw_headers += [(key.encode(), self._filled(case, value).encode()) for key, value in headers.items()]
        return response

    def _json(self, case: Case, value: object) -> Response:
        return Response(self._text(case, value), media_type="application/json")

    def _text(self, case: Case, value: object) -> bytes:
        return self._filled(case, value if isinstance(value, bytes) else json.dumps(value).encode())

    def _filled(self, case: Case, text):
        places = {
            "{bait}": self.bait_url,
            "{media}": f"{self.base}/media/{case.name}",
            "{host}": self.bait_url.partition("//")[2],
        }
        for mark, place in places.items():
            text = text.replace(mark.encode(), place.encode()) if isinstance(text, bytes) else text.replace(mark, place)
        return text
