"""``SweepPlan``: what a sweep is to try, as data: fixed arguments, axes, rows, rules. It sends nothing.

Texts in it are templates: ``{name}`` is an axis, a row's column or an argument of the plan; a brace itself is doubled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fal_nb.sweeps.inputs import Surroundings
from fal_nb.sweeps.texts import unescape

__all__ = ["ENDPOINT", "MOST_CELLS", "ROWS", "Axis", "Dimension", "SweepPlan"]

MOST_CELLS = 100_000
ENDPOINT = "endpoint"
ROWS = "rows"


@dataclass(frozen=True)
class Axis:
    """A name with the values it takes, each once, in their order."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Dimension:
    """What varies on its own: one axis, some zipped ones, or the rows.

    Attributes
    ----------
    name
        The axis's; of zipped ones ``animal + style``; ``rows``.
    points
        Each with the names it sets; a row leaves out what it does not have.
    """

    name: str
    names: tuple[str, ...]
    points: tuple[Mapping[str, Any], ...]

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep is to try.

    Attributes
    ----------
    fixed
        Name → value that all cells share, ``endpoint`` among them where it is no axis.
    axes
        In the order they vary, the last one fastest.
    zips
        Names of axes that go in step.
    rows
        Combinations given one by one; crossed with the axes.
    skip
        Rules as texts; cells where one holds are left out.
    variables
        Names that are never sent: they are there for texts and, in rows, as labels.
    notes
        What was put right or left out, one line each; no part of what the plan is.
    """

    fixed: Mapping[str, Any]
    axes: tuple[Axis, ...] = ()
    zips: tuple[tuple[str, ...], ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    skip: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()
    notes: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(
        cls,
        endpoint: str | Sequence[str],
        arguments: Mapping[str, Any] | None = None,
        *,
        axes: Mapping[str, Any] | None = None,
        zip: Sequence[str] | Sequence[Sequence[str]] | None = None,  # noqa: A002 - the word of the text as well
        rows: Any = None,
        skip: str | Sequence[str] | None = None,
        surroundings: Surroundings | None = None,
    ) -> SweepPlan:
        """Return the plan of a sweep from Python.

        Parameters
        ----------
        arguments
            Each one value for all cells, also where it is a list.
        axes
            Name → its values, or a text such as ``"1..4"`` or ``"random 8"``; ``"replace red"`` → what stands for it.
        zip
            Names of axes that go in step, or several such groups.
        rows
            A list of dicts, a DataFrame, or the path of a CSV file, which is read.
        skip
            A rule, or several.
        surroundings
            Schemas of the endpoints, variables of the notebook.

        Raises
        ------
        EndpointError
            Where an endpoint is none.
        GrammarError
            Where the plan makes no sense, in one line.
        FileError
            Where the CSV file cannot be read.
        """
        from fal_nb.sweeps.from_python import plan_from_python  # noqa: PLC0415 - it builds what this module defines

        return plan_from_python(
            endpoint, arguments or {}, axes or {}, zip or (), rows, skip or (), surroundings or Surroundings()
        )

    @property
    def endpoints(self) -> tuple[str, ...]:
        """All endpoints it calls, each once."""
        found = [self.fixed[ENDPOINT]] if ENDPOINT in self.fixed else []
        found += [endpoint for axis in self.axes if axis.name == ENDPOINT for endpoint in axis.values]
        found += [row[ENDPOINT] for row in self.rows if ENDPOINT in row]
        return tuple(dict.fromkeys(found))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the rows' values, each once."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row))

    @property
    def names(self) -> tuple[str, ...]:
        """All names: fixed ones, columns of rows, axes."""
        return (*self.fixed, *self.columns, *(axis.name for axis in self.axes))

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """What varies on its own, in order: rows first, zipped axes where the first of them stands."""
        found = [Dimension(ROWS, self.columns, self.rows)] if self.rows else []
        values = {axis.name: axis.values for axis in self.axes}
        groups = {name: group for group in self.zips for name in group}
        done: set[str] = set()
        for axis in self.axes:
            if axis.name not in done:
                group = groups.get(axis.name, (axis.name,))
                done.update(group)
                found.append(_dimension(group, [values[name] for name in group]))
        return tuple(found)

    @property
    def combinations(self) -> int:
        """How many there are before rules."""
        return math.prod(len(dimension) for dimension in self.dimensions)

    def values_of(self, name: str) -> tuple[Any, ...]:
        """Return all values that a name takes, as people read them; of an axis in order, else each once."""
        if name in self.fixed:
            return (unescape(self.fixed[name]),)
        axis = next((axis for axis in self.axes if axis.name == name), None)
        values: Iterable[Any] = axis.values if axis else (row[name] for row in self.rows if name in row)
        return tuple(unescape(value) for value in values)

    def text(self) -> str:
        """Return the plan as a text that reads back as an equal plan, drawn values and notebook variables included.

        Raises
        ------
        GrammarError
            Where it holds an object of Python that no text stands for.
        """
        from fal_nb.sweeps.plan_writing import write_plan  # noqa: PLC0415 - it writes what this module defines

        return write_plan(self)

    def refined(self, axes: Mapping[str, Any], surroundings: Surroundings | None = None) -> SweepPlan:
        """Return a plan with more values; the cells of this one are among its cells, under the same keys.

        Parameters
        ----------
        axes
            Name → values to add. An argument fixed so far becomes an axis that begins with its value; one that was
            not given becomes one that begins with the endpoint's default, so that what was made before stays in it.

        Raises
        ------
        GrammarError
            As `of`.
        """
        from fal_nb.sweeps.from_python import refine  # noqa: PLC0415 - it builds what this module defines

        return refine(self, axes, surroundings or Surroundings())

    def __str__(self) -> str:
        parts = [f"{dimension.name} {len(dimension)}" for dimension in self.dimensions]
        return f"{', '.join(self.endpoints)}: {' × '.join(parts) or 'one call'} = {self.combinations:,} combinations"


def _dimension(group: tuple[str, ...], values: Sequence[Sequence[Any]]) -> Dimension:
    points = tuple(dict(zip(group, point, strict=True)) for point in zip(*values, strict=True))
    return Dimension(" + ".join(group), group, points)
