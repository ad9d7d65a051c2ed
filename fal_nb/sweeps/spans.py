"""Values that are written shorter than they are: ranges such as ``2..5 step 0.5``, and ``random 8``.

Ranges are worked out in decimal, so that ``0..1 step 0.1`` holds 0.3 and ends with 1.
"""

from __future__ import annotations

import random
import re
from decimal import Decimal

from fal_nb.errors import GrammarError
from fal_nb.schemas.types import InputType, Number, options_of

__all__ = ["MOST_VALUES", "draw_seeds", "read_random", "read_range"]

MOST_VALUES = 100_000
_NUMBER = r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?"
_RANGE = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})(?:\s+(?:step|by)\s+({_NUMBER}))?")
_RANDOM = re.compile(r"random\s+([0-9]{1,9})")
_SEEDS_BELOW = 2**31
"""Every endpoint known takes a seed of 31 bits; not all take more."""


def read_range(text: str) -> list[int | float] | None:
    """Return the numbers from the first to the last, both included; None where `text` is no range.

    Upward or downward, as the ends say; the last is left out where the steps pass over it. Integers where all are.

    Raises
    ------
    GrammarError
        Where the step is 0, or there are more than 100,000.
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        return None
    first, last = Decimal(found[1]), Decimal(found[2])
    step = abs(Decimal(found[3])) if found[3] else Decimal(1)
    if step == 0:
        raise GrammarError(f"{text.strip()}: the step must not be 0.")
    count = int(abs(last - first) / step) + 1
    if count > MOST_VALUES:
        raise GrammarError(f"{text.strip()} has {count:,} values; an axis takes at most {MOST_VALUES:,}.")
    signed = step if last >= first else -step
    numbers = [first + signed * position for position in range(count)]
    if all(number == number.to_integral_value() for number in numbers):
        return [int(number) for number in numbers]
    return [float(number) for number in numbers]


def read_random(text: str) -> int | None:
    """Return how many values ``random 8`` asks for; None where `text` is something else.

    Raises
    ------
    GrammarError
        Where it is none, or more than 100,000.
    """
    found = _RANDOM.fullmatch(text.strip())
    if found is None:
        return None
    count = int(found[1])
    if not 1 <= count <= MOST_VALUES:
        raise GrammarError(f"{text.strip()}: between 1 and {MOST_VALUES:,} values can be drawn.")
    return count


def draw_seeds(count: int, wanted: InputType | None, source: random.Random) -> list[int]:
    """Return so many different integers, within the limits the input has, in the order drawn.

    Raises
    ------
    GrammarError
        Where the input does not have so many.
    """
    numbers = [option for option in options_of(wanted) if isinstance(option, Number)] if wanted else []
    low = max((int(number.low) for number in numbers if number.low is not None), default=0)
    high = min((int(number.high) for number in numbers if number.high is not None), default=_SEEDS_BELOW - 1)
    allowed = range(low, min(high, max(low, 0) + _SEEDS_BELOW - 1) + 1)
    if len(allowed) < count:
        raise GrammarError(f"random {count}: there are only {len(allowed):,} values between {low} and {high}.")
    return source.sample(allowed, count)
