"""Serves a real `fal.App` on this machine: a server nobody here wrote, fal's own SDK.

Run by the interpreter of ``.envs/falapp``; its first line is ``{"port": …}``, it ends by a signal.
"""

import asyncio
import contextlib
import json
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from typing import Literal

import fal
import uvicorn
from fal.api.api import FalServer
from fal.exceptions import AppException, FieldException, RequestCancelledException
from fal.ref import set_current_app
from fastapi import HTTPException, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field

PREFIXES = ("/run/me/writer", "/ws/me/writer")
TOKENS = "/rest/tokens"
_LONGEST_PAUSE_S = 20


class Asked(BaseModel):
    """What is to be written."""

    text: str
    times: int = Field(default=2, ge=1, le=9)
    style: Literal["plain", "loud"] = "plain"


class Written(BaseModel):
    """What was written, and all that was asked for with its defaults."""

    text: str
    asked: Asked


class Streamed(Asked):
    """What is to be written word by word."""

    pause: bool = False
    break_after: int | None = None


class Refused(BaseModel):
    """How the app is to fail."""

    by: str


class Said(BaseModel):
    """One input of a realtime session."""

    text: str
    number: int = 0
    crash: bool = False


class Answered(BaseModel):
    """One output of a realtime session."""

    text: str
    number: int


class Writer(fal.App, name="writer"):
    """An app as people deploy it, which fails in the ways the SDK knows."""

    def setup(self):
        """Take what the endpoints share; fal calls this once, before the first request."""
        self.arrived = Counter()
        self.resumed = asyncio.Event()

    @fal.endpoint("/")
    def write(self, asked: Asked, response: Response) -> Written:
        """Answer at once."""
        self.arrived["/"] += 1
        response.headers["x-fal-billable-units"] = str(asked.times)
        return Written(text=" ".join(words(asked)), asked=asked)

    @fal.endpoint("/stream")
    async def write_slowly(self, asked: Streamed) -> StreamingResponse:
        """Answer word by word."""
        self.arrived["/stream"] += 1
        self.resumed.clear()
        return StreamingResponse(self.events(asked), media_type="text/event-stream")

    async def events(self, asked):
        """Yield one server-sent event for each word, the whole text last."""
        written = words(asked)
        for index, word in enumerate(written):
            if index == asked.break_after:
                raise RuntimeError("the pen broke")
            yield f"data: {json.dumps({'word': word}, ensure_ascii=False)}\n\n"
            if asked.pause and index == 0:
                await asyncio.wait_for(self.resumed.wait(), _LONGEST_PAUSE_S)
        yield f"data: {json.dumps({'text': ' '.join(written)}, ensure_ascii=False)}\n\n"

    @fal.endpoint("/resume")
    async def resume(self) -> dict[str, bool]:
        """Let a stream that pauses go on."""
        self.resumed.set()
        return {"resumed": True}

    @fal.endpoint("/refuse")
    def refuse(self, refused: Refused) -> Written:
        """Fail in the way asked for."""
        self.arrived["/refuse"] += 1
        errors = {
            "app": AppException("no more ink", 400),
            "busy": AppException("all pens are taken", 503),
            "field": FieldException("by", "cannot be written", billable_units=1.5),
            "http": HTTPException(403, "not for you"),
            "cancelled": RequestCancelledException("the page was taken away"),
        }
        raise errors.get(refused.by, RuntimeError("the pen broke"))

    @fal.realtime("/realtime", session_timeout=2)
    def answer(self, said: Said) -> Answered:
        """Answer each input with the same text, or fail."""
        if said.crash:
            raise RuntimeError("the pen broke")
        return Answered(text=said.text, number=said.number)

    # Once no input comes for the session's limit, the runtime allows as much again for all outputs that are owed.
    @fal.realtime("/many/realtime", session_timeout=60)
    def answer_many(self, said: Said) -> Answered:
        """Answer each input with the same text, however many wait."""
        return Answered(text=said.text, number=said.number)

    # With less buffering than outputs fal's runtime sends some of them ahead of others.
    @fal.realtime("/series/realtime", buffering=16)
    async def answer_often(self, asked: Asked) -> AsyncIterator[dict]:
        """Answer one input word by word."""
        for word in words(asked):
            yield {"word": word}

    @fal.realtime("/dialogue/realtime", session_timeout=2)
    async def converse(self, said: AsyncIterator[Said]) -> AsyncIterator[dict]:
        """Answer each input twice."""
        async for each in said:
            yield {"text": each.text}
            yield {"text": each.text.upper()}

    @fal.realtime("/sum/realtime", session_timeout=0.5)
    async def add_up(self, said: AsyncIterator[Said]) -> Answered:
        """Answer many inputs once, when no more come."""
        numbers = [each.number async for each in said]
        return Answered(text=str(len(numbers)), number=sum(numbers))

    @fal.realtime(
        "/json/realtime",
        session_timeout=2,
        encode_message=lambda message: json.dumps(message).encode(),
        decode_message=json.loads,
        content_type="application/json",
    )
    def answer_json(self, said: Said) -> Answered:
        """Answer in JSON."""
        return Answered(text=said.text, number=said.number)

    @fal.endpoint("/count/arrived")
    def count(self) -> dict[str, int]:
        """Say how often each endpoint was called."""
        return dict(self.arrived)


def words(asked):
    """Return the words to write, in order."""
    text = asked.text.upper() if asked.style == "loud" else asked.text
    return [f"{text}-{index}" for index in range(asked.times)]


def below(prefixes, app):
    """Serve `app` below paths, as fal's gateway does: what follows owner and alias is the app's own path."""

    async def led(scope, receive, send):
        if scope["type"] in {"http", "websocket"}:
            if scope["path"].rstrip("/") == TOKENS:
                await JSONResponse("a-token-of-the-gateway")(scope, receive, send)
                return
            prefix = next((prefix for prefix in prefixes if f"{scope['path']}/".startswith(f"{prefix}/")), None)
            if prefix is None:
                await PlainTextResponse("only the app is served here", 404)(scope, receive, send)
                return
            scope = {**scope, "path": scope["path"].removeprefix(prefix) or "/"}
        await app(scope, receive, send)

    return led


class Server(FalServer):
    """fal's server, which says where it listens once the app is set up."""

    async def startup(self, sockets=None):
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            print(json.dumps({"port": sockets[0].getsockname()[1]}), file=sys.__stdout__, flush=True)


def main():
    """Do what fal's `wrap_app` and `BaseServable.serve` do on a runner, but on loopback and without their metrics."""
    app = Writer(_allow_init=True)
    set_current_app(app)
    config = uvicorn.Config(below(PREFIXES, app._build_app()), lifespan="on", timeout_graceful_shutdown=2)
    server = Server(config)
    server.set_handle_exit(app.handle_exit)
    # Not by Config's host and port: a port that is free when looked for can be taken when it is used.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.run(sockets=[listening])


if __name__ == "__main__":
    # fal prints its packages and each traceback; the first line of stdout is for the port.
    with contextlib.redirect_stdout(sys.stderr):
        main()
