"""The corpus through every subcommand in a real IPython shell: what it prints, what it returns, what its errors say."""

import json
from dataclasses import replace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import fal_nb
from fal_nb import workbench
from fal_nb.magics.format import format_line
from fal_nb.magics.options import SUBCOMMANDS
from fal_nb.workbench import current

from .cases import CASES, ENDING, IS_WHOLE
from .judge import assert_inert, assert_plain, assert_sendable
from .words import EVERYTHING, HALVES

ABOUT_A_JOB = ("status", "result", "logs", "cancel", "wait")
ALONE = ("alias", "jobs", "resume", "history", "gallery", "config", "help", "simulator", "models", "usage")
CATALOGUE = ("schema", "price")
ADVICE = ("docs", "recommend")
OPEN_WORK = ("attach", "reconcile", "replay", "sweep")
SLOW = {"result-many-keys", "result-text-megabytes", "logs-many", "logs-wide", "media-png-bomb", "media-gzip-bombs"}
PICKED = [case for case in ENDING if case.name not in SLOW and case.way not in {"media", "status"}]
COLOURS = ("\x1b[0m", "\x1b[31m")


@pytest.fixture(scope="module")
def shell(server, world, small_disk):
    patch = pytest.MonkeyPatch()
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.colors = "nocolor"
    patch.setattr(workbench, "_shell", lambda: shell)
    current.forget()
    shell.run_cell("%load_ext fal_nb")
    yield shell
    current().close()
    current.forget()
    patch.undo()


@pytest.fixture(autouse=True)
def _environment(monkeypatch, server, world):
    monkeypatch.setenv("FAL_NB_BASE_URL", server.base)
    monkeypatch.setenv("FAL_NB_HOME", str(world / "home" / "magics"))


@pytest.fixture
def run(shell, capsys):
    """Run a cell and return all it printed, with what its value and its error would look like."""

    def run_cell(source):
        capsys.readouterr()
        done = shell.run_cell(source)
        printed = capsys.readouterr()
        return printed.out + printed.err + repr(done.result), done

    return run_cell


def test_every_subcommand_is_tried_here():
    assert set(SUBCOMMANDS) == {
        "run",
        "submit",
        "stream",
        "form",
        "canvas",
        *ABOUT_A_JOB,
        *ALONE,
        *OPEN_WORK,
        *CATALOGUE,
        *ADVICE,
    }


@pytest.mark.parametrize("case", PICKED, ids=lambda case: case.name)
def test_run_and_what_is_asked_of_its_job_print_plain_text(case, run):
    percent = f"%fal run {case.endpoint} "
    try:
        source = format_line("run", case.endpoint, {n: v for n, v in case.arguments.items() if len(str(v)) < 5_000})
    except fal_nb.GrammarError:  # a value that no line can hold
        source = percent + 'prompt="x"'
    cell = source if "--json" in source or case.check else source.replace(percent, percent + "--unchecked ", 1)
    printed, done = run(cell)
    assert_plain(printed, 10**6)
    if case.state == "SUCCEEDED" and cell.startswith(percent):
        assert done.success, printed
    for name in ABOUT_A_JOB:
        assert_plain(run(f"%fal {name}")[0], 10**6)
    assert_plain(run("%tb")[0].replace(COLOURS[0], "").replace(COLOURS[1], ""), 10**6)


@pytest.mark.parametrize("case", [case for case in CASES if case.state == "FOLLOWED"], ids=lambda case: case.name)
def test_what_is_asked_of_a_job_that_a_page_keeps_open_prints_plain_text(case, run, server):
    run(f"%fal submit {case.endpoint} prompt=x --unchecked -o kept")
    run("kept.request_id")  # a cancel before it is sent would end it
    try:
        for name in ("status", "logs", "cancel", "status", "wait --timeout 0.1"):
            assert_plain(run(f"%fal {name}")[0], 10**6)
        assert run("kept.done")[1].result is False
    finally:
        server.cases[case.name] = replace(case, error=None)
    assert run("kept.wait(60).state")[1].result == "SUCCEEDED"


STREAMED = [case for case in PICKED if case.way not in {"OpenAPI", "submission", "control URLs"}]


@pytest.mark.parametrize("case", STREAMED, ids=lambda case: case.name)
def test_a_stream_prints_plain_text(case, run):
    assert_plain(run(f"%fal stream {case.endpoint} prompt=x --unchecked --timeout 20")[0], 10**6)


FORMED = [case for case in PICKED if case.way in {"OpenAPI", "prompt"}]


@pytest.mark.parametrize("case", FORMED, ids=lambda case: case.name)
def test_a_form_prints_plain_text(case, run, shell):
    shell.user_ns["words"] = [text[:300] for text in EVERYTHING.values() if text != HALVES]
    assert_plain(run(f"%fal form {case.endpoint} prompt=x more={{words}}")[0], 10**6)
    assert_plain(run(f"%fal form {case.endpoint} -o form\nform, form.arguments, form.check()")[0], 10**6)


@pytest.mark.parametrize("case", FORMED, ids=lambda case: case.name)
def test_a_canvas_prints_plain_text(case, run, shell):
    shell.user_ns["words"] = [text[:300] for text in EVERYTHING.values() if text != HALVES]
    assert_plain(run(f"%fal canvas {case.endpoint} prompt=x more={{words}}")[0], 10**6)
    assert_plain(run(f"%fal canvas {case.endpoint} -o canvas\ncanvas, canvas.arguments, canvas.stats")[0], 10**6)


def test_what_settles_lost_and_earlier_calls_prints_plain_text_too(run, shell):
    for name in ("request-id-html", "request-id-terminal", "prompt-html", "logs-terminal", "error-terminal"):
        run(f"%fal run hostile/{name} prompt=x --unchecked")
    printed, done = run("%fal reconcile")
    assert_plain(printed, 10**6)
    assert_inert(done.result._repr_html_(), 10**6)
    assert_plain(run("%fal reconcile #1=\x1b[31m")[0])
    for line in (
        "attach hostile/logs-terminal first-equal-1",
        "attach hostile/error-html \x1b[31m",
        "attach hostile/prompt-html <b>",
    ):
        assert_plain(run(f"%fal {line}")[0], 10**6)
    for number in range(1, 6):
        assert_plain(run(f"%fal replay {number} --yes")[0], 10**6)
        assert_plain(run(f"%fal replay #{number}")[0], 10**6)
    run("%fal wait --timeout 20")


def test_a_dry_run_of_hostile_words_is_plain_text_and_inert(run, shell):
    for text in EVERYTHING.values():
        if text == HALVES or len(text) > 5_000:
            continue
        shell.user_ns["words"] = text
        printed, done = run("%fal run hostile/prompt-html prompt={words} --note {words} --dry-run --unchecked")
        assert_plain(printed, 10**6)
        assert done.success, printed
        assert_inert(done.result._repr_html_(), 10**6)
        for form in ("magic", "python", "javascript", "curl"):
            assert_plain(done.result.copy_as(form), 10**6)


SWEPT = ("logs-html", "prompt-bidi", "error-terminal", "result-text-terminal", "media-png-bomb", "request-id-html")


def test_a_sweep_over_hostile_words_shows_a_board_of_plain_text(run, shell, tmp_path):
    shell.user_ns["words"] = [text[:300] for text in EVERYTHING.values() if text != HALVES]
    for name in SWEPT if IS_WHOLE else SWEPT[-3:]:
        plan = f"%%fal sweep hostile/{name} --budget 5 --allow-unpriced --yes -o kept"
        printed, _ = run(f"{plan}\nprompt: {{words}}\nnegative: a \x1b[31m")
        assert_plain(printed, 10**6)
        assert_plain(run(f"{plan}\nprompt: {{words}}\n")[0], 10**6)
        swept = shell.user_ns.get("kept")
        assert_plain(repr(swept), 10**6)
        assert_board(swept)
        assert_plain(run("%fal sweep show")[0], 10**6)
        assert_plain(run("%fal sweep score brightness text_length duplicates")[0], 10**6)
        assert_plain(run("%fal sweep effects --values total_s --plot")[0], 10**6)
    for words in ("\x1b[31m", "score \x1b[31m", "score brightness \x1b[31m", "score ssim --reference \x1b[31m",
                  "score phash --along \x1b[31m", "effects \x1b[31m", "effects --values \x1b[31m"):  # fmt: skip
        assert_plain(run(f"%fal sweep {words}")[0], 10**6)
    assert_plain(run("%fal sweep export \x1b[31m \x1b[31m.gif")[0], 10**6)
    assert_exports(swept, tmp_path)


def assert_exports(swept, folder):
    """Whatever was swept over: files stay in their folder, under names that are plain, with text that is plain."""
    for name in ("out/", "x.png", "x.csv", "x.json", "x.jsonl", "x.html"):
        paths = swept.export(f"{folder}/{name}", tile=64, overwrite=True)
        assert all(path.resolve().is_relative_to(folder.resolve()) for path in paths)
        assert_plain("".join(path.name for path in paths), 10**6)
    assert_plain((folder / "x.csv").read_text("utf-8"), 10**7)
    page = (folder / "x.html").read_text("utf-8")
    assert page.count("</script>") == page.count("<script ")
    twin = page[page.index("<main") : page.index("</main>")].partition(">")[2]
    assert_inert(twin, 300_000)
    assert len(json.loads((folder / "x.json").read_text("utf-8"))) == len(swept)


def assert_board(swept):
    for view in (current().show_sweep(swept), current().show_plan(swept)):
        assert_plain(view.text(), 10**6)
        assert_inert(view.twin())
        assert_sendable(view.state(), 10**6)
    assert_plain(repr(swept.frame()), 10**6)


def test_what_stands_alone_prints_plain_text_too(run):
    for name in ALONE:
        assert_plain(run(f"%fal {name}")[0], 10**6)
    for case in CASES[:20]:
        assert_plain(run(f"%fal submit {case.endpoint} prompt=x --unchecked")[0], 10**6)
    run("%fal wait")
    assert_plain(run("%fal jobs")[0], 10**6)


@pytest.mark.parametrize("case", FORMED, ids=lambda case: case.name)
def test_what_an_endpoint_takes_and_costs_is_plain_text(case, run):
    for name in CATALOGUE:
        printed, done = run(f"%fal {name} {case.endpoint}")
        assert_plain(printed, 10**6)
        if done.result is not None:
            assert_inert(done.result._repr_html_(), 10**6)


@pytest.mark.parametrize("text", [text for text in EVERYTHING.values() if text != HALVES])
def test_advice_and_documentation_are_plain_text_whatever_they_say(text, run, shell, server):
    server.advice = text
    for name in ADVICE:
        printed, done = run(f"%fal {name} a fox")
        assert done.success, printed
        assert_plain(printed, 10**6)
        assert_inert(done.result._repr_html_(), 10**6)
    shell.user_ns["words"] = text
    assert_plain(run('%fal docs "{words}"')[0], 10**6)


@pytest.mark.parametrize(
    "line",
    [
        "%fal models --sort \x1b[31m",
        "%fal schema \x1b[31m",
        "%fal price a/b \x1b[31m",
        "%fal run \x1b]0;x\x07/y prompt=z",
        "%fal run hostile/\u202ex prompt=z",
        "%fal status \x1b[31m",
        "%fal \x1b[2J",
        "%fal help \x1b[2J",
        '%fal run hostile/prompt-html "\x1b[31m" \x9b31m',
        "%fal run hostile/prompt-html prompt={\x1b}",
        "%fal run hostile/prompt-html image_url=@\x1b[31m",
        "%fal alias x=\x1b[31m/y",
        "%fal alias --remove \x1b[31m",
        "%fal run a/b --with \x1b[31m",
        "%fal history --since \x1b[31m",
        "%fal simulator \x1b[31m",
    ],
)
def test_a_hostile_line_is_refused_in_plain_text(line, run):
    printed, done = run(line)
    assert not done.success
    assert_plain(printed)
