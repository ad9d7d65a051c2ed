"""``Numbers``: the part of a sweep that is about numbers: its cells as a frame, scores of outputs, effects of axes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Self, cast

from fal_nb.errors import JobError
from fal_nb.ledger.scores import Score
from fal_nb.plain import one_line, shown
from fal_nb.scoring.built_in import BUILT_IN
from fal_nb.scoring.look_alikes import MOST_BITS, find_like
from fal_nb.sweeps.duplicates import fingerprints, ignored_seeds
from fal_nb.sweeps.scores import DUPLICATE, KeptScores, Scoring, scorer_of

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.engine.session import Session
    from fal_nb.scoring.built_in import On
    from fal_nb.scoring.likeness import Fingerprint
    from fal_nb.sweeps.cell_view import CellView
    from fal_nb.sweeps.effects import Effects
    from fal_nb.sweeps.sweep import Sweep

__all__ = ["Numbers"]


class Numbers:
    """Mixed into `Sweep`."""

    _session: Session
    _kept_scores: KeptScores | None = None

    @functools.cached_property
    def _fingerprints(self) -> dict[str, Fingerprint]:
        """Digest → fingerprint of what was looked at already."""
        return {}

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[CellView]:
            """Yield every cell as it is now."""

        @property
        def name(self) -> str:
            """Its name."""

    @property
    def scores(self) -> KeptScores:
        """What scorers have said of its outputs."""
        if self._kept_scores is None:
            self._kept_scores = KeptScores(cast("Sweep", self))
        return self._kept_scores

    def frame(self) -> pd.DataFrame:
        """Return the cells as a frame, one row a cell: its axes, its state, record, cost, seconds, first file, scores.

        Each score is a column of numbers, NaN where there is none; where a scorer failed on an output, the column
        ``NAME_error`` says why. After `near_duplicates` the column ``duplicate_of`` holds the key of the like cell.
        """
        import pandas as pd  # noqa: PLC0415 - costs a fifth of a second, paid when a frame is first asked for

        self.scores.read()
        views = list(self)
        # A job does not hear of what is written on its record.
        ratings = self._session.history.ratings(view.record_id for view in views if view.record_id is not None)
        rows = []
        for view in views:
            files = [artifact for artifact in view.artifacts if artifact.digest is not None]
            path = str(self._session.artifacts.path(files[0].digest or "")) if files else None
            rows.append(
                {
                    **{name: shown(value) for name, value in view.cell.coordinates.items()},
                    "state": view.state,
                    "record": view.record_id,
                    "cost": view.cost,
                    "total_s": view.total_s,
                    "rating": ratings.get(view.record_id or 0),
                    "from_memo": view.is_from_memo,
                    "reason": shown(view.reason or None),
                    "file": path,
                }
            )
        index = pd.Index([view.cell.key for view in views], name="cell")
        frame = pd.DataFrame(rows, index=index)
        for name, column in self._score_columns(list(index)).items():
            frame[name] = pd.Series(column, index=index, dtype=object if _is_text(name) else "float64")
        return frame.astype({"record": "Int64", "rating": "Int64"}) if rows else frame

    def _score_columns(self, keys: list[str]) -> dict[str, list[Any]]:
        found = {key: self.scores.of(key) for key in keys}
        columns: dict[str, list[Any]] = {}
        for name in self.scores.names():
            scores = [found[key].get(name) for key in keys]
            if name == DUPLICATE:
                columns[name] = [None if one is None else one.word for one in scores]
                continue
            columns[name] = [None if one is None else one.value for one in scores]
            errors = [None if one is None else shown(one.error) for one in scores]
            if any(errors):
                columns[f"{name}_error"] = errors
        return columns

    def pivot(self, rows: str, columns: str, values: str = "cost") -> pd.DataFrame:
        """Return the mean of a column for each pair of two axes' values."""
        return self.frame().pivot_table(index=rows, columns=columns, values=values, aggfunc="mean")

    def score(
        self,
        scorer: str | Callable[..., Any],
        name: str | None = None,
        *,
        on: On | None = None,
        reference: Any = None,
        along: str | None = None,
        executor: Executor | None = None,
        again: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Self:
        """Score the outputs that are new to a scorer, keep the scores in the history, and return the sweep itself.

        Blocks. Interrupting it keeps the scores that were made. An output on which the scorer fails has none, and why
        is in the frame; it is tried again the next time.

        Parameters
        ----------
        scorer
            ``sharpness``, ``brightness``, ``colourfulness``, ``ssim``, ``phash`` or ``text_length``, or a callable,
            plain or async, that returns a number.
        name
            Its column; else that of the scorer. A function whose code has changed scores its outputs anew.
        on
            What a callable is given: the whole ``result`` (default) or its first ``file``.
        reference
            What ``ssim`` and ``phash`` compare with: a path, a result or one of its files, a cell's key or coordinates.
        along
            Or the axis along which they compare each output with that of the value before.
        executor
            Any of ``concurrent.futures``; default four threads. For processes the callable has to be picklable.
        again
            Score also what has a score already.
        progress
            Called with how many are done and how many there are, in the caller's thread.

        Raises
        ------
        JobError
            Where there is no such scorer, axis or cell, the name is taken, or the executor cannot carry it out.
        FileError
            Where the reference cannot be read.
        """
        sweep = cast("Sweep", self)
        wanted = scorer_of(scorer, name, along, on)
        kept = self.scores
        kept.read()
        scoring = Scoring(sweep, wanted, reference, along)
        count = scoring.run(kept, executor, again=again, step=progress or _no_step)
        self._session.notify(self._summary(wanted.name, count))
        return self

    def effects(self, values: str = "cost") -> Effects:
        """Return what a number comes to at each value of each axis: mean, standard deviation and how many outputs.

        A frame with the columns ``axis value mean std n``, in the order of the plan; its `plot` draws it.

        Parameters
        ----------
        values
            ``cost`` (US dollars), ``total_s`` (seconds), ``rating``, or a score's name. ``sharpness``, ``brightness``,
            ``colourfulness`` and ``text_length`` are scored first, as far as they are not yet.

        Raises
        ------
        JobError
            Where there is no such number, or no axis has more than one value.
        """
        from fal_nb.sweeps.effects import effects_of  # noqa: PLC0415 - imports pandas

        known = BUILT_IN.get(values)
        if known is not None and not known.is_pair and values not in self.scores.names():
            self.score(values)
        return effects_of(cast("Sweep", self), self.frame(), values)

    def near_duplicates(self, bits: int = 4) -> pd.DataFrame:
        """Return the cells that look like an earlier one, with its key and in how many bits they differ; marks them.

        Perceptual hashes of 64 bits are compared, and mean colours, which hashes do not see. The mark is the frame's
        column ``duplicate_of``, kept in the history. Where cells that differ only in their seed all look the same, one
        line says so.

        Parameters
        ----------
        bits
            In how many bits near-duplicates may differ, 0 to 20.

        Raises
        ------
        JobError
            Where `bits` is none of these.
        """
        import pandas as pd  # noqa: PLC0415

        if isinstance(bits, bool) or bits not in range(MOST_BITS + 1):
            raise JobError(f"Near-duplicates differ in 0 to {MOST_BITS} of 64 bits, not {bits!r:.40}.")
        views = list(self)
        prints = fingerprints(views, self._fingerprints, self._session.history)
        like = find_like(prints, bits)
        records = {view.cell.key: view.record_id or 0 for view in views}
        self.scores.replace(
            DUPLICATE, [Score(key, DUPLICATE, records[key], str(bits), word=other) for key, (other, _) in like.items()]
        )
        for endpoint in ignored_seeds(views, prints, bits):
            self._session.notify(f"seed seems to be ignored by {one_line(endpoint, 120)}")
        rows = [
            {**{name: shown(value) for name, value in view.cell.coordinates.items()}, **_likeness(like[view.cell.key])}
            for view in views
            if view.cell.key in like
        ]
        return pd.DataFrame(rows, index=pd.Index(list(like), name="cell"))

    def _summary(self, name: str, count: int) -> str:
        scores = [one for view in self if (one := self.scores.of(view.cell.key).get(name)) is not None]
        failed = [one for one in scores if one.error is not None]
        parts = [f"{name}: {count - len(failed)} scored"]
        if len(scores) > count:
            parts.append(f"{len(scores) - count} known")
        if failed:
            parts.append(f"{len(failed)} failed ({one_line(failed[0].error or '', 120)})")
        return ", ".join(parts)


def _likeness(like: tuple[str, int]) -> dict[str, Any]:
    return {DUPLICATE: like[0], "bits": like[1]}


def _is_text(name: str) -> bool:
    return name == DUPLICATE or name.endswith("_error")


def _no_step(_done: int, _all: int) -> None:
    return None
