"""Columns that no argument has: the axes of the sweeps that calls belong to, such as a variable inside a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FalError, HistoryError
from fal_nb.frames.rows import check_columns, record_ids
from fal_nb.plain import one_line
from fal_nb.sweeps.sweep import Sweep
from fal_nb.templates.mistakes import shorten

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.engine.session import Session

__all__ = ["with_axes"]

_SHOWN = 12


def with_axes(session: Session, frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the frame with a column for each name that it lacks and that the sweeps of its calls know as an axis.

    Calls of other sweeps, or of none, have nothing there. A name that nobody knows is left to whoever looks it up.

    Raises
    ------
    HistoryError
        For a name that is neither a column nor an axis, where there is a sweep that could have had it.
    """
    missing = [name for name in dict.fromkeys(names) if name not in frame.columns]
    if not missing:
        return frame
    ids = record_ids(frame)
    places = session.history.sweeps.places_of(number for number in ids if number is not None)
    if not places:
        return frame
    known, trouble = _coordinates(session, {sweep for sweep, _ in places.values()})
    axes = list(dict.fromkeys(name for cells in known.values() for cell in cells.values() for name in cell))
    for name in missing:
        if name not in axes:
            _refuse(frame, name, axes, trouble)
    found = frame.copy()
    for name in missing:
        values = [_value(known, places.get(number or -1), name) for number in ids]
        found[name] = _column(values, [cell.get(name) for cells in known.values() for cell in cells.values()])
    return found


def _refuse(frame: pd.DataFrame, name: str, axes: Sequence[str], trouble: Mapping[str, str]) -> None:
    """Refuse a name that is no column, and no axis of the sweeps that could be read, with the axes there are."""
    if trouble:
        sweep, why = next(iter(trouble.items()))
        raise HistoryError(
            f"There is no column {shorten(name)} in this frame, and the sweep {one_line(sweep, 60)}, which may have "
            f"such an axis, cannot be read: {one_line(why, 200)}"
        )
    try:
        check_columns(frame, [name])
    except HistoryError as error:
        told = ", ".join(map(shorten, axes[:_SHOWN])) or "none"
        raise HistoryError(f"{error} Nor is it an axis of the sweeps here, which have: {told}.") from None


def _coordinates(session: Session, sweeps: set[str]) -> tuple[dict[str, dict[str, Mapping[str, Any]]], dict[str, str]]:
    """Return sweep → cell → coordinates, and of those that cannot be read why not."""
    known: dict[str, dict[str, Mapping[str, Any]]] = {}
    trouble: dict[str, str] = {}
    for name in sorted(sweeps):
        try:
            known[name] = {cell.key: cell.coordinates for cell in Sweep.find(session, name).cells}
        except FalError as error:
            trouble[name] = str(error)
    return known, trouble


def _value(known: Mapping[str, Mapping[str, Mapping[str, Any]]], place: tuple[str, str] | None, name: str) -> Any:
    return None if place is None else known.get(place[0], {}).get(place[1], {}).get(name)


def _column(values: Sequence[Any], planned: Sequence[Any]) -> Any:
    """Return values one by one: lists and objects, which pandas would take apart, too.

    Words are categories in the order of the plan: the calls of a sweep are not recorded in that order.
    """
    import numpy as np  # noqa: PLC0415 - comes with pandas
    import pandas as pd  # noqa: PLC0415 - there already, for whoever has a frame

    words = list(dict.fromkeys(value for value in planned if isinstance(value, str)))
    if words and all(value is None or isinstance(value, str) for value in values):
        return pd.Categorical(values, categories=words)
    return np.fromiter(values, dtype=object, count=len(values))
