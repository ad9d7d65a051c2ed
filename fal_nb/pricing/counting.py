"""How many units a call will be billed for, as far as its arguments tell: at least, and at most if that is known."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fal_nb.pricing.unit import Unit
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.types import Number, options_of
from fal_nb.schemas.unions import read_size

__all__ = ["Count", "count_units", "filled"]

PRESETS: Mapping[str, tuple[int, int]] = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
"""Width and height in pixels. Source: fal 1.83.0 (Python package) ``toolkit/image``."""

_USUAL_SIDE = 512
_MOST_UNITS = 1e12
_MARGIN = 1.5
"""How far above the dearest call so far another one may come, where only the past tells."""


@dataclass(frozen=True, slots=True)
class Count:
    """Units of a call.

    Attributes
    ----------
    high
        None where nothing bounds them.
    basis
        What they were counted by, in a few words; where `high` is None, why not.
    """

    low: float
    high: float | None
    basis: str

    def times(self, factor: float) -> Count:
        """Return so many times as much."""
        return Count(self.low * factor, None if self.high is None else self.high * factor, self.basis)


def filled(schema: EndpointSchema | None, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with the endpoint's defaults for those that are not given."""
    given = {name: value for name, value in arguments.items() if value is not None}
    return ({} if schema is None else schema.defaults) | given


def count_units(
    unit: Unit,
    schema: EndpointSchema | None,
    arguments: Mapping[str, Any],
    past_units: Sequence[float] = (),
    picture: tuple[int, int] | None = None,
) -> Count:
    """Return how many units a call will be billed for.

    Parameters
    ----------
    past_units
        Units billed for this endpoint's past successes; where the arguments do not tell, they do.
    picture
        Width and height of the picture whose size the output has, where it is known.
    """
    values = filled(schema, arguments)
    counters: dict[str, Callable[[EndpointSchema | None, Mapping[str, Any]], Count]] = {
        "images": _images,
        "megapixels": functools.partial(_megapixels, picture=picture),
        "seconds": _seconds,
        "minutes": _minutes,
        "characters": _characters,
        "tokens": _tokens,
        "calls": _calls,
    }
    counter = counters.get(unit.kind)
    counted = Count(0.0, None, f"{unit.kind} are known only afterwards") if counter is None else counter(schema, values)
    if unit.size != 1.0:
        counted = counted.times(1 / unit.size)
    past = [units for units in past_units if 0 < units < _MOST_UNITS]
    if counted.high is None and past:
        calls = "call" if len(past) == 1 else "calls"
        return Count(min(past) / _MARGIN, max(past) * _MARGIN, f"{len(past)} past {calls}")
    return counted


def _calls(_schema: EndpointSchema | None, _values: Mapping[str, Any]) -> Count:
    return Count(1.0, 1.0, "one call")


def _minutes(schema: EndpointSchema | None, values: Mapping[str, Any]) -> Count:
    return _seconds(schema, values).times(1 / 60)


def _images(schema: EndpointSchema | None, values: Mapping[str, Any]) -> Count:
    count = _number_of(values, "num_images")
    if count is None:
        return Count(1.0, _limit(schema, "num_images") or (1.0 if "num_images" not in values else None), "one image")
    return Count(count, count, f"{count:g} image{'s' if count != 1 else ''}")


def _megapixels(
    schema: EndpointSchema | None, values: Mapping[str, Any], picture: tuple[int, int] | None = None
) -> Count:
    images = _images(schema, values)
    size = _pixels(values) or picture
    if size is None:
        return Count(images.low, None, "the size of the picture is known only afterwards")
    # Rounded up for each picture. Source: fal docs, price of fal-ai/flux/schnell.
    each = math.ceil(size[0] * size[1] / 1_000_000)
    high = None if images.high is None else images.high * each
    return Count(images.low * each, high, f"{images.basis} of {size[0]}×{size[1]}")


def _pixels(values: Mapping[str, Any]) -> tuple[int, int] | None:
    size = values.get("image_size")
    if isinstance(size, Mapping):
        width, height = size.get("width", _USUAL_SIDE), size.get("height", _USUAL_SIDE)
        return (width, height) if _is_whole(width) and _is_whole(height) else None
    if isinstance(size, str):
        return read_size(size) or PRESETS.get(size)
    return None


def _seconds(schema: EndpointSchema | None, values: Mapping[str, Any]) -> Count:
    shots = values.get("multi_prompt")
    if isinstance(shots, list) and shots and all(isinstance(shot, Mapping) for shot in shots):
        parts = [_as_number(shot.get("duration", 5)) for shot in shots]
        if all(part is not None for part in parts):
            total = sum(part for part in parts if part is not None)
            return Count(total, total, f"{total:g} s in {len(shots)} shots")
    for name in ("duration", "seconds_total", "seconds"):
        seconds = _number_of(values, name)
        if seconds is not None:
            return Count(seconds, seconds, f"{seconds:g} s")
        limit = _limit(schema, name)
        if limit is not None:
            return Count(0.0, limit, f"at most {limit:g} s")
    return Count(0.0, None, "the length is known only afterwards")


def _characters(schema: EndpointSchema | None, values: Mapping[str, Any]) -> Count:
    del schema
    for name in ("text", "prompt", "script", "input"):
        text = values.get(name)
        if isinstance(text, str):
            return Count(float(len(text)), float(len(text)), f"{len(text)} characters")
    return Count(0.0, None, "the text is known only afterwards")


def _tokens(_schema: EndpointSchema | None, values: Mapping[str, Any]) -> Count:
    """Return at most one token for each byte that is sent, and as many as the answer may have."""
    limit = _number_of(values, "max_tokens")
    if limit is None:
        return Count(0.0, None, "the length of the answer is known only afterwards; max_tokens bounds it")
    texts = [values[name] for name in ("prompt", "system_prompt") if isinstance(values.get(name), str)]
    sent = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return Count(0.0, sent + limit, f"at most {sent} tokens asked and {limit:g} answered")


def _number_of(values: Mapping[str, Any], name: str) -> float | None:
    return _as_number(values.get(name))


def _as_number(value: Any) -> float | None:
    """Return a number from 0 to a trillion, also one that is written as a text; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("s"))
        except ValueError:
            return None
    if not isinstance(value, (int, float)) or not 0 <= value <= _MOST_UNITS:
        return None
    return float(value)


def _limit(schema: EndpointSchema | None, name: str) -> float | None:
    """Return the most a number may be by the schema, or None."""
    field = None if schema is None else schema.inputs.field(name)
    highs = [option.high for option in options_of(field.type) if isinstance(option, Number)] if field else []
    known = [high for high in highs if high is not None]
    return max(known) if known and len(known) == len(highs) else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1_000_000
