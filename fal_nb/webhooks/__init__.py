"""``fal.webhooks``: deliveries of fal's webhooks, checked and written into the history."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fal_nb.errors import WebhookError
    from fal_nb.protocol.webhooks import Delivery
    from fal_nb.webhooks.kept import deliveries
    from fal_nb.webhooks.receiving import Receiver, receiver
    from fal_nb.webhooks.serving import ReceiverServer, serve
    from fal_nb.webhooks.verifying import verify, verify_async

_WHERE = {
    "Delivery": "fal_nb.protocol.webhooks",
    "WebhookError": "fal_nb.errors",
    "Receiver": "fal_nb.webhooks.receiving",
    "ReceiverServer": "fal_nb.webhooks.serving",
    "deliveries": "fal_nb.webhooks.kept",
    "receiver": "fal_nb.webhooks.receiving",
    "serve": "fal_nb.webhooks.serving",
    "verify": "fal_nb.webhooks.verifying",
    "verify_async": "fal_nb.webhooks.verifying",
}

__all__ = [
    "Delivery",
    "Receiver",
    "ReceiverServer",
    "WebhookError",
    "deliveries",
    "receiver",
    "serve",
    "verify",
    "verify_async",
]


def __getattr__(name: str) -> Any:
    """Load a name at its first use: whoever only verifies loads no more than that takes."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names, so that Tab shows them before they are loaded."""
    return sorted({*globals(), *__all__})
