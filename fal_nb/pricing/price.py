"""``Price``: what a call will cost, at least and at most, and how that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fal_nb.pricing.counting import count_units, filled
from fal_nb.pricing.tiers import tier_of
from fal_nb.pricing.unit import UnitPrice, one_unit, read_unit
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.table import html_table

__all__ = ["Price", "price_of"]


@dataclass(frozen=True, slots=True)
class Price:
    """What a call will cost.

    Attributes
    ----------
    low, high
        In `currency`. `high` is None where nothing bounds it: the call is unpriced.
    basis
        What it was worked out by; where it is unpriced, why.
    unit, unit_price
        As the price list has them; None where it has none.
    """

    endpoint: str
    low: float
    high: float | None
    basis: str
    currency: str = "USD"
    unit: str | None = None
    unit_price: float | None = None

    @property
    def is_exact(self) -> bool:
        """Whether it cannot come to anything else."""
        return self.high is not None and self.low == self.high

    def __str__(self) -> str:
        if self.high is None:
            return f"unpriced: {self.basis}"
        amount = _money(self.high) if self.is_exact else f"{_money(self.low)}–{_money(self.high)}"
        rate = "" if self.unit_price is None else f" at {_money(self.unit_price)} per {one_unit(self.unit)}"
        return f"{amount} {self.currency} ({self.basis}{rate})"

    def _repr_html_(self) -> str:
        most = "nothing bounds it" if self.high is None else f"{_money(self.high)} {self.currency}"
        rows = [["at least", f"{_money(self.low)} {self.currency}"], ["at most", most], ["reckoned by", self.basis]]
        if self.unit_price is not None:
            rows.append(["a unit", f"{_money(self.unit_price)} {self.currency} per {one_unit(self.unit)}"])
        return html_table(self.endpoint, ("price", ""), rows)

    def __repr__(self) -> str:
        return f"<Price {self.endpoint}: {self}>"


def price_of(
    endpoint: str,
    unit_price: UnitPrice | None,
    schema: EndpointSchema | None,
    arguments: Mapping[str, Any],
    past_units: Sequence[float] = (),
    picture: tuple[int, int] | None = None,
) -> Price:
    """Return what a call will cost.

    Parameters
    ----------
    unit_price
        From the price list; None where it has no such endpoint.
    schema
        Gives defaults and limits of what the arguments leave out.
    past_units
        Units billed for this endpoint's past successes.
    picture
        Width and height of the input that `source_picture` names, where they are known.
    """
    if unit_price is None:
        return Price(endpoint, 0.0, None, "the price list does not have it")
    count = count_units(read_unit(unit_price.unit), schema, arguments, past_units, picture)
    if not count.basis.endswith(("past call", "past calls")):
        factor, why = tier_of(endpoint, filled(schema, arguments))
        count = count.times(factor)
        basis = f"{count.basis} {why}".strip()
    else:
        basis = count.basis
    price = unit_price.unit_price
    high = None if count.high is None else count.high * price
    return Price(endpoint, count.low * price, high, basis, unit_price.currency, unit_price.unit, price)


def _money(amount: float) -> str:
    """Return an amount with as many digits as it takes to be told from nothing."""
    return f"{amount:.2f}" if 1 <= amount < 1e9 or amount == 0 else f"{amount:.4g}"
