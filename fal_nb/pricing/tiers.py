"""Tiers that the price list does not carry: how much more a unit is with some arguments, endpoint by endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["tier_of"]

Tier = Callable[[Mapping[str, Any]], tuple[float, str]]


def _kling_sound(values: Mapping[str, Any]) -> tuple[float, str]:
    """Return 1.5 where there is sound. Source: fal.ai ``llms.txt`` page of kling-video/v3/pro."""
    return (0.168 / 0.112, "with sound") if values.get("generate_audio") else (1.0, "")


def _recraft_vector(values: Mapping[str, Any]) -> tuple[float, str]:
    """Return 2 for a vector style. Source: fal's model list, price text of recraft/v3."""
    return (2.0, "as vectors") if str(values.get("style", "")).startswith("vector_illustration") else (1.0, "")


def _textured(values: Mapping[str, Any]) -> tuple[float, str]:
    """Return 3 for a textured mesh. Source: fal-js endpoint types, ``hunyuan3d/v2``."""
    return (3.0, "textured") if values.get("textured_mesh") else (1.0, "")


def _trellis_resolution(values: Mapping[str, Any]) -> tuple[float, str]:
    """Return what the resolution multiplies the lowest one's price by. Source: fal's model list, text of trellis-2."""
    resolution = values.get("resolution")
    factor = {512: 1.0, 1024: 1.2, 1536: 1.4}.get(resolution if isinstance(resolution, int) else 0)
    return (1.0, "") if factor is None else (factor, f"at {resolution}")


_TIERS: Mapping[str, Tier] = {
    "fal-ai/kling-video/v3/pro/text-to-video": _kling_sound,
    "fal-ai/kling-video/v3/pro/image-to-video": _kling_sound,
    "fal-ai/recraft/v3/text-to-image": _recraft_vector,
    "fal-ai/hunyuan3d/v2": _textured,
    "fal-ai/trellis-2": _trellis_resolution,
}


def tier_of(endpoint: str, values: Mapping[str, Any]) -> tuple[float, str]:
    """Return (factor, in a few words why) for a call; (1, nothing) where no tier is known.

    Parameters
    ----------
    values
        Arguments with defaults filled in.
    """
    tier = _TIERS.get(endpoint)
    return (1.0, "") if tier is None else tier(values)
