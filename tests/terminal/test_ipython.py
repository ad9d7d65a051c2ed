"""A real IPython in a real pseudo-terminal: one line of progress, words as they come, and a clean stop."""

import re
import sys

import pytest

pexpect = pytest.importorskip("pexpect")
_COMMANDS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[=>]")


class Terminal:
    def __init__(self, folder):
        arguments = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor", "--no-confirm-exit"]
        self.child = pexpect.spawn(
            sys.executable, arguments, encoding="utf-8", timeout=60, dimensions=(40, 100), cwd=str(folder)
        )
        self.child.expect(r"In \[\d+\]: ")

    def run(self, line):
        """Run a line and return what came before the next prompt, terminal commands left out."""
        self.start(line)
        return self.finish()

    def start(self, line):
        self.child.sendline(line)
        self.child.expect_exact("\n")  # its echo

    def finish(self):
        self.child.expect(r"In \[\d+\]: ")
        return _COMMANDS.sub("", self.child.before)

    def close(self):
        self.child.close(force=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("terminal")


@pytest.fixture
def terminal(environ, folder):
    terminal = Terminal(folder)
    terminal.run("%load_ext fal_nb")
    yield terminal
    terminal.close()


def left_standing(text):
    """Return the lines as a terminal shows them in the end."""
    shown = []
    for line in text.replace("\r\n", "\n").split("\n"):
        cells = []
        for piece in line.split("\r"):
            cells[: len(piece)] = piece
        shown.append("".join(cells).rstrip())
    return [line for line in shown if line]


def test_a_job_is_one_line_then_its_end_and_its_picture_by_path(terminal, simulator):
    simulator.fault("long", seconds=1, times=1)
    text = terminal.run("%fal run fal-ai/flux/dev prompt='a red fox'")
    rewritten = [piece for line in text.split("\n") for piece in line.split("\r") if " running · #" in piece]
    assert len(rewritten) > 1
    lines = left_standing(text)
    assert lines[0].startswith("fal-ai/flux/dev  done · #1")
    assert re.match(r"  image: \S+  /\S+$", lines[1])
    assert lines[2:] == ["Out[2]: the result of #1: images, timings, seed, has_nsfw_concepts, prompt"]

    text = terminal.run("%fal stream fal-ai/any-llm prompt='Say what a fox does, at length.' --unchecked")
    words = [line for line in left_standing(text) if "done · #2" in line or "failed · #2" in line]
    assert len(words) == 1, text
    said = terminal.run("print(len(_['output']), _['output'][:40])").split("\r\n")[0]
    assert said.split(" ", 1)[1] in " ".join(left_standing(text))

    simulator.set_runners(0)
    try:
        terminal.start("%fal run fal-ai/flux/dev prompt='a blue fox'")
        terminal.child.expect_exact("queued")
        terminal.child.sendintr()
        lines = left_standing(terminal.finish())
    finally:
        simulator.set_runners(4)
    assert lines[0].startswith("fal-ai/flux/dev  ")
    assert lines[0].count("#3") == 1
    assert lines[-1].startswith("Stopped: job #3: cancelled while it was queued")
    assert all(line.startswith(("fal-ai/flux/dev  ", "position", "cancelled", "Stopped")) for line in lines), lines


def test_no_output_prompt_is_left_empty_and_a_sweep_is_one_line_until_it_has_ended(terminal):
    lines = left_standing(terminal.run("%fal submit fal-ai/flux/dev prompt='a grey fox'"))
    assert re.match(r"Out\[2\]: <Job #\d+ fal-ai/flux/dev.*>$", lines[-1]), lines
    lines = left_standing(terminal.run("%fal status"))
    assert lines[-1].startswith("Out[3]: <Job #"), lines
    lines = left_standing(terminal.run("%fal resume"))
    assert lines == ["Nothing was open.", "Out[4]: <Resumed: no jobs>"]
    lines = left_standing(terminal.run("%fal gallery"))
    assert re.match(r"Out\[5\]: <Gallery of history: \d+ of \d+ outputs>$", lines[-1]), lines

    plan = "%%fal sweep fal-ai/flux/schnell --name foxes --yes\\nprompt: a {kind} fox\\nkind: [red, blue, grey, white]"
    text = terminal.run(f"get_ipython().run_cell('{plan}');")
    lines = left_standing(text)
    assert sum(line.startswith("foxes  fal-ai/flux/schnell") for line in lines) == 1, lines
    assert "4 cells · 4 done" in " ".join(lines)
    assert re.search(r"\rfoxes  fal-ai/flux/schnell  4 cells", text)
