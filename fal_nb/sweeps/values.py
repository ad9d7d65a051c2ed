"""Values of a plan: JSON, texts that are templates, and objects of Python; when two are the same, and how one is shown.

Invariant: a text of a plan is a template, so that a brace which is text stands doubled.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fal_nb.errors import GrammarError
from fal_nb.protocol.status import JSON
from fal_nb.templates.mistakes import one_line, shorten

__all__ = ["as_plain_data", "canonical", "double_braces", "is_object", "nesting", "plain_value", "show"]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,4})?")
_WORDS: Mapping[str, JSON] = {"true": True, "false": False, "null": None}
_MOST_DEPTH = 50


def plain_value(text: str) -> JSON:
    """Return what characters without quotes are where no text is wanted: a JSON number, true, false, null, else text.

    So ``1e3`` is 1000, while ``08`` and ``no``, which JSON does not know, are texts until a schema says otherwise.
    """
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    number = json.loads(text)
    return number if isinstance(number, int) or math.isfinite(number) else text


def double_braces(text: str) -> str:
    """Return the template that says `text`."""
    return text.replace("{", "{{").replace("}", "}}")


def is_object(value: Any) -> bool:
    """Return whether a value is no JSON of its own: a path, a picture, bytes."""
    return not isinstance(value, (str, int, float, Mapping, list, tuple)) and value is not None


def nesting(value: Any) -> int:
    """Return how deep lists nest before something else comes: 0 for no list, 1 for a list of texts or an empty one."""
    if not isinstance(value, (list, tuple)):
        return 0
    return 1 + min((nesting(inner) for inner in value), default=0)


def as_plain_data(value: Any, name: str, depth: int = 0) -> Any:
    """Return a value of Python as a plan holds it: lists and dicts throughout, numbers of numpy as numbers.

    Texts stay as they are; whether they are templates is for the caller to say.

    Raises
    ------
    GrammarError
        For a number that is none, names that are no texts, and what nests without end.
    """
    if depth > _MOST_DEPTH:
        raise GrammarError(f"{shorten(name)}: the value nests deeper than {_MOST_DEPTH}.")
    if isinstance(value, Mapping) and not hasattr(value, "files"):
        if not all(isinstance(key, str) for key in value):
            raise GrammarError(f"{shorten(name)}: the names inside an object have to be texts.")
        return {key: as_plain_data(inner, name, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple, range, set, frozenset)):
        return [as_plain_data(inner, name, depth + 1) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise GrammarError(f"{shorten(name)}: {value} is no number that can be sent.")
    if isinstance(value, (str, int, float)) or value is None:
        return value
    if getattr(value, "ndim", None) == 1 and hasattr(value, "tolist"):
        return as_plain_data(value.tolist(), name, depth + 1)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return as_plain_data(value.item(), name, depth + 1)
    return value


def canonical(value: Any) -> str:
    """Return a text that two values share exactly where they are the same: 1.0 is 1, true is not.

    Raises
    ------
    GrammarError
        For an object that nothing tells from another one of its kind.
    """
    return json.dumps(_whole(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_of_object)


def show(value: Any, limit: int = 40) -> str:
    """Return a value as a label: a text without quotes, on one line, cut to `limit` characters."""
    if isinstance(value, str):
        return shorten(value, limit)
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, Path):
        return shorten(f"@{value}", limit)
    if is_object(value) and not isinstance(value, bool):
        return f"<{type(value).__name__}>"
    text = json.dumps(value, ensure_ascii=False, default=lambda other: f"<{type(other).__name__}>")
    return one_line(text) if len(text) <= limit else shorten(text, limit)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(inner) for inner in value]
    return value


def _of_object(value: Any) -> JSON:
    """Return what tells an object from others: where a file lies, or a digest of what it holds."""
    if isinstance(value, Path):
        return {"@": value.as_posix()}
    digest = getattr(value, "digest", None)
    if isinstance(digest, str):
        return {"sha256": digest}
    content = value if isinstance(value, (bytes, bytearray)) else None
    shape = ""
    if content is None and callable(getattr(value, "tobytes", None)):
        content = value.tobytes()
        shape = "|".join(str(getattr(value, part, "")) for part in ("mode", "size", "shape", "dtype"))
    if not isinstance(content, (bytes, bytearray)):
        kind = type(value).__name__
        raise GrammarError(f"Nothing tells one {kind} from another: give a path, a URL, bytes or a picture.")
    return {"sha256": hashlib.sha256(shape.encode() + b"\0" + content).hexdigest()}
