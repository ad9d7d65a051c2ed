"""What marks a blocking handle of a request, so that rooms which load no HTTP library can say that they have one."""

from __future__ import annotations

__all__ = ["BlockingHandle"]


class BlockingHandle:
    """One request with ``request_id``, ``status``, ``iter_events``, ``get`` and ``cancel``, all of which block."""

    __slots__ = ()
