"""Single values against single types: coerced where nothing is lost, else a problem in one line."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from fal_nb.protocol.status import JSON
from fal_nb.schemas.nearest import nearest
from fal_nb.schemas.types import Choice, Number, Text
from fal_nb.schemas.words import describe_type, show_choices, show_limits, show_value, with_article

__all__ = ["Path", "Problem", "fit_choice", "fit_flag", "fit_number", "fit_text", "show_path"]

Path: TypeAlias = tuple[str | int, ...]
"""Names and indexes from the top of the arguments."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,300}\Z")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|data:")
_FLAGS = {"true": True, "false": False}
_URL_KINDS = frozenset({"image", "video", "audio", "archive"})
_NUMBER_CHARS = 400


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    Attributes
    ----------
    message
        What is wrong and what is right, after the path; one line.
    suggestion
        The nearest right name or value, or None.
    """

    path: Path
    message: str
    suggestion: JSON = None

    def __str__(self) -> str:
        return f"{show_path(self.path)}: {self.message}"


def show_path(path: Path) -> str:
    """Return a path as it is written: ``image_size.width``, ``loras[0].scale``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = "".join(char if char.isprintable() else " " for char in part[:60])
            text += f".{shown}" if text else shown
    return text


def fit_number(wanted: Number, value: Any, path: Path) -> Any:
    """Return a number within its limits, or the problem."""
    found = _as_number(value)
    if found is None or (wanted.is_integer and not float(found).is_integer()):
        limits = show_limits(wanted)
        what = f"takes {with_article(describe_type(wanted))}{f' ({limits})' if limits else ''}"
        return Problem(path, f"{what}, not {show_value(value)}")
    if wanted.is_integer:
        found = int(found)
    problem = _limits_problem(wanted, found)
    return found if problem is None else Problem(path, problem, suggestion=_clamped(wanted, found))


def fit_text(wanted: Text, value: Any, path: Path) -> Any:
    """Return a text, or the problem; a number becomes the text it is written as."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        value = str(value)
    if not isinstance(value, str):
        return Problem(path, f"takes {'the URL of a file' if wanted.file else 'a text'}, not {show_value(value)}")
    if wanted.file in _URL_KINDS and not _SCHEME.match(value.strip()):
        kind = "zip" if wanted.file == "archive" else wanted.file
        what = f"takes the URL of {with_article(f'{kind} file')}, and {show_value(value)} is none"
        return Problem(path, f"{what}; to upload a local file write @path, in Python pathlib.Path(…)")
    if wanted.min_length is not None and len(value) < wanted.min_length:
        what = "must not be empty" if not value else f"takes at least {wanted.min_length} characters, not {len(value)}"
        return Problem(path, what)
    if wanted.max_length is not None and len(value) > wanted.max_length:
        return Problem(path, f"takes at most {wanted.max_length} characters, not {len(value)}")
    return value


def fit_choice(wanted: Choice, value: Any, path: Path) -> Any:
    """Return one of the values, also where it was written in another case or as a number, or the problem."""
    for known in wanted.values:
        if known == value and isinstance(known, bool) == isinstance(value, bool):
            return known
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        wanted_text = _plain(value)
        alike = [known for known in wanted.values if known is not None and _plain(known) == wanted_text]
        if len(alike) == 1:
            return alike[0]
    like = _nearest_choice(wanted, value)
    hint = f"; did you mean {show_value(like)}?" if like is not None else ""
    return Problem(path, f"{show_value(value)} is none of {show_choices(wanted.values)}{hint}", suggestion=like)


def fit_flag(value: Any, path: Path) -> Any:
    """Return true or false, also where it was written as a text or as 0 or 1, or the problem."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in {0, 1}:
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in _FLAGS:
        return _FLAGS[value.strip().lower()]
    return Problem(path, f"takes true or false, not {show_value(value)}")


def _nearest_choice(wanted: Choice, value: Any) -> JSON:
    """Return the choice most like a value: of numbers the closest one, of texts the one spelled most alike."""
    number = _as_number(value)
    numbers = {known: _as_number(known) for known in wanted.values if _as_number(known) is not None}
    if number is not None and numbers:
        return min(numbers, key=lambda known: abs((numbers[known] or 0) - number))
    texts = {str(known): known for known in wanted.values if known is not None}
    like = nearest(value, texts) if isinstance(value, str) else None
    return None if like is None else texts[like]


def _as_number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else None
    if not isinstance(value, str) or len(value) > _NUMBER_CHARS:
        return None
    text = value.strip()
    if _INTEGER.match(text):
        return int(text)
    if _NUMBER.match(text) and math.isfinite(float(text)):
        return float(text)
    return None


def _limits_problem(wanted: Number, found: float) -> str | None:
    limits = show_limits(wanted)
    too_low = wanted.low is not None and (found < wanted.low or (wanted.low_open and found == wanted.low))
    too_high = wanted.high is not None and (found > wanted.high or (wanted.high_open and found == wanted.high))
    if too_low or too_high:
        return f"{show_value(found)} is too {'low' if too_low else 'high'}, it takes {limits}"
    if wanted.multiple_of is not None:
        ratio = found / wanted.multiple_of
        if abs(ratio - round(ratio)) > 1e-9:
            return f"{show_value(found)} is not {limits}"
    return None


def _clamped(wanted: Number, found: float) -> JSON:
    """Return the limit that was passed, where it is itself allowed."""
    if wanted.low is not None and found < wanted.low and not wanted.low_open:
        return _kind(wanted, wanted.low)
    if wanted.high is not None and found > wanted.high and not wanted.high_open:
        return _kind(wanted, wanted.high)
    return None


def _kind(wanted: Number, limit: float) -> JSON:
    return math.floor(limit) if wanted.is_integer else limit


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().lower()
