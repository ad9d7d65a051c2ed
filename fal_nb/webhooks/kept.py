"""``deliveries``: the webhooks that came, as the history has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fal_nb.engine.session import Session
    from fal_nb.ledger.deliveries import KeptDelivery

__all__ = ["deliveries"]


def deliveries(limit: int = 100, *, foreign: bool = False, session: Session | None = None) -> list[KeptDelivery]:
    """Return the webhooks that were delivered, one a request, the newest first; blocks.

    Parameters
    ----------
    limit
        Most of them.
    foreign
        Whether only those of requests that no record has: made elsewhere, or by calls whose answer was lost. A thousand
        of them are kept, those of other accounts the shortest.
    session
        Whose history; default: this kernel's.

    Raises
    ------
    HistoryError
        Where the history cannot be read.
    """
    from fal_nb.workbench import current  # noqa: PLC0415 - with the session

    return (session or current().session).history.deliveries.newest(limit, foreign=foreign)
