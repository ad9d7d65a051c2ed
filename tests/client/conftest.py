"""Servers for the client's tests: one that follows the protocol, one that breaks it at a chosen moment."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme

from fal_nb.client.async_client import AsyncClient

ENDPOINT = "fal-ai/flux/dev"


@pytest.fixture(autouse=True)
def _no_certificates_no_dotenv(monkeypatch, tmp_path):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.chdir(tmp_path)


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)


class Wire:
    """An HTTP/1.1 server of a hundred lines on 127.0.0.1.

    A handler returns a `Reply`; its body may be bytes, JSON or an asynchronous iterator of chunks. Returning
    None means that the handler has done what it wanted with the writer, and the connection is over.
    """

    def __init__(self, handler: Callable[[Request, asyncio.StreamWriter], Awaitable[Reply | None]]) -> None:
        self.handler = handler
        self.requests: list[Request] = []
        self.connections = 0
        self.readers: list[asyncio.StreamReader] = []
        self.writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task] = set()

    async def start(
        self, *, tls: ssl.SSLContext | None = None, port: int = 0, sock: socket.socket | None = None
    ) -> None:
        where = {"sock": sock} if sock else {"host": "127.0.0.1", "port": port}
        self._server = await asyncio.start_server(self._serve, ssl=tls, **where)
        self.port = self._server.sockets[0].getsockname()[1]
        self.base = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def count(self, method: str, part: str = "") -> int:
        return sum(1 for request in self.requests if request.method == method and part in request.path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        self.connections += 1
        self.readers.append(reader)
        self.writers.append(writer)
        number = self.connections
        try:
            while request := await self._read(reader, number):
                self.requests.append(request)
                reply = await self.handler(request, writer)
                if reply is None:
                    return
                await self._write(writer, reply)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(asyncio.current_task())
            await end(writer)

    async def _read(self, reader: asyncio.StreamReader, number: int) -> Request | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            if name:
                headers[name.lower()] = value.strip()
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
                body += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        elif "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        return Request(method, target, headers, body, number)

    async def _write(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        body, headers = reply.body, dict(reply.headers)
        if not isinstance(body, bytes) and not hasattr(body, "__aiter__"):
            body = json.dumps(body).encode()
            headers.setdefault("content-type", "application/json")
        chunked = not isinstance(body, bytes)
        if chunked:
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(len(body))
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        if not chunked:
            writer.write(body)
            await writer.drain()
            return
        async for chunk in body:
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with a reset, losing what was not yet delivered."""
    sock = writer.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class FaultyServer:
    """Takes a POST up to a stage, then fails; counts what it has seen of POSTs, at their first byte.

    Faults are ``<how> <stage>`` with how in ``reset``, ``end`` and stage in ``after the headers``,
    ``after half the body``, ``after the whole body``; or a reply in bytes, sent before the connection ends.
    """

    def __init__(self, fault: str | bytes) -> None:
        self.fault = fault
        self.posts = 0
        self._ending: list[asyncio.Future[None]] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        await asyncio.gather(*self._ending)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.posts += head.startswith(b"POST")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            stage = self.fault.partition(" ")[2] if isinstance(self.fault, str) else "after the whole body"
            await reader.readexactly({"after the headers": 0, "after half the body": length // 2}.get(stage, length))
            if isinstance(self.fault, bytes):
                writer.write(self.fault)
                await writer.drain()
            elif self.fault.startswith("reset"):
                reset(writer)
        except ConnectionError:
            pass
        finally:
            self._ending.append(asyncio.ensure_future(end(writer)))


async def reset_step(request: Request, writer: asyncio.StreamWriter) -> None:
    """A step for `FalServer.script`: no answer, and a reset."""
    reset(writer)


async def end(writer: asyncio.StreamWriter) -> None:
    """Close a connection, by force where the other side does not read."""
    writer.close()
    try:
        async with asyncio.timeout(1):
            await writer.wait_closed()
    except (ConnectionError, TimeoutError):
        writer.transport.abort()
        await asyncio.sleep(0)


@dataclass
class Job:
    request_id: str
    endpoint: str
    arguments: Any
    headers: dict[str, str]
    query: dict[str, list[str]]
    statuses: list[dict[str, Any]] = field(default_factory=list)
    result: Reply = field(default_factory=lambda: Reply(200, {"images": []}))
    logs: list[dict[str, str]] = field(default_factory=list)

    @property
    def current(self) -> dict[str, Any]:
        return self.statuses[-1]


class FalServer(Wire):
    """Another server that follows the protocol notes: queue, run, stream, uploads, files; scripted faults before.

    Attributes
    ----------
    stream_mode
        ``sse``, ``absent`` (404), ``json`` (a status instead of a stream), ``cut`` (ends after each status).
    """

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.jobs: dict[str, Job] = {}
        self.uploads: dict[str, tuple[bytes, Request]] = {}
        self.scripts: list[tuple[str, str, list]] = []
        self.stream_mode = "sse"
        self.open_streams = 0
        self.most_streams = 0
        self.finish_at_once = False
        self.before_stream_end: Callable[[], Awaitable[None]] | None = None
        self.result_reply: Reply | None = None
        self.changed = asyncio.Condition()
        self.result_lag = 0
        self.cancel_reply = Reply(202, {"status": "CANCELLATION_REQUESTED"})
        self.tokens = 0
        self.token_life_s = 3600

    def script(self, method: str, part: str, *steps: Any) -> None:
        """Let the next requests that match meet these: replies, or coroutine functions (request, writer)."""
        self.scripts.append((method, part, list(steps)))

    async def advance(self, request_id: str, **status: Any) -> None:
        async with self.changed:
            job = self.jobs[request_id]
            job.statuses.append(status)
            self.changed.notify_all()

    async def finish(self, request_id: str, result: Reply | None = None, **status: Any) -> None:
        if result is not None:
            self.jobs[request_id].result = result
        await self.advance(request_id, status="COMPLETED", metrics={"inference_time": 0.1}, **status)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is true of this server."""
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - the conditions are plain attributes
                await asyncio.sleep(0.005)

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> Reply | None:
        for method, part, steps in self.scripts:
            if method == request.method and part in request.path and steps:
                step = steps.pop(0)
                return step if isinstance(step, Reply) else await step(request, writer)
        service, _, rest = request.path.strip("/").partition("/")
        found = {"queue": self._queue, "run": self._run, "rest": self._token, "cdn": self._cdn}.get(service)
        if found is None:
            return Reply(404, {"detail": "Path not found"})
        reply = await found(request, rest)
        reply.headers.setdefault("x-fal-request-id", "edge-1")
        return reply

    async def _queue(self, request: Request, rest: str) -> Reply:
        endpoint, marker, tail = rest.partition("/requests/")
        if not marker:
            return self._submit(request, endpoint)
        request_id, _, action = tail.partition("/")
        job = self.jobs.get(request_id)
        if job is None or "/".join(job.endpoint.split("/")[:2]) != endpoint:
            return Reply(404, {"status": "NOT_FOUND"})
        if action == "status/stream":
            return self._stream(job, request)
        if action == "status":
            done = job.current["status"] == "COMPLETED"
            return Reply(200 if done else 202, self._status(job, job.current, request))
        if action == "cancel":
            return Reply(self.cancel_reply.status, self.cancel_reply.body)
        if job.current["status"] != "COMPLETED" or self.result_lag > 0:
            self.result_lag -= 1
            return Reply(400, {"detail": "Request is still in progress"})
        return Reply(job.result.status, job.result.body, {"x-fal-request-id": request_id, **job.result.headers})

    def _submit(self, request: Request, endpoint: str) -> Reply:
        request_id = f"00000000-0000-4000-8000-{len(self.jobs):012d}"
        job = Job(request_id, endpoint, request.json(), request.headers, request.query)
        job.statuses.append({"status": "IN_QUEUE", "queue_position": 0})
        job.result = self.result_reply or job.result
        if self.finish_at_once:
            job.statuses.append({"status": "COMPLETED"})
        self.jobs[request_id] = job
        elsewhere = f"https://elsewhere.example/requests/{request_id}"
        urls = {"response_url": elsewhere, "status_url": f"{elsewhere}/status", "cancel_url": f"{elsewhere}/cancel"}
        body = {"request_id": request_id, "status": "IN_QUEUE", "queue_position": 0, **urls}
        return Reply(200, body, {"x-fal-request-id": request_id})

    def _status(self, job: Job, status: dict[str, Any], request: Request) -> dict[str, Any]:
        body = {"request_id": job.request_id, "response_url": f"{self.base}/x", **status}
        if status["status"] != "IN_QUEUE":
            body["logs"] = job.logs if request.query["logs"] == ["1"] else None
        return body

    def _stream(self, job: Job, request: Request) -> Reply:
        if self.stream_mode == "absent":
            return Reply(404, {"detail": "Not Found"})
        if self.stream_mode == "json":
            return Reply(202, self._status(job, job.current, request))
        return Reply(200, self._events(job, request), {"content-type": "text/event-stream"})

    async def _events(self, job: Job, request: Request) -> AsyncIterator[bytes]:
        self.open_streams += 1
        self.most_streams = max(self.most_streams, self.open_streams)
        shown = len(job.statuses) - 1
        try:
            while True:
                status = job.statuses[shown]
                yield b": ping\n\n"
                yield b"data: " + json.dumps(self._status(job, status, request)).encode() + b"\n\n"
                if status["status"] == "COMPLETED" and self.before_stream_end:
                    await self.before_stream_end()
                if status["status"] == "COMPLETED" or self.stream_mode == "cut":
                    return
                shown += 1
                async with self.changed:
                    await self.changed.wait_for(lambda wanted=shown: len(job.statuses) > wanted)
        finally:
            self.open_streams -= 1

    async def _run(self, request: Request, rest: str) -> Reply:
        if rest.endswith("/stream"):
            return Reply(200, self._outputs(), {"content-type": "text/event-stream"})
        return Reply(200, {"ran": request.json() if request.body else None}, {"x-fal-billable-units": "1.50000000"})

    async def _outputs(self) -> AsyncIterator[bytes]:
        for step in range(3):
            yield b'data: {"step": %d}\n\n' % step

    async def _token(self, request: Request, rest: str) -> Reply:
        self.tokens += 1
        from datetime import UTC, datetime, timedelta

        expires_at = datetime.now(UTC) + timedelta(seconds=self.token_life_s)
        body = {"token": f"t{self.tokens}", "token_type": "Bearer", "expires_at": expires_at.isoformat()}
        return Reply(200, {**body, "base_url": "https://v3.fal.media"})

    async def _cdn(self, request: Request, rest: str) -> Reply:
        if request.method == "POST":
            url = f"{self.base}/cdn/files/{len(self.uploads)}"
            self.uploads[url] = (request.body, request)
            return Reply(200, {"access_url": url})
        data, sent = self.uploads[f"{self.base}{request.path}"]
        return Reply(200, data, {"content-type": sent.headers["content-type"]})


@pytest.fixture
async def server():
    """A `FalServer` that is running."""
    made = FalServer()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def make_faulty():
    """Start a `FaultyServer`; it ends with the test."""
    started: list[FaultyServer] = []

    async def make(fault: str | bytes) -> FaultyServer:
        faulty = FaultyServer(fault)
        await faulty.start()
        started.append(faulty)
        return faulty

    yield make
    for faulty in started:
        await faulty.stop()


@pytest.fixture
async def client(server):
    """An `AsyncClient` of the running server, with a key."""
    async with AsyncClient("id:secret", base_url=server.base) as made:
        yield made


@pytest.fixture
def recorded_pauses():
    """Make a client's http skip its pauses; returns the seconds it would have waited, as they come."""

    def install(client: AsyncClient, after: Callable[[int], Awaitable[None]] | None = None) -> list[float]:
        waited: list[float] = []

        async def pause(seconds: float) -> None:
            waited.append(seconds)
            if after is not None:
                await after(len(waited))

        client._http._pause = pause
        return waited

    return install


@pytest.fixture
async def make_wire():
    """Start `Wire` servers with a handler each; they end with the test."""
    started: list[Wire] = []

    async def make(handler, **options: Any) -> Wire:
        wire = Wire(handler)
        await wire.start(**options)
        started.append(wire)
        return wire

    yield make
    for wire in started:
        await wire.stop()


@pytest.fixture
def kit():
    """The classes and functions above, since test modules cannot import this one."""
    return Kit


class Kit:
    ENDPOINT = ENDPOINT
    FalServer = FalServer
    FaultyServer = FaultyServer
    Reply = Reply
    Request = Request
    Wire = Wire
    end = staticmethod(end)
    reset = staticmethod(reset)
    reset_step = staticmethod(reset_step)


@pytest.fixture(scope="session")
def authority():
    """A certificate authority nobody trusts unless told."""
    return trustme.CA()


@pytest.fixture
def server_tls(authority):
    """The TLS context of a server at 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost", "queue.example").configure_cert(context)
    return context


@pytest.fixture
def trusted_authority(authority, monkeypatch, tmp_path):
    """Make SSL_CERT_FILE name the authority."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path
