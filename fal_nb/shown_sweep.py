"""``ShownSweep``: a sweep as its board sees it: axes with labels, cells as plain data, commands that return at once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FalError
from fal_nb.states import OPEN_STATES, State
from fal_nb.sweeps.values import show
from fal_nb.views.board_look import Axis, CellLook, SweepObserver, SweepTotals, cell_artifact

if TYPE_CHECKING:
    from fal_nb.sweeps.plan import Dimension
    from fal_nb.sweeps.sweep import CellView, Sweep

__all__ = ["ShownSweep"]

_LABEL_CHARS = 80
_DECIMALS = 9
_TELL_S = 0.05
_log = logging.getLogger("fal_nb")


class ShownSweep:
    """Satisfies ``BoardSweep``; its cells are read from the history once, and kept by what the sweep tells."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._scores = sweep.scores  # read from the history here, so that the loop never waits for it
        dimensions = sweep.plan.dimensions
        self._axes = tuple(Axis(name=one.name, labels=_labels(one)) for one in dimensions)
        sizes = [len(one) for one in dimensions]
        self._sums = _Sums()
        self._looks: dict[str, CellLook] = {}
        self._ratings: dict[int, int | None] = {}
        for view in sweep:
            self._put(self._look(view, _coordinates(view.cell.index, sizes)))
        self._observers: list[SweepObserver] = []
        self._lock = threading.Lock()
        self._news: set[str] = set()
        self._unseen: set[str] = set()
        self._telling: asyncio.TimerHandle | None = None
        sweep.observe(self._changed)
        sweep.session.observe_marks(self._marked)

    @property
    def name(self) -> str:
        """What the person calls it."""
        return self._sweep.name

    @property
    def endpoint_text(self) -> str:
        """Its endpoints."""
        return ", ".join(self._sweep.plan.endpoints)

    @property
    def backend(self) -> str:
        """Where its calls go."""
        return self._sweep.session.settings.backend

    @property
    def axes(self) -> Sequence[Axis]:
        """The dimensions of the plan, each with a label a point, as they were when the board was made."""
        return self._axes

    @property
    def cells(self) -> Mapping[str, CellLook]:
        """The cells by key, in the order of the plan."""
        self._take_news()
        return self._looks

    @property
    def totals(self) -> SweepTotals:
        """Counts and money over the cells, kept up with each change: a board asks after every step of every call."""
        self._take_news()
        sums = self._sums
        left = sum(sums.counts[state] for state in OPEN_STATES)
        seconds = sums.seconds / sums.timed * left / self._sweep.window if sums.timed and left else None
        return SweepTotals(
            counts=dict(sums.counts),
            spent=round(sums.spent, _DECIMALS),
            reserved=round(sums.reserved, _DECIMALS),
            budget=self._sweep.budget,
            currency="USD",
            seconds_left=seconds if self._sweep.is_running else None,
            is_paused=self._sweep.is_paused,
            is_at_rest=self._sweep.is_at_rest,
        )

    def observe(self, observer: SweepObserver) -> None:
        """Call the observer after changes, at most twenty times a second, on the loop's thread."""
        self._observers.append(observer)

    def close(self) -> None:
        """Stop following the sweep."""
        self._sweep.unobserve(self._changed)

    def unobserve(self, observer: SweepObserver) -> None:
        """Stop calling the observer."""
        if observer in self._observers:
            self._observers.remove(observer)

    def pause(self) -> None:
        """Send nothing new."""
        self._sweep.pause()

    def resume(self) -> None:
        """Go on sending, or begin."""
        if self._sweep.is_running:
            self._sweep.go_on()
        else:
            self._aside(self._sweep.run)

    def cancel(self) -> None:
        """Stop what is open and send nothing new."""
        self._sweep.cancel()

    def retry(self) -> None:
        """Send the failed cells once more."""
        self._aside(self._sweep.retry)

    def cancel_cell(self, key: str) -> None:
        """Stop one cell."""
        self._sweep.cancel_cell(key)

    def rate(self, key: str, rating: int | None) -> None:
        """Keep a rating of 1 to 5, or take it back."""
        look = self._looks.get(key)
        if look is not None and look.record_id is not None:
            record_id = look.record_id
            self._aside(lambda: self._sweep.session.rate(record_id, rating))

    def _marked(self, record_id: int, columns: Mapping[str, Any]) -> None:
        """Show a rating, wherever it was given; on the loop's thread."""
        if "rating" not in columns:
            return
        with self._lock:
            self._ratings[record_id] = columns["rating"]
            keys = {key for key, look in self._looks.items() if look.record_id == record_id}
            for key in keys:
                self._put(replace(self._looks[key], rating=columns["rating"]))
            self._unseen |= keys
        if keys:
            self._tell_soon()

    def _changed(self, keys: AbstractSet[str]) -> None:
        """Note what has changed; each step of each call is one, and nobody looks at them one by one."""
        with self._lock:
            self._news |= keys & self._looks.keys()
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # a budget or a plan was changed in a cell
            self._sweep.session.runtime.post(self._tell_soon)
        else:
            # A run that begins or ends tells of all: whoever waits for its end finds it shown.
            if self._looks.keys() <= keys:
                self._tell()
            else:
                self._tell_soon()

    def _tell_soon(self) -> None:
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TELL_S, self._tell)

    def _tell(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        self._take_news()
        with self._lock:
            changed, self._unseen = self._unseen, set()
        if changed:
            for observer in tuple(self._observers):
                observer(changed)

    def _take_news(self) -> None:
        """Bring the cells up to date; in any thread."""
        with self._lock:
            news, self._news = self._news, set()
            for key in news:
                look = self._looks[key]
                view = self._sweep.peek(key)
                if view is not None:
                    self._put(self._look(view, look.coordinates))
                    self._unseen.add(key)
                elif (scores := self._scores.numbers(key)) != look.scores:
                    # Of what only the history knows nothing else changes, and the loop must not wait for a disk.
                    self._put(replace(look, scores=scores))
                    self._unseen.add(key)

    def _put(self, look: CellLook) -> None:
        before = self._looks.get(look.key)
        if before is not None:
            self._sums.add(before, -1)
        self._sums.add(look, 1)
        self._looks[look.key] = look

    def _look(self, view: CellView, coordinates: tuple[int, ...]) -> CellLook:
        file = view.artifacts[0] if view.artifacts else None
        return CellLook(
            key=view.cell.key,
            coordinates=coordinates,
            state=view.state,
            reason=view.reason or None,
            progress=view.progress,
            record_id=view.record_id,
            request_id=view.request_id,
            cost=view.cost,
            estimate=view.estimate,
            total_s=view.total_s,
            rating=self._ratings.get(view.record_id or 0, view.rating),
            scores=self._scores.numbers(view.cell.key),
            is_from_memo=view.is_from_memo,
            artifact=None if file is None else cell_artifact(file),
            artifact_count=len(view.artifacts),
            arguments=view.cell.arguments,
        )

    def _aside(self, work: Callable[[], object]) -> None:
        """Do what blocks in a thread of its own, and log what goes wrong."""

        def guarded() -> None:
            try:
                work()
            except FalError as error:
                _log.warning("sweep %s: %s", self.name, error)

        threading.Thread(target=guarded, name="fal-nb-sweep-command", daemon=True).start()


def _labels(dimension: Dimension) -> tuple[str, ...]:
    return tuple(" · ".join(show(value, _LABEL_CHARS) for value in point.values()) or "–" for point in dimension.points)


class _Sums:
    """What the cells come to together, one cell added or taken off at a time."""

    def __init__(self) -> None:
        self.counts: Counter[State] = Counter()
        self.spent = 0.0
        self.reserved = 0.0
        self.seconds = 0.0
        self.timed = 0

    def add(self, look: CellLook, times: int) -> None:
        """Add a cell, or take it off with -1."""
        self.counts[look.state] += times
        if not look.is_from_memo:
            self.spent += times * (look.cost or 0.0)
            self.seconds += times * (look.total_s or 0.0)
            self.timed += times * (look.total_s is not None)
        if look.record_id and look.state in OPEN_STATES:
            self.reserved += times * (look.estimate or 0.0)


def _coordinates(index: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the places of a combination, counted as the plan does: the last dimension fastest."""
    places = []
    for size in reversed(sizes):
        index, place = divmod(index, size)
        places.append(place)
    return tuple(reversed(places))
