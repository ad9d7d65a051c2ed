"""A sweep's cells as rows: plain data under short names, exact, for tables and manifests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.sweeps.values import canonical, is_object, show

if TYPE_CHECKING:
    from fal_nb.sweeps.cell_view import CellView
    from fal_nb.sweeps.sweep import Sweep

__all__ = ["plain_data", "sweep_rows"]

_OWN = (
    "cell", "state", "endpoint", "record", "request_id", "cost", "currency", "total_s", "rating", "from_memo",
    "reason", "file", "digest",
)  # fmt: skip


def sweep_rows(sweep: Sweep) -> list[dict[str, Any]]:
    """Return a row for each cell, in the order of the plan: its axes, what became of it, its scores, its arguments.

    All rows have the same names. An axis whose name is one of ours stands as ``axis_NAME``; an argument as
    ``arg_NAME`` where the name is taken by something else than the same values.
    """
    views = list(sweep)
    axes = list(dict.fromkeys(name for view in views for name in view.cell.coordinates))
    sweep.scores.read()
    scores = {name: f"score_{name}" if name in {*axes, *_OWN} else name for name in sweep.scores.names()}
    rows = []
    for view in views:
        coordinates = {f"axis_{name}" if name in _OWN else name: view.cell.coordinates.get(name) for name in axes}
        row = {"cell": view.cell.key, **{name: plain_data(value) for name, value in coordinates.items()}}
        row |= _facts(sweep, view)
        said = sweep.scores.of(view.cell.key)
        row |= {column: _said(said.get(name)) for name, column in scores.items()}
        rows.append(row)
    _add_arguments(rows, [plain_data(view.cell.arguments) for view in views])
    return rows


def plain_data(value: Any) -> Any:
    """Return a value as JSON holds it; a path by where it lies, a picture or the like by its kind."""
    if isinstance(value, Mapping):
        return {str(name): plain_data(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_data(inner) for inner in value]
    if isinstance(value, Path):
        return str(value)
    return show(value) if is_object(value) and not isinstance(value, bool) else value


def _facts(sweep: Sweep, view: CellView) -> dict[str, Any]:
    file = next((artifact for artifact in view.artifacts if artifact.digest is not None), None)
    return {
        "state": view.state,
        "endpoint": view.cell.endpoint,
        "record": view.record_id,
        "request_id": view.request_id,
        "cost": view.cost,
        "currency": None if view.cost is None else "USD",
        "total_s": view.total_s,
        "rating": view.rating,
        "from_memo": view.is_from_memo,
        "reason": view.reason or None,
        "file": None if file is None else str(sweep.session.artifacts.path(file.digest or "")),
        "digest": None if file is None else file.digest,
    }


def _said(score: Any) -> Any:
    return None if score is None else score.word or score.value


def _add_arguments(rows: list[dict[str, Any]], arguments: list[dict[str, Any]]) -> None:
    for name in dict.fromkeys(name for each in arguments for name in each):
        values = [each.get(name) for each in arguments]
        column = name
        if rows and name in rows[0]:
            if _same(values, (row[name] for row in rows)):
                continue
            column = f"arg_{name}"
        for row, value in zip(rows, values, strict=True):
            row[column] = value


def _same(values: Iterable[Any], others: Iterable[Any]) -> bool:
    return all(canonical(one) == canonical(other) for one, other in zip(values, others, strict=True))
