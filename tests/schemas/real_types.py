"""The endpoints that fal's JavaScript client has types of, over a thousand: does everything here work for each one?

``python -m tests.schemas.real_types`` derives their schemas into a temporary folder, where they also end, tries every
endpoint, and prints counts and each exception. Limits are not in the types, so they are not tried by this.
Source: @fal-ai/client 1.10.1 ``types/endpoints.d.ts``, as ``npm ci`` brings it.
"""

import itertools
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from fal_nb.forms.fields import form_fields
from fal_nb.forms.values import arguments_of, values_of
from fal_nb.ledger.names import HistoryNames
from fal_nb.magics.completion.answer import offers_at
from fal_nb.magics.completion.place import find_place
from fal_nb.magics.completion.values import has_choices
from fal_nb.magics.completion.values import values_of as values_of_choice
from fal_nb.magics.format import format_line
from fal_nb.schemas.check import check_arguments
from fal_nb.schemas.openapi import read_schema
from fal_nb.schemas.types import Anything, Choice, Flag, ListOf, Nothing, Number, ObjectOf, OneOf, Text
from fal_nb.views.form_state import fields_state
from tests.forms.cells import read_cell

__all__ = ["TYPES", "RealTypes", "derive", "try_endpoint"]

JS = Path(__file__).parents[2] / "js"
TYPES = JS / "node_modules/@fal-ai/client/src/types/endpoints.d.ts"
_TEXTS = ("a red fox", 'it\'s "5" {braces} #1; %fal\n  @x', "null", "")
_LOCAL_FILE = Path(__file__)
_DEEPEST = 5


class RealTypes:
    """What was derived: OpenAPI documents by endpoint, and what of the types could not be read."""

    def __init__(self, derived):
        self._schemas, self._endpoints = derived["schemas"], derived["endpoints"]
        self.unread = derived["unread"]

    @property
    def endpoints(self):
        return sorted(self._endpoints)

    def document(self, endpoint):
        """Return the document as fal would publish it."""
        given, answered = self._endpoints[endpoint]
        body = {"content": {"application/json": {"schema": given}}}
        answer = {"200": {"content": {"application/json": {"schema": answered}}}}
        paths = {
            f"/{endpoint}": {"post": {"requestBody": body}},
            f"/{endpoint}/requests/{{request_id}}": {"get": {"responses": answer}},
        }
        return {"openapi": "3.0.4", "paths": paths, "components": {"schemas": self._schemas}}


def derive(folder):
    """Return the types as schemas; `folder` is a temporary one."""
    script = Path(__file__).with_suffix(".mjs")
    subprocess.run(["node", str(script), str(folder)], check=True, timeout=120)
    return RealTypes(json.loads((Path(folder) / "endpoints.json").read_text("utf-8")))


def try_endpoint(types, endpoint):
    """Return (counts, exceptions) of one endpoint; an exception is a line that says what does not work."""
    schema = read_schema(endpoint, types.document(endpoint))
    fields = form_fields(schema)
    counts = Counter({"inputs": len(schema), **_kinds(fields)})
    exceptions = [f"{field.name}: nothing is known of it" for field in schema if isinstance(field.type, Anything)]
    if sorted(field.name for field in fields) != sorted(schema.names):
        exceptions.append("the form lacks inputs")
    if fields_state(fields)[1]:
        exceptions.append("the form is too long for a page")
    if repr(schema).count("\n") < len(schema) or schema._repr_html_().count("<tr>") <= len(schema):
        exceptions.append("its table lacks inputs")
    counts["offers"] = len(schema)
    exceptions += _completed(schema)
    for name, values in _filled_in(schema).items():
        counts["cells"] += 1
        exceptions += [f"{name}: {trouble}" for trouble in _round_trip(schema, values)]
    return counts, exceptions


class _Known:
    """What completion knows where this one schema is in its cache."""

    def __init__(self, schema):
        self.aliases = {}
        self._schema = schema
        self.aliases = {}

    def endpoints(self):
        return [self._schema.endpoint]

    def schema(self, endpoint):
        return self._schema if endpoint == self._schema.endpoint else None

    def history(self):
        return HistoryNames()


def _completed(schema):
    """Return what Tab fails to offer: the endpoint, each input, each value of a choice."""
    known = _Known(schema)

    def offered(code):
        return {offer.text for offer in offers_at(find_place(code, len(code)), known, {}).offers}

    line = f"%fal run {schema.endpoint} "
    lacking = [] if schema.endpoint in offered(line[:-3]) else ["Tab does not offer the endpoint"]
    names = offered(line)
    for field in schema:
        if not any(text.removeprefix("--").rstrip("=. ").split("=")[0] == field.name for text in names):
            lacking.append(f"{field.name}: Tab does not offer it")
        if has_choices(field):
            missing = len(values_of_choice(field)) - len(offered(f"{line}{field.name}="))
            lacking += [f"{field.name}: Tab does not offer {missing} of its values"] if missing > 0 else []
    return lacking


def _round_trip(schema, values):
    try:
        arguments = arguments_of(schema, values)
        source = format_line("run", schema.endpoint, arguments, schema)
        read = read_cell(source, schema)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told of
        return [f"{type(error).__name__}: {error}"]
    troubles = [] if _exact(read) == _exact(arguments) else [f"read back otherwise: {source!r}"]
    if arguments_of(schema, values_of(schema, read)) != read:
        troubles.append("a form of these arguments would mean others")
    return troubles + check_arguments(schema, read, is_file=lambda value: isinstance(value, Path)).lines


def _exact(arguments):
    return json.dumps(arguments, sort_keys=True, default=repr)


def _filled_in(schema):
    """Return ways to fill the form in: no more than needed, with the defaults, and everything in several ways."""
    needed = {field.name: _sample(field.type, 0) for field in schema if field.required}
    ways = {
        "required alone": needed,
        "defaults": {**needed, **schema.defaults},
        **{f"all, {turn}": {field.name: _sample(field.type, turn) for field in schema} for turn in range(len(_TEXTS))},
    }
    return {name: values for name, values in ways.items() if values or name == "required alone"}


def _sample(wanted, turn, depth=0):  # noqa: C901, PLR0911 - one a type
    """Return a value of a type, another one each turn."""
    if depth > _DEEPEST:
        return {} if isinstance(wanted, ObjectOf) and not any(part.required for part in wanted.fields) else None
    match wanted:
        case Number():
            return (turn + 1) * (1 if wanted.is_integer or turn % 2 else 0.25)
        case Text(file=kind) if kind:
            return f"@{_LOCAL_FILE}" if turn == len(_TEXTS) - 1 else f"https://example.com/{turn}.bin"
        case Text():
            return _TEXTS[turn]
        case Choice(values):
            return values[(turn * 7) % len(values)]
        case Flag():
            return turn % 2 == 0
        case ListOf(item):
            return [_sample(item, (turn + at) % len(_TEXTS), depth + 1) for at in range(turn % 3 + 1)]
        case ObjectOf(fields=fields) if fields:
            wanted_parts = [part for part in fields if part.required or (turn + depth) % 2 == 0]
            return {part.name: _sample(part.type, turn, depth + 1) for part in wanted_parts}
        case ObjectOf(others=others):
            return {} if others is None else {"a b": _sample(others, turn, depth + 1)}
        case OneOf(options):
            return _sample(options[turn % len(options)], turn, depth + 1)
        case Nothing():
            return None
        case _:
            return {"any": [turn, None, "x"]}


def _kinds(fields):
    counts = Counter(field.kind for field in fields)
    for field in fields:
        inner = (*field.fields, *field.options, *([field.item] if field.item else ()))
        counts.update(_kinds(inner))
    return counts


def main():
    """Print what works for how many endpoints, and each exception."""
    with tempfile.TemporaryDirectory() as folder:
        types = derive(folder)
    counts, exceptions = Counter(), []
    for endpoint in types.endpoints:
        found, troubles = try_endpoint(types, endpoint)
        counts += found
        exceptions += [f"{endpoint}: {trouble}" for trouble in troubles]
    print(
        f"{len(types.endpoints)} endpoints, {counts.pop('inputs')} inputs, "
        f"{counts.pop('cells')} cells read back, {counts.pop('offers')} inputs offered by Tab"
    )
    print("fields:", ", ".join(f"{kind} {count}" for kind, count in counts.most_common()))
    print(f"{len(types.unread)} types not read, {len(exceptions)} exceptions")
    for line in itertools.chain(types.unread, exceptions):
        print(f"  {line}")
    return 1 if exceptions else 0


if __name__ == "__main__":
    sys.exit(main())
