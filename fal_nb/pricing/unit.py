"""Units of prices: free text with fal, read as a number and a kind of thing."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Unit", "UnitKind", "UnitPrice", "one_unit", "read_unit"]

UnitKind: TypeAlias = Literal[
    "images", "megapixels", "seconds", "minutes", "characters", "tokens", "compute seconds", "calls", "unknown"
]

_NUMBER = re.compile(r"\A(?:per\s+)?([0-9][0-9,.]*)\s*([kKmM]?)\b\s*(.*)\Z")
_FACTORS = {"": 1.0, "k": 1_000.0, "m": 1_000_000.0}
_KINDS: tuple[tuple[UnitKind, tuple[str, ...]], ...] = (
    ("compute seconds", ("compute", "gpu", "processing")),
    ("megapixels", ("megapixel", "mp")),
    ("tokens", ("token",)),
    ("characters", ("character", "char")),
    ("minutes", ("minute", "min")),
    ("seconds", ("second", "sec", "s")),
    ("images", ("image", "picture")),
    ("calls", ("generation", "request", "call", "video", "audio", "model", "unit", "file", "clip", "run")),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: `size` things of a kind."""

    kind: UnitKind
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What a unit of an endpoint costs, as the price list has it.

    Attributes
    ----------
    unit
        The list's own words.
    unit_price
        In `currency`; not negative.
    """

    endpoint: str
    unit: str
    unit_price: float
    currency: str = "USD"


def read_unit(text: str) -> Unit:
    """Return what a unit's words mean: ``10 seconds``, ``1k characters``, ``1m tokens``, ``megapixels``.

    Source: fal Platform API document (``unit`` is free text); the words are those seen in fal's price list.
    """
    words = text.strip().lower()[:80]
    size = 1.0
    found = _NUMBER.match(words)
    if found:
        try:
            size = float(found[1].replace(",", "")) * _FACTORS[found[2].lower()]
        except ValueError:
            return Unit("unknown")
        words = found[3]
    if not size > 0 or not math.isfinite(size):
        return Unit("unknown")
    parts = re.findall(r"[a-z]+", words)
    for kind, names in _KINDS:
        if any(part.removesuffix("s") in names or part in names for part in parts):
            return Unit(kind, size)
    return Unit("unknown")


def one_unit(unit: str | None) -> str:
    """Return a unit as it stands after "per": ``megapixels`` → megapixel; ``10 seconds`` stays."""
    words = unit or "unit"
    stays = words[:1].isdigit() or not words.endswith("s") or words.endswith("ss")
    return words if stays else words[:-1]
