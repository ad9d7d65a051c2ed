"""How a realtime connection writes, how fast it sends, and what it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fal_nb.protocol.realtime import decode_output, encode_input

__all__ = ["Codec", "Counts", "Pace"]


@dataclass(frozen=True, slots=True)
class Codec:
    """How inputs and outputs are written: msgpack, unless the app has a way of its own."""

    encode: Callable[[Any], bytes | str] = encode_input
    decode: Callable[[bytes], Any] = decode_output


@dataclass(frozen=True, slots=True)
class Pace:
    """How inputs go out.

    Attributes
    ----------
    newest_wins
        Whether `send` returns at once, and an input that could not go out yet gives way to a newer one.
    throttle_s
        Least time between two inputs, in seconds.
    in_flight
        How many inputs may be unanswered; more wait. None for any number.
    reconnect
        Whether the next input opens a new connection, with a new token, where the last one has ended.
    """

    newest_wins: bool = False
    throttle_s: float = 0.0
    in_flight: int | None = None
    reconnect: bool = True


@dataclass(slots=True)
class Counts:
    """What has gone over a connection so far.

    Attributes
    ----------
    sent, received
        Inputs and outputs.
    superseded
        Inputs that were never sent, because a newer one took their place.
    connections
        How many WebSockets were opened.
    compute_s
        Seconds that the app says it computed; 0 where it does not say.
    open_s
        Seconds that connections were open, up to the last end.
    """

    sent: int = 0
    received: int = 0
    superseded: int = 0
    connections: int = 0
    compute_s: float = 0.0
    open_s: float = 0.0
