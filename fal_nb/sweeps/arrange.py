"""Where the cells of a sweep stand on a board: dimensions on rows, columns, super-rows, super-columns, the rest picked.

Combinations are worked out once (`CellTable`); another arrangement only reads the table in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal, TypeAlias

from fal_nb.errors import GrammarError
from fal_nb.schemas.nearest import nearest
from fal_nb.sweeps.cells import Cells
from fal_nb.sweeps.plan import Dimension
from fal_nb.sweeps.values import show
from fal_nb.templates.mistakes import shorten

__all__ = ["Arrangement", "Board", "CellTable", "Place", "Role", "default_arrangement"]

Role: TypeAlias = Literal["rows", "columns", "super_rows", "super_columns"]
_ROLES: tuple[Role, ...] = ("rows", "columns", "super_rows", "super_columns")
_MOST_ON_ONE_ROW = 8


@dataclass(frozen=True)
class Arrangement:
    """Which dimension stands where.

    Attributes
    ----------
    rows, columns, super_rows, super_columns
        Names of dimensions, or None. Super-rows are blocks of rows, super-columns blocks of columns.
    pickers
        The others: of each one point is shown at a time.
    """

    rows: str | None = None
    columns: str | None = None
    super_rows: str | None = None
    super_columns: str | None = None
    pickers: tuple[str, ...] = ()

    def swapped(self, one: str, other: str) -> Arrangement:
        """Return the arrangement with two dimensions in each other's place."""
        change: dict[str | None, str] = {one: other, other: one}
        places: dict[str, Any] = {role: change.get(getattr(self, role), getattr(self, role)) for role in _ROLES}
        return replace(self, **places, pickers=tuple(change.get(name, name) for name in self.pickers))

    def moved(self, name: str, role: Role) -> Arrangement:
        """Return the arrangement with a dimension in a role; what stood there takes the place it had."""
        there = getattr(self, role)
        if there == name:
            return self
        if there is not None:
            return self.swapped(name, there)
        places: dict[str, Any] = {other: None for other in _ROLES if getattr(self, other) == name}
        pickers = tuple(one for one in self.pickers if one != name)
        return replace(self, **{**places, role: name}, pickers=pickers)


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a board.

    Attributes
    ----------
    key
        The cell that stands there, or None.
    reason
        Why there is none; empty where there is one.
    """

    key: str | None
    reason: str = ""


class CellTable:
    """Every combination of a plan with its cell's key, or the rule that leaves it out."""

    def __init__(self, cells: Cells) -> None:
        self.dimensions: tuple[Dimension, ...] = cells.dimensions
        self._keys: list[str | None] = []
        self._rules: dict[int, str] = {}
        for step in cells.walk():
            self._keys.append(step.key)
            if step.rule is not None:
                self._rules[step.index] = step.rule

    def __len__(self) -> int:
        return len(self._keys)

    def at(self, index: int) -> Place:
        """Return what stands at a combination, counted as the plan does."""
        key = self._keys[index]
        return Place(key) if key is not None else Place(None, f"skipped: {self._rules[index]}")


def default_arrangement(dimensions: Sequence[Dimension]) -> Arrangement:
    """Return the arrangement a board begins with: the longest goes down the rows, the next along the columns.

    A page scrolls down more easily than to the side. One dimension of up to 8 points is one row.
    """
    names = [one.name for one in sorted(dimensions, key=lambda one: -len(one)) if len(one) > 1]
    single = tuple(one.name for one in dimensions if len(one) <= 1)
    if len(names) == 1 and max(len(one) for one in dimensions) <= _MOST_ON_ONE_ROW:
        return Arrangement(columns=names[0], pickers=single)
    roles: dict[str, Any] = dict(zip(_ROLES, names, strict=False))
    order = {one.name: at for at, one in enumerate(dimensions)}
    return Arrangement(**roles, pickers=tuple(sorted((*names[4:], *single), key=order.__getitem__)))


class Board:
    """The places of one arrangement, with one point of each picker chosen.

    Attributes
    ----------
    picked
        Name of each picker → which of its points is shown, from 0.
    """

    def __init__(self, table: CellTable, arrangement: Arrangement, picked: Mapping[str, int] | None = None) -> None:
        self.arrangement = arrangement
        self._table = table
        self._dimensions = {one.name: one for one in table.dimensions}
        self._check_names()
        self.picked = {name: self._picked(name, picked or {}) for name in arrangement.pickers}
        strides: dict[str, int] = {}
        stride = 1
        for one in reversed(table.dimensions):
            strides[one.name] = stride
            stride *= len(one)
        self._strides = strides
        self._base = sum(strides[name] * at for name, at in self.picked.items())

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(super-rows, super-columns, rows, columns); 1 where nothing stands in a role."""
        return (self._size("super_rows"), self._size("super_columns"), self._size("rows"), self._size("columns"))

    @property
    def row_count(self) -> int:
        """Rows of all super-rows together."""
        return self._size("super_rows") * self._size("rows")

    @property
    def column_count(self) -> int:
        """Columns of all super-columns together."""
        return self._size("super_columns") * self._size("columns")

    def labels(self, role: Role) -> list[str]:
        """Return the label of each point of a role, in order; one empty label where nothing stands there."""
        name = getattr(self.arrangement, role)
        return [""] if name is None else labels_of(self._dimensions[name])

    def at(self, row: int, column: int, super_row: int = 0, super_column: int = 0) -> Place:
        """Return what stands at a place, each counted from 0.

        Raises
        ------
        IndexError
            Outside the board.
        """
        index = self._base
        for role, at in zip(_ROLES, (row, column, super_row, super_column), strict=True):
            if not 0 <= at < self._size(role):
                raise IndexError(f"{role} has no {at}")
            name = getattr(self.arrangement, role)
            index += 0 if name is None else self._strides[name] * at
        return self._table.at(index)

    def line(self, row: int) -> list[Place]:
        """Return the places of one row from left to right; rows are counted through all super-rows."""
        super_row, inner = divmod(row, self._size("rows"))
        columns = product(range(self._size("super_columns")), range(self._size("columns")))
        return [self.at(inner, column, super_row, super_column) for super_column, column in columns]

    def __iter__(self) -> Iterator[list[Place]]:
        """Yield the places row by row."""
        return (self.line(row) for row in range(self.row_count))

    def _size(self, role: Role) -> int:
        name = getattr(self.arrangement, role)
        return 1 if name is None else len(self._dimensions[name])

    def _check_names(self) -> None:
        given = [name for role in _ROLES if (name := getattr(self.arrangement, role)) is not None]
        given += self.arrangement.pickers
        for name in given:
            if name not in self._dimensions:
                like = nearest(name, self._dimensions)
                hint = f"did you mean {like}?" if like else f"it has {', '.join(self._dimensions) or 'none'}."
                raise GrammarError(f"The sweep has no axis {shorten(name)}; {hint}")
            if given.count(name) > 1:
                raise GrammarError(f"{shorten(name)} can stand in one place of a board only.")
        absent = [name for name in self._dimensions if name not in given]
        if absent:
            raise GrammarError(f"The board has no place for {', '.join(absent)}: make it a picker.")

    def _picked(self, name: str, picked: Mapping[str, int]) -> int:
        at = picked.get(name, 0)
        count = len(self._dimensions[name])
        if not 0 <= at < count:
            raise GrammarError(f"{shorten(name)} has no value number {at}: it has {count}, counted from 0.")
        return at


def labels_of(dimension: Dimension) -> list[str]:
    """Return a label for each point; of several names the values alone, of a row its names as well."""
    return [_label(dimension, point) for point in dimension.points]


def _label(dimension: Dimension, point: Mapping[str, Any]) -> str:
    if len(dimension.names) == 1:
        return show(point.get(dimension.names[0], ""))
    return shorten(", ".join(show(point[name], 24) for name in dimension.names if name in point), 60)
