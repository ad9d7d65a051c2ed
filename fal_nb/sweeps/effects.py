"""Marginal effects: what a number comes to at each value of each axis, whatever the other axes are, and its drawing."""

from __future__ import annotations

import io
import math
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from fal_nb.errors import JobError
from fal_nb.plain import one_line
from fal_nb.schemas.nearest import nearest
from fal_nb.sweeps.scores import DUPLICATE, varying
from fal_nb.sweeps.values import canonical, show

if TYPE_CHECKING:
    from fal_nb.sweeps.sweep import Sweep

__all__ = ["Effects", "effects_of"]

_LABEL_CHARS = 36
_MOST_ROWS = 40
"""As many values of an axis are drawn."""
_INK = "#7a7a7a"
_DOT = "#7c6cf0"
"""Both between white and black paper: over 4 : 1 on either."""
_ROW_INCHES, _HEAD_INCHES, _WIDTH_INCHES = 0.28, 0.62, 6.4


class Effects(pd.DataFrame):
    """A row for each value of each axis: ``axis``, ``value``, ``mean``, ``std`` (of the sample, NaN of one), ``n``.

    Attributes
    ----------
    of, others
        The name of the number, which also stands over the index; what else there is to be asked for.
    """

    _metadata: ClassVar[list[str]] = ["of", "others"]
    of: str
    others: tuple[str, ...]

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        # A part of it is a plain frame, whose `plot` is that of pandas.
        return pd.DataFrame

    def plot(self) -> Any:  # type: ignore[override]
        """Return a figure of matplotlib: a panel an axis, a dot for the mean of each value, a bar for one deviation.

        Raises
        ------
        JobError
            Where matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure  # noqa: PLC0415 - no dependency of ours
        except ImportError as error:
            raise JobError(
                "The plot needs matplotlib: pip install matplotlib. The table has the same numbers."
            ) from error

        class EffectsFigure(Figure):
            """Shows itself in a notebook, whether or not pyplot is set up there."""

            def _repr_png_(self) -> bytes:
                buffer = io.BytesIO()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # letters that the font lacks are drawn as boxes
                    self.savefig(buffer, format="png", dpi=110, transparent=True)
                return buffer.getvalue()

        names = list(dict.fromkeys(self["axis"]))
        parts = [self[self["axis"] == name].head(_MOST_ROWS) for name in names]
        heights = [len(part) * _ROW_INCHES + _HEAD_INCHES for part in parts]
        figure = EffectsFigure(figsize=(_WIDTH_INCHES, sum(heights) + 0.3), layout="constrained")
        figure.patch.set_alpha(0)
        panels = figure.subplots(len(parts), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for panel, name, part in zip(panels, names, parts, strict=True):
            _draw(panel, name, part)
        panels[-1].set_xlabel(f"{self.of}, mean ± standard deviation", color=_INK, fontsize=9, parse_math=False)
        return figure


def _draw(panel: Any, name: str, part: pd.DataFrame) -> None:
    rows = np.arange(len(part))
    spread = part["std"].fillna(0.0).to_numpy()
    panel.errorbar(part["mean"], rows, xerr=spread, fmt="o", color=_DOT, markersize=5, elinewidth=1.2, capsize=2.5)
    # No text of a prompt is taken for a formula.
    labels = [one_line(show(value, _LABEL_CHARS), _LABEL_CHARS) for value in part["value"]]
    panel.set_yticks(rows, labels, parse_math=False)
    panel.set_ylim(len(part) - 0.4, -0.6)
    panel.set_title(one_line(name, 60), loc="left", color=_INK, fontsize=10, fontweight="bold", parse_math=False)
    panel.tick_params(colors=_INK, labelsize=9, length=0)
    panel.grid(axis="x", color=_INK, alpha=0.25, linewidth=0.6)
    panel.set_facecolor("none")
    for side in panel.spines.values():
        side.set_visible(False)


def effects_of(sweep: Sweep, frame: pd.DataFrame, values: str) -> Effects:
    """Return the effects of a sweep's axes on a column of its frame.

    Raises
    ------
    JobError
        Where there is no such column of numbers, or nothing varies.
    """
    choices = _choices(sweep, frame)
    column = _numbers(choices, frame, values)
    cells = [view.cell for view in sweep]
    rows: list[dict[str, Any]] = []
    for name in varying(sweep):
        groups: dict[str, list[int]] = {}
        for at, cell in enumerate(cells):
            if name in cell.coordinates:
                groups.setdefault(canonical(cell.coordinates[name]), []).append(at)
        if len(groups) > 1:
            rows += [_row(name, cells[places[0]].coordinates[name], column.iloc[places]) for places in groups.values()]
    if not rows:
        raise JobError("No axis of the sweep has more than one value, so that nothing has an effect.")
    found = Effects(rows, columns=["axis", "value", "mean", "std", "n"])
    found.of = one_line(values, 60)
    found.others = tuple(name for name in choices if name != values)
    found.columns.name = found.of
    return found


def _choices(sweep: Sweep, frame: pd.DataFrame) -> list[str]:
    """Return the names of the sweep's numbers."""
    names = [*(name for name in ("cost", "total_s", "rating") if name in frame), *sweep.scores.names()]
    return [name for name in names if name in frame and name != DUPLICATE]


def _numbers(choices: list[str], frame: pd.DataFrame, values: str) -> pd.Series[Any]:
    if values not in choices:
        close = nearest(values, choices)
        meant = f"Did you mean {close!r}?" if close else f"There are: {', '.join(choices)}."
        raise JobError(f"The sweep has no number {one_line(values, 60)!r}. {meant} `sweep.score` makes more.")
    return pd.to_numeric(frame[values], errors="coerce").astype("float64")


def _row(name: str, value: Any, numbers: pd.Series[Any]) -> dict[str, Any]:
    known = numbers.replace([math.inf, -math.inf], math.nan).dropna()
    plain = value if isinstance(value, (bool, int, float)) else one_line(show(value, 200), 200)
    # Equal numbers have no spread, whatever is left over of adding them up.
    std = 0.0 if len(known) > 1 and known.min() == known.max() else known.std()
    return {"axis": name, "value": plain, "mean": known.mean(), "std": std, "n": len(known)}
