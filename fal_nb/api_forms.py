"""The module's function about forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.workbench import current

if TYPE_CHECKING:
    from fal_nb.filled_form import Form

__all__ = ["form"]


def form(endpoint: str, arguments: Mapping[str, Any] | None = None) -> Form:
    """Return a form of an endpoint's inputs; as the last line of a cell it shows itself.

    ``form.arguments`` and ``form.cell`` are what is filled in, ``form.widget`` is an ipywidget for layouts of your own.

    Parameters
    ----------
    arguments
        What is filled in at first: JSON, and paths of local files.

    Raises
    ------
    EndpointError
        Where it is no endpoint id.
    FileError
        Where an argument is neither JSON nor a path.
    FalError
        Where the schema cannot be had.
    """
    return current().form(endpoint, arguments)
