"""``ShownRecords``: calls of a frame laid out along some of its columns, as a board sees them."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FalError, HistoryError
from fal_nb.frames.axes import points_of
from fal_nb.frames.rows import check_columns, record_ids
from fal_nb.views.board_look import Axis, CellLook, SweepObserver, SweepTotals, cell_artifact

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.artifacts.artifact import Artifact
    from fal_nb.engine.session import Session
    from fal_nb.ledger.records import Record

__all__ = ["MOST_CELLS", "ShownRecords"]

MOST_CELLS = 10_000
_REPEAT = "repeat"
_log = logging.getLogger("fal_nb")


class ShownRecords:
    """Satisfies ``BoardSweep`` for calls that are over: nothing is sent, paused or retried here, ratings are kept.

    Parameters
    ----------
    frame
        Has record numbers; rows without one, or whose record is gone or still open, are left out.
    by
        The columns that become axes. Calls that agree in all of them stand apart on one more axis, `repeat`.

    Raises
    ------
    HistoryError
        Where the frame has no record numbers, lacks a column, or nothing of it is in the history.
    """

    def __init__(self, session: Session, frame: pd.DataFrame, by: Sequence[str]) -> None:
        check_columns(frame, by)
        ids = record_ids(frame)
        if len(ids) > MOST_CELLS:
            raise HistoryError(f"{len(ids):,} calls are too many to be compared at once: take at most {MOST_CELLS:,}.")
        self._session = session
        self._observers: list[SweepObserver] = []
        records = session.history.get_many(number for number in ids if number is not None)
        rows = [(at, records[number]) for at, number in enumerate(ids) if number in records]
        rows = [(at, record) for at, record in rows if not record.is_open]
        if not rows:
            raise HistoryError("None of these calls is in this history and over.")
        self._records = [record for _, record in rows]
        axes = [_axis(name, frame[name].iloc[[at for at, _ in rows]]) for name in by]
        self.axes, places = _apart(axes, len(rows))
        files = session.history.artifacts_of(record.id for record in self._records)
        self.cells: Mapping[str, CellLook] = {
            f"r{record.id}": _look(record, place, files.get(record.id, ()))
            for record, place in zip(self._records, places, strict=True)
        }

        session.observe_marks(self._marked)

    @property
    def name(self) -> str:
        """What it is, in words."""
        return f"{len(self.cells)} calls"

    @property
    def endpoint_text(self) -> str:
        """Their endpoints."""
        return ", ".join(dict.fromkeys(record.endpoint for record in self._records))

    @property
    def backend(self) -> str:
        """Where they went: ``simulator`` where none was a real one."""
        backends = {record.backend for record in self._records}
        return backends.pop() if len(backends) == 1 else "fal"

    @property
    def totals(self) -> SweepTotals:
        """Counts and money, summed over the calls."""
        looks = self.cells.values()
        return SweepTotals(
            counts=Counter(look.state for look in looks),
            spent=sum(look.cost or 0.0 for look in looks),
            currency="USD",
        )

    def observe(self, observer: SweepObserver) -> None:
        """Call the observer after every change, on the loop's thread."""
        self._observers.append(observer)

    def unobserve(self, observer: SweepObserver) -> None:
        """Stop calling the observer."""
        if observer in self._observers:
            self._observers.remove(observer)

    def pause(self) -> None:
        """Do nothing: these calls are over."""

    def resume(self) -> None:
        """Do nothing: these calls are over."""

    def cancel(self) -> None:
        """Do nothing: these calls are over."""

    def retry(self) -> None:
        """Do nothing: a call is made again by `replay` only."""

    def cancel_cell(self, key: str) -> None:
        """Do nothing: these calls are over."""

    def rate(self, key: str, rating: int | None) -> None:
        """Keep a rating of 1 to 5, or take it back."""
        look = self.cells.get(key)
        if look is None or look.record_id is None:
            return
        record_id = look.record_id

        def rated() -> None:
            try:
                self._session.rate(record_id, rating)
            except FalError as error:
                _log.warning("record #%s was not rated: %s", record_id, error)

        threading.Thread(target=rated, name="fal-nb-rating", daemon=True).start()

    def _marked(self, record_id: int, columns: Mapping[str, Any]) -> None:
        """Show a rating, wherever it was given; on the loop's thread."""
        key = f"r{record_id}"
        if "rating" in columns and key in self.cells:
            self.cells = {**self.cells, key: replace(self.cells[key], rating=columns["rating"])}
            for observer in tuple(self._observers):
                observer({key})


def _axis(name: str, values: pd.Series[Any]) -> tuple[Axis, list[int]]:
    """Return an axis and the place of each value on it."""
    points = points_of(values)
    return Axis(name=name, labels=points.labels), points.places


def _apart(axes: Sequence[tuple[Axis, list[int]]], count: int) -> tuple[list[Axis], list[tuple[int, ...]]]:
    """Return the axes and each call's coordinates, with one more axis where two calls lie at the same place."""
    places: list[tuple[int, ...]] = [tuple(along[at] for _, along in axes) for at in range(count)]
    seen: Counter[tuple[int, ...]] = Counter()
    repeats = []
    for place in places:
        repeats.append(seen[place])
        seen[place] += 1
    most = max(seen.values())
    if most == 1:
        return [axis for axis, _ in axes], places
    last = Axis(name=_REPEAT, labels=tuple(str(number + 1) for number in range(most)))
    return [*(axis for axis, _ in axes), last], [(*at, again) for at, again in zip(places, repeats, strict=True)]


def _look(record: Record, coordinates: tuple[int, ...], files: Sequence[Artifact]) -> CellLook:
    return CellLook(
        key=f"r{record.id}",
        coordinates=coordinates,
        state=record.state,
        reason=record.error,
        record_id=record.id,
        request_id=record.request_id,
        cost=record.cost,
        estimate=record.estimate,
        total_s=record.total_s,
        rating=record.rating,
        artifact=cell_artifact(files[0]) if files else None,
        artifact_count=len(files),
        arguments=record.arguments if isinstance(record.arguments, dict) else {},
    )
