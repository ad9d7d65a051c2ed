"""The mistakes people make, and the exact line each one gets, before anything is sent. The table is ``mistakes.txt``."""

from pathlib import Path

import pytest

from fal_nb.magics.options import SUBCOMMANDS

TABLE = (Path(__file__).parent / "mistakes.txt").read_text("utf-8")


def blocks():
    for block in TABLE.split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("# ")]
        cell = "\n".join(line for line in lines if not line.startswith("! "))
        answer = "\n".join(line.removeprefix("! ") for line in lines if line.startswith("! "))
        if cell:
            yield cell, answer


def posts(simulator):
    """Return how many paid requests came, those that were refused too."""
    return sum(simulator.counters().get(kind, 0) for kind in ("submit", "run", "stream"))


MISTAKES = list(blocks())


def test_each_mistake_gets_its_line_and_nothing_is_sent(run, shell, simulator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    shell.user_ns["animal"] = "fox"
    before = posts(simulator)
    wrong = []
    for cell, answer in MISTAKES:
        printed, done = run(cell)
        found = printed.strip().replace(str(tmp_path), "FOLDER")
        if found != answer or done.success:
            wrong.append(f"{cell}\n  expected {answer}\n  found    {found}")
    assert not wrong, "\n".join(wrong)
    assert posts(simulator) == before


def test_a_call_that_is_right_would_be_counted(run, simulator):
    before = posts(simulator)
    run("%fal run fal-ai/flux/schnell prompt=x")
    assert posts(simulator) == before + 1


def test_the_table_is_long_and_says_nothing_twice():
    cells = [cell for cell, _ in MISTAKES]
    assert len(cells) >= 40
    assert len(set(cells)) == len(cells)
    used = {cell.split()[1] for cell in cells}
    assert used & set(SUBCOMMANDS) >= {
        "run",
        "status",
        "result",
        "cancel",
        "wait",
        "jobs",
        "history",
        "sweep",
        "attach",
    }


@pytest.mark.parametrize("word", ["Traceback", "  File ", "NoneType", "0x"])
def test_no_answer_speaks_of_the_insides(word):
    assert all(word not in answer for _, answer in MISTAKES)
