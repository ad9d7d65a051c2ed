"""The handle of a submitted request, by the names of the official client."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fal_nb.client.answers import Submitted
from fal_nb.client.follow import AnyStatus
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import JSON, Completed

if TYPE_CHECKING:
    from fal_nb.client.async_client import AsyncClient

__all__ = ["AsyncRequestHandle"]


@dataclass
class _Progress:
    is_completed: bool = False


@dataclass(frozen=True)
class AsyncRequestHandle:
    """One request in the queue.

    Source: fal-client 1.0.3 ``AsyncRequestHandle``.
    """

    request_id: str
    response_url: str = field(repr=False)
    status_url: str = field(repr=False)
    cancel_url: str = field(repr=False)
    client: AsyncClient = field(repr=False)
    endpoint: EndpointId
    _progress: _Progress = field(default_factory=_Progress, init=False, repr=False, compare=False)

    @classmethod
    def from_request_id(cls, client: AsyncClient, application: str, request_id: str) -> AsyncRequestHandle:
        """Return the handle of a request submitted before, also by somebody else."""
        endpoint = EndpointId.parse(application)
        hosts = client.settings.hosts
        return cls(
            request_id,
            hosts.request(endpoint, request_id),
            hosts.request(endpoint, request_id, "status"),
            hosts.request(endpoint, request_id, "cancel"),
            client,
            endpoint,
        )

    @classmethod
    def of(cls, client: AsyncClient, submitted: Submitted) -> AsyncRequestHandle:
        """Return the handle of a request just accepted."""
        return cls(
            submitted.request_id,
            submitted.response_url,
            submitted.status_url,
            submitted.cancel_url,
            client,
            submitted.endpoint,
        )

    async def status(self, *, with_logs: bool = False) -> AnyStatus:
        """Return what the server says at present; logs only where asked for."""
        return await self.client.queue.status(self.endpoint, self.request_id, with_logs=with_logs)

    async def iter_events(
        self,
        *,
        with_logs: bool = False,
        interval: float = 0.1,  # noqa: ARG002 - the official client's argument
    ) -> AsyncGenerator[AnyStatus, None]:
        """Yield each new status until the request is completed; logs, where asked for, are all so far.

        Parameters
        ----------
        interval
            Accepted and not used: states come by a stream, and polling adapts by itself.
        """
        found = self.client.queue.iter_status(self.endpoint, self.request_id, with_logs=with_logs)
        async with aclosing(found) as statuses:
            async for status in statuses:
                self._progress.is_completed = isinstance(status, Completed)
                yield status

    async def get(self, *, interval: float = 0.1) -> JSON:
        """Return the result, waiting for it.

        Raises
        ------
        FalClientHTTPError
            Where the request failed or was cancelled.
        """
        if not self._progress.is_completed:
            async for _ in self.iter_events(interval=interval):
                pass
        return (await self.client.queue.result_answer(self.endpoint, self.request_id)).data

    async def cancel(self) -> None:
        """Ask the server to stop the request.

        Raises
        ------
        FalClientHTTPError
            Where it is over already or not known.
        """
        await self.client.queue.cancel(self.endpoint, self.request_id)
