"""A frame against two of its columns, as a view: which rows are drawn, and what is said of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fal_nb.frames.front import Front, front_of, kind_of
from fal_nb.frames.rows import record_ids
from fal_nb.shown_outputs import ShownOutputs
from fal_nb.views.pareto import MOST_POINTS, ParetoView
from fal_nb.views.pareto_look import Axis, Better, Point, Points, scale_of

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.workbench import Workbench

__all__ = ["COLUMN", "points_of_front", "show_pareto"]

COLUMN = "pareto"


def show_pareto(
    bench: Workbench, frame: pd.DataFrame, names: tuple[str, str], better: tuple[Better | None, Better | None]
) -> ParetoView:
    """Show the calls of a frame against two columns in the cell that runs now; raises as `FalAccessor.pareto`."""
    import pandas as pd  # noqa: PLC0415 - there already, for whoever has a frame

    ids = record_ids(frame)
    front = front_of(frame, names, better)
    marked = frame.copy()
    marked[COLUMN] = pd.array(front.is_best, dtype="boolean")
    session = bench.session
    outputs = ShownOutputs(session, [number for number in ids if number is not None], "these calls")
    places: dict[int, int] = {}
    for place, record in enumerate(outputs.records):
        places.setdefault(record, place)
    view = ParetoView(
        outputs,
        points_of_front(names, front, ids, places),
        marked,
        session.artifacts.path,
        lambda records: session.frame(where={"record": list(records)}),
        session.runtime.post,
    )
    view.outlet = bench.display.hub
    bench.display.show(view)
    return view


def points_of_front(
    names: tuple[str, str], front: Front, ids: list[int | None], places: dict[int, int], most: int = MOST_POINTS
) -> Points:
    """Return what is drawn of a front: all of it and the newest calls behind it, and a line about what is not."""
    rows = [
        Point(number or 0, x, y, places.get(number or 0), bool(is_best))
        for number, x, y, is_best in zip(ids, front.x, front.y, front.is_best, strict=True)
        if x is not None and y is not None
    ]
    drawn = sorted(rows, key=lambda point: (point.is_best, point.record), reverse=True)[:most]
    told = list(front.told)
    if len(drawn) < len(rows):
        told.append(f"{len(rows) - len(drawn):,} older calls behind the line are not drawn")
    unseen = sum(point.place is None for point in drawn)
    if unseen:
        told.append(f"{unseen:,} of {len(drawn):,} points {'has' if unseen == 1 else 'have'} no output that is kept")
    axes = [
        Axis(name, kind_of(name), end, scale_of([each[at] for each in ((point.x, point.y) for point in drawn)]))
        for at, (name, end) in enumerate(zip(names, front.better, strict=True))
    ]
    return Points(
        axes[0],
        axes[1],
        tuple(sorted(drawn, key=lambda point: (point.x, point.y, point.record))),
        len(ids),
        tuple(told),
    )
