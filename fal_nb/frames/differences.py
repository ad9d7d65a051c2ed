"""Which arguments vary over the calls of a frame, and in what two calls differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.ledger.frame import FIXED_COLUMNS
from fal_nb.plain import shown
from fal_nb.sweeps.values import canonical

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.ledger.records import Record

__all__ = ["argument_paths", "differences", "varying"]

_CALL_COLUMNS = ("endpoint", "prompt", "seed")
_FACTS = ("endpoint", "backend", "state", "cost", "total_s", "rating")
_OF_SWEEPS = ("record", "from_memo", "reason", "file")


def varying(frame: pd.DataFrame) -> list[str]:
    """Return the columns that belong to the call itself and hold more than one value, those with fewest first."""
    of_calls = [
        str(name)
        for name in frame.columns
        if str(name) in _CALL_COLUMNS or str(name) not in {*FIXED_COLUMNS, *_OF_SWEEPS}
    ]
    counts = {name: frame[name].map(repr).nunique() for name in of_calls}
    return sorted((name for name in of_calls if counts[name] > 1), key=lambda name: counts[name])


def differences(a: Record, b: Record) -> pd.DataFrame:
    """Return a frame with a row for each thing that differs: first facts of the call, then arguments by path."""
    import pandas as pd  # noqa: PLC0415 - there already, for whoever has a frame

    facts = [(name, getattr(a, name), getattr(b, name)) for name in _FACTS]
    ours, theirs = dict(_leaves(a.arguments)), dict(_leaves(b.arguments))
    paths = list(dict.fromkeys([*ours, *theirs]))
    rows = [*facts, *((path, ours.get(path), theirs.get(path)) for path in paths)]
    unlike = [row for row in rows if canonical(row[1]) != canonical(row[2])]
    names = [f"#{a.id}", f"#{b.id}" if a.id != b.id else f"#{b.id} again"]
    found = pd.DataFrame(
        {name: [shown(row[at]) for row in unlike] for at, name in enumerate(names, start=1)},
        index=pd.Index([shown(row[0]) for row in unlike], name="what"),
        dtype=object,
    )
    # An argument may be called as a fact is: only their places tell them apart.
    found.attrs["facts"] = sum(row in facts for row in unlike)
    return found


def argument_paths(found: pd.DataFrame) -> list[str]:
    """Return which rows of what `differences` returns are of arguments."""
    return list(found.index[found.attrs["facts"] :])


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value inside nested arguments with its dotted path; an empty list or object is a value of its own."""
    if isinstance(value, Mapping) and (value or not path):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{at}]")
    else:
        yield path, value
