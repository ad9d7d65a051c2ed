"""How a simulator behaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["SCHEDULE_S", "Options"]

SCHEDULE_S = (0.0, 5.0, 15.0, 45.0, 120.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 2100.0)
"""Seconds before each attempt: the first at once, ten more within two hours. fal's documents have had three
schedules; this is the oldest of them."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a simulator behaves.

    Attributes
    ----------
    runners
        Requests in progress at once, direct calls included.
    speed
        Every simulated duration is divided by it.
    require_key
        The only key that is let in; None lets in any and none.
    admin_token
        Opens ``/admin``.
    pickup_s
        Seconds a request waits at least before a runner takes it up.
    store_payloads
        Whether inputs and outputs are kept for the list of ended requests, unless the request says otherwise.
    result_life_s, large_result_life_s
        Seconds after which a result is gone, and one of 10 KB or more. Source: fal docs "Result".
    ping_s
        Seconds between the comments that keep a status stream open. Source: fal docs "Stream request status".
    session_timeout_s
        Seconds without an input after which a realtime session ends.
    webhook_schedule_s
        Seconds before each attempt to deliver a webhook; as many attempts as entries. Not divided by `speed`.
    mcp
        Which MCP servers there are: the ``first`` generation, the ``current`` one, ``both`` or ``none``.
    """

    runners: int = 2
    speed: float = 1.0
    require_key: str | None = None
    admin_token: str = ""
    pickup_s: float | None = None
    store_payloads: bool = True
    result_life_s: float = 3600.0
    large_result_life_s: float = 360.0
    ping_s: float = 15.0
    session_timeout_s: float = 60.0
    webhook_schedule_s: tuple[float, ...] = SCHEDULE_S
    mcp: Literal["both", "first", "current", "none"] = "both"

    @property
    def effective_pickup_s(self) -> float:
        """Return the least wait; by default a fraction of a second, so that the queue can be seen."""
        return 0.3 / self.speed if self.pickup_s is None else self.pickup_s
