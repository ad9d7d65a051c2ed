"""The options of a call arrive at the server from every function and magic that takes them, and are checked before."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import fal_nb as fal
from fal_nb import workbench
from fal_nb.workbench import current

ENDPOINT = "me/thing"
DIRECT = {
    "hint": "h", "start_timeout": 30, "headers": {"x-mine": "1"}, "lifecycle": fal.StorageSettings("1h"),
    "store_io": False, "disable_fallback": True, "fal_tags": {"team": "a b"},
}  # fmt: skip
QUEUE = DIRECT | {"priority": "low", "no_retry": True, "max_queue_length": 0, "webhook_url": "https://x.org/?a=1"}
HEADERS = {
    "x-fal-runner-hint": "h", "x-fal-request-start-timeout": "30.0", "x-mine": "1", "x-fal-store-io": "0",
    "x-app-fal-disable-fallback": "true", "x-fal-tags": "team=a b",
}  # fmt: skip
QUEUE_HEADERS = HEADERS | {"x-fal-queue-priority": "low", "x-fal-no-retry": "1"}


class Refusing(BaseHTTPRequestHandler):
    """Remembers POSTs and refuses them, so that nothing has to be waited for."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.posts.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self._answer(400)

    def do_GET(self):
        self._answer(402)

    def _answer(self, status):
        body = json.dumps({"detail": "enough"}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def posts(monkeypatch):
    """Let the module's functions call a server; returns (path, headers) of the POSTs it got."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.posts = []
        serving = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving.start()
        monkeypatch.setenv("FAL_NB_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(workbench, "_shell", lambda: None)
        current.forget()
        yield server.posts
        current().close()
        current.forget()
        server.shutdown()
        serving.join()


def assert_arrived(posts, wanted, *, in_queue):
    ((path, headers),) = posts
    assert {name: headers.get(name) for name in wanted} == wanted
    assert json.loads(headers["x-fal-object-lifecycle-preference"]) == {"expiration_duration_seconds": 3600}
    query = {"fal_webhook": ["https://x.org/?a=1"], "fal_max_queue_length": ["0"]} if in_queue else {}
    assert parse_qs(urlsplit(path).query) == query


@pytest.mark.parametrize(
    "call", [lambda: fal.submit(ENDPOINT, {}, **QUEUE).get(), lambda: fal.subscribe(ENDPOINT, {}, **QUEUE)]
)
def test_calls_of_the_queue_take_every_option(posts, call):
    with pytest.raises(fal.FalClientHTTPError, match="enough"):
        call()
    assert_arrived(posts, QUEUE_HEADERS, in_queue=True)


@pytest.mark.parametrize(
    "call", [lambda: fal.run(ENDPOINT, {}, **DIRECT), lambda: list(fal.stream(ENDPOINT, {}, **DIRECT))]
)
def test_calls_without_a_queue_take_what_means_something_there(posts, call):
    with pytest.raises(fal.FalClientHTTPError, match="enough"):
        call()
    assert_arrived(posts, HEADERS, in_queue=False)


@pytest.mark.parametrize("call", [fal.submit_async, fal.subscribe_async])
async def test_coroutines_of_the_queue_take_every_option(posts, call):
    with pytest.raises(fal.FalClientHTTPError, match="enough"):
        await call(ENDPOINT, {}, **QUEUE)
    assert_arrived(posts, QUEUE_HEADERS, in_queue=True)


@pytest.mark.parametrize(
    "call", [lambda: fal.run_async(ENDPOINT, {}, **DIRECT), lambda: anext(fal.stream_async(ENDPOINT, {}, **DIRECT))]
)
async def test_coroutines_without_a_queue_take_what_means_something_there(posts, call):
    with pytest.raises(fal.FalClientHTTPError, match="enough"):
        await call()
    assert_arrived(posts, HEADERS, in_queue=False)


@pytest.mark.parametrize(
    "options",
    [
        {"lifecycle": 7},
        {"store_io": "no"},
        {"no_retry": 1},
        {"disable_fallback": "x"},
        {"fal_tags": {"A": "b"}},
        {"fal_tags": ["a"]},
        {"max_queue_length": -1},
        {"priority": "high"},
        {"start_timeout": 0},
        {"hint": "é"},
        {"webhook_url": "x.org"},
        {"headers": {"host": "x"}},
    ],
)
def test_a_wrong_option_is_one_line_and_nothing_is_written_or_sent(posts, options):
    for call in (fal.submit, fal.subscribe):
        with pytest.raises(fal.ConfigError) as caught:
            call(ENDPOINT, {}, **options)
        assert "\n" not in str(caught.value)
    assert posts == []
    assert fal.session().history.count() == 0


@pytest.mark.parametrize("magic", ["run", "submit"])
def test_the_magics_options_arrive_as_well(posts, monkeypatch, capsys, magic):
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    monkeypatch.setattr(workbench, "_shell", lambda: shell)
    current.forget()
    shell.run_cell("%load_ext fal_nb")
    shell.run_cell(
        f"%fal {magic} {ENDPOINT} --hint h --start-timeout 30 --lifecycle 1h --store-io no --disable-fallback "
        "--fal-tags 'team=a b' --priority low --no-retry --max-queue-length 0 --webhook-url https://x.org/?a=1"
    )
    shell.run_cell("%fal wait")
    wanted = {name: value for name, value in QUEUE_HEADERS.items() if name != "x-mine"}
    assert_arrived(posts, wanted, in_queue=True)
    capsys.readouterr()
    shell.run_cell(f"%fal {magic} {ENDPOINT} --fal-tags 'Team=a'")
    assert "'Team' is no tag" in capsys.readouterr().out
    assert len(posts) == 1
