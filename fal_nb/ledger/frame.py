"""The history as a pandas DataFrame; the only file here that imports pandas, and only when a frame is made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fal_nb.ledger.queries import ARGUMENT_PREFIX, Selection, Since
from fal_nb.ledger.rows import from_json
from fal_nb.ledger.store import HistoryStore
from fal_nb.plain import is_plain, one_line
from fal_nb.plain import shown as as_shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIXED_COLUMNS", "frame"]

FIXED_COLUMNS = (
    "request_id",
    "endpoint",
    "state",
    "created",
    "queue_s",
    "inference_s",
    "total_s",
    "cost",
    "estimate",
    "currency",
    "prompt",
    "seed",
    "artifacts",
    "sweep",
    "rating",
    "tags",
    "note",
    "error_type",
    "error",
    "backend",
    "notebook",
    "cell",
)
"""Columns every history frame has, in this order; the arguments of the selected calls follow."""

_FROM_ARGUMENTS = ("prompt", "seed")
_COMPUTED = ("prompt", "artifacts")
_NUMBERS = ("queue_s", "inference_s", "total_s", "cost", "estimate")
_INTEGERS = ("seed", "rating")
_INT64 = range(-(2**63), 2**63)
_EXACT_FLOAT = 2**53
_DECODED_AT_ONCE = 500
_NAME_CHARS = 200


def frame(  # noqa: PLR0913 - each is a filter of its own
    store: HistoryStore,
    where: Mapping[str, Any] | None = None,
    *,
    since: Since | None = None,
    endpoint: str | Sequence[str] | None = None,
    state: str | Sequence[str] | None = None,
    tag: str | Sequence[str] | None = None,
    words: Sequence[str] = (),
    limit: int | None = None,
    path_of: Callable[[str], object] | None = None,
) -> pd.DataFrame:
    """Return the selected records as a frame, one row a call, the newest last, indexed by record number.

    Times are UTC, durations in seconds, `cost` and `estimate` in `currency`. Each argument that occurs has a
    column, called ``arg_<name>`` where the name is one of `FIXED_COLUMNS`; ``prompt`` and ``seed`` are the
    arguments themselves, else the text argument and the seed the result names. Texts are as they are shown:
    what a terminal would take for commands is left out of them, and stays in the record.

    Parameters
    ----------
    where, since, endpoint, state, words, limit
        As in `Selection`.
    tag
        A tag, or several that must all be there.
    path_of
        Turns the digests in ``artifacts`` into what shall stand there, a path for example.

    Raises
    ------
    HistoryError
        Where the file cannot be read or a filter cannot be understood.
    """
    import pandas as pd  # noqa: PLC0415 - costs a fifth of a second, paid when a frame is first asked for

    tags = () if tag is None else (tag,) if isinstance(tag, str) else tuple(tag)
    selection = Selection(
        where=where or {}, since=since, endpoint=endpoint, state=state, tags=tags, words=words, limit=limit
    )
    names = [name for name in FIXED_COLUMNS if name not in _COMPUTED]
    wanted = ["record", "arguments", *("result_seed" if name == "seed" else name for name in names)]
    rows = store.select_rows(wanted, selection)
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(wanted)
    index = pd.Index(columns[0], dtype="int64", name="record")
    fixed = dict(zip(names, columns[2:], strict=True))
    calls = _decoded(columns[1])
    fixed["prompt"] = [call.get("prompt", call.get("text")) for call in calls]
    fixed["seed"] = [
        _number(seed) if call.get("seed") is None else call["seed"]
        for call, seed in zip(calls, fixed["seed"], strict=True)
    ]
    fixed["artifacts"] = _artifacts(store, columns[0], path_of)
    data = {name: _fixed_column(name, fixed[name]) for name in FIXED_COLUMNS}
    data |= {name: _array(values) for name, values in _argument_columns(calls).items()}
    return pd.DataFrame(data, index=index, copy=False)


def _decoded(texts: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the arguments in JSON texts, many to one decoding: half the time of one by one, and keys are shared."""
    calls: list[Any] = []
    for first in range(0, len(texts), _DECODED_AT_ONCE):
        calls += from_json(f"[{','.join(texts[first : first + _DECODED_AT_ONCE])}]", "arguments of some records")
    return [call if isinstance(call, dict) else {} for call in calls]


def _artifacts(
    store: HistoryStore, record_ids: Sequence[int], path_of: Callable[[str], object] | None
) -> list[tuple[object, ...]]:
    digests = store.digests(record_ids)
    if path_of is not None:
        return [tuple(path_of(digest) for digest in digests.get(record_id, ())) for record_id in record_ids]
    return [digests.get(record_id, ()) for record_id in record_ids]


def _argument_columns(calls: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return column name → values, one column for each argument that occurs, in order of first use."""
    columns: dict[str, list[Any]] = {}
    for row, call in enumerate(calls):
        for name, value in call.items():
            column = columns.get(name)
            if column is None:
                column = columns[name] = [None] * len(calls)
            column[row] = value
    for name in _FROM_ARGUMENTS:
        columns.pop(name, None)
    named: dict[str, list[Any]] = {}
    for name, values in columns.items():
        shown = start = one_line(name, _NAME_CHARS)
        while shown in FIXED_COLUMNS or shown in named or (shown not in {name, start} and shown in columns):
            shown = ARGUMENT_PREFIX + shown
        named[shown] = values
    return named


def _fixed_column(name: str, values: Sequence[Any]) -> Any:
    """Return a column with the type it has in every frame, however few values there are."""
    import numpy as np  # noqa: PLC0415 - comes with pandas
    import pandas as pd  # noqa: PLC0415 - imported by the caller already

    if name == "created":
        microseconds = (np.array(values, dtype="float64") * 1e6).round().astype("int64")
        return pd.DatetimeIndex(microseconds.view("datetime64[us]"), tz="UTC")
    if name in _NUMBERS:
        return np.array(values, dtype="float64")
    if name in _INTEGERS:
        return _array(values, nullable=True)
    if name == "tags":
        return _objects([() if value == "[]" else tuple(json.loads(value)) for value in values])
    return _objects(values) if name == "artifacts" else _texts(values)


def _array(values: Sequence[Any], *, nullable: bool = False) -> Any:
    """Return values as the narrowest column that keeps them: a missing one turns no whole number into a float."""
    import numpy as np  # noqa: PLC0415 - comes with pandas
    import pandas as pd  # noqa: PLC0415 - imported by the caller already

    kinds = set(map(type, values))
    has_gaps = nullable or type(None) in kinds
    kinds.discard(type(None))
    if kinds == {int} or (nullable and not kinds):
        present = [value for value in values if value is not None]
        if present and not (min(present) in _INT64 and max(present) in _INT64):
            return _objects(values)
        return pd.array(values, dtype="Int64") if has_gaps else np.array(values, dtype="int64")
    if kinds == {bool}:
        return pd.array(values, dtype="boolean") if has_gaps else np.array(values, dtype="bool")
    if kinds == {float} or (kinds == {float, int} and all(abs(value or 0) <= _EXACT_FLOAT for value in values)):
        return np.array(values, dtype="float64")
    return _texts(values) if kinds == {str} else _objects(values)


def _texts(values: Sequence[Any]) -> Any:
    """Return texts as the string type of this pandas: its own from version 3 on, plain objects before."""
    import pandas as pd  # noqa: PLC0415 - imported by the caller already

    values = _plain(values)
    if int(pd.__version__.partition(".")[0]) < 3 or not set(map(type, values)) <= {str, type(None)}:
        return _objects(values)
    try:
        return pd.array(values, dtype="str")
    except UnicodeEncodeError:  # pyarrow holds no lone surrogates
        return _objects(values)


def _objects(values: Sequence[Any]) -> Any:
    import numpy as np  # noqa: PLC0415 - comes with pandas

    return np.fromiter(_plain(values), dtype=object, count=len(values))


def _plain(values: Sequence[Any]) -> Sequence[Any]:
    """Return values with every text among them fit to be shown; one look where all of them are."""
    kinds = set(map(type, values))
    if str not in kinds:
        return values
    # Many columns say the same few texts over and over: each is looked at once.
    texts = set(values) if kinds <= {str, type(None)} else {value for value in values if isinstance(value, str)}
    texts.discard(None)
    return values if is_plain("\n".join(texts)) else [as_shown(value) for value in values]


def _number(seed: int | str | None) -> int | str | None:
    """Return a seed that had to be kept as text as the number it is."""
    return int(seed) if isinstance(seed, str) and seed.isascii() and seed.isdigit() else seed
