"""``--dry-run`` and the four forms of a call: nothing is sent, and each form, carried out, sends the same."""

import json
import shutil
import subprocess
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import fal_nb as fal
from fal_nb.engine.dry_run import prepare
from fal_nb.magics.copy_forms import FORMS
from fal_nb.magics.dry_run import DryRun
from fal_nb.workbench import current

SCHNELL = "fal-ai/flux/schnell"
I2I = "fal-ai/flux/dev/image-to-image"
JS = Path(__file__).parents[2] / "js"
NASTY = "it's $HOME `id` $(touch owned) \\ \"q\" !! %s {braces} #c ; & | \n second\t\x1b[31m \u202e \u2028 ☃ 𝄞 '\\''"
NODE = shutil.which("node")
HARNESS = """
fal.config({ credentials: "a:b", suppressLocalCredentialsWarning: true, fetch: async (url, init) => {
  console.log(JSON.stringify({ url: String(url), body: JSON.parse(init.body), headers: init.headers }));
  process.exit(0);
} });
"""


@pytest.fixture
def recorder(simulator):
    """A server that hands each POST on to the simulator and keeps what was sent."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.path, json.loads(body), dict(self.headers)))
            headers = {"content-type": "application/json"}
            request = urllib.request.Request(simulator.base_url + self.path, body, headers)
            with urllib.request.urlopen(request, timeout=20) as answer:
                content = answer.read()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1], seen
    server.shutdown()
    server.server_close()


def sent(simulator):
    return len(simulator.ledger())


def test_the_request_is_shown_with_its_price_and_nothing_is_sent(run, shell, simulator):
    before = sent(simulator)
    line = f'%fal run {SCHNELL} prompt="a fox" image_size=640x480 num_images=2 --priority low --dry-run -o kept'
    _, done = run(line)
    shown = done.result
    assert shown is shell.user_ns["kept"]
    assert (shown.call.method, shown.call.url) == ("POST", f"{simulator.base_url}/queue/{SCHNELL}")
    assert shown.call.headers["x-fal-queue-priority"] == "low"
    assert shown.call.body == {"prompt": "a fox", "image_size": {"width": 640, "height": 480}, "num_images": 2}
    assert shown.call.price.high == pytest.approx(0.003 * 2)
    for text in (repr(shown), shown._repr_html_()):
        assert "Nothing was sent" in text
        assert "2 images of 640×480" in text
    for subcommand, path in (("submit", "queue"), ("stream", "run"), ("run --direct", "run")):
        _, done = run(f"%fal {subcommand} {SCHNELL} prompt=x --dry-run")
        assert f"/{path}/{SCHNELL}" in done.result.call.url
    _, done = run(f"%fal run {SCHNELL} prompt=x --dry-run;")
    assert done.result is None
    assert sent(simulator) == before
    with pytest.raises(fal.JobError):
        current().session.record()


def test_mistakes_are_told_as_by_the_call_itself(run, simulator):
    before = sent(simulator)
    printed, done = run(f"%fal run {SCHNELL} prompt=x num_images=90 --dry-run")
    assert not done.success
    assert "num_images" in printed
    assert sent(simulator) == before


def test_files_are_named_and_not_uploaded(run, simulator, tmp_path):
    (tmp_path / "my cat.png").write_bytes(b"\x89PNG" + bytes(2_000))
    _, done = run(f'%fal run {I2I} prompt=x image_url=@"{tmp_path}/my cat.png" --dry-run')
    assert [file.name for file in done.result.call.files] == ["my cat.png"]
    assert "my cat.png (2 kB)" in repr(done.result)
    assert not [kind for kind in simulator.counters() if "upload" in kind or "storage" in kind]


def test_a_sweep_shows_its_plan_and_keeps_nothing(run, simulator):
    before = sent(simulator)
    printed, done = run(f"%%fal sweep {SCHNELL} --dry-run --name never\nprompt: a fox\nseed: [1, 2, 3]")
    assert "3 to send" in printed
    assert done.result is None
    printed, done = run("%fal sweep show never")
    assert not done.success
    assert sent(simulator) == before


def prepared(arguments, how="subscribe", **options):
    return fal.dry_run(SCHNELL, arguments, how=how, **options)


def test_the_magic_calls_with_the_same_body(run, shell):
    for arguments in ({"prompt": NASTY, "seed": 7}, {"prompt": "a\nb", "image_size": {"width": 32, "height": 32}}):
        for how in ("subscribe", "run", "submit"):
            source = prepared(arguments, how, priority="low", hint='a "b" c').copy_as("magic")
            printed, done = run(source)
            assert done.success, printed
            run("%fal wait")
            record = current().session.record()
            assert record.arguments == arguments
            assert record.options == {"priority": "low", "hint": 'a "b" c'}
            assert record.kind == ("direct" if how == "run" else "queue")


def test_the_python_calls_with_the_same_body(run, tmp_path):
    arguments = {"prompt": NASTY, "seed": 7, "sync_mode": False, "image_size": {"width": 32, "height": 32}}
    for how in ("subscribe", "run", "submit", "stream"):
        source = prepared(arguments, how, start_timeout=30, fal_tags={"team": "a"}).copy_as("python")
        exec(compile(source, "copied", "exec"), {})
        run("%fal wait")
        record = current().session.record()
        assert record.arguments == arguments
        assert record.options["start_timeout"] == 30
    name = f'{tmp_path}/it\'s "a" cat.png'
    Path(name).write_bytes(b"\x89PNG")
    source = fal.dry_run(I2I, {"prompt": "x", "image_url": Path(name)}).copy_as("python")
    found = {}
    exec(source.replace("fal.subscribe(", "dict(found=(").replace("\n)\n", "\n))\n"), found)
    assert found["result"]["found"][1]["image_url"] == Path(name)


def test_the_curl_line_sends_the_same_body_and_the_shell_does_nothing_else(shell, recorder, tmp_path, monkeypatch):
    port, seen = recorder
    monkeypatch.setenv("FAL_NB_BASE_URL", f"http://127.0.0.1:{port}")
    session = fal.Session(home=tmp_path / "other")
    try:
        arguments = {"prompt": NASTY, "odd '\"$x` name": [1.5, None, {"__proto__": True}]}
        call = DryRun(prepare(session, SCHNELL, arguments, "subscribe", fal_options(hint="a 'b' $(id)"), check=False))
        line = call.copy_as("curl")
        shell_path = {"PATH": "/usr/bin:/bin", "FAL_KEY": "unused", "HOME": str(tmp_path)}
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=shell_path,
            timeout=60,
            check=True,
        )
        assert json.loads(done.stdout)["status"] == "IN_QUEUE"
        ((path, body, headers),) = seen
        assert (path, body) == (f"/queue/{SCHNELL}", arguments)
        assert headers["x-fal-runner-hint"] == "a 'b' $(id)"
        assert not (tmp_path / "owned").exists()
    finally:
        session.close()


def fal_options(**options):
    from fal_nb.client.options import CallOptions

    return CallOptions(**options)


def test_the_key_is_a_variable_of_the_shell(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("FAL_KEY", "very-secret:indeed")
    session = fal.Session(home=tmp_path / "other")
    try:
        call = DryRun(prepare(session, SCHNELL, {"prompt": "x"}, "subscribe", check=False))
        texts = [repr(call), call._repr_html_(), *(call.copy_as(form) for form in FORMS)]
        assert '-H "Authorization: Key $FAL_KEY"' in call.copy_as("curl")
        assert not any("secret" in text or "indeed" in text for text in texts)
    finally:
        session.close()


@pytest.mark.skipif(NODE is None, reason="no node here")
def test_the_javascript_sends_the_same_body_through_the_official_client(shell, tmp_path):
    arguments = {"prompt": NASTY, "a-b": {"__proto__": 1, "x y": [[1, "</script>"], None]}, "seed": 7}
    for how, place in (("subscribe", "queue."), ("submit", "queue."), ("run", ""), ("stream", "")):
        call = current().session
        source = DryRun(prepare(call, SCHNELL, arguments, how, fal_options(hint="a b"), check=False)).copy_as(
            "javascript"
        )
        imports, _, rest = source.partition("\n\n")
        file = JS / f".copied-{tmp_path.name}-{how}.mjs"
        try:
            file.write_text(f"{imports}\n{HARNESS}\n{rest}", "utf-8")
            done = subprocess.run([NODE, str(file)], capture_output=True, text=True, timeout=60, check=False)
        finally:
            file.unlink()
        assert done.stdout, done.stderr
        found = json.loads(done.stdout)
        assert found["body"] == arguments
        assert found["url"].startswith(f"https://{place}fal.run/{SCHNELL}")
        assert how not in {"subscribe", "submit"} or found["headers"]["x-fal-runner-hint"] == "a b"
        assert ("left out" in source) == (how in {"run", "stream"})


def test_a_job_is_copied_by_itself_its_number_or_as_the_last_one(run, shell):
    run(f"job = %fal submit {SCHNELL} prompt=later seed=3")
    run("%fal wait")
    job = shell.user_ns["job"]
    assert fal.copy_as(job, "magic") == f'%fal run {SCHNELL} prompt="later" seed=3'
    assert fal.copy_as(job.record_id, "curl") == fal.copy_as(None, "curl")
    with pytest.raises(fal.ConfigError, match="magic, python, javascript, curl"):
        fal.copy_as(job, "cobol")
    attached = current().session.attach(SCHNELL, "0f3c8a52-5a52-4c3a-9f0c-2a2f0f8f0f8f")
    with pytest.raises(fal.JobError, match="made elsewhere"):
        fal.copy_as(attached, "curl")


def test_nothing_of_a_form_moves_a_cursor_or_becomes_html(shell):
    call = prepared({"prompt": NASTY + "</pre><script>alert(1)</script>"})
    for form in FORMS:
        text = call.copy_as(form)
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<script" not in call._repr_html_()
    assert "\x1b" not in repr(call)
    assert "\u202e" not in repr(call) + call._repr_html_()
