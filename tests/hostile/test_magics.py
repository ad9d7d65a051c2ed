"""The corpus through every subcommand in a real IPython shell: what it prints, what it returns, what its errors say."""

import os

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import fal_nb
from fal_nb import workbench
from fal_nb.magics.format import format_line
from fal_nb.magics.options import SUBCOMMANDS
from fal_nb.workbench import current

from .cases import CASES
from .judge import assert_plain

pytestmark = pytest.mark.skipif(os.environ.get("FAL_NB_TEST_SIZE") != "full", reason="the whole corpus: make test-all")

ABOUT_A_JOB = ("status", "result", "logs", "cancel", "wait")
ALONE = ("jobs", "history", "config", "help", "simulator", "resume", "reconcile", "replay", "sweep", "attach")
SLOW = {"result-many-keys", "result-text-megabytes", "logs-many", "logs-wide", "media-png-bomb", "media-gzip-bombs"}
EACH = 1 if os.environ.get("FAL_NB_TEST_SIZE") == "full" else 5
PICKED = [case for case in CASES if case.name not in SLOW and case.way not in {"media", "status"}][::EACH]
COLOURS = ("\x1b[0m", "\x1b[31m")


@pytest.fixture(scope="module")
def shell(server, world, small_disk):
    patch = pytest.MonkeyPatch()
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.colors = "nocolor"
    patch.setattr(workbench, "_shell", lambda: shell)
    current.cache_clear()
    shell.run_cell("%load_ext fal_nb")
    yield shell
    current().close()
    current.cache_clear()
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
    assert set(SUBCOMMANDS) == {"run", "submit", *ABOUT_A_JOB, *ALONE}


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


def test_what_stands_alone_prints_plain_text_too(run):
    for name in ALONE:
        assert_plain(run(f"%fal {name}")[0], 10**6)
    for case in CASES[:20]:
        assert_plain(run(f"%fal submit {case.endpoint} prompt=x --unchecked")[0], 10**6)
    run("%fal wait")
    assert_plain(run("%fal jobs")[0], 10**6)


@pytest.mark.parametrize(
    "line",
    [
        "%fal run \x1b]0;x\x07/y prompt=z",
        "%fal run hostile/\u202ex prompt=z",
        "%fal status \x1b[31m",
        "%fal \x1b[2J",
        "%fal help \x1b[2J",
        '%fal run hostile/prompt-html "\x1b[31m" \x9b31m',
        "%fal run hostile/prompt-html prompt={\x1b}",
        "%fal run hostile/prompt-html image_url=@\x1b[31m",
        "%fal history --since \x1b[31m",
        "%fal simulator \x1b[31m",
    ],
)
def test_a_hostile_line_is_refused_in_plain_text(line, run):
    printed, done = run(line)
    assert not done.success
    assert_plain(printed)
