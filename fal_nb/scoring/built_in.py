"""The scorers that have a name: what each looks at, and whether it looks at one output or compares two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from fal_nb.errors import JobError
from fal_nb.plain import one_line
from fal_nb.schemas.nearest import nearest
from fal_nb.scoring import likeness, looks

__all__ = ["BUILT_IN", "BuiltIn", "On", "built_in"]

On: TypeAlias = Literal["result", "file"]
"""What a scorer is given: the whole ``Result``, or its first ``ResultFile``."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One scorer by its name.

    Attributes
    ----------
    is_pair
        Whether it compares an output with a reference or a neighbour.
    version
        Goes up with a change of its numbers, so that scores kept from before are made anew.
    """

    name: str
    function: Callable[..., Any]
    on: On = "file"
    is_pair: bool = False
    version: int = 1


BUILT_IN: dict[str, BuiltIn] = {
    one.name: one
    for one in (
        BuiltIn("sharpness", looks.sharpness),
        BuiltIn("brightness", looks.brightness),
        BuiltIn("colourfulness", looks.colourfulness),
        BuiltIn("ssim", likeness.ssim, is_pair=True),
        BuiltIn("phash", likeness.phash, is_pair=True),
        BuiltIn("text_length", looks.text_length, on="result"),
    )
}


def built_in(name: str) -> BuiltIn:
    """Return the scorer of a name.

    Raises
    ------
    JobError
        Where there is none; it says the nearest.
    """
    found = BUILT_IN.get(name)
    if found is None:
        close = nearest(name, BUILT_IN)
        meant = f"Did you mean {close!r}?" if close else f"There are: {', '.join(BUILT_IN)}; or give any callable."
        raise JobError(f"No scorer is called {one_line(name, 60)!r}. {meant}")
    return found
