"""A plan from Python's own values: what is a list there is a list, what is an axis is said to be one."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fal_nb.errors import GrammarError
from fal_nb.schemas.types import Missing
from fal_nb.sweeps.inputs import Inputs, Surroundings
from fal_nb.sweeps.plan import ENDPOINT, SweepPlan
from fal_nb.sweeps.rows import read_rows
from fal_nb.sweeps.settling import Wanted, endpoint_id, settle
from fal_nb.sweeps.spans import draw_seeds, read_random, read_range
from fal_nb.sweeps.texts import bind, read_replacement
from fal_nb.sweeps.values import as_plain_data, canonical, double_braces
from fal_nb.sweeps.written import Plain
from fal_nb.templates.mistakes import shorten

__all__ = ["plan_from_python", "refine", "span_of", "typed_row"]


def plan_from_python(
    endpoint: str | Sequence[str],
    arguments: Mapping[str, Any],
    axes: Mapping[str, Any],
    zips: Sequence[str] | Sequence[Sequence[str]],
    rows: Any,
    skip: str | Sequence[str],
    surroundings: Surroundings,
) -> SweepPlan:
    """Return the plan, as `SweepPlan.of` describes it."""
    found = read_rows(rows) if rows is not None else []
    endpoints = [endpoint] if isinstance(endpoint, str) else list(endpoint)
    called = [endpoint_id(one) for one in [*endpoints, *(row[ENDPOINT] for row in found if ENDPOINT in row)]]
    inputs = Inputs.of(list(dict.fromkeys(called)), surroundings.schemas)
    wanted = Wanted(skip=[skip] if isinstance(skip, str) else list(skip), zips=_groups(zips))
    if isinstance(endpoint, str):
        wanted.fixed[ENDPOINT] = endpoint
    elif endpoints:
        wanted.axes[ENDPOINT] = list(endpoints)
    own = {ENDPOINT, *arguments, *axes, *(name for row in found for name in row)}
    bound = _Bound(inputs, own, surroundings.notebook)
    for name, value in arguments.items():
        wanted.fixed[name] = bound.value(name, value)
    for name, values in axes.items():
        wanted.axes[name] = [
            bound.value(name, value) for value in axis_values(name, values, inputs, surroundings.source)
        ]
    wanted.rows = [{name: bound.value(name, value) for name, value in typed_row(row, inputs).items()} for row in found]
    return settle(wanted, inputs)


def refine(
    plan: SweepPlan,
    axes: Mapping[str, Any],
    surroundings: Surroundings,
) -> SweepPlan:
    """Return a plan with more values, as `SweepPlan.refined` describes it."""
    added = [endpoint_id(one) for one in _listed(ENDPOINT, axes.get(ENDPOINT, ()))]
    inputs = Inputs.of(list(dict.fromkeys((*plan.endpoints, *added))), surroundings.schemas)
    wanted = Wanted(
        dict(plan.fixed),
        {axis.name: list(axis.values) for axis in plan.axes},
        list(plan.zips),
        [dict(row) for row in plan.rows],
        list(plan.skip),
    )
    bound = _Bound(inputs, {*plan.names, *axes}, surroundings.notebook)
    for name, values in axes.items():
        if name in plan.columns:
            raise GrammarError(f"{shorten(name)} is a column of the rows: add rows instead.")
        new = [bound.value(name, value) for value in axis_values(name, values, inputs, surroundings.source)]
        known = {canonical(value) for value in wanted.axes.get(name, ())}
        if name in wanted.axes:
            wanted.axes[name] += [value for value in new if canonical(value) not in known]
        else:
            wanted.axes[name] = [wanted.fixed.pop(name) if name in wanted.fixed else _absent(name, inputs), *new]
    return settle(wanted, inputs)


def axis_values(name: str, values: Any, inputs: Inputs, source: random.Random | None) -> list[Any]:
    """Return the values of an axis as they were given, ranges and random ones worked out."""
    if isinstance(values, str):
        span = span_of(name, values, inputs, source)
        if span is None:
            raise GrammarError(
                f"{shorten(name)}: an axis takes a list of values, a range such as '1..4', or 'random 8', "
                f"not {shorten(values)!r}."
            )
        return span
    return _listed(name, values)


def span_of(name: str, text: str, inputs: Inputs, source: random.Random | None) -> list[Any] | None:
    """Return the values that a range, or ``random 8``, stands for; None where `text` is neither."""
    numbers = read_range(text)
    if numbers is not None:
        return list(numbers)
    count = read_random(text)
    if count is None:
        return None
    # Seeds that the kernel's own random.seed() would repeat are no new draw.
    return list(draw_seeds(count, inputs.type_of(name), source or random.SystemRandom()))


def typed_row(row: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    """Return a row with the cells of a file as what they are for the inputs they are for."""
    return {name: inputs.plain(name, value.text) if isinstance(value, Plain) else value for name, value in row.items()}


class _Bound:
    """Values of Python as a plan holds them."""

    def __init__(self, inputs: Inputs, own: set[str], notebook: Mapping[str, Any]) -> None:
        self._inputs = inputs
        self._own = own
        self._notebook = notebook

    def value(self, name: str, value: Any) -> Any:
        """Return a value with the notebook's variables in its texts, and a path as the text that stands for it."""
        if isinstance(value, Path) and self._inputs.takes_file(name):
            return f"@{double_braces(str(value))}"
        plain = as_plain_data(bind(as_plain_data(value, name), self._own - {name}, self._notebook, name), name)
        if read_replacement(name) is not None and isinstance(plain, (int, float)) and not isinstance(plain, bool):
            return str(plain)
        return plain


def _groups(zips: Sequence[str] | Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    if not zips:
        return []
    if all(isinstance(one, str) for one in zips):
        return [tuple(str(one) for one in zips)]
    if any(isinstance(one, str) for one in zips):
        raise GrammarError("zip: takes names of axes, or lists of them, not both.")
    return [tuple(str(name) for name in group) for group in zips]


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, str):
        return [values]
    if isinstance(values, Mapping) or not isinstance(values, Iterable):
        raise GrammarError(f"{shorten(name)}: an axis takes a list of values, not a {type(values).__name__}.")
    return list(values)


def _absent(name: str, inputs: Inputs) -> Any:
    """Return what a cell has under a name that it was not given: the endpoint's default, else null, which is none."""
    for schema in inputs.schemas:
        if name in schema and not isinstance(schema[name].default, Missing):
            return schema[name].default
    return None
