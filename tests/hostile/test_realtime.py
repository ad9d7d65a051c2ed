"""A realtime server that says back what opened it, and one whose words are hostile: nothing is repeated or obeyed."""

import asyncio
import gc
import json
import logging
import threading
import traceback

import pytest
from aiohttp import WSMsgType, web

import fal_nb
from fal_nb.client.async_client import AsyncClient
from fal_nb.engine.session import Session
from fal_nb.protocol.realtime import TOKEN_PARAMETER, encode_input
from fal_nb.views.card import CardView

from .canary import KEY, KEY_ID, KEY_SECRET, assert_unseen, assert_unseen_on_disk
from .judge import assert_inert, assert_plain, assert_sendable
from .words import EVERYTHING, LONG

TOKEN = f"{KEY_ID}.{KEY_SECRET}"
OTHER_KEY = "another:key-for-this"


class Server:
    """Gives a token, then opens connections and says what the path asks for.

    Attributes
    ----------
    words
        What hostile frames hold.
    """

    def __init__(self):
        self.words = ""
        self.seen = []
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_post("/rest/tokens/", self._token)
        app.router.add_get("/ws/echo/{how}/realtime", self._open)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _token(self, _request):
        return web.json_response(TOKEN)

    async def _open(self, request):
        how, secret = request.match_info["how"], request.query.get(TOKEN_PARAMETER) or request.headers["authorization"]
        self.seen.append(secret)
        said = f"{secret} in {request.path_qs} {dict(request.headers)}"
        if how == "refuse":
            return web.json_response({"detail": said, "error_type": said}, status=403, headers={"x-echo": secret})
        ws = web.WebSocketResponse(heartbeat=None)
        ws.headers["x-fal-request-id"] = secret
        await ws.prepare(request)
        if how == "error":
            await ws.send_str(json.dumps({"type": "x-fal-error", "error": said, "reason": said}))
        elif how == "close":
            await ws.close(code=1011, message=secret.encode()[:120])
        elif how == "hostile":
            await ws.send_str(
                json.dumps({"type": "x-fal-error", "error": self.words[:9000], "reason": self.words[:9000]})
            )
        elif how == "text":
            await ws.send_str(said)
        elif how == "garbage":
            await ws.send_bytes(b"\xc1" + secret.encode())
        async for message in ws:
            if message.type is WSMsgType.BINARY:
                await ws.send_bytes(encode_input({"said": self.words}))
        return ws


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


def assert_error_unseen(error):
    while error is not None:
        assert_unseen(f"{error!r} {error} {vars(error)!r}")
        assert_unseen("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
        error = error.__cause__ or error.__context__


def attempts(how, connection):
    """Use a connection in every way, and return the errors that came of it."""
    errors = []
    try:
        with connection as opened:
            assert_unseen(f"{opened!r} {vars(opened)!r} {vars(opened._connection)!r}")
            for _ in range(2):
                try:
                    assert_unseen(repr(opened.recv()))
                except fal_nb.FalError as error:
                    errors.append(error)
                    break
                if how == "text":
                    break
    except fal_nb.FalError as error:
        errors.append(error)
    return errors


@pytest.mark.parametrize("how", ["refuse", "error", "close", "text", "garbage"])
def test_a_token_is_in_no_repr_log_record_or_error(server, how, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    said = []
    session = Session(key=OTHER_KEY, base_url=server.url, home=tmp_path, notify=said.append)
    try:
        errors = attempts(how, session.realtime(f"echo/{how}"))
        assert bool(errors) is (how != "text")
        for error in errors:
            assert_error_unseen(error)
        record = session.history.get(1)
        assert_unseen(f"{record!r} {session.history.steps(1)!r} {session.frame().to_csv()}")
        job = session.job(1)
        assert_unseen(f"{job!r} {job.snapshot!r} {CardView(job, session.artifacts.path).text()}")
    finally:
        session.close()
    assert TOKEN in server.seen
    assert_unseen(f"{caplog.text} {said}")
    assert assert_unseen_on_disk(tmp_path)


@pytest.mark.parametrize("how", ["refuse", "error", "close"])
async def test_a_key_that_opens_a_connection_is_said_nowhere(server, how):
    async with AsyncClient(KEY, base_url=server.url) as client:
        connection = client.realtime(f"echo/{how}", use_jwt=False)

        async def use():
            async with connection:
                assert_unseen(f"{connection!r} {vars(connection)!r}")
                await connection.recv()

        with pytest.raises(fal_nb.FalError) as caught:
            await use()
        assert_error_unseen(caught.value)
    assert f"Key {KEY}" in server.seen


async def test_a_connection_that_is_given_up_while_it_opens_says_nothing(server):
    async with AsyncClient(KEY, base_url=server.url) as client:
        task = asyncio.create_task(client.realtime("echo/text", use_jwt=False).open())
        for _ in range(30):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await (await task).close()
        except asyncio.CancelledError as error:
            assert_error_unseen(error)
    gc.collect()


def test_hostile_words_are_text_in_errors_records_and_cards(server, tmp_path):
    session = Session(key=OTHER_KEY, base_url=server.url, home=tmp_path, notify=lambda line: None)
    try:
        for number, words in enumerate((*EVERYTHING.values(), LONG), 1):
            server.words = words.encode("utf-8", "replace").decode()
            (error,) = attempts("hostile", session.realtime("echo/hostile"))
            assert_plain(str(error))
            assert_plain(f"{error.error}{error.reason}")
            view = CardView(session.job(number), session.artifacts.path)
            assert_sendable(view.state())
            assert_inert(view.twin())
            assert_plain(view.text())
    finally:
        session.close()


def test_an_output_is_data_whatever_it_holds(server, tmp_path):
    session = Session(key=OTHER_KEY, base_url=server.url, home=tmp_path, notify=lambda line: None)
    try:
        server.words = "\x1b[2J" + "<script>"
        with session.realtime("echo/silent") as connection:
            connection.send({"prompt": "x"})
            assert connection.recv() == {"said": server.words}
        assert_plain(json.dumps(session.history.get(1).result))
    finally:
        session.close()
