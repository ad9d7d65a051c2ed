"""One thing Tab offers, and which of many fit what is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fal_nb.plain import is_plain

__all__ = ["NOTHING", "Found", "Offer", "fitting"]

_MOST = 200
_LEAST_PART = 2
"""Characters by which a part of a name is found; one letter is in nearly all of them."""
_TEXT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Offer:
    """What replaces what is written, and in a few words what it is: shown beside it where a front end can."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is offered, the best first.

    Attributes
    ----------
    written
        The characters before the cursor that an offer replaces.
    """

    written: str = ""
    offers: tuple[Offer, ...] = ()


NOTHING = Found()


def fitting(written: str, offers: Iterable[Offer]) -> Found:
    """Return the offers that begin with what is written, then those that hold it, in either case.

    A text that a line cannot hold as it stands, or that would not show as what it is, is never among them.
    """
    wanted = written.lower()
    begins: list[Offer] = []
    holds: list[Offer] = []
    for offer in offers:
        text = offer.text.lower()
        if not text.startswith(wanted) and (len(wanted) < _LEAST_PART or wanted not in text):
            continue
        if len(text) > _TEXT_CHARS or not is_plain(offer.text) or not set("\t\n").isdisjoint(text):
            continue
        (begins if text.startswith(wanted) else holds).append(offer)
    return Found(written, tuple([*begins, *holds][:_MOST]))
