"""A cell as IPython runs it: through its own transformations, up to the arguments the endpoint would get."""

import math
from pathlib import Path

from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from fal_nb.magics.arguments import read_arguments
from fal_nb.magics.by_schema import arguments_by_schema
from fal_nb.schemas.check import check_arguments
from fal_nb.schemas.types import (
    Anything,
    Choice,
    Flag,
    ListOf,
    Nothing,
    Number,
    ObjectOf,
    OneOf,
    Text,
)

__all__ = ["TEXTS", "fits", "read_cell", "values_for"]

TEXTS = st.text(max_size=12) | st.text(alphabet="ab1.5 \t\n\r\\\"'“”{}[]@#;=:-%$,\u2028\x00🦊", max_size=12)
NULLISH = st.sampled_from(["null", "true", "5", "1e3", "[1]", '{"a": 1}', "@cat.png", "{x}", "-", "--json", ">>> a"])
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


class _Shell:
    """Keeps what a cell hands to the magic."""

    def run_line_magic(self, name, line, *_):
        assert name == "fal"
        self.called = (line, None)

    def run_cell_magic(self, name, line, body):
        assert name == "fal"
        self.called = (line, body)


def read_cell(source, schema):
    """Return the arguments that running a cell would send, before the check."""
    shell = _Shell()
    namespace = {"get_ipython": lambda: shell}
    exec(TransformerManager().transform_cell(source), namespace)
    line, body = shell.called
    return arguments_by_schema(read_arguments(line, body, namespace), namespace, schema)


def fits(schema, arguments):
    """Return whether a call with these arguments would be sent."""
    return check_arguments(schema, arguments, is_file=lambda value: isinstance(value, Path)).ok


def values_for(wanted, files=(), depth=0):  # noqa: C901, PLR0911 - one a type
    """Return a strategy of values that an input of this type may have in a form.

    Parameters
    ----------
    files
        Local files there are, for places that take one.
    """
    match wanted:
        case Number():
            return _numbers(wanted)
        case Text(file=kind) if kind is not None:
            local = [st.sampled_from([f"@{path}" for path in files])] if files else []
            return st.one_of(st.just("https://x.org/a b.png?c='{d}'"), *local)
        case Text(low, high):
            texts = (TEXTS | NULLISH).filter(lambda text: len(text) >= (low or 0))
            return (
                texts.filter(lambda text: high is None or len(text) <= high) if (low or 0) < 8 else st.just("x" * low)
            )
        case Choice(values):
            return st.sampled_from(values)
        case Flag():
            return st.booleans()
        case Nothing():
            return st.none()
        case ListOf(item, low, high):
            most = min(3 if high is None else high, (low or 0) + 3)
            return st.lists(values_for(item, files, depth + 1), min_size=low or 0, max_size=max(most, low or 0))
        case ObjectOf():
            return _objects(wanted, files, depth)
        case OneOf(options):
            values = st.one_of([values_for(option, files, depth + 1) for option in options])
            # Where one option takes a file, a text that begins with @ is the path of one, whichever option it was for.
            local = {f"@{path}" for path in files}
            return values.filter(lambda value: not _names_a_file(value, local)) if "file='" in repr(wanted) else values
        case Anything():
            return ANY_JSON
    raise AssertionError(wanted)


def _names_a_file(value, known):
    if isinstance(value, dict):
        return any(_names_a_file(inner, known) for inner in value.values())
    if isinstance(value, list):
        return any(_names_a_file(inner, known) for inner in value)
    return isinstance(value, str) and value.startswith("@") and value not in known


def _objects(wanted, files, depth):
    if not wanted.fields:
        return st.dictionaries(TEXTS, values_for(wanted.others or Anything(), (), depth + 1), max_size=2)
    parts = {}
    for field in wanted.fields:
        values = values_for(field.type, files, depth + 1)
        defaults = [] if repr(field.default) == "MISSING" else [st.just(field.default)]
        parts[field.name] = st.one_of(values, *defaults)
    optional = {name: parts.pop(name) for name in list(parts) if not wanted.field(name).required}
    left_out = st.integers(0, 3).map(lambda number: number == 0)
    return st.tuples(
        st.fixed_dictionaries(parts),
        *(st.tuples(st.just(name), left_out, values) for name, values in optional.items()),
    ).map(lambda drawn: drawn[0] | {name: value for name, is_out, value in drawn[1:] if not is_out})


def _numbers(wanted):
    low, high = wanted.low, wanted.high
    if wanted.is_integer:
        return st.integers(None if low is None else math.ceil(low), None if high is None else math.floor(high))
    return st.floats(low, high, allow_nan=False, allow_infinity=False)
