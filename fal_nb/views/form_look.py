"""What a form needs of the thing it fills in, as plain data and protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.scalars import Problem

if TYPE_CHECKING:
    from fal_nb.views.card import CardView
    from fal_nb.views.form import FormView

__all__ = ["FilledForm", "FormLook"]


@dataclass(frozen=True, slots=True)
class FormLook:
    """What filled-in values come to.

    Attributes
    ----------
    cell
        The source of the cell that makes the call.
    price
        In words; empty where nobody knows.
    error
        Why there is no cell.
    """

    cell: str = ""
    problems: tuple[Problem, ...] = ()
    price: str = ""
    error: str = ""


class FilledForm(Protocol):
    """A form of one endpoint. What blocks is called in worker threads."""

    @property
    def schema(self) -> EndpointSchema:
        """What the endpoint takes."""

    @property
    def backend(self) -> str:
        """Where its calls go."""

    @property
    def values(self) -> Mapping[str, JSON]:
        """What is filled in."""

    def fill(self, values: Mapping[str, JSON], by: FormView | None = None) -> None:
        """Fill in all anew and tell the views but the one that did it; any thread."""

    def look(self) -> FormLook:
        """Return what the values come to; blocks."""

    def start(self) -> CardView:
        """Start the call and return its card; blocks.

        Raises
        ------
        FalError
            Before anything is sent.
        """

    @property
    def input_folder(self) -> Path:
        """Where files that come from the page are kept."""
