"""Scores of a sweep's cells: which outputs are still to be looked at, and what has been said of the others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FileError, JobError
from fal_nb.ledger.scores import Score
from fal_nb.plain import one_line
from fal_nb.results import Result, ResultFile
from fal_nb.scoring.built_in import BUILT_IN, BuiltIn, On, built_in
from fal_nb.scoring.measuring import Measured, Task, code_of, measure_all
from fal_nb.sweeps.values import canonical

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.artifacts.store import ArtifactStore
    from fal_nb.sweeps.cell_view import CellView
    from fal_nb.sweeps.sweep import Sweep

__all__ = [
    "DUPLICATE",
    "FIXED_COLUMNS",
    "KeptScores",
    "Scorer",
    "Scoring",
    "neighbours",
    "result_of",
    "scorer_of",
    "varying",
]

DUPLICATE = "duplicate_of"
FIXED_COLUMNS = ("state", "record", "cost", "total_s", "rating", "from_memo", "reason", "file")
_NAME = re.compile(r"[^\W\d][\w.-]{0,59}\Z")
_UNFIT = re.compile(r"[^\w.-]+")


class KeptScores:
    """The scores of one sweep as this kernel knows them; the history has the same."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._kept = sweep.session.history.scores
        self._by_cell: dict[str, dict[str, Score]] = {}
        self.read()

    def read(self) -> None:
        """Take in what the history has, also from other kernels."""
        found: dict[str, dict[str, Score]] = {}
        for score in self._kept.of(self._sweep.name):
            found.setdefault(score.cell, {})[score.name] = score
        self._by_cell = found

    def of(self, key: str) -> dict[str, Score]:
        """Return what was said of the output that a cell has now, by name; what was said of an earlier one is left."""
        record_id = self._sweep.record_of(key)
        scores = self._by_cell.get(key)
        return {name: one for name, one in scores.items() if one.record_id == record_id} if scores else {}

    def numbers(self, key: str) -> dict[str, float]:
        """Return the numbers among them."""
        return {name: one.value for name, one in self.of(key).items() if one.value is not None}

    def names(self) -> list[str]:
        """Return the names that any cell has a score of, failed ones as well."""
        return list(dict.fromkeys(name for scores in self._by_cell.values() for name in scores))

    def add(self, scores: list[Score]) -> None:
        """Keep scores and tell whoever observes the sweep."""
        self._kept.add(self._sweep.name, scores)
        self._put(scores)

    def replace(self, name: str, scores: list[Score]) -> None:
        """Keep these scores of a name and no others."""
        self._kept.replace(self._sweep.name, name, scores)
        for known in self._by_cell.values():
            known.pop(name, None)
        self._put(scores)

    def _put(self, scores: list[Score]) -> None:
        for score in scores:
            self._by_cell.setdefault(score.cell, {})[score.name] = score
        self._sweep.session.runtime.post(self._sweep.tell, {score.cell for score in scores})


@dataclass(frozen=True, slots=True)
class Scorer:
    """A scorer as it is run: under which name, on what, and the code that tells it from another one of that name."""

    name: str
    function: Callable[..., Any]
    on: On
    code: str
    is_pair: bool = False


def scorer_of(scorer: str | Callable[..., Any], name: str | None, along: str | None, on: On | None) -> Scorer:
    """Return what a scorer is called and what it is given.

    Raises
    ------
    JobError
        Where no scorer has this name, or it has none itself and none is given, or a column has that name already.
    """
    if isinstance(scorer, str):
        known: BuiltIn = built_in(scorer)
        own = known.name if along is None else f"{known.name}_{_UNFIT.sub('_', along)}"
        code = f"{known.name} {known.version}"
        return Scorer(_checked(own if name is None else name), known.function, known.on, code, known.is_pair)
    if not callable(scorer):
        raise JobError(f"A scorer is a name ({', '.join(BUILT_IN)}) or a callable, not {type(scorer).__name__}.")
    function = getattr(scorer, "func", scorer)
    own = getattr(function, "__name__", "") if name is None else name
    if own == "<lambda>" or not own:
        raise JobError('This scorer has no name of its own: give one, as in sweep.score(scorer, name="mine").')
    return Scorer(_checked(own), scorer, on or "result", code_of(function))


def _checked(name: str) -> str:
    if not _NAME.match(name) or name.endswith("_error"):
        raise JobError(
            f"{one_line(name, 60)!r} is no name of a score: a letter, then letters, digits, '.', '_' and '-', at most "
            "60, and not '_error' at its end."
        )
    if name in FIXED_COLUMNS or name == DUPLICATE:
        raise JobError(f"The frame has a column {name} already: give the score another name.")
    return name


class Scoring:
    """One scorer over the cells of a sweep that have an output.

    Parameters
    ----------
    reference
        What each output is compared with: a path, a result, a file of one, a cell's key, its coordinates or view.
    along
        The axis along which each output is compared with that of the value before.
    """

    def __init__(self, sweep: Sweep, scorer: Scorer, reference: Any = None, along: str | None = None) -> None:
        if scorer.is_pair and (reference is None) == (along is None):
            raise JobError(f"{scorer.name} compares: give either reference=… or along='an axis'.")
        if not scorer.is_pair and (reference is not None or along is not None):
            raise JobError(f"{scorer.name} looks at one output: reference= and along= are for ssim and phash.")
        if scorer.name in varying(sweep):
            raise JobError(f"The sweep has an axis {one_line(scorer.name, 60)}: give the score another name.")
        self._sweep, self._scorer = sweep, scorer
        self._views = {view.cell.key: view for view in sweep if view.state == "SUCCEEDED"}
        self._results: dict[str, Result] = {}
        self._other: tuple[ResultFile | Path, str] | None = None
        self._before: Mapping[str, str] | None = None
        if along is not None:
            self._before = neighbours(sweep, along)
        elif reference is not None:
            self._other = self._read_reference(reference)

    def todo(self, kept: KeptScores, *, again: bool) -> dict[str, tuple[int, str]]:
        """Return the cells to be scored, each with the record and the basis that its score will have.

        A cell whose score was made of the same output with the same scorer and reference is left out.
        """
        terms = {}
        for key, view in self._views.items():
            basis = self._basis(key)
            if basis is None or view.record_id is None:
                continue
            known = kept.of(key).get(self._scorer.name)
            if not again and known is not None and known.basis == basis and known.error is None:
                continue
            terms[key] = (view.record_id, basis)
        return terms

    def run(self, kept: KeptScores, executor: Executor | None, *, again: bool, step: Callable[[int, int], Any]) -> int:
        """Call the scorer where it has to be called, keep what it says, and return how often it was called."""
        terms = self.todo(kept, again=again)
        made = 0

        def keep(measured: list[Measured]) -> None:
            nonlocal made
            name = self._scorer.name
            kept.add([Score(one.key, name, *terms[one.key], one.value, None, one.error) for one in measured])
            made += len(measured)
            step(made, len(terms))

        tasks, missing = [], []
        for key in terms:
            inputs = self._inputs(key)
            if any(one is None for one in inputs):
                missing.append(Measured(key, None, "there is no file in this output"))
            else:
                tasks.append(Task(key, inputs))
        if missing:
            keep(missing)
        measure_all(self._scorer.function, tasks, executor, keep)
        return len(terms)

    def _basis(self, key: str) -> str | None:
        """Return what a cell's score is made with; None where it has nothing to be compared with."""
        if self._before is not None:
            before = self._views.get(self._before.get(key, ""))
            return None if before is None else f"{self._scorer.code} #{before.record_id}"
        return self._scorer.code if self._other is None else f"{self._scorer.code} {self._other[1]}"

    def _inputs(self, key: str) -> tuple[Any, ...]:
        own = self._output(key)
        if self._before is not None:
            return own, self._output(self._before[key])
        return (own,) if self._other is None else (own, self._other[0])

    def _output(self, key: str) -> Any:
        result = self._results.get(key)
        if result is None:
            result = self._results[key] = result_of(self._views[key], self._sweep.session.artifacts)
        if self._scorer.on == "result":
            return result
        return result.files[0] if result.files else None

    def _read_reference(self, reference: Any) -> tuple[ResultFile | Path, str]:
        """Return the file that a reference means, and what tells it from others."""
        file = self._file_of(reference)
        if isinstance(file, Path):
            try:
                with file.open("rb") as opened:
                    return file, hashlib.file_digest(opened, "sha256").hexdigest()[:32]
            except OSError as error:
                raise FileError(
                    f"The reference {one_line(str(file), 200)} cannot be read: {error.strerror}."
                ) from error
        return file, (file.digest or "")[:32]

    def _file_of(self, reference: Any) -> ResultFile | Path:
        if isinstance(reference, ResultFile):
            return reference
        result = reference
        if not isinstance(reference, Result):
            key = self._key_of(reference)
            if key is None:
                return Path(reference).expanduser()
            if key not in self._views:
                raise JobError("The cell that is the reference has no output yet.")
            result = result_of(self._views[key], self._sweep.session.artifacts)
        files: list[ResultFile] = result.files
        if not files:
            raise JobError("The reference has no file.")
        return files[0]

    def _key_of(self, reference: Any) -> str | None:
        """Return the key of the cell that is meant, or None where it is a path."""
        if isinstance(reference, str) and reference in {cell.key for cell in self._sweep.cells}:
            return reference
        if isinstance(reference, Mapping):
            found = [
                cell.key
                for cell in self._sweep.cells
                if all(
                    name in cell.coordinates and canonical(cell.coordinates[name]) == canonical(value)
                    for name, value in reference.items()
                )
            ]
            if len(found) != 1:
                raise JobError(f"{len(found)} cells lie at {one_line(str(dict(reference)), 120)}: name one.")
            return found[0]
        cell = getattr(reference, "cell", reference)
        key = getattr(cell, "key", None)
        if key is not None:
            return str(key)
        if not isinstance(reference, (str, Path)):
            raise JobError(f"A reference is a path, a result, a file or a cell, not {type(reference).__name__}.")
        return None


@dataclass(frozen=True, slots=True)
class _CellCall:
    """What a `Result` keeps of the call it came from."""

    record_id: int
    endpoint: str
    request_id: str | None
    arguments: dict[str, Any]
    cost: float | None
    currency: str | None
    artifacts: tuple[Artifact, ...]


def result_of(view: CellView, store: ArtifactStore) -> Result:
    """Return the result of a cell that succeeded."""
    call = _CellCall(
        view.record_id or 0,
        view.cell.endpoint,
        view.request_id,
        view.cell.arguments,
        view.cost,
        None if view.cost is None else "USD",
        view.artifacts,
    )
    return Result(view.result, snapshot=call, store=store)


def varying(sweep: Sweep) -> tuple[str, ...]:
    """Return the names of what varies: the columns of the frame that place a cell."""
    return tuple(dict.fromkeys(name for dimension in sweep.plan.dimensions for name in dimension.names))


def neighbours(sweep: Sweep, along: str) -> dict[str, str]:
    """Return for each cell the one at the value before on an axis, all else the same; the first have none.

    Raises
    ------
    JobError
        Where there is no such axis.
    """
    names = varying(sweep)
    if along not in names:
        axes = ", ".join(one_line(name, 40) for name in names)
        raise JobError(f"The sweep has no axis {one_line(along, 60)!r}; it has: {axes}.")
    before: dict[str, str] = {}
    last: dict[str, str] = {}
    for cell in sweep.cells:
        rest = canonical({name: value for name, value in cell.coordinates.items() if name != along})
        if rest in last:
            before[cell.key] = last[rest]
        last[rest] = cell.key
    return before
