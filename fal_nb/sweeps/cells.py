"""A plan's combinations, worked out one by one: what each would send, under which key, or why it is left out.

A cell's key comes from the call it is, not from its place: endpoint and arguments, what is at the endpoint's default
left out, and the labels that stand in no call. So a value or an axis that is added, a text that becomes a template, an
argument that becomes an axis leave the keys of the cells that were there as they are; and two combinations that come
to the same call are one cell, paid once.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fal_nb.errors import GrammarError
from fal_nb.schemas.scalars import Problem
from fal_nb.sweeps.fitting import ABSENT, Fitted, Fitter
from fal_nb.sweeps.inputs import Schemas
from fal_nb.sweeps.plan import ENDPOINT, Dimension, SweepPlan
from fal_nb.sweeps.rules import MISSING_VALUE, read_rule
from fal_nb.sweeps.texts import Replacement, names_in, read_replacement, render, unescape
from fal_nb.sweeps.values import canonical
from fal_nb.templates.mistakes import shorten

__all__ = ["Cell", "Cells", "Step"]


@dataclass(frozen=True)
class Cell:
    """One call of a sweep.

    Attributes
    ----------
    index
        Which combination of the plan it is, from 0, the last dimension fastest.
    key
        16 characters, the same for the same call in any plan.
    coordinates
        Name → value of what varies; a text with names in braces as it is written.
    arguments
        As the endpoint wants them. A path stands for a local file.
    problems
        What the endpoint would refuse; empty where all is well.
    dropped
        Names the plan gives and the endpoint does not have.
    """

    index: int
    key: str
    coordinates: Mapping[str, Any]
    endpoint: str
    arguments: dict[str, Any]
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    dropped: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One combination.

    Attributes
    ----------
    cell
        None where it is left out, or the call is that of an earlier one.
    key
        None where it is left out.
    rule
        The rule that leaves it out, or None.
    """

    index: int
    key: str | None
    cell: Cell | None
    rule: str | None = None


@dataclass(frozen=True)
class _Argument:
    """An argument at the top of a call: the plan's names it is made of, and the dimensions it depends on."""

    name: str
    parts: tuple[tuple[tuple[str, ...], str], ...]
    dimensions: tuple[int, ...]
    replacements: tuple[tuple[str, Replacement], ...]


class Cells:
    """The cells of a plan; iterating works them out anew, one at a time."""

    def __init__(self, plan: SweepPlan, schemas: Schemas | None = None) -> None:
        self.plan = plan
        self.dimensions: tuple[Dimension, ...] = plan.dimensions
        self._fitter = Fitter(schemas or {})
        self._homes = {name: at for at, dimension in enumerate(self.dimensions) for name in dimension.names}
        self._uses = _uses(plan)
        self._arguments = self._read_arguments()
        used = {name for names in self._uses.values() for name in names}
        self._labels = [name for name in plan.columns if name in plan.variables and name not in used]
        self._rules = [read_rule(text, plan.names) for text in plan.skip]
        self._shown = [[_shown(point) for point in dimension.points] for dimension in self.dimensions]

    def __iter__(self) -> Iterator[Cell]:
        """Yield each call once, in the order of the plan."""
        return (step.cell for step in self.walk() if step.cell is not None)

    def walk(self) -> Iterator[Step]:
        """Yield every combination, also those that a rule leaves out and those that repeat a call.

        Raises
        ------
        GrammarError
            Where a text cannot be worked out: its row lacks a name, a value lacks a key.
        """
        seen: set[str] = set()
        working = _Working(self.plan, self._homes, self._arguments, self._fitter)
        for index, place in enumerate(itertools.product(*(range(len(one)) for one in self.dimensions))):
            value_of = working.values(place)
            rule = next((rule for rule in self._rules if rule.holds(value_of.or_missing)), None)
            if rule is not None:
                yield Step(index, None, None, rule.text)
                continue
            cell = self._cell(index, place, value_of, working)
            yield Step(index, cell.key, None if cell.key in seen else cell)
            seen.add(cell.key)

    def _cell(self, index: int, place: tuple[int, ...], value_of: _Values, working: _Working) -> Cell:
        endpoint = value_of(ENDPOINT)
        arguments: dict[str, Any] = {}
        identities = []
        problems: list[Problem] = []
        dropped: list[str] = []
        for argument in self._arguments:
            fitted = working.fitted(argument, endpoint, place, value_of)
            problems += fitted.problems
            if fitted.is_dropped:
                dropped.append(argument.name)
            if fitted.value is not ABSENT:
                arguments[argument.name] = fitted.value
            if fitted.identity:
                identities.append(fitted.identity)
        problems += working.missing(endpoint)
        labels = [f"label {name}:{canonical(value_of.or_none(name))}" for name in self._labels]
        coordinates: dict[str, Any] = {}
        for shown, at in zip(self._shown, place, strict=True):
            coordinates.update(shown[at])
        key = _key(endpoint, sorted(identities) + labels)
        return Cell(index, key, coordinates, endpoint, arguments, tuple(problems), tuple(dropped))

    def _read_arguments(self) -> list[_Argument]:
        groups: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in self.plan.names:
            if name != ENDPOINT and name not in self.plan.variables and read_replacement(name) is None:
                top, *inner = name.split(".")
                groups.setdefault(top, []).append((tuple(inner), name))
        replacing = [(name, found) for name in self.plan.names if (found := read_replacement(name)) is not None]
        arguments = []
        for top, parts in groups.items():
            replacements = [(name, found) for name, found in replacing if found.input == top]
            names = [*(name for _, name in parts), *(name for name, _ in replacements)]
            homes = {home for name in names for home in self._depends_on(name)}
            arguments.append(_Argument(top, tuple(parts), tuple(sorted(homes)), tuple(replacements)))
        return arguments

    def _depends_on(self, name: str) -> set[int]:
        found = {self._homes[name]} if name in self._homes else set()
        for inner in self._uses.get(name, ()):
            found |= self._depends_on(inner)
        return found


class _Values:
    """What the plan's names are in one combination, texts worked out, each at most once."""

    def __init__(self, raw: Callable[[str], Any]) -> None:
        self._raw = raw
        self._known: dict[str, Any] = {}

    def __call__(self, name: str) -> Any:
        value = self.or_absent(name)
        if value is ABSENT:
            raise GrammarError(f"rows: a row has no {shorten(name)}, which a text uses.")
        return value

    def or_absent(self, name: str) -> Any:
        if name not in self._known:
            raw = self._raw(name)
            self._known[name] = raw if raw is ABSENT else render(raw, self)
        return self._known[name]

    def or_none(self, name: str) -> Any:
        value = self.or_absent(name)
        return None if value is ABSENT else value

    def or_missing(self, name: str) -> Any:
        value = self.or_absent(name)
        return MISSING_VALUE if value is ABSENT else value


class _Working:
    """What was worked out for one walk, so that no value is checked twice."""

    def __init__(
        self, plan: SweepPlan, homes: Mapping[str, int], arguments: Sequence[_Argument], fitter: Fitter
    ) -> None:
        self._fixed = plan.fixed
        self._dimensions = plan.dimensions
        self._total = plan.combinations
        self._homes = homes
        self._fitter = fitter
        self._given = {argument.name: argument for argument in arguments}
        self._fitted: dict[tuple[str, str, tuple[int, ...]], Fitted] = {}
        self._missing: dict[str, tuple[Problem, ...]] = {}

    def values(self, place: tuple[int, ...]) -> _Values:
        """Return what names are at a place, an index for each dimension."""
        fixed = self._fixed
        dimensions = self._dimensions
        homes = self._homes

        def raw(name: str) -> Any:
            if name in fixed:
                return fixed[name]
            home = homes[name]
            return dimensions[home].points[place[home]].get(name, ABSENT)

        return _Values(raw)

    def fitted(self, argument: _Argument, endpoint: str, place: tuple[int, ...], value_of: _Values) -> Fitted:
        """Return an argument at a place; kept where it comes back at other places."""
        where = (endpoint, argument.name, tuple(place[at] for at in argument.dimensions))
        known = self._fitted.get(where)
        if known is not None:
            return known
        fitted = self._fitter.fit(endpoint, argument.name, _assembled(argument, value_of))
        different = math.prod(len(self._dimensions[at]) for at in argument.dimensions)
        # What hardly ever comes back, such as a prompt that every axis changes, is not worth its memory.
        if different * 2 <= self._total:
            self._fitted[where] = fitted
        return fitted

    def missing(self, endpoint: str) -> tuple[Problem, ...]:
        """Return the problems of inputs that the whole plan leaves out."""
        if endpoint not in self._missing:
            self._missing[endpoint] = self._fitter.missing(endpoint, self._given)
        return self._missing[endpoint]


def _assembled(argument: _Argument, value_of: _Values) -> Any:
    """Return an argument's value, put together from dotted names where it is given by parts."""
    if argument.parts[0][0] == ():
        value = value_of.or_absent(argument.parts[0][1])
        for name, replacement in argument.replacements:
            if isinstance(value, str):
                value = replacement.apply(value, str(value_of(name)))
        return value
    whole: dict[str, Any] = {}
    for path, name in argument.parts:
        inner = value_of.or_absent(name)
        if inner is not ABSENT:
            _put(whole, path, inner)
    return whole or ABSENT


def _put(whole: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        whole = whole.setdefault(part, {})
    whole[path[-1]] = value


def _uses(plan: SweepPlan) -> dict[str, set[str]]:
    """Return each name with the names that its texts use."""
    uses: dict[str, set[str]] = {name: set(names_in(value)) for name, value in plan.fixed.items()}
    for axis in plan.axes:
        uses[axis.name] = set(names_in(list(axis.values)))
    for row in plan.rows:
        for name, value in row.items():
            uses.setdefault(name, set()).update(names_in(value))
    return uses


def _shown(point: Mapping[str, Any]) -> dict[str, Any]:
    return {name: unescape(value) for name, value in point.items()}


def _key(endpoint: str, parts: Sequence[str]) -> str:
    # 64 bits of a digest: two of 100,000 cells share a key once in a few billion sweeps.
    return hashlib.blake2b("\n".join((endpoint, *parts)).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
