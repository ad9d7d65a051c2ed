"""Whether a file is still behind its URL, asked for with one byte of it."""

from __future__ import annotations

import httpx

from fal_nb.client.http import Http
from fal_nb.client.outward import is_public_only, shown_host
from fal_nb.client.verdicts import Call, Lost
from fal_nb.errors import TransferError

__all__ = ["is_gone"]

_PATIENCE_S = 5.0
_GONE = frozenset({401, 403, 404, 410})
"""Not there, or no longer to be read: an expired signature is refused with 401 or 403."""


async def is_gone(http: Http, url: str) -> bool:
    """Return whether the file can no longer be read there, as far as one question within 5 s tells.

    A GET of one byte, because a signed URL often allows no HEAD. A server that is busy or slow says nothing, so the
    file counts as there; one that cannot be reached at all, or not be asked from here, has nothing for us.
    """
    try:
        call = Call(
            "GET",
            url,
            f"a look at {shown_host(url)}",
            headers={"accept": "*/*", "accept-encoding": "identity", "range": "bytes=0-0"},
            timeout_s=_PATIENCE_S,
            pool="files",
            bears_key=False,
            public_only=is_public_only(http, url),
        )
    except TransferError:
        return True
    outcome = await http.open_once(call)
    if isinstance(outcome, httpx.Response):
        await outcome.aclose()
        return False
    if isinstance(outcome, Lost):
        return not outcome.sent
    return outcome.status in _GONE
