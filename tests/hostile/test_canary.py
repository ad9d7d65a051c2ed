"""A key goes through every feature and every error, and no six characters of it are seen anywhere afterwards."""

import asyncio
import copy
import gc
import json
import logging
import pickle
import threading
import warnings
from http.server import ThreadingHTTPServer

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from traitlets.config import Config

import fal_nb
from fal_nb import workbench
from fal_nb.client.async_client import AsyncClient
from fal_nb.client.sync_client import SyncClient
from fal_nb.engine.open_work import OpenWork
from fal_nb.engine.session import Session
from fal_nb.magics.options import SUBCOMMANDS
from fal_nb.settings import resolve_settings
from fal_nb.simulator.server import SimulatorServer
from fal_nb.views.monitor import MonitorView
from fal_nb.workbench import current

from .canary import KEY, KEY_SECRET, PASSWORD, assert_unseen, assert_unseen_on_disk, found_in
from .canary_looks import assert_error_unseen, assert_job_unseen, with_pickle
from .echo import Echo
from .server import Bait

SCHNELL = "fal-ai/flux/schnell"
FOX = {"prompt": "a red fox", "image_size": {"width": 128, "height": 128}}
FAULTS = {
    **{f"status {status}": {"kind": "status", "status": status} for status in (400, 401, 403, 404, 408, 413, 422, 499, 500)},
    "rate limit": {"kind": "rate-limit"}, "locked": {"kind": "locked"}, "unavailable": {"kind": "unavailable"},
    "ingress": {"kind": "ingress"}, "reset": {"kind": "reset"}, "reset early": {"kind": "reset", "at": "headers"},
    "hang up": {"kind": "hang-up"}, "lost reply": {"kind": "lost-reply"}, "reset after": {"kind": "reset-after"},
    "half reply": {"kind": "half-reply"}, "garbage": {"kind": "garbage"}, "ingress after": {"kind": "ingress-after"},
    "fail": {"kind": "fail"}, "slow": {"kind": "slow", "seconds": 0.8},
}  # fmt: skip


@pytest.fixture(scope="module")
def elsewhere():
    bait = Bait()
    yield bait
    bait.close()


@pytest.fixture(scope="module")
def echo(elsewhere):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.seen, server.elsewhere = [], elsewhere.url
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def echo_url(echo):
    return f"http://127.0.0.1:{echo.server_address[1]}"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=4, speed=50, require_key=KEY) as server:
        yield server


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("FAL_KEY", KEY)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def session(simulator, home):
    simulator.clear_faults()
    said = []
    session = Session(base_url=simulator.base_url, home=home, notify=said.append)
    session.said = said
    yield session
    session.close()


@pytest.fixture(autouse=True)
def heard(request):
    """Every log record of every logger and every warning, looked at when the test has ended."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(f"{record.getMessage()} {record.args!r} {self.format(record)} {record.exc_text or ''}")

    root, handler = logging.getLogger(), Keep(logging.DEBUG)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    levels = {
        name: logging.getLogger(name).level for name in ("asyncio", "httpx", "httpcore", "aiohttp", "fal_nb", "uvicorn")
    }
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield lines
    root.removeHandler(handler)
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    for line in (*lines, *(str(warning.message) for warning in warned)):
        assert_unseen(line, "a log line or a warning")


def test_features_work_with_the_key_and_show_nothing_of_it(session, home, tmp_path):
    done = session.submit(SCHNELL, FOX).wait(30)
    assert done.state == "SUCCEEDED"
    jobs = [
        done,
        session.submit(SCHNELL, FOX, kind="direct").wait(30),
        session.submit(SCHNELL, {**FOX, "image_url": b"GIF89a"}, check=False).wait(30),
    ]
    events = session.stream("fal-ai/any-llm", {"prompt": "say it"}, check=False)
    jobs.append(events.job.wait(30))
    for job in jobs:
        assert_job_unseen(job, session)
    assert_unseen(session.upload(b"GIF89a" * 100, "image/gif"))
    schema, price = session.schema(SCHNELL), session.price(SCHNELL, FOX)
    checked = session.check(SCHNELL, FOX)
    frame = session.frame()
    work = OpenWork(session)
    assert work.look().spending
    monitor = MonitorView(work, session.runtime.post)
    assert_unseen(f"{monitor.state()} {monitor.text()} {monitor.mimebundle('falnb-x')} {vars(monitor)!r}")
    for what in (
        schema,
        price,
        checked,
        frame,
        session,
        session.settings,
        session.client(),
        session.client().http,
        session.runtime,
        session.history,
        session.artifacts,
    ):
        assert_unseen(f"{what!r} {what}", type(what).__name__)
        with_pickle(what, type(what).__name__)
    assert_unseen(frame.to_csv() + frame.to_html())
    with_pickle(frame)
    assert_unseen(done.result().save(f"{tmp_path}/out/")[0].read_bytes())
    job = session.submit(SCHNELL, FOX)
    job.cancel()
    assert_job_unseen(job.wait(30), session)
    session.close()
    assert assert_unseen_on_disk(tmp_path) > 3


def test_public_objects_say_nothing_of_it(simulator):
    clients = [make_client(AsyncClient, simulator.base_url), make_client(SyncClient, simulator.base_url)]
    settings = [clients[0].settings, clients[1].settings, resolve_settings()]
    session = make_client(Session, simulator.base_url)
    for what in (*clients, *settings, session, session.settings, *(getattr(fal_nb, name) for name in fal_nb.__all__)):
        assert_unseen(f"{what!r} {what} {what.__doc__}", repr(type(what)))
        with_pickle(what)
    for one in settings:
        assert one.key == KEY
        assert_unseen(pickle.dumps(one))
        assert pickle.loads(pickle.dumps(one)).key is None
        assert copy.copy(one).key == KEY
    clients[1].close()
    session.close()


def make_client(kind, base_url):
    return kind(key=KEY, base_url=base_url)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["queue", "direct"])
def test_no_fault_shows_it(session, simulator, fault, kind, monkeypatch):
    from fal_nb.client import http

    monkeypatch.setattr(http, "backoff_s", lambda *_, **__: 0.01)
    values = dict(FAULTS[fault])
    simulator.fault(values.pop("kind"), times=3, **values)
    timeout_s = 0.4 if fault == "slow" else None
    job = session.submit(SCHNELL, FOX, kind=kind, timeout_s=timeout_s).wait(30)
    assert_job_unseen(job, session)
    assert job.state in {"FAILED", "UNKNOWN", "CANCELLED", "SUCCEEDED"}
    assert_unseen(json.dumps(session.said))


@pytest.mark.parametrize("fault", [*FAULTS, "refused", "unknown host", "wrong key", "bad url"])
async def test_the_bare_client_shows_it_in_no_error(simulator, fault, monkeypatch):
    from fal_nb.client import http

    monkeypatch.setattr(http, "backoff_s", lambda *_, **__: 0.01)
    asyncio.get_running_loop().set_debug(True)
    simulator.clear_faults()
    base = {"refused": "http://127.0.0.1:9", "unknown host": "https://nowhere.invalid"}.get(fault, simulator.base_url)
    if fault == "wrong key":
        monkeypatch.setenv("FAL_KEY", f"x{KEY}")
    if fault in FAULTS:
        values = dict(FAULTS[fault])
        simulator.fault(values.pop("kind"), times=9, **values)
    async with AsyncClient(base_url=base) as client:
        path = "/" + "x" * 70_000 if fault == "bad url" else ""
        for call in (
            lambda: client.submit(SCHNELL, FOX, path=path),
            lambda: client.run(SCHNELL, FOX, path=path, timeout=0.4),
            lambda: client.subscribe(SCHNELL, FOX, path=path, client_timeout=3),
            lambda: client.result(SCHNELL, "nothing" + path),
            lambda: client.upload(b"x" * 10, "text/plain"),
        ):
            try:
                assert_unseen(repr(await call()))
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not show the key
                assert_error_unseen(error, fault)


async def test_a_cancelled_task_shows_it_in_no_frame(simulator):
    simulator.clear_faults()
    simulator.fault("slow", seconds=20)
    async with AsyncClient(base_url=simulator.base_url) as client:
        task = asyncio.ensure_future(client.run(SCHNELL, FOX))
        await asyncio.sleep(0.3)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            assert_error_unseen(error, "cancelled")
    simulator.clear_faults()


@pytest.mark.parametrize("how", ["plain", "refuse", "fields", "page", "moved"])
def test_a_server_that_says_it_back_is_not_repeated(echo, echo_url, how, home, monkeypatch, elsewhere):
    from fal_nb.client import http

    monkeypatch.setattr(http, "backoff_s", lambda *_, **__: 0.01)
    said = []
    session = Session(base_url=echo_url, home=home, notify=said.append)
    try:
        for kind in ("queue", "direct"):
            assert_job_unseen(session.submit(f"echo/{how}", {"prompt": "x"}, kind=kind, check=False).wait(30), session)
        assert_job_unseen(session.stream(f"echo/{how}", {"prompt": "x"}, check=False).job.wait(30), session)
        for ask in (
            lambda: session.schema(f"echo/{how}"),
            lambda: session.price(f"echo/{how}", {}),
            lambda: session.upload(b"x"),
        ):
            try:
                assert_unseen(repr(ask()))
            except fal_nb.FalError as error:
                assert_error_unseen(error, how)
    finally:
        session.close()
    assert f"Key {KEY}" in echo.seen
    assert_unseen(json.dumps(said))
    assert_unseen_on_disk(home)
    assert_unseen(b"".join(elsewhere.heads), "another host")


@pytest.mark.parametrize(
    "base",
    ["ftp://x", "http://example.com", f"https://u:{KEY_SECRET}@example.com", "https://x/?a=1", "https://"],
    ids=["ftp", "plain", "with a password", "query", "empty"],
)
def test_settings_that_cannot_be_used_are_refused_without_it(base):
    for make in (
        lambda: resolve_settings(base_url=base), lambda: AsyncClient(base_url=base).settings,
        lambda: make_client(AsyncClient, base).settings, lambda: make_client(Session, base).settings,
        lambda: resolve_settings(proxy_url=base), lambda: SyncClient(proxy_url=base).settings,
    ):  # fmt: skip
        try:
            make()
        except fal_nb.ConfigError as error:
            assert_error_unseen(error, base)


@pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", f"{KEY}\u00e9", f"\x1b{KEY}"], ids=["newline", "umlaut", "escape"])
async def test_a_key_that_cannot_be_sent_is_refused_without_it(key, monkeypatch, simulator):
    monkeypatch.setenv("FAL_KEY", key)
    async with AsyncClient(base_url=simulator.base_url) as client:
        try:
            await client.submit(SCHNELL, FOX)
        except fal_nb.ConfigError as error:
            del key
            assert_error_unseen(error)


async def test_proxies_see_it_only_where_they_must_and_errors_show_neither_it_nor_their_password(
    monkeypatch, simulator
):
    from fal_nb.client import http

    monkeypatch.setattr(http, "backoff_s", lambda *_, **__: 0.01)
    proxy = Bait()
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}")
    async with AsyncClient() as client:  # fal itself, through a proxy that answers nothing of use
        for call in (
            lambda: client.submit(SCHNELL, FOX),
            lambda: client.run(SCHNELL, FOX),
            lambda: client.upload(b"x", "text/plain"),
        ):
            try:
                await call()
            except fal_nb.FalError as error:
                assert_error_unseen(error, "proxy")
    proxy.close()
    assert proxy.heads
    assert not found_in(b"".join(proxy.heads).replace(PASSWORD.encode(), b""))
    for broken in (f"http://me:{PASSWORD}@127.0.0.1:port", f"://{PASSWORD}"):
        monkeypatch.setenv("HTTPS_PROXY", broken)
        async with AsyncClient() as client:
            try:
                await client.submit(SCHNELL, FOX)
            except fal_nb.FalError as error:
                assert_error_unseen(error, "proxy")


async def test_a_key_holding_proxy_is_sent_none(elsewhere):
    async with AsyncClient(proxy_url=f"{elsewhere.url}/proxy") as client:
        try:
            await client.submit(SCHNELL, FOX)
        except fal_nb.FalError as error:
            assert_error_unseen(error)
    assert_unseen(b"".join(elsewhere.heads))


@pytest.fixture
def shell(simulator, home, monkeypatch):
    simulator.clear_faults()
    monkeypatch.setenv("FAL_NB_BASE_URL", simulator.base_url)
    monkeypatch.setenv("FAL_NB_HOME", str(home))
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    monkeypatch.setattr(workbench, "_shell", lambda: shell)
    current.forget()
    shell.run_cell("%load_ext fal_nb\n%xmode Verbose")
    yield shell
    current().close()
    current.forget()


LINES = (
    "%fal stream fal-ai/any-llm prompt=x", "%fal stream fal-ai/flux/dev prompt=x image_size=64x64",
    f"%fal form {SCHNELL} prompt=x", f"fal_nb.form('{SCHNELL}').check()", f"fal_nb.form('{SCHNELL}')",
    "%fal canvas fal-ai/lcm-sd15-i2i prompt=x -o canvas", "canvas.frame(), canvas.pin()", "canvas, canvas.stats",
    f"%fal run {SCHNELL} prompt=x", f"%fal submit {SCHNELL} prompt=x", "%fal status", "%fal result", "%fal logs",
    "%fal cancel", "%fal wait", "%fal jobs", "%fal history", "%fal gallery", "%fal config", "%fal simulator", "%fal help",
    "fal_nb.history().fal.pareto('cost', 'total_s')", "fal_nb.history().fal.pareto('prompt')",
    "fal_nb.history().fal.duplicates()", "fal_nb.history().fal.compare('nonsense')", "fal_nb.history().fal.diff()",
    "%fal models flux", f"%fal schema {SCHNELL}", f"%fal price {SCHNELL} prompt=x", "fal_nb.models(refresh=True)",
    "fal_nb.models().view.state(), fal_nb.models().view.mimebundle('falnb-x')",
    f"fal_nb.find_models('{SCHNELL}', expand=('openapi', 'price', 'enterprise'))", "%fal models category=nonsense",
    "%fal usage", "fal_nb.balance()", "%fal docs webhooks", "%fal recommend pictures",
    "%fal resume", f"%fal attach {SCHNELL} 764cabcf-b745-4b3e-ae38-1200304cf45b", "%fal reconcile", "%fal replay",
    "%fal sweep export nowhere/", "%fal sweep export nowhere x.png",
    "%fal sweep score brightness nonsense", "%fal sweep effects --plot",
    "%fal sweep show", "%fal sweep resume nowhere", "%fal sweep pause", "%%fal sweep refine --yes\nprompt: [c]",
    f"%%fal sweep {SCHNELL} --budget 1 --yes\nprompt: [a, b]",
    f"%fal run {SCHNELL} prompt=x --dry-run", f"%%fal sweep {SCHNELL} --dry-run\nprompt: [a, b]",
    "[fal_nb.copy_as(None, form) for form in ('magic', 'python', 'javascript', 'curl')]",
    f"%%fal sweep {SCHNELL}\nprompt: c", "fal_nb.find_sweep()", "fal_nb.list_sweeps()", "%fal sweep list",
    f"%fal alias draft={SCHNELL} seed=3", "%fal run draft prompt=x --save kept", "%fal run draft --with kept", "%fal alias",
    "%fal help run", "%fal help config", "%fal run nobody/nothing prompt=x", f"%fal run {SCHNELL} nonsense=1",
    "%fal status 4711", "%fal nonsense", f"%fal run {SCHNELL} prompt={{settings}}", "%config FalMagics",
    "import fal_nb; fal_nb.session()", "fal_nb.session().settings", "fal_nb.session().client()", "fal_nb.session().client",
    "fal_nb.AsyncClient(base_url='ftp://x').settings", "fal_nb.submit('x', 1)", "fal_nb.submit('x/y', {'a': object()})",
    "fal_nb.webhooks.deliveries()", "fal_nb.webhooks.receiver()", "fal_nb.webhooks.verify({}, b'')",
    "fal_nb.session().settings?", "fal_nb.AsyncClient?",
)  # fmt: skip


def test_every_subcommand_is_said_with_the_key_in_force():
    assert set(SUBCOMMANDS) <= {line.split()[1] for line in LINES if line.startswith("%fal ")}


def test_the_magics_print_it_nowhere_not_even_in_verbose_tracebacks(shell, capsys, home):
    for line in LINES:
        shell.user_ns["settings"] = current().session.settings
        done = shell.run_cell(line)
        shell.run_cell("%tb")
        printed = capsys.readouterr()
        assert_unseen(f"{printed.out}{printed.err}{done.result!r}", line)
        if hasattr(done.result, "_repr_html_"):
            assert_unseen(done.result._repr_html_() or "", line)
    current().close()
    assert_unseen_on_disk(home)


@pytest.mark.slow
@pytest.mark.kernel
def test_an_executed_notebook_holds_none_of_it(simulator, home, tmp_path, monkeypatch):
    simulator.clear_faults()
    for name, value in {"FAL_NB_BASE_URL": simulator.base_url, "FAL_NB_HOME": str(home), "FAL_KEY": KEY}.items():
        monkeypatch.setenv(name, value)
    cells = [
        nbformat.v4.new_code_cell(line)
        for line in ("%load_ext fal_nb", "%xmode Verbose", *LINES[:24], "%tb", *LINES[-9:-2])
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(
        notebook, timeout=60, allow_errors=True, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    nbformat.write(notebook, tmp_path / "run.ipynb")
    assert (tmp_path / "run.ipynb").read_text().count('"output_type"') > 15
    assert assert_unseen_on_disk(tmp_path) > 2


def test_the_key_is_told_where_it_is_shown():
    assert found_in(f"Key {KEY}")
    assert found_in(f"...{KEY_SECRET[10:16]}...")
    assert not found_in(f"{KEY_SECRET[10:15]}")


def teardown_module():
    gc.collect()
