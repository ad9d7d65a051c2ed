import io
import time

import pytest

from fal_nb.engine.partial import Partial
from fal_nb.views.progress_line import ProgressLine, Watch, progress_words


class Screen(io.StringIO):
    """A terminal of 80 columns that knows what a carriage return does."""

    def __init__(self, *, is_terminal=True, encoding="utf-8"):
        super().__init__()
        self._is_terminal, self._encoding = is_terminal, encoding

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return self._is_terminal

    def lines(self):
        """Return the lines as they stand, with what was written over gone."""
        shown = []
        for line in self.getvalue().split("\n"):
            cells = []
            for piece in line.split("\r"):
                cells[: len(piece)] = piece
            shown.append("".join(cells).rstrip())
        return shown


@pytest.fixture(autouse=True)
def columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")


def test_a_terminal_has_one_line_rewritten_in_place_and_nothing_is_left_of_it(plain_job):
    screen, job = Screen(), plain_job(queue_position=2)
    with Watch([job], screen) as watch:
        assert "queued · #1 · simulated · position 3 in the queue" in screen.lines()[0]
        job.become(state="RUNNING", started=time.time(), steps=(7, 28), progress=0.25)
        watch.tick()
        assert "step 7 of 28 · [###---------] 25%" in screen.lines()[0]
        assert len(screen.lines()) == 1
    assert screen.lines() == [""]
    assert screen.getvalue().endswith("\r")
    assert job.observers == []


def test_an_interrupt_leaves_no_half_line(plain_job):
    screen, job = Screen(), plain_job(state="RUNNING", kind="stream")
    watch = Watch([job], screen)
    watch.__enter__()
    job.become(partial=Partial(1, "Half a sen"))
    watch.tick()
    watch.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert screen.lines() == ["Half a sen", ""]


def test_no_line_is_wider_than_the_terminal_and_no_word_moves_the_cursor(plain_job, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    screen = Screen()
    with Watch([plain_job(endpoint="a/" + "b" * 90 + "\x1b[2J\n")], screen):
        pass
    assert max(map(len, screen.getvalue().split("\r"))) <= 29
    assert "\x1b" not in screen.getvalue()
    assert "\n" not in screen.getvalue()


def test_where_there_is_no_terminal_each_state_is_one_plain_line(plain_job):
    out, job = Screen(is_terminal=False), plain_job(state="PREPARED")
    with Watch([job], out) as watch:
        for changes in ({"state": "QUEUED"}, {"queue_position": 0}, {"state": "RUNNING"}, {"state": "SUCCEEDED"}):
            job.become(**changes)
        watch.tick()
    words = [line.split(" · ")[0].split("  ")[1] for line in out.getvalue().splitlines()]
    assert words == ["preparing", "queued", "running"]
    assert "\r" not in out.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_text_of_a_stream_is_written_once_as_it_grows(plain_job, is_terminal):
    out, job = Screen(is_terminal=is_terminal), plain_job(state="RUNNING", kind="stream")
    with Watch([job], out) as watch:
        for text in ("A fox", "A fox", "A fox \x1b[31mjumps", "A fox \x1b[31mjumps\x1b[0m over"):
            job.become(partial=Partial(1, text))
            watch.tick()
        job.become(state="SUCCEEDED", partial=None, result={"output": "A fox \x1b[31mjumps\x1b[0m over it."})
    assert watch.told_text
    assert [line for line in out.lines() if "fox" in line] == ["A fox jumps over it."]
    assert out.lines()[-1] == ""


def test_a_text_that_says_something_else_begins_anew_and_is_not_told_for_ever(plain_job):
    out, job = Screen(), plain_job(state="RUNNING", kind="stream")
    with Watch([job], out) as watch:
        for number in range(40):
            job.become(partial=Partial(number, f"{number} " + "x" * 15_000))
            watch.tick()
    assert out.lines()[1].startswith("1 xxx")
    assert len(out.getvalue()) < 150_000


def test_several_jobs_share_one_line(plain_job):
    screen, jobs = Screen(), [plain_job(record_id=number) for number in range(3)]
    with Watch(jobs, screen) as watch:
        jobs[0].become(state="SUCCEEDED")
        jobs[1].become(state="RUNNING")
        watch.tick()
        assert screen.lines()[0].startswith("1 of 3 jobs ended · 1 done · 1 running · 1 queued")


@pytest.mark.parametrize("trouble", ["closed", "ascii"])
def test_trouble_of_the_output_is_no_trouble_of_the_job(plain_job, trouble):
    screen = Screen(encoding="ascii" if trouble == "ascii" else "utf-8")
    if trouble == "closed":
        screen.close()
    job = plain_job()
    with Watch([job], screen) as watch:
        watch.tick()
    ProgressLine(screen).say("· a picture")
    if trouble == "ascii":
        assert screen.getvalue().isascii()
        assert "queued ? #1" in screen.getvalue()


def test_a_running_job_says_how_long_it_should_take(plain_job):
    snapshot = plain_job(state="RUNNING", started=100.0, expected_s=12.0).snapshot
    assert progress_words(snapshot, 104.25).endswith("4.2 s of about 12.0 s")


def test_a_line_that_was_cleared_is_cleared_once():
    screen = Screen()
    line = ProgressLine(screen)
    line.append("half a sen")
    line.clear()
    line.clear()
    line.say("A whole one.")
    assert screen.lines() == ["half a sen", "A whole one.", ""]
