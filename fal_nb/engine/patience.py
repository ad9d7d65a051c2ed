"""How long a job goes on asking, and which answers to its result say anything of the request at all.

Its invariant: what may be paid for is never written off because of what happened on the way to it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from fal_nb.errors import FalClientHTTPError, FalError, ProtocolError, SubmissionUnknown, TransferError

if TYPE_CHECKING:
    from fal_nb.engine.snapshot import JobSnapshot

__all__ = ["GOES_ON", "PATIENCE_S", "Patience"]

GOES_ON = "The request goes on at fal; this asks again."
"""What is said behind every trouble on the way."""
PATIENCE_S = 30.0
"""How long who asks for a result now waits for a fal that cannot be reached: about as long as a request's tries."""
_FIRST_S = 2.0
_LONGEST_S = 30.0
_MOST_DOUBTS = 9
_PASSING_TROUBLE = frozenset({408, 409, 425, 429})
_ABOUT_ASKING = frozenset({401, 403})
_MOST_UNUSABLE = 3  # answers to one question, that came and cannot be read
T = TypeVar("T")


class Patience:
    """The patience of one job; lives on the loop's thread alone.

    Parameters
    ----------
    say
        Shows what is waited for, or with None that nothing is any more.

    Attributes
    ----------
    is_known_failed
        Whether the request's status has told of a failure.
    unreached_since
        Since when nothing got through, Unix time in seconds; None while fal answers.
    """

    def __init__(self, say: Callable[[str | None], None]) -> None:
        self.is_known_failed = False
        self.unreached_since: float | None = None
        self._say = say
        self._doubts = 0

    async def repeat(self, step: Callable[[], Awaitable[T]], snapshot: JobSnapshot) -> T:
        """Repeat a step until it gets through: a request goes on at fal whatever happens to the network here.

        A page that something on the way gave in fal's place is such trouble, too, for as long as it lasts. What comes
        from fal and cannot be read would hardly be readable later: after some tries the job is ``UNKNOWN``, with its
        request's id, so that reconciling asks for the result again and nothing paid is written off.

        Raises
        ------
        SubmissionUnknown
            Where the answers cannot be read.
        """
        wait_s, unusable = _FIRST_S, 0
        while True:
            began = time.time()
            try:
                done = await step()
            except (TransferError, ProtocolError) as error:
                unusable += isinstance(error, ProtocolError)
                if unusable == _MOST_UNUSABLE:
                    self.come_through()
                    raise SubmissionUnknown(
                        f"{error} It may have succeeded, and be charged: fal keeps its result for a while.",
                        request_id=snapshot.request_id,
                        endpoint=snapshot.endpoint,
                    ) from error
                if self.unreached_since is None:
                    self.unreached_since = began
                self._say(f"{error} {GOES_ON}")
            except FalError:
                self.come_through()  # it was asked for the last time: nobody asks again
                raise
            else:
                self.come_through()
                return done
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_S)

    def come_through(self) -> None:
        """Take in that fal has answered, or that it is not asked any more."""
        if self.unreached_since is not None:
            self.unreached_since = None
            self._say(None)

    def judged(self, error: FalClientHTTPError, snapshot: JobSnapshot) -> FalError:
        """Return what an error answer to the result means: itself, where the request came to it."""
        is_about_asking = error.status_code in _ABOUT_ASKING and not error.is_from_gateway
        if is_about_asking and not self.is_known_failed and not isinstance(error.detail, list):
            # Said of who asks, not of the request: it may well have succeeded, and reconciling asks again.
            return SubmissionUnknown(
                f"fal did not let its result be fetched: {error} It is kept there for a while, and may be charged.",
                request_id=snapshot.request_id,
                endpoint=snapshot.endpoint,
            )
        if not self._is_passing(error):
            return error
        return TransferError(f"The result cannot be had just now: {error}.")

    def _is_passing(self, error: FalClientHTTPError) -> bool:
        """Return whether an error answer to the result says nothing of the request, which may well have succeeded.

        A 503 of fal's own may be either; it is believed where the status told of a failure, or after some time.
        Source: fal docs "Request Error Types" (flat bodies), "Model Errors" (lists).
        """
        if error.is_from_gateway or error.status_code in _PASSING_TROUBLE:
            return True
        if self.is_known_failed or isinstance(error.detail, list) or not error.is_retryable:
            return False
        self._doubts += 1
        return self._doubts < _MOST_DOUBTS
