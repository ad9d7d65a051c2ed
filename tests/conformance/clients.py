"""One face for every client: an operation's name and its call in, what came of it out, as plain JSON."""

import asyncio
import base64
import hashlib
import itertools
import json
import subprocess
import time
from pathlib import Path

import fal_client
import httpx
import pytest
from fal_client import client as official_client

import fal_nb
from fal_nb.client.transport import FalTransport

from .shim import lead, seen

KEY = "id:a-secret-for-tests"
SCRIPT = Path(__file__).with_name("official_client.mjs")
KINDS = {"Queued": "IN_QUEUE", "InProgress": "IN_PROGRESS", "Completed": "COMPLETED"}
_TURNS = 2000
REALTIME_ERRORS = (official_client.RealtimeError, fal_nb.RealtimeError)


class Outcome:
    """What came of one call.

    Attributes
    ----------
    kinds
        Wire words of the statuses seen, each once in a row.
    messages
        Log lines seen, as often as they were seen.
    requests
        Method, URL as meant for fal, and headers of each request.
    """

    def __init__(self, requests):
        self.ok, self.value, self.error = True, None, None
        self.kinds, self.messages, self.requests = [], [], requests

    def note(self, status):
        kind = KINDS[type(status).__name__]
        if self.kinds[-1:] != [kind]:
            self.kinds.append(kind)
        self.messages += [entry["message"] for entry in getattr(status, "logs", None) or []]

    def fail(self, error):
        self.ok = False
        detail = getattr(error, "detail", None)
        self.error = {
            "status": getattr(error, "status_code", None),
            "name": type(error).__name__,
            "text": str(error),
            "body": {"detail": detail if detail is not None else getattr(error, "message", str(error))},
        }


def bytes_of(call):
    return bytes([call.get("fill", 7)]) * call["size"]


class LiveSession:
    """What one realtime session is to send and what came back, in words that are the same for every client.

    A call has ``inputs``, ``bytes`` (the name of an argument whose text is sent as bytes), ``in_turn`` (each is sent
    after the answer to the one before), and ``outputs``: how many to wait for, None for all until the end.
    """

    def __init__(self, call):
        self.inputs = [with_bytes(each, call.get("bytes")) for each in call["inputs"]]
        self.in_turn = call.get("in_turn", False)
        self.wanted = call.get("outputs")
        self.outputs, self.ended = [], None

    @property
    def is_over(self):
        return self.ended is not None or len(self.outputs) == self.wanted

    def take(self, output):
        if output is None:
            self.ended = "in good order"
        else:
            self.outputs.append(plain(output))

    def end(self, error):
        is_end = error.error == "TIMEOUT"  # the official client has an error for an end that is none
        self.ended = "in good order" if is_end else error.error

    def told(self):
        return {"outputs": self.outputs, "ended": self.ended}


def with_bytes(arguments, name):
    return arguments if name is None else {**arguments, name: base64.b64decode(arguments[name])}


def plain(value):
    """Return an output as JSON: bytes by their number and their beginning."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes {value[:3].hex()}"
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


class PythonSync:
    """A client with the names of the official one, blocking."""

    def __init__(self, make, errors, settings):
        self.make, self.errors, self.settings = make, errors, settings

    def do(self, operation, call, outcome):
        with self.make(call) as client:
            try:
                outcome.value = getattr(self, operation)(client, call, outcome)
            except self.errors as error:
                outcome.fail(error)
        return outcome

    def run(self, client, call, _outcome):
        return client.run(call["endpoint"], call["arguments"], headers=call["headers"], **call["py"])

    def subscribe(self, client, call, outcome):
        enqueued = []
        result = client.subscribe(
            call["endpoint"], call["arguments"], with_logs=True, on_enqueue=enqueued.append, interval=0.02,
            on_queue_update=outcome.note, headers=call["headers"], **call["py"],
        )  # fmt: skip
        return {"result": result, "enqueued": enqueued[0]}

    def _submit(self, client, call):
        return client.submit(call["endpoint"], call["arguments"], headers=call["headers"], **call["py"])

    def submit(self, client, call, outcome):
        handle = self._submit(client, call)
        for _ in range(_TURNS):
            status = client.status(call["endpoint"], handle.request_id, with_logs=True)
            outcome.note(status)
            if type(status).__name__ == "Completed":
                break
            time.sleep(0.01)
        result = client.result(call["endpoint"], handle.request_id)
        return {"result": result, "request_id": handle.request_id}

    def events(self, client, call, outcome):
        handle = self._submit(client, call)
        for status in handle.iter_events(with_logs=True, interval=0.02):
            outcome.note(status)
        return {"result": handle.get(), "request_id": handle.request_id}

    def cancel(self, client, call, _outcome):
        handle = self._submit(client, call)
        handle.cancel()
        return handle.get()

    def cancel_done(self, client, call, _outcome):
        handle = self._submit(client, call)
        handle.get()
        handle.cancel()

    def cancel_unknown(self, client, call, _outcome):
        client.cancel(call["endpoint"], call["request_id"])

    def stream(self, client, call, _outcome):
        events = list(client.stream(call["endpoint"], call["arguments"], headers=call["headers"]))
        return {"events": events, "last": events[-1]}

    def realtime(self, client, call, _outcome):
        session = LiveSession(call)
        with client.realtime(call["endpoint"], **call["py"]) as connection:
            for arguments in session.inputs:
                connection.send(arguments)
                if session.in_turn:
                    session.take(connection.recv())
            while not session.is_over:
                try:
                    session.take(connection.recv())
                except REALTIME_ERRORS as error:
                    session.end(error)
        return session.told()

    def upload(self, client, call, _outcome):
        data = bytes_of(call)
        lifecycle = self.settings(call["lifecycle"]) if call.get("lifecycle") else None
        more = {"repository": call["repository"]} if call.get("repository") else {}
        url = client.upload(data, call["content_type"], call.get("name"), lifecycle=lifecycle, **more)
        return {"url": url, "digest": hashlib.sha256(data).hexdigest()}


class PythonAsync(PythonSync):
    """The same, asynchronous."""

    def do(self, operation, call, outcome):
        async def act():
            client = self.make(call)
            try:
                outcome.value = await getattr(self, operation)(client, call, outcome)
            except self.errors as error:
                outcome.fail(error)
            finally:
                close = getattr(client, "aclose", None)
                if close is not None:
                    await close()

        asyncio.run(act())
        return outcome

    async def subscribe(self, client, call, outcome):
        enqueued = []

        async def on_enqueue(request_id):
            enqueued.append(request_id)

        result = await client.subscribe(
            call["endpoint"], call["arguments"], with_logs=True, on_enqueue=on_enqueue, interval=0.02,
            on_queue_update=outcome.note, headers=call["headers"], **call["py"],
        )  # fmt: skip
        return {"result": result, "enqueued": enqueued[0]}

    async def run(self, client, call, _outcome):
        return await client.run(call["endpoint"], call["arguments"], headers=call["headers"], **call["py"])

    async def submit(self, client, call, outcome):
        handle = await self._submit(client, call)
        for _ in range(_TURNS):
            status = await client.status(call["endpoint"], handle.request_id, with_logs=True)
            outcome.note(status)
            if type(status).__name__ == "Completed":
                break
            await asyncio.sleep(0.01)
        result = await client.result(call["endpoint"], handle.request_id)
        return {"result": result, "request_id": handle.request_id}

    async def events(self, client, call, outcome):
        handle = await self._submit(client, call)
        async for status in handle.iter_events(with_logs=True, interval=0.02):
            outcome.note(status)
        return {"result": await handle.get(), "request_id": handle.request_id}

    async def cancel(self, client, call, _outcome):
        handle = await self._submit(client, call)
        await handle.cancel()
        return await handle.get()

    async def cancel_done(self, client, call, _outcome):
        handle = await self._submit(client, call)
        await handle.get()
        await handle.cancel()

    async def cancel_unknown(self, client, call, _outcome):
        await client.cancel(call["endpoint"], call["request_id"])

    async def stream(self, client, call, _outcome):
        events = [event async for event in client.stream(call["endpoint"], call["arguments"], headers=call["headers"])]
        return {"events": events, "last": events[-1]}

    async def realtime(self, client, call, _outcome):
        session = LiveSession(call)
        async with client.realtime(call["endpoint"], **call["py"]) as connection:
            for arguments in session.inputs:
                await connection.send(arguments)
                if session.in_turn:
                    session.take(await connection.recv())
            while not session.is_over:
                try:
                    session.take(await connection.recv())
                except REALTIME_ERRORS as error:
                    session.end(error)
        return session.told()

    async def upload(self, client, call, _outcome):
        data = bytes_of(call)
        lifecycle = self.settings(call["lifecycle"]) if call.get("lifecycle") else None
        more = {"repository": call["repository"]} if call.get("repository") else {}
        url = await client.upload(data, call["content_type"], call.get("name"), lifecycle=lifecycle, **more)
        return {"url": url, "digest": hashlib.sha256(data).hexdigest()}


class Recording(FalTransport):
    """The real transport, remembering what passes."""

    def __init__(self, requests):
        super().__init__()
        self.requests = requests

    async def handle_async_request(self, request):
        self.requests.append(seen(request))
        return await super().handle_async_request(request)


def official(adapter, make_client):
    """Return a function that makes a call with an official Python client."""

    def do(operation, call, monkeypatch):
        outcome = Outcome([])
        lead(monkeypatch, call["base"], outcome.requests)
        errors = (fal_client.FalClientError, httpx.HTTPError)
        made = adapter(lambda call: make_client(call["key"]), errors, fal_client.StorageSettings)
        return made.do(operation, call, outcome)

    return do


class _Closing:
    """The official blocking client is no context manager."""

    def __init__(self, key):
        self.client = fal_client.SyncClient(key=key)

    def __enter__(self):
        return self.client

    def __exit__(self, *_):
        self.client._client.close()


def official_js(operation, call, monkeypatch):
    del monkeypatch
    body = json.dumps({**call, "operation": operation})
    # Node 22 has WebSocket by itself, Node 20 where it is asked for, older ones not.
    option = ["--experimental-websocket"] if operation == "realtime" else []
    done = subprocess.run(
        ["node", *option, str(SCRIPT)], input=body, capture_output=True, text=True, timeout=110, check=False
    )
    if "bad option" in done.stderr:
        pytest.skip("this Node has no WebSocket")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    outcome = Outcome(answer["requests"])
    for name in ("ok", "value", "error", "kinds", "messages"):
        setattr(outcome, name, answer[name])
    return outcome


def ours(operation, call, monkeypatch):
    del monkeypatch
    outcome = Outcome([])

    def make(call):
        return fal_nb.AsyncClient(call["key"], base_url=call["base"], transport=Recording(outcome.requests))

    return PythonAsync(make, fal_nb.FalError, fal_nb.StorageSettings).do(operation, call, outcome)


def ours_sync(operation, call, monkeypatch):
    del monkeypatch
    outcome = Outcome([])

    def make(call):
        return fal_nb.SyncClient(call["key"], base_url=call["base"], transport=Recording(outcome.requests))

    return PythonSync(make, fal_nb.FalClientError, fal_nb.StorageSettings).do(operation, call, outcome)


CLIENTS = {
    "fal_client": official(PythonSync, _Closing),
    "fal_client-async": official(PythonAsync, lambda key: fal_client.AsyncClient(key=key)),
    "fal-ai-client-js": official_js,
    "ours": ours,
    "ours-sync": ours_sync,
}


def unrepeated(messages):
    """Return log lines, each once, in the order they were first seen."""
    return [message for message, _ in itertools.groupby(dict.fromkeys(messages))]
