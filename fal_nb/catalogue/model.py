"""``Model``: one entry of the catalogue, made fit to be shown and stored whatever the server wrote.

Its one invariant: the endpoint of a model is one that can be called, and no text of it can be more than text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from fal_nb.errors import EndpointError
from fal_nb.plain import one_line
from fal_nb.pricing.unit import UnitPrice
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import JSON
from fal_nb.protocol.values import moment_in, number_in
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.openapi import read_schema

__all__ = ["Model", "as_json", "read_model"]

_ENDPOINT_CHARS = 120
_NAME_CHARS = 120
_WORD_CHARS = 60
_TEXT_CHARS = 600
_URL_CHARS = 2_000
_MOST_TAGS = 24
_MOST_IDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One endpoint as the catalogue describes it; what the catalogue does not say is empty or None.

    Attributes
    ----------
    category
        ``text-to-image`` and so on.
    status
        ``active`` or ``deprecated``.
    kind
        ``inference`` or ``training``.
    created, updated
        Unix time in seconds.
    thumbnail_url
        Where its picture is; it is fetched by the kernel, never by a page.
    duration_min
        How long a call takes by fal's estimate, in minutes.
    enterprise
        ``ready`` or ``pending``, where it was asked for.
    openapi
        The endpoint's document, where it was asked for and could be had.
    price
        What a unit costs, where it was asked for and the price list has it.

    Source: fal Platform API document, ``/models``.
    """

    endpoint: str
    name: str = ""
    category: str = ""
    description: str = ""
    status: str = ""
    kind: str = ""
    tags: tuple[str, ...] = ()
    license: str = ""
    group: str = ""
    created: float | None = None
    updated: float | None = None
    thumbnail_url: str = ""
    github_url: str = ""
    streams: bool = False
    duration_min: float | None = None
    training_endpoints: tuple[str, ...] = ()
    inference_endpoints: tuple[str, ...] = ()
    enterprise: str = ""
    openapi: JSON = field(default=None, repr=False)
    price: UnitPrice | None = None

    @property
    def schema(self) -> EndpointSchema | None:
        """What it takes, where its document was asked for.

        Raises
        ------
        ProtocolError
            Where the document cannot be read.
        """
        return None if self.openapi is None else read_schema(self.endpoint, self.openapi)

    @property
    def run_line(self) -> str:
        """The line that calls it, to be filled in."""
        return f"%fal run {self.endpoint} "


def read_model(entry: Any) -> Model | None:
    """Return one entry of a server's list, or None where it names no endpoint that could be called."""
    if not isinstance(entry, Mapping):
        return None
    endpoint = _endpoint(entry.get("endpoint_id"))
    if endpoint is None:
        return None
    metadata = entry.get("metadata")
    of: Mapping[Any, Any] = metadata if isinstance(metadata, Mapping) else {}
    group = of.get("group")
    openapi = entry.get("openapi")
    return Model(
        endpoint=endpoint,
        name=_text(of.get("display_name"), _NAME_CHARS),
        category=_text(of.get("category"), _WORD_CHARS),
        description=_text(of.get("description"), _TEXT_CHARS),
        status=_text(of.get("status"), _WORD_CHARS),
        kind=_text(of.get("kind"), _WORD_CHARS),
        tags=_words(of.get("tags"), _MOST_TAGS),
        license=_text(of.get("license_type"), _WORD_CHARS),
        group=_text(group.get("label") if isinstance(group, Mapping) else None, _NAME_CHARS),
        created=moment_in(of.get("date")),
        updated=moment_in(of.get("updated_at")),
        thumbnail_url=_url(of.get("thumbnail_url")),
        github_url=_url(of.get("github_url")),
        streams=bool(_url(of.get("stream_url"))),
        duration_min=number_in(of.get("duration_estimate")),
        training_endpoints=_endpoints(of.get("training_endpoint_ids")),
        inference_endpoints=_endpoints(of.get("inference_endpoint_ids")),
        enterprise=_text(entry.get("enterprise_status"), _WORD_CHARS),
        openapi=openapi if isinstance(openapi, Mapping) and "error" not in openapi else None,
    )


def as_json(model: Model) -> dict[str, JSON]:
    """Return a model in the catalogue's own words, so that `read_model` reads it again; without its document."""
    metadata: dict[str, JSON] = {
        "display_name": model.name,
        "category": model.category,
        "description": model.description,
        "status": model.status,
        "kind": model.kind,
        "tags": list(model.tags),
        "license_type": model.license,
        "group": {"label": model.group},
        "date": _iso(model.created),
        "updated_at": _iso(model.updated),
        "thumbnail_url": model.thumbnail_url,
        "github_url": model.github_url,
        "stream_url": f"https://fal.run/{model.endpoint}/stream" if model.streams else None,
        "duration_estimate": model.duration_min,
        "training_endpoint_ids": list(model.training_endpoints),
        "inference_endpoint_ids": list(model.inference_endpoints),
    }
    return {
        "endpoint_id": model.endpoint,
        "metadata": {name: value for name, value in metadata.items() if value not in (None, "", [], {"label": ""})},
        **({"enterprise_status": model.enterprise} if model.enterprise else {}),
    }


def _endpoint(value: Any) -> str | None:
    """Return an endpoint that can stand on a line as it is."""
    if not isinstance(value, str) or len(value) > _ENDPOINT_CHARS:
        return None
    try:
        return value if str(EndpointId.parse(value)) == value else None
    except EndpointError:
        return None


def _endpoints(value: Any) -> tuple[str, ...]:
    found = value[:_MOST_IDS] if isinstance(value, list) else ()
    return tuple(endpoint for each in found if (endpoint := _endpoint(each)) is not None)


def _text(value: Any, limit: int) -> str:
    return one_line(value, limit) if isinstance(value, str) else ""


def _words(value: Any, most: int) -> tuple[str, ...]:
    found: Iterable[Any] = value[: 2 * most] if isinstance(value, list) else ()
    return tuple(dict.fromkeys(filter(None, (_text(each, _WORD_CHARS) for each in found))))[:most]


def _url(value: Any) -> str:
    """Return an http(s) URL, else nothing; whether it may be fetched is decided where it is."""
    if not isinstance(value, str) or len(value) > _URL_CHARS or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme in {"http", "https"} and parts.netloc else ""


def _iso(at: float | None) -> str | None:
    if at is None:
        return None
    try:
        return datetime.fromtimestamp(at, tz=UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
