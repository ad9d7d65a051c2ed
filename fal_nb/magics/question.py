"""A ``?`` at the end of a ``%fal`` line: help where it stands alone, else a part of the line.

IPython takes any line that ends in ``?`` for a question about its last word: ``%fal run?`` would look for a variable
`run`, and ``%fal run ENDPOINT prompt=why?`` would not call anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

__all__ = ["install"]

_HELP = re.compile(r"[ \t]*(?:\?{1,2}[ \t]*%{1,2}fal|%{1,2}fal(?:[ \t]+(?P<topic>[a-z]+))?[ \t]*\?{1,2})[ \t]*\n?")
_ENDS_IN_QUESTION = re.compile(r"(?P<before>[ \t]*(?:[\w., \t]+=[ \t]*)?)%fal[ \t]+(?P<line>\S.*\?)[ \t]*(?P<end>\n?)")


def install(shell: Any) -> Callable[[], None]:
    """Put it behind IPython's own changes to a cell; return what takes it away."""
    transformers = shell.input_transformers_cleanup
    transformers.append(_changed)
    return lambda: transformers.remove(_changed) if _changed in transformers else None


def _changed(lines: list[str]) -> list[str]:
    if lines and lines[0].startswith("%%") and len(lines) > 1:
        return lines  # the body of a cell magic, which is not Python
    return [_question(line) for line in lines]


def _question(line: str) -> str:
    if "%fal" not in line or "?" not in line:
        return line
    asked = _HELP.fullmatch(line)
    if asked:
        return f"%fal help {asked['topic'] or ''}".rstrip() + "\n"
    found = _ENDS_IN_QUESTION.fullmatch(line)
    if found is None:
        return line
    return f"{found['before']}get_ipython().run_line_magic('fal', {found['line']!r}){found['end']}"
