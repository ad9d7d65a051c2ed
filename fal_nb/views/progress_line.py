"""Progress of jobs in a terminal: one line rewritten in place, or a plain line a state where the output is no terminal.

Its invariant: whatever it writes is plain text, it leaves no half line behind, and its own trouble never ends a job.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from fal_nb.plain import one_line, plain_text
from fal_nb.states import State
from fal_nb.views.format import STATE_WORDS, seconds, stalled_words, summary, waiting
from fal_nb.views.twin import result_text

if TYPE_CHECKING:
    from fal_nb.engine.snapshot import JobSnapshot

__all__ = ["ProgressLine", "Watch", "Watched", "progress_words"]

_BAR_CELLS = 12
_DEFAULT_COLUMNS = 80
_TEXT_CHARS = 20_000
_CLOSED = (OSError, ValueError)
"""What writing to an output that is gone raises: a broken pipe, a closed file."""


class Watched(Protocol):
    """What is needed of a job."""

    @property
    def snapshot(self) -> JobSnapshot:
        """The newest snapshot."""

    def observe(self, observer: Callable[[JobSnapshot], None]) -> None:
        """Call the observer with each new snapshot, on the loop's thread."""

    def unobserve(self, observer: Callable[[JobSnapshot], None]) -> None:
        """Stop calling the observer."""


class ProgressLine:
    """The last line of an output, for as long as something is under way. For one thread at a time.

    Parameters
    ----------
    out
        Where it is written.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._drawn = 0
        self._is_mid_line = False
        self.is_live = _is_terminal(out)

    def draw(self, words: str) -> None:
        """Put a line in place of the last one, cut to the terminal's width; nothing where it is no terminal."""
        if not self.is_live or self._is_mid_line:
            return
        columns = shutil.get_terminal_size((_DEFAULT_COLUMNS, 24)).columns
        line = one_line(words, max(8, columns - 1))
        # Blanks instead of the terminal's own commands: every terminal has them.
        self._write("\r" + line.ljust(min(self._drawn, columns - 1)))
        self._drawn = len(line)

    def say(self, words: str) -> None:
        """Write a whole line (or block) that stays."""
        self.clear()
        self._write(plain_text(words) + "\n")

    def append(self, words: str) -> None:
        """Go on with a text that grows; what is plain text already."""
        if words:
            if not self._is_mid_line:
                self.clear()
            self._write(words)
            self._is_mid_line = not words.endswith("\n")

    def clear(self) -> None:
        """Leave the cursor at the beginning of an empty line."""
        if self._is_mid_line:
            self._write("\n")
        elif self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
        self._drawn, self._is_mid_line = 0, False

    def _write(self, words: str) -> None:
        encoding = getattr(self._out, "encoding", None) or "utf-8"
        try:
            self._out.write(words.encode(encoding, "replace").decode(encoding))
            self._out.flush()
        except _CLOSED:
            self.is_live = False


class Watch:
    """Looks on while somebody waits for jobs: a context manager whose `tick` is called about ten times a second.

    Only the newest moment of a job is drawn; of its states none is left out.

    Attributes
    ----------
    told_text
        Whether the words of a stream were written as they came.
    """

    def __init__(self, jobs: Sequence[Watched], out: TextIO) -> None:
        self.told_text = False
        self._jobs = tuple(jobs)
        self._line = ProgressLine(out)
        self._said: dict[int, State] = {}
        self._news: list[JobSnapshot] = []
        self._text = ""
        self._told_chars = 0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        for job in self._jobs:
            self._news.append(job.snapshot)
            job.observe(self._news.append)
        self.tick()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for job in self._jobs:
            job.unobserve(self._news.append)
        self._tell()
        self._line.clear()

    def tick(self) -> None:
        """Bring the output up to date."""
        self._tell()
        if len(self._jobs) == 1:
            self._line.draw(progress_words(self._jobs[0].snapshot, time.time()))
        else:
            self._line.draw(_count_words([job.snapshot.state for job in self._jobs], time.monotonic() - self._began))

    def _tell(self) -> None:
        """Write what stays: a stream's words, and the states where no line can be rewritten."""
        while self._news:
            snapshot = self._news.pop(0)
            if len(self._jobs) == 1:
                self._tell_text(snapshot)
            if self._line.is_live or snapshot.is_final or self._said.get(snapshot.record_id) == snapshot.state:
                continue
            self._said[snapshot.record_id] = snapshot.state
            self._line.say(_state_words(snapshot))

    def _tell_text(self, snapshot: JobSnapshot) -> None:
        """Go on with the text of a stream; one that says something else than before begins on a new line."""
        if snapshot.partial is not None:
            text = plain_text(snapshot.partial.text, _TEXT_CHARS)
        elif self.told_text and snapshot.state == "SUCCEEDED":
            text = plain_text(result_text(snapshot.result) or "", _TEXT_CHARS)
        else:
            return
        # Once it was cut it is at its end; and who says something else each time is heard five times.
        if len(self._text) >= _TEXT_CHARS or self._told_chars > 5 * _TEXT_CHARS or self._text.startswith(text):
            return
        known = self._text
        if not text.startswith(known):
            self._line.clear()
            known = ""
        self.told_text, self._text = True, text
        self._told_chars += len(text) - len(known)
        self._line.append(text[len(known) :])


def progress_words(snapshot: JobSnapshot, now: float) -> str:
    """Return what an open job is doing, in one line; `now` is Unix time."""
    facts = [f"{snapshot.endpoint}  {STATE_WORDS[snapshot.state]}", *_known(snapshot)]
    if snapshot.state == "RUNNING" and snapshot.progress is not None:
        share = min(max(snapshot.progress, 0.0), 1.0)
        done = round(share * _BAR_CELLS)
        facts.append(f"[{'#' * done}{'-' * (_BAR_CELLS - done)}] {share:.0%}")
    if snapshot.is_final:
        return " · ".join(facts)
    since = snapshot.started if snapshot.state == "RUNNING" else snapshot.submitted
    passed = _short_seconds(now - (since or snapshot.created))
    if snapshot.state == "RUNNING" and snapshot.expected_s:
        passed += f" of about {_short_seconds(snapshot.expected_s)}"
    return " · ".join(filter(None, (*facts, passed, stalled_words(snapshot.stalled, now))))


def _state_words(snapshot: JobSnapshot) -> str:
    return " · ".join([f"{snapshot.endpoint}  {STATE_WORDS[snapshot.state]}", *_known(snapshot)])


def _known(snapshot: JobSnapshot) -> list[str]:
    return [part for part in (*summary(snapshot), waiting(snapshot)) if part]


def _count_words(states: Sequence[State], passed_s: float) -> str:
    counts = Counter(STATE_WORDS[state] for state in states)
    ended = ("done", "failed", "cancelled", "unknown")
    facts = [f"{sum(counts[word] for word in ended)} of {len(states)} jobs ended"]
    facts += [
        f"{counts[word]} {word}" for word in (*ended, "running", "queued", "sending", "preparing") if counts[word]
    ]
    return " · ".join([*facts, _short_seconds(passed_s)])


def _short_seconds(value: float) -> str:
    return f"{max(0.0, value):.1f} s" if value < 60 else seconds(value)


def _is_terminal(out: TextIO) -> bool:
    try:
        return out.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, *_CLOSED):
        return False
