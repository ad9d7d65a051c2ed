"""The text of ``%%fal sweep`` → a `SweepPlan`. `plan_writing` is the way back.

::

    endpoint: fal-ai/flux/dev              or a list: the endpoint is an axis; may stand on the magic's line instead
    prompt: a {animal}: {style} style #1   a text without quotes goes to the end of its line
    animal: [fox, owl]                     a list is an axis; of an input that takes a list, a list of lists is
    style:                                 the same with a line a value
      - ukiyo-e
    guidance_scale: 2..5 step 1.5          a range, both ends included
    seed: random 8                         drawn once, part of the plan from then on
    replace red: [red, blue]               search and replace, whole words, in the prompt; with `in NAME` elsewhere
    image_url: @photo.png                  a local file
    zip: [animal, style]                   axes that go in step; or a list of such lists
    rows: @prompts.csv                     or {variable} that holds a DataFrame or a list of dicts, or a list of objects
    skip: style == bauhaus and seed > 4    a rule, or a list of rules, one a line
    "skip": 3                              in quotes a name is an input, whatever the plan calls so
    negative_prompt:                       nothing, or ~, is null: left out; "" is an empty text
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fal_nb.errors import GrammarError
from fal_nb.sweeps.from_python import span_of, typed_row
from fal_nb.sweeps.inputs import Inputs, Surroundings
from fal_nb.sweeps.lines import Entry, read_entries
from fal_nb.sweeps.mistakes import Mistakes, check_meant, list_of
from fal_nb.sweeps.plan import ENDPOINT, ROWS, SweepPlan
from fal_nb.sweeps.rows import read_rows
from fal_nb.sweeps.settling import Wanted, endpoint_id, settle
from fal_nb.sweeps.texts import bind, read_replacement
from fal_nb.sweeps.values import as_plain_data, nesting
from fal_nb.sweeps.written import Plain, Written
from fal_nb.templates.mistakes import shorten

__all__ = ["read_additions", "read_endpoints", "read_plan"]

_IN_BRACES = re.compile(r"\{([\w.]+)")
_ENDPOINTS_ONLY = frozenset({ENDPOINT, ROWS})


def read_endpoints(text: str, endpoint: str | None = None, notebook: Mapping[str, Any] | None = None) -> list[str]:
    """Return the endpoints that a plan's text calls, so that their schemas can be fetched before it is read.

    Parameters
    ----------
    endpoint
        The one on the magic's line, or None.

    Raises
    ------
    EndpointError, GrammarError, FileError
        As `read_plan`.
    """
    return _Reader(text, endpoint, Surroundings(notebook=notebook or {})).endpoints()


def read_plan(text: str, endpoint: str | None = None, surroundings: Surroundings | None = None) -> SweepPlan:
    """Return the plan that a text is.

    Parameters
    ----------
    endpoint
        The one on the magic's line, where the text has none.
    surroundings
        Schemas of the endpoints (`read_endpoints`), variables of the notebook.

    Raises
    ------
    EndpointError
        Where an endpoint is none.
    GrammarError
        In one line, with the line of the text where it is about one.
    FileError
        Where the CSV file of ``rows:`` cannot be read.
    """
    return _Reader(text, endpoint, surroundings or Surroundings()).plan()


def read_additions(text: str, plan: SweepPlan, surroundings: Surroundings) -> dict[str, list[Any]]:
    """Return name → values that a text adds to a plan, a name a line as in a plan; for `SweepPlan.refined`.

    Raises
    ------
    EndpointError, GrammarError
        As `read_plan`.
    """
    return _Reader(text, None, surroundings).additions(plan)


class _Reader:
    """Reads one text."""

    def __init__(self, text: str, endpoint: str | None, surroundings: Surroundings) -> None:
        self._text = text
        self._endpoint = endpoint
        self._schemas = surroundings.schemas
        self._notebook = surroundings.notebook
        self._source = surroundings.source
        self._inputs = Inputs((), ())
        self._own: set[str] = set()

    def endpoints(self) -> list[str]:
        """Return the endpoints, each once."""
        entries = {
            entry.name: entry
            for entry in read_entries(self._text, Inputs((), ("",)), _ENDPOINTS_ONLY, Mistakes())
            if entry.is_whole and not entry.is_quoted and entry.name in _ENDPOINTS_ONLY
        }
        found: list[Any] = [] if self._endpoint is None else [self._endpoint]
        if ENDPOINT in entries:
            value = self._bound(entries[ENDPOINT])
            found += value if isinstance(value, list) else [value]
        if ROWS in entries:
            found += [row[ENDPOINT] for row in self._rows(entries[ROWS]) if ENDPOINT in row]
        return list(dict.fromkeys(endpoint_id(one.text if isinstance(one, Plain) else one) for one in found))

    def plan(self) -> SweepPlan:
        """Return the plan."""
        self._inputs = Inputs.of(self.endpoints(), self._schemas)
        mistakes = Mistakes()
        entries = read_entries(self._text, self._inputs, mistakes=mistakes)
        wanted = Wanted(in_braces=set(_IN_BRACES.findall(self._text)))
        named = [entry for entry in entries if entry.is_quoted or entry.name not in {"zip", ROWS, "skip"}]
        rows = next((entry for entry in entries if entry.name == ROWS and not entry.is_quoted), None)
        found = self._rows(rows) if rows else []
        self._own = {ENDPOINT, *(entry.name for entry in named), *(name for row in found for name in row)}
        for entry in named:
            with mistakes.gathered():
                if entry.is_quoted and entry.name == ENDPOINT:
                    raise self._mistake(entry, "an input of this name cannot be part of a sweep")
                self._add(entry, wanted)
        for number, row in enumerate(found, 1):
            with mistakes.gathered():
                wanted.rows.append({name: self._cell(name, value, number) for name, value in row.items()})
        for entry in entries:
            with mistakes.gathered():
                if not entry.is_quoted and entry.name == "zip":
                    wanted.zips = self._zips(entry)
                elif not entry.is_quoted and entry.name == "skip":
                    wanted.skip = self._rules(entry)
        with mistakes.gathered():
            self._add_endpoint(wanted)
        return settle(wanted, self._inputs, mistakes)

    def additions(self, plan: SweepPlan) -> dict[str, list[Any]]:
        """Return the values that are added to a plan, by name."""
        self._inputs = Inputs.of(list(dict.fromkeys((*plan.endpoints, *self.endpoints()))), self._schemas)
        mistakes = Mistakes()
        entries = read_entries(self._text, self._inputs, mistakes=mistakes)
        self._own = {*plan.names, *(entry.name for entry in entries)}
        wanted = Wanted()
        for entry in entries:
            with mistakes.gathered():
                if not entry.is_quoted and entry.name in {"zip", ROWS, "skip"}:
                    raise self._mistake(
                        entry, f"{entry.name}: cannot be added to a sweep, only values: name: [value, value]"
                    )
                self._add(entry, wanted)
        mistakes.raise_all()
        return {name: [value] for name, value in wanted.fixed.items()} | wanted.axes

    def _add_endpoint(self, wanted: Wanted) -> None:
        if self._endpoint is None:
            return
        given = endpoint_id(self._endpoint)
        if ENDPOINT not in wanted.names:
            wanted.fixed = {ENDPOINT: given, **wanted.fixed}
        elif ENDPOINT not in wanted.fixed or endpoint_id(wanted.fixed[ENDPOINT]) != given:
            raise GrammarError(f"The line says {given}, and the plan has endpoints of its own: leave one of them out.")

    def _add(self, entry: Entry, wanted: Wanted) -> None:
        """Take an entry for what it is: an axis, or a value for all cells."""
        name, value = entry.name, entry.value
        if not entry.is_whole:
            wanted.broken.add(name)
            return
        depth = self._inputs.array_depth(name)
        try:
            is_replacement = read_replacement(name) is not None and not entry.is_quoted
            span = self._span(name, value)
            if span is None and isinstance(value, Plain):
                check_meant(name, value.text, self._inputs)
            if span is not None:
                wanted.axes[name] = [str(one) for one in span] if is_replacement else span
            elif isinstance(value, list) and _written_nesting(value) > depth:
                wanted.axes[name] = self._axis(name, value)
            else:
                bound = self._value(name, value)
                if isinstance(bound, list) and nesting(bound) > depth:
                    wanted.axes[name] = bound
                elif is_replacement:
                    wanted.axes[name] = [bound]
                else:
                    wanted.fixed[name] = bound
            if isinstance(value, Plain) and (items := list_of(value.text)):
                wanted.hints[name] = (
                    f"{shorten(name)} is one text, {shorten(value.text, 40)!r}; "
                    f"a list of values would be {shorten(name)}: [{shorten(', '.join(items), 40)}]"
                )
        except GrammarError as error:
            wanted.broken.add(name)
            if str(error).startswith("body line"):
                raise
            raise self._mistake(entry, str(error)) from error.__cause__

    def _axis(self, name: str, items: Sequence[Written]) -> list[Any]:
        values: list[Any] = []
        for item in items:
            span = self._span(name, item)
            values += [self._value(name, item)] if span is None else span
        return values

    def _span(self, name: str, value: Written) -> list[Any] | None:
        if not isinstance(value, Plain) or self._inputs.takes_text(name) or name == ENDPOINT:
            return None
        return span_of(name, value.text, self._inputs, self._source)

    def _value(self, name: str, value: Written) -> Any:
        """Return a value typed for its input, the notebook's variables in its texts.

        In ``seed: {seed}`` the name in braces can only be the notebook's.
        """
        is_replacement = read_replacement(name) is not None
        typed = self._typed(name, value, as_text=is_replacement or name == ENDPOINT)
        return as_plain_data(bind(typed, self._own - {name}, self._notebook, shorten(name)), name)

    def _typed(self, name: str, value: Written, *, as_text: bool = False) -> Any:
        if isinstance(value, Plain):
            return value.text if as_text else self._inputs.plain(name, value.text)
        if isinstance(value, list):
            return [self._typed(name, inner, as_text=as_text) for inner in value]
        if isinstance(value, dict):
            return {key: self._typed(f"{name}.{key}", inner) for key, inner in value.items()}
        return value

    def _bound(self, entry: Entry) -> Any:
        """Return a value of the plan's own words with the notebook's variables in it."""
        try:
            return bind(self._typed(entry.name, entry.value, as_text=True), (), self._notebook, entry.name)
        except GrammarError as error:
            raise self._mistake(entry, str(error)) from error.__cause__

    def _rows(self, entry: Entry) -> list[dict[str, Any]]:
        value = entry.value
        try:
            if isinstance(value, Plain) and value.text.startswith("{"):
                return read_rows(bind(value.text, (), self._notebook, ROWS))
            if isinstance(value, (Plain, str)):
                path = value.text if isinstance(value, Plain) else value
                return read_rows(path.removeprefix("@").strip("\"'"))
            return read_rows(value)
        except GrammarError as error:
            raise self._mistake(entry, str(error)) from error.__cause__

    def _cell(self, name: str, value: Any, number: int) -> Any:
        """Return one value of a row; texts that come from the notebook or a file are templates as well."""
        if isinstance(value, (Plain, list, dict)):
            try:
                return self._value(name, value)
            except GrammarError as error:
                raise GrammarError(f"rows: row {number}: {error}") from error.__cause__
        typed = typed_row({name: value}, self._inputs)[name]
        where = f"rows: row {number}: {shorten(name)}"
        return as_plain_data(bind(as_plain_data(typed, name), self._own - {name}, self._notebook, where), name)

    def _zips(self, entry: Entry) -> list[tuple[str, ...]]:
        value = self._bound(entry)
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            return [tuple(value)]
        if isinstance(value, list) and all(isinstance(group, list) for group in value):
            return [tuple(str(name) for name in group) for group in value]
        raise self._mistake(entry, "zip: takes names of axes that go in step: [animal, style]")

    def _rules(self, entry: Entry) -> list[str]:
        value = entry.value
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, (Plain, str)) for item in items):
            raise self._mistake(entry, "skip: takes a rule, or a list with a rule a line")
        return [item.text if isinstance(item, Plain) else str(item) for item in items]

    def _mistake(self, entry: Entry, what: str) -> GrammarError:
        end = "" if what.endswith((".", "?")) else "."
        return GrammarError(f"body line {entry.line}: {what}{end}")


def _written_nesting(value: Written) -> int:
    if not isinstance(value, list):
        return 0
    return 1 + min((_written_nesting(inner) for inner in value), default=0)
