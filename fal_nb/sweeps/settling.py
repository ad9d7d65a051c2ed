"""What was asked for → a `SweepPlan` that makes sense: every check that needs no cell is made here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fal_nb.errors import GrammarError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.schemas.nearest import nearest
from fal_nb.sweeps.inputs import Inputs
from fal_nb.sweeps.mistakes import Mistakes
from fal_nb.sweeps.plan import ENDPOINT, MOST_CELLS, ROWS, Axis, SweepPlan
from fal_nb.sweeps.rules import never_true, read_rule
from fal_nb.sweeps.texts import names_in, read_replacement
from fal_nb.sweeps.values import canonical, nesting, show
from fal_nb.templates.mistakes import shorten

__all__ = ["Wanted", "endpoint_id", "settle"]

_USUAL_INPUTS = frozenset({"seed", "guidance_scale", "num_inference_steps", "strength", "image_size"})
"""Names that an endpoint without a schema most likely takes as well."""


@dataclass
class Wanted:
    """What was asked for, as it was asked.

    Attributes
    ----------
    fixed, axes, rows
        With texts as templates, the notebook's variables already in them.
    hints
        Name → what a value may have been meant to be; told where the name turns out to be no input.
    broken, in_braces
        Names whose value could not be read; names that stand in braces anywhere, in a value that is lost, too.
    """

    fixed: dict[str, Any] = field(default_factory=dict)
    axes: dict[str, list[Any]] = field(default_factory=dict)
    zips: list[tuple[str, ...]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hints: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    in_braces: set[str] = field(default_factory=set)

    @property
    def columns(self) -> list[str]:
        """Names of the rows' values, each once."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    @property
    def names(self) -> list[str]:
        """All names."""
        return list(dict.fromkeys((*self.fixed, *self.columns, *self.axes)))

    def values(self) -> Iterator[tuple[str, Any]]:
        """Yield each name with each value it has."""
        yield from self.fixed.items()
        for name, values in self.axes.items():
            yield from ((name, value) for value in values)
        for row in self.rows:
            yield from row.items()


def endpoint_id(value: Any) -> str:
    """Return an endpoint's id.

    Raises
    ------
    EndpointError
        Where `value` is none.
    """
    return str(EndpointId.parse(value if isinstance(value, str) else show(value)))


def settle(wanted: Wanted, inputs: Inputs, mistakes: Mistakes | None = None) -> SweepPlan:
    """Return the plan.

    Parameters
    ----------
    mistakes
        Those that were found before; all are raised together.

    Raises
    ------
    GrammarError
        A line each: a name twice or unknown, an axis without values, axes of different lengths in a zip, texts that
        use each other in a circle, too many cells, a rule about nothing.
    """
    mistakes = Mistakes() if mistakes is None else mistakes
    with mistakes.gathered():
        _check_once(wanted)
    if wanted.broken or mistakes:
        # What depends on all values would find fault with those that are missing.
        _check_apart(wanted, inputs, mistakes)
    mistakes.raise_all()
    _settle_values(wanted, inputs)
    _merge(wanted)
    with mistakes.gathered():
        _check_zips(wanted)
    _fix_single(wanted)
    used = _used_names(wanted)
    variables = _variables(wanted, inputs, used, mistakes)
    for check in (_check_replacements, _check_count, _check_rules):
        with mistakes.gathered():
            check(wanted)
    if mistakes:
        _check_apart(wanted, inputs, mistakes)
    mistakes.raise_all()
    return SweepPlan(
        wanted.fixed,
        tuple(Axis(name, tuple(values)) for name, values in wanted.axes.items()),
        tuple(wanted.zips),
        tuple(wanted.rows),
        tuple(" ".join(rule.split()) for rule in wanted.skip),
        frozenset(variables),
        tuple(dict.fromkeys(wanted.notes)),
    )


def _check_apart(wanted: Wanted, inputs: Inputs, mistakes: Mistakes) -> None:
    """Take down what can be said of names and values one by one, beside the mistakes that keep the plan from being."""
    used = {inner for _, value in wanted.values() for inner in names_in(value)}
    used |= wanted.in_braces
    # Which name a misspelt one means is said where it stands: that nobody uses that name is no mistake of its own.
    used |= {like for word in used - set(wanted.names) if (like := nearest(word, wanted.names))}
    _variables(wanted, inputs, used, mistakes)
    told: set[str] = set()
    for name, value in wanted.values():
        problems = inputs.problems(name, value) if name != ENDPOINT and name not in told else []
        if problems:
            told.add(name)
            mistakes.add(GrammarError(problems[0]))


def _check_once(wanted: Wanted) -> None:
    groups = (wanted.fixed, wanted.axes, wanted.columns)
    for name in wanted.names:
        if sum(name in group for group in groups) > 1:
            raise GrammarError(f"{shorten(name)} is given twice: as an axis, in rows, or for all cells.")
        outer = name.rpartition(".")[0]
        if outer and any(outer in group for group in groups):
            raise GrammarError(f"{shorten(outer)} and {shorten(name)} are both given: leave one of them out.")
    if ENDPOINT not in wanted.names:
        raise GrammarError("There is no endpoint: write %%fal sweep fal-ai/flux/dev, or endpoint: fal-ai/flux/dev.")
    if any(ENDPOINT not in row for row in wanted.rows) and ENDPOINT in wanted.columns:
        raise GrammarError("rows: some rows have an endpoint and some have none.")


def _settle_values(wanted: Wanted, inputs: Inputs) -> None:
    for row in (wanted.fixed, *wanted.rows):
        for name, value in row.items():
            row[name] = endpoint_id(value) if name == ENDPOINT else inputs.settled(name, value)
    for name, values in wanted.axes.items():
        wanted.axes[name] = [
            endpoint_id(value) if name == ENDPOINT else inputs.settled(name, value) for value in values
        ]


def _merge(wanted: Wanted) -> None:
    """Leave out values that an axis has twice; zipped axes keep theirs, which go in step."""
    zipped = {name for group in wanted.zips for name in group}
    for name, values in wanted.axes.items():
        if not values:
            raise GrammarError(f"{shorten(name)} has no values: an axis needs at least one.")
        if name not in zipped:
            wanted.axes[name] = _distinct(values)
            _note_merged(wanted, f"{name} had {{}} twice", len(values) - len(wanted.axes[name]), "value")
    rows = _distinct(wanted.rows)
    _note_merged(wanted, "rows had {} twice", len(wanted.rows) - len(rows), "row")
    wanted.rows = rows


def _note_merged(wanted: Wanted, words: str, count: int, what: str) -> None:
    if count:
        wanted.notes.append(f"{words.format(f'{count} {what}s' if count > 1 else f'a {what}')}: taken once")


def _distinct(values: Sequence[Any]) -> list[Any]:
    found: dict[str, Any] = {}
    for value in values:
        found.setdefault(canonical(value), value)
    return list(found.values())


def _check_zips(wanted: Wanted) -> None:
    seen: set[str] = set()
    for group in wanted.zips:
        for name in group:
            if name not in wanted.axes:
                like = nearest(name, wanted.axes)
                hint = f"; did you mean {like}?" if like else ": it takes names of axes."
                raise GrammarError(f"zip: {shorten(name)} is no axis{hint}")
            if name in seen:
                raise GrammarError(f"zip: {shorten(name)} is named twice.")
            seen.add(name)
        lengths = {name: len(wanted.axes[name]) for name in group}
        if len(lengths) < 2:
            raise GrammarError("zip: takes at least two axes that go in step.")
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{name} has {count}" for name, count in lengths.items())
            raise GrammarError(f"zip: axes that go in step have to be equally long; {shown}.")


def _fix_single(wanted: Wanted) -> None:
    """Make an axis of one value what all cells share; only an axis of several is one."""
    zipped = {name for group in wanted.zips for name in group}
    for name in [name for name, values in wanted.axes.items() if len(values) == 1 and name not in zipped]:
        if read_replacement(name) is None:
            wanted.fixed[name] = wanted.axes.pop(name)[0]


def _used_names(wanted: Wanted) -> set[str]:
    """Return the names that texts use, having looked for circles."""
    uses: dict[str, set[str]] = {name: set() for name in wanted.names}
    for name, value in wanted.values():
        uses[name].update(names_in(value))
    done: set[str] = set()
    for name in uses:
        _follow(name, uses, done, [])
    return {used for names in uses.values() for used in names}


def _follow(name: str, uses: Mapping[str, set[str]], done: set[str], path: list[str]) -> None:
    if name in path:
        circle = " → ".join([*path[path.index(name) :], name])
        raise GrammarError(f"texts use each other in a circle: {shorten(circle, 120)}.")
    if name in done:
        return
    if len(path) > 50:
        raise GrammarError(f"texts use each other deeper than 50: {shorten(' → '.join(path[:5]), 100)} ….")
    for inner in sorted(uses[name]):
        _follow(inner, uses, done, [*path, name])
    done.add(name)


def _variables(wanted: Wanted, inputs: Inputs, used: set[str], mistakes: Mistakes) -> list[str]:
    """Return the names that are never sent; one that is neither an input nor used by a text is a mistake."""
    found = []
    for name in wanted.names:
        if name == ENDPOINT or read_replacement(name) is not None or inputs.has(name):
            continue
        if name in used:
            found.append(name)
            if name in wanted.hints:
                wanted.notes.append(wanted.hints[name])
            if inputs.unknown and name in _USUAL_INPUTS:
                wanted.notes.append(f"{name} stands in a text and is not sent: {inputs.unknown[0]} has no schema here")
        elif name in wanted.columns and not inputs.unknown:
            found.append(name)
            why, _ = inputs.unknown_name(name)
            wanted.notes.append(f"column {shorten(name)} goes along as a label: {why}")
        elif inputs.schemas and not inputs.unknown:
            with mistakes.gathered():
                _refuse_name(name, inputs, wanted)
    return found


def _refuse_name(name: str, inputs: Inputs, wanted: Wanted) -> None:
    why, like = inputs.unknown_name(name)
    if like is None:
        used = nearest(name, {inner for _, value in wanted.values() for inner in names_in(value)})
        why += f"; did you mean {used}?" if used else ""
    end = "" if why.endswith("?") else "."
    braces = f"{{{shorten(name)}}}"
    raise GrammarError(f"{shorten(name)}: no text uses {braces}, and {why}{end}")


def _check_replacements(wanted: Wanted) -> None:
    for name in wanted.names:
        replacement = read_replacement(name)
        if replacement is None:
            continue
        texts = [value for other, value in wanted.values() if other == replacement.input and isinstance(value, str)]
        if not texts:
            raise GrammarError(
                f"{shorten(name)}: the plan has no {shorten(replacement.input)} to replace in; "
                "say which text with in NAME: replace red in negative_prompt."
            )
        everything = [value for _, value in wanted.values() if isinstance(value, str)]
        if not any(replacement.found_in(text) for text in [*texts, *everything]):
            raise GrammarError(
                f"{shorten(name)}: {replacement.input} does not hold the word {shorten(replacement.search)!r}."
            )
        if not all(isinstance(value, str) for other, value in wanted.values() if other == name):
            wrong = next(value for other, value in wanted.values() if other == name and not isinstance(value, str))
            raise GrammarError(f"{shorten(name)}: takes texts, not {show(wrong)}.")


def _check_count(wanted: Wanted) -> None:
    zipped = {name for group in wanted.zips for name in group[1:]}
    lengths = {name: len(values) for name, values in wanted.axes.items() if name not in zipped}
    if wanted.rows:
        lengths = {ROWS: len(wanted.rows)} | lengths
    count = math.prod(lengths.values())
    if count > MOST_CELLS:
        shown = " × ".join(f"{name} {length:,}" for name, length in lengths.items() if length > 1)
        much = f"{count:,}" if count < 10**15 else "more than 10^15"
        raise GrammarError(
            f"{much} combinations are too many ({shorten(shown, 160)}); a sweep takes at most {MOST_CELLS:,}: "
            "give fewer values, or zip axes that go in step."
        )


def _check_rules(wanted: Wanted) -> None:
    values: dict[str, list[Any]] = {name: [] for name in wanted.names}
    for name, value in wanted.values():
        values[name].append(value)
    for text in wanted.skip:
        rule = read_rule(text, list(values))
        for name, word in never_true(rule.compared, values):
            if any(nesting(value) or (isinstance(value, str) and "{" in value) for value in values[name]):
                continue
            like = nearest(word, [show(value, 200) for value in values[name]])
            hint = f"; did you mean {like}?" if like else ""
            wanted.notes.append(f"skip: {name} is never {shorten(word)!r}{hint}")
