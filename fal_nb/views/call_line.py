"""What a call is about, in one line: its prompt, else its arguments as a person would name them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from fal_nb.plain import one_line

__all__ = ["call_line", "kept_for_line", "prompt_in"]

_NAMES = ("prompt", "text")
_MOST_ARGUMENTS = 6
_NAME_CHARS, _VALUE_CHARS = 40, 48
_KEPT_CHARS = 1_000
_KEPT = "\0line"
"""No argument's name: under it `kept_for_line` keeps what was said."""


def prompt_in(arguments: Mapping[str, Any]) -> str:
    """Return the text a call was about: its prompt or other text argument; empty where it has none."""
    for name in _NAMES:
        value = arguments.get(name)
        if isinstance(value, str):
            return value
    return ""


def call_line(arguments: Mapping[str, Any]) -> str:
    """Return what stands for the prompt of a call without one: ``image: fox.png · scale: 4``; empty without any."""
    if isinstance(kept := arguments.get(_KEPT), str):
        return kept
    parts = [
        f"{one_line(str(name), _NAME_CHARS).removesuffix('_url').replace('_', ' ')}: {_words(value)}"
        for name, value in list(arguments.items())[:_MOST_ARGUMENTS]
        if value not in (None, "")
    ]
    left = len(arguments) - _MOST_ARGUMENTS
    return " · ".join([*parts, *([f"and {left} more"] if left > 0 else [])])


def kept_for_line(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return as little of the arguments as says the same of the call in one line."""
    prompt = prompt_in(arguments)
    if prompt.strip():
        return {"prompt": prompt[:_KEPT_CHARS]}
    line = call_line(arguments)
    return {_KEPT: line} if line else {}


def _words(value: Any) -> str:
    if isinstance(value, str):
        return _file_name(value) or one_line(value, _VALUE_CHARS)
    if isinstance(value, list) and value and all(isinstance(one, str) and _file_name(one) for one in value):
        return _words(value[0]) + (f" and {len(value) - 1} more" if len(value) > 1 else "")
    try:
        return one_line(json.dumps(value, ensure_ascii=False, default=str), _VALUE_CHARS)
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def _file_name(text: str) -> str:
    """Return the name of the file that a URL is of; empty where it is no URL of one."""
    if text[:5].lower() == "data:":
        return f"{one_line(text[5:60].partition(';')[0].partition(',')[0], _NAME_CHARS) or 'data'}, in the call"
    if not text[:8].lower().startswith(("https://", "http://")):
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    name = unquote(parts.path.rpartition("/")[2])
    return one_line(name or parts.netloc.rpartition("@")[2], _VALUE_CHARS)
