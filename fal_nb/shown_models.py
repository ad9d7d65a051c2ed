"""``ShownModels``: a listing of the catalogue as its view sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fal_nb.errors import FalError
from fal_nb.pricing.unit import one_unit
from fal_nb.schemas.bare import text_input_of
from fal_nb.views.models_look import InputLook, ModelDetails

if TYPE_CHECKING:
    from fal_nb.catalogue.model import Model
    from fal_nb.engine.catalogue import Catalogue
    from fal_nb.engine.session import Session
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["ShownModels"]


class ShownModels:
    """Models with their pictures, schemas and prices.

    Attributes
    ----------
    models, note, is_simulated
        As the view's ``CatalogueModels`` has them.
    """

    def __init__(
        self, session: Session, catalogue: Catalogue, models: Sequence[Model], *, note: str, is_simulated: bool
    ) -> None:
        self._session = session
        self._catalogue = catalogue
        self.models = models
        self.note = note
        self.is_simulated = is_simulated

    def known_picture(self, model: Model) -> bytes | None:
        """Return a small picture that is here already."""
        return self._catalogue.known_picture(model.thumbnail_url)

    async def picture(self, model: Model) -> bytes | None:
        """Return a model's small picture; on the loop's thread."""
        return await self._catalogue.picture(model.thumbnail_url)

    def details(self, model: Model) -> ModelDetails:
        """Return inputs, price and lines to copy; blocks. What cannot be had is said, not raised."""
        troubles: list[str] = []
        schema: EndpointSchema | None = None
        price = ""
        try:
            schema = self._session.schema(model.endpoint)
        except (FalError, TimeoutError) as error:
            troubles.append(str(error))
        try:
            unit = self._session.unit_price(model.endpoint)
            price = "" if unit is None else f"{unit.unit_price:.6g} {unit.currency} per {one_unit(unit.unit)}"
            if unit is not None and schema is not None:
                price += f"; as it stands {self._session.price(model.endpoint)}"
        except (FalError, TimeoutError) as error:
            troubles.append(str(error))
        return ModelDetails(
            run_line=_run_line(model.endpoint, schema),
            form_line=f"%fal form {model.endpoint}",
            inputs=() if schema is None else tuple(_input(row) for row in schema.shown_rows()),
            price=price,
            trouble=" ".join(troubles),
        )


def _input(row: dict[str, str]) -> InputLook:
    return InputLook(row["name"], row["type"], row["default"], row["values"], bool(row["required"]), row["description"])


def _run_line(endpoint: str, schema: EndpointSchema | None) -> str:
    """Return the line that calls an endpoint, with what it must be given left to be filled in."""
    needed = [] if schema is None else schema.required
    text = None if schema is None else text_input_of(schema)
    filled = [f'{name}=""' if name == text else f"{name}=" for name in needed if name.isidentifier()]
    return " ".join(["%fal run", endpoint, *filled])
