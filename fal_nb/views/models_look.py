"""What the models view is given: plain data and a Protocol, so that it knows no session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fal_nb.catalogue.model import Model

__all__ = ["CatalogueModels", "InputLook", "ModelDetails"]


@dataclass(frozen=True, slots=True)
class InputLook:
    """One input of an endpoint, in words."""

    name: str
    type: str
    default: str
    values: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What is asked for when somebody looks closer.

    Attributes
    ----------
    run_line, form_line
        Lines that call it and that open its form.
    price
        In words; empty where it is not known.
    trouble
        Why there is less than there could be.
    """

    run_line: str
    form_line: str
    inputs: tuple[InputLook, ...] = ()
    price: str = ""
    trouble: str = ""


class CatalogueModels(Protocol):
    """The models of one server."""

    @property
    def models(self) -> Sequence[Model]:
        """All of them; they do not change."""

    @property
    def note(self) -> str:
        """What there is to say of where they come from; or nothing."""

    @property
    def is_simulated(self) -> bool:
        """Whether they are the simulator's."""

    def known_picture(self, model: Model) -> bytes | None:
        """Return a small picture that is here already, as WebP; any thread, never waits."""

    async def picture(self, model: Model) -> bytes | None:
        """Return a model's small picture, fetched by the kernel; on the loop's thread."""

    def details(self, model: Model) -> ModelDetails:
        """Return what a closer look shows; blocks."""
