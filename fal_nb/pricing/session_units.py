"""What a realtime session comes to in the units of its price: fal says nothing of it over the connection."""

from __future__ import annotations

from fal_nb.pricing.unit import Unit

__all__ = ["session_units"]


def session_units(unit: Unit, *, open_s: float, frames: int, compute_s: float) -> float | None:
    """Return the units of a session, None where what is counted cannot be counted from outside.

    Parameters
    ----------
    open_s
        Seconds it was open.
    frames
        Outputs that came.
    compute_s
        Seconds that the app said it computed; 0 where it said nothing.
    """
    amounts: dict[str, float | None] = {
        "seconds": open_s,
        "minutes": open_s / 60,
        "images": float(frames),
        "calls": float(frames),
        "compute seconds": compute_s or None,
    }
    amount = amounts.get(unit.kind) if frames else 0.0
    return None if amount is None else amount / unit.size
