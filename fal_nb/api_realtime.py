"""Realtime connections of this kernel's session, by the official client's names: blocking, and for ``async with``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from fal_nb.api import session
from fal_nb.engine.intent import Terms
from fal_nb.engine.remembered import annotation_columns
from fal_nb.protocol.realtime import TOKEN_LIFE_S

if TYPE_CHECKING:
    from fal_nb.client.raw_socket import AsyncRawSocket
    from fal_nb.client.sync_realtime import RawSocket, RealtimeConnection
    from fal_nb.engine.live import RecordedConnection

__all__ = ["realtime", "realtime_async", "ws_connect", "ws_connect_async"]


def realtime(  # noqa: PLR0913 - signature of the official client, the pace, and what is written down
    application: str,
    *,
    use_jwt: bool = True,
    path: str = "/realtime",
    max_buffering: int | None = None,
    token_expiration: int = TOKEN_LIFE_S,
    encode_message: Callable[[Any], bytes | str] | None = None,
    decode_message: Callable[[bytes], Any] | None = None,
    newest_wins: bool = False,
    throttle_s: float = 0.0,
    in_flight: int | None = None,
    reconnect: bool = True,
    tags: str | Iterable[str] | None = None,
    note: str | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
) -> RealtimeConnection:
    """Return a connection on which inputs are answered as they come; ``with`` opens and closes it.

    The session is one record of the history, written before anything is connected to, and a job: closing the
    connection ends it, and so does cancelling the job. It goes on while other cells run.

    Parameters
    ----------
    use_jwt, path, max_buffering, token_expiration, encode_message, decode_message
        As in the official client.
    newest_wins, throttle_s, in_flight, reconnect
        As `AsyncClient.realtime` has them.
    tags, note
        Written on the record.
    max_cost, allow_unpriced
        Nobody can say beforehand what a session costs: under a budget it needs `allow_unpriced`.

    Raises
    ------
    EndpointError, ConfigError
        Where an option has a value that cannot be meant.
    """
    return session().realtime(
        application,
        path=path,
        options=_options(use_jwt=use_jwt, max_buffering=max_buffering, token_expiration=token_expiration),
        **_sides(encode_message, decode_message, newest_wins, throttle_s, in_flight, reconnect=reconnect),
        more=annotation_columns(tags, note),
        terms=Terms(max_cost, allow_unpriced),
    )


def realtime_async(  # noqa: PLR0913 - as above
    application: str,
    *,
    use_jwt: bool = True,
    path: str = "/realtime",
    max_buffering: int | None = None,
    token_expiration: int = TOKEN_LIFE_S,
    encode_message: Callable[[Any], bytes | str] | None = None,
    decode_message: Callable[[bytes], Any] | None = None,
    newest_wins: bool = False,
    throttle_s: float = 0.0,
    in_flight: int | None = None,
    reconnect: bool = True,
    tags: str | Iterable[str] | None = None,
    note: str | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
) -> RecordedConnection:
    """Return the same for ``async with``; it belongs to the event loop it is opened in. Options as for `realtime`."""
    return session().live(
        application,
        path=path,
        options=_options(use_jwt=use_jwt, max_buffering=max_buffering, token_expiration=token_expiration),
        **_sides(encode_message, decode_message, newest_wins, throttle_s, in_flight, reconnect=reconnect),
        more=annotation_columns(tags, note),
        terms=Terms(max_cost, allow_unpriced),
    )


def ws_connect(
    application: str,
    *,
    use_jwt: bool = True,
    path: str = "",
    max_buffering: int | None = None,
    token_expiration: int = TOKEN_LIFE_S,
) -> RawSocket:
    """Return a WebSocket of an app without fal's protocol; ``with`` opens and closes it. It writes no record.

    Raises
    ------
    EndpointError, ConfigError
        Where an option has a value that cannot be meant.
    """
    from fal_nb.client.sync_realtime import RawSocket  # noqa: PLC0415 - imports aiohttp

    options = _options(use_jwt=use_jwt, max_buffering=max_buffering, token_expiration=token_expiration)
    return RawSocket(session().client().ws_connect(application, path=path, **options), session().runtime.call)


def ws_connect_async(
    application: str,
    *,
    use_jwt: bool = True,
    path: str = "",
    max_buffering: int | None = None,
    token_expiration: int = TOKEN_LIFE_S,
) -> AsyncRawSocket:
    """Return the same for ``async with``; raises as `ws_connect`. The session's first call loads its client."""
    options = _options(use_jwt=use_jwt, max_buffering=max_buffering, token_expiration=token_expiration)
    return session().client().ws_connect(application, path=path, **options)


def _options(*, use_jwt: bool, max_buffering: int | None, token_expiration: int) -> dict[str, Any]:
    return {"use_jwt": use_jwt, "max_buffering": max_buffering, "token_expiration": token_expiration}


def _sides(
    encode: Callable[[Any], bytes | str] | None,
    decode: Callable[[bytes], Any] | None,
    newest_wins: bool,  # noqa: FBT001 - handed on in the order of the signature above
    throttle_s: float,
    in_flight: int | None,
    *,
    reconnect: bool,
) -> dict[str, Any]:
    from fal_nb.client.connecting import codec_of  # noqa: PLC0415 - imports aiohttp
    from fal_nb.client.pace import Pace  # noqa: PLC0415 - as above

    pace = Pace(newest_wins, throttle_s, in_flight, reconnect)
    return {"codec": codec_of(encode, decode), "pace": pace}
