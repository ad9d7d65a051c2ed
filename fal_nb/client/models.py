"""The platform's catalogue over the wire: list, search, find, with what can be expanded; bounded however it answers.

Source: fal Platform API document, ``/models``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

from fal_nb.catalogue.model import Model, read_model
from fal_nb.client.background import Background
from fal_nb.client.http import Http
from fal_nb.client.options import call_headers
from fal_nb.client.verdicts import Call, unreadable_error
from fal_nb.errors import ConfigError, FalClientHTTPError, NotFoundError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import JSON

__all__ = ["EXPANSIONS", "Expansion", "ModelPage", "Models"]

Expansion: TypeAlias = Literal["openapi-3.0", "enterprise_status"]
EXPANSIONS: tuple[Expansion, ...] = ("openapi-3.0", "enterprise_status")
"""What the catalogue adds to a model where it is asked to."""

_A_PAGE = 100
_AT_ONCE = 50
_MOST_PAGES = 300
_MOST_MODELS = 20_000
_MOST_CURSOR_CHARS = 4_096
_REFUSED_LIMIT = frozenset({400, 422})


@dataclass(frozen=True, slots=True)
class ModelPage:
    """One page of a listing.

    Attributes
    ----------
    following
        The cursor of the next page; None on the last.
    is_whole
        False on the last page of a listing that was given up: its server went in circles, or never came to an end.
    """

    models: tuple[Model, ...]
    following: str | None = None
    is_whole: bool = True


class Models:
    """Calls of the catalogue; a key is sent where there is one, and none is needed."""

    def __init__(self, http: Http, *, timeout_s: float = 30.0, most_pages: int = _MOST_PAGES) -> None:
        self._http = http
        self._timeout_s = timeout_s
        self._most_pages = most_pages

    @property
    def background(self) -> Background:
        """Where what ends with the client is started."""
        return self._http.background

    async def search(
        self,
        words: str = "",
        *,
        category: str | None = None,
        status: Literal["active", "deprecated"] | None = None,
        expand: Iterable[Expansion] = (),
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ModelPage:
        """Return one page of the models that fal finds; without words and filters, of all there are.

        Parameters
        ----------
        status
            None lets models of either status pass.
        cursor
            ``following`` of the page before; None for the first.
        limit
            Most models of the page; fal has a limit of its own, which is lower with `expand`.

        Raises
        ------
        ConfigError
            Where an expansion is not one.
        FalError
            Where the catalogue cannot be had.
        """
        query = [("q", words), ("category", category), ("status", status)]
        query += [("expand", name) for name in _checked(expand)]
        query += [("cursor", cursor), ("limit", None if limit is None else str(max(1, limit)))]
        return await self._page([(name, value) for name, value in query if value])

    async def pages(
        self,
        words: str = "",
        *,
        category: str | None = None,
        status: Literal["active", "deprecated"] | None = None,
    ) -> AsyncGenerator[ModelPage, None]:
        """Yield one page after another, at most 20,000 models; no model comes twice. Raises as `search`.

        A server that gives a cursor again, or pages with nothing in them, is not followed any further.
        """
        limit: int | None = _A_PAGE
        cursor: str | None = None
        followed: set[str] = set()
        seen: set[str] = set()
        for number in range(self._most_pages):
            try:
                page = await self.search(words, category=category, status=status, cursor=cursor, limit=limit)
            except FalClientHTTPError as error:
                if number or limit is None or error.status_code not in _REFUSED_LIMIT:
                    raise
                limit = None  # "Actual maximum depends on query type": fal then chooses
                page = await self.search(words, category=category, status=status)
            new = tuple(model for model in page.models if model.endpoint not in seen)
            seen.update(model.endpoint for model in new)
            cursor = page.following
            is_over = cursor is None
            is_given_up = not is_over and (
                not new or cursor in followed or len(seen) >= _MOST_MODELS or number == self._most_pages - 1
            )
            yield ModelPage(new, None if is_over or is_given_up else cursor, is_whole=not is_given_up)
            if cursor is None or is_given_up:
                return
            followed.add(cursor)

    async def find(self, endpoints: Sequence[str], *, expand: Iterable[Expansion] = ()) -> list[Model]:
        """Return the models of some endpoints, in the order asked for; those that fal does not know are left out.

        At most 50 go into one request. Where one that is unknown fails all, they are asked for by halves.

        Raises
        ------
        EndpointError
            Where one is no endpoint id.
        FalError
            Where the catalogue cannot be had.
        """
        names = _checked(expand)
        wanted = list(dict.fromkeys(str(EndpointId.parse(endpoint)) for endpoint in endpoints))
        found: dict[str, Model] = {}
        batches = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
        while batches:
            batch = batches.pop()
            try:
                found |= await self._find(batch, names)
            except NotFoundError:
                middle = len(batch) // 2
                if middle:
                    batches += [batch[:middle], batch[middle:]]
        return [found[endpoint] for endpoint in wanted if endpoint in found]

    async def _find(self, batch: Sequence[str], expand: Sequence[str]) -> dict[str, Model]:
        query = [("endpoint_id", endpoint) for endpoint in batch] + [("expand", name) for name in expand]
        found: dict[str, Model] = {}
        cursor: str | None = None
        for _ in batch:  # no server needs more pages than there are endpoints
            page = await self._page(query if cursor is None else [*query, ("cursor", cursor)])
            found |= {model.endpoint: model for model in page.models if model.endpoint in batch}
            if page.following is None or page.following == cursor or len(found) == len(batch):
                break
            cursor = page.following
        return found

    async def _page(self, query: Sequence[tuple[str, str]]) -> ModelPage:
        call = Call(
            "GET",
            f"{self._http.settings.hosts.api}/v1/models?{urlencode(query)}",
            "the request for models",
            headers=call_headers(),
            timeout_s=self._timeout_s,
        )
        try:
            body, answer = await self._http.ask_json(call)
        except RecursionError:
            raise unreadable_error(call, {}, "it nests too deeply") from None
        entries = body.get("models") if isinstance(body, Mapping) else None
        if not isinstance(entries, list):
            raise unreadable_error(call, answer.headers, "it lists no models")
        models = (read_model(entry) for entry in entries[:_MOST_MODELS])
        return ModelPage(tuple(model for model in models if model is not None), _following(body))


def _following(body: JSON) -> str | None:
    """Return the cursor of the page after this one, None on the last or where it cannot be used."""
    if not isinstance(body, Mapping) or body.get("has_more") is False:
        return None
    cursor = body.get("next_cursor")
    return cursor if isinstance(cursor, str) and 0 < len(cursor) <= _MOST_CURSOR_CHARS else None


def _checked(expand: Iterable[Any]) -> list[str]:
    names = [expand] if isinstance(expand, str) else list(expand)
    for name in names:
        if name not in EXPANSIONS:
            raise ConfigError(f"expand knows {' and '.join(EXPANSIONS)}, not {str(name)[:60]!r}.")
    return names
