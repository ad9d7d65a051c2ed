"""All cells of a plan against the schemas, before any is sent: what is wrong, once, with how many cells it concerns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fal_nb.errors import ArgumentsError
from fal_nb.schemas.scalars import Path, Problem, show_path
from fal_nb.sweeps.cells import Cell, Cells
from fal_nb.templates.mistakes import shorten

__all__ = ["CellProblem", "PlanCheck", "check_cells"]

_SHOWN = 20


@dataclass(frozen=True)
class CellProblem:
    """One thing to mend, and how much of the sweep it concerns.

    Attributes
    ----------
    path, message, suggestion
        As of a `Problem`.
    cells
        How many have it.
    """

    endpoint: str
    path: Path
    message: str
    suggestion: object
    cells: int
    of: int

    def __str__(self) -> str:
        share = "every cell" if self.cells == self.of else f"{self.cells:,} of {self.of:,} cells"
        return f"{show_path(self.path)}: {self.message} ({share})"


@dataclass(frozen=True)
class PlanCheck:
    """What a check of all cells came to.

    Attributes
    ----------
    combinations, cells
        What the plan multiplies to; what is left of it to be called, each call once.
    skipped, repeated
        Combinations that a rule leaves out; those that come to a call which another one is already.
    notes
        One line each: what was left out, or put right.
    """

    combinations: int
    cells: int
    skipped: int
    repeated: int
    problems: tuple[CellProblem, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all cells can be sent."""
        return not self.problems

    @property
    def lines(self) -> list[str]:
        """One line a problem, the endpoint before it where there are several; at most 20, and how many more."""
        several = len({problem.endpoint for problem in self.problems}) > 1
        shown = [f"{problem.endpoint}: {problem}" if several else str(problem) for problem in self.problems[:_SHOWN]]
        more = len(self.problems) - _SHOWN
        return [*shown, f"… and {more} more"] if more > 0 else shown

    def raise_for_problems(self) -> None:
        """Do nothing where all is well.

        Raises
        ------
        ArgumentsError
            With all problems.
        """
        if self.problems:
            endpoints = list(dict.fromkeys(problem.endpoint for problem in self.problems))
            raise ArgumentsError(", ".join(endpoints), self.problems)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        head = f"{self.cells:,} cells, {len(self.problems)} to mend" if self.problems else f"{self.cells:,} cells fit."
        return "\n".join((head, *(f"  {line}" for line in self.lines), *(f"  note: {note}" for note in self.notes)))


def check_cells(cells: Cells) -> PlanCheck:
    """Return what is wrong with the cells of a plan; each value of an axis is looked at once.

    Raises
    ------
    GrammarError
        Where a text cannot be worked out.
    """
    tally = _Tally()
    for step in cells.walk():
        tally.add(step.cell, is_skipped=step.key is None)
    return PlanCheck(
        cells.plan.combinations,
        tally.cells,
        tally.skipped,
        cells.plan.combinations - tally.cells - tally.skipped,
        tally.problems(),
        (*cells.plan.notes, *tally.notes(cells.plan.combinations)),
    )


class _Tally:
    """Counts by what is said of the cells."""

    def __init__(self) -> None:
        self.cells = 0
        self.skipped = 0
        self._problems: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], Problem] = {}
        self._dropped: Counter[tuple[str, str]] = Counter()

    def add(self, cell: Cell | None, *, is_skipped: bool) -> None:
        self.skipped += is_skipped
        if cell is None:
            return
        self.cells += 1
        for problem in cell.problems:
            place = (cell.endpoint, str(problem))
            self._problems[place] += 1
            self._first.setdefault(place, problem)
        self._dropped.update((cell.endpoint, name) for name in cell.dropped)

    def problems(self) -> tuple[CellProblem, ...]:
        found = []
        for (endpoint, line), count in self._problems.items():
            first = self._first[endpoint, line]
            found.append(CellProblem(endpoint, first.path, first.message, first.suggestion, count, self.cells))
        return tuple(found)

    def notes(self, combinations: int) -> list[str]:
        notes = [
            f"{endpoint} has no {shorten(name)}: left out there ({_cells(count)})"
            for (endpoint, name), count in self._dropped.items()
        ]
        repeated = combinations - self.cells - self.skipped
        if repeated:
            notes.append(f"{repeated:,} of {combinations:,} combinations repeat the call of another: made once")
        if not self.cells:
            notes.append("the rules leave out every combination: there is nothing to call")
        return notes


def _cells(count: int) -> str:
    return f"{count:,} cell{'s' if count != 1 else ''}"
