"""Calls that run at once, without the queue. What is lost here cannot be fetched later: the record stays unknown."""

from __future__ import annotations

from fal_nb.client.answers import ResultAnswer
from fal_nb.client.http import Http
from fal_nb.client.options import DEFAULTS, CallOptions, json_body
from fal_nb.client.verdicts import Call
from fal_nb.errors import ConfigError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import JSON

__all__ = ["Direct"]


class Direct:
    """Calls of the run service."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def answer(
        self,
        endpoint: EndpointId,
        arguments: JSON,
        options: CallOptions = DEFAULTS,
        *,
        method: str = "POST",
        timeout_s: float | None = None,
    ) -> ResultAnswer:
        """Return the result of one synchronous call.

        Parameters
        ----------
        method
            With ``GET`` no arguments are sent, as in the official Python client.
        timeout_s
            Longest silence; None waits as long as the connection lives.

        Raises
        ------
        SubmissionUnknown
            Where the answer was lost or cannot be read: the run may have happened and be charged.
        FalClientHTTPError
            Where the server refused or the run failed.
        """
        if not (method.isascii() and method.isalpha()):
            raise ConfigError(f"{method[:20]!r} is not an HTTP method.")
        headers = options.wire_headers()
        content = None
        if method.upper() != "GET":
            headers["content-type"] = "application/json"
            content = json_body(arguments, str(endpoint))
        call = Call(
            method.upper(),
            self._http.settings.hosts.direct(endpoint, options.path),
            f"the run of {endpoint}",
            endpoint=str(endpoint),
            headers=headers,
            content=content,
            timeout_s=timeout_s,
            pool="direct",
            paid=True,
            withdrawal=options.withdrawal,
        )
        body, answer = await self._http.ask_json(call)
        return ResultAnswer.of(body, answer)
