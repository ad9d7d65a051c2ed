"""A place in a cell → what is offered there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.magics.completion.body import body_offers
from fal_nb.magics.completion.line import LineOffers

if TYPE_CHECKING:
    from fal_nb.magics.completion.known import Known
    from fal_nb.magics.completion.offers import Found
    from fal_nb.magics.completion.place import Place

__all__ = ["offers_at"]


def offers_at(place: Place, known: Known, variables: Mapping[str, Any]) -> Found:
    """Return what is offered at a place; reads files, asks no server."""
    if place.body is not None:
        return body_offers(place.line, place.body, known, variables, place.following)
    return LineOffers(place.line, known, variables, place.following).found()
