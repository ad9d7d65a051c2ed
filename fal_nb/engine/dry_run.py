"""A call prepared and not sent: the request as it would go out, the files that would go before it, and the price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from fal_nb.client.options import DEFAULTS, CallOptions, json_body, with_query
from fal_nb.engine.inputs import LocalFile, describe_inputs, read_inputs
from fal_nb.engine.intent import read_options
from fal_nb.errors import FalError, JobError
from fal_nb.protocol.endpoint import EndpointId

if TYPE_CHECKING:
    from fal_nb.engine.job import Job
    from fal_nb.engine.session import Session
    from fal_nb.pricing.price import Price
    from fal_nb.protocol.status import JSON
    from fal_nb.settings import Settings

__all__ = ["How", "PreparedCall", "files_in", "prepare", "prepared_from"]

How: TypeAlias = Literal["subscribe", "submit", "run", "stream"]
"""The function that makes the call: through the queue and waited for, through the queue, without it, as a stream."""

_HOW: Mapping[str, How] = MappingProxyType({"queue": "subscribe", "direct": "run", "stream": "stream"})
_STREAM_PATH = "stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCall:
    """A call as it would be sent.

    Attributes
    ----------
    inputs
        The arguments as the endpoint wants them: JSON, and local files.
    method, url, headers
        Of the request; instead of a key there is ``$FAL_KEY``, where one would be sent.
    body
        The request's JSON, each local file as its name in angle brackets.
    price
        None where the price list cannot be had; `price_problem` then says why.
    is_unchecked
        Whether the arguments were not held to the endpoint's schema.
    """

    how: How
    endpoint: str
    inputs: Mapping[str, Any]
    options: CallOptions = DEFAULTS
    method: str = "POST"
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JSON = None
    price: Price | None = None
    price_problem: str = ""
    is_unchecked: bool = False

    @property
    def files(self) -> list[LocalFile]:
        """The local files, in their order; each would be uploaded first."""
        return list(files_in(self.inputs))


def prepare(
    session: Session,
    endpoint: str,
    arguments: Mapping[str, Any] | None,
    how: How,
    options: CallOptions = DEFAULTS,
    *,
    check: bool = True,
) -> PreparedCall:
    """Return a call as it would be sent; asks for schema and price where they are not known, and sends nothing else.

    Raises
    ------
    EndpointError, ArgumentsError, FileError, ConfigError
        As the call itself would.
    """
    inputs = session.fitted(endpoint, dict(arguments or {}), options, check=check)
    prepared = _with_request(session.settings, str(EndpointId.parse(endpoint)), inputs, how, options)
    try:
        price, problem = session.price(endpoint, dict(arguments or {})), ""
    except (FalError, TimeoutError) as error:
        price, problem = None, str(error)
    return PreparedCall(**prepared, price=price, price_problem=problem, is_unchecked=not check)


def prepared_from(session: Session, job: Job) -> PreparedCall:
    """Return the request of a call that was made, without its price.

    Raises
    ------
    JobError
        Where it was made elsewhere, so that nobody here knows what was sent.
    """
    record = session.record(job)
    arguments = record.arguments
    if not isinstance(arguments, dict) or (record.request_id and not arguments and not record.memo_key):
        raise JobError(f"#{record.id} was made elsewhere and only followed here: its arguments are not known.")
    options = read_options({name: value for name, value in (record.options or {}).items() if name != "files"})
    inputs = read_inputs(arguments)
    return PreparedCall(
        **_with_request(session.settings, record.endpoint, inputs, _HOW[record.kind], options or DEFAULTS)
    )


def files_in(value: Any) -> Iterator[LocalFile]:
    """Yield the local files anywhere inside read inputs, in their order."""
    if isinstance(value, LocalFile):
        yield value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for one in inner:
        yield from files_in(one)


def _with_request(
    settings: Settings, endpoint: str, inputs: Mapping[str, Any], how: How, options: CallOptions
) -> dict[str, Any]:
    parsed, hosts = EndpointId.parse(endpoint), settings.hosts
    headers = options.wire_headers("text/event-stream" if how == "stream" else "application/json")
    path = options.path.strip("/")
    if how in {"subscribe", "submit"}:
        url = with_query(hosts.submit(parsed, path), **options.query())
    else:
        if how == "stream":
            path = "" if parsed.path.rpartition("/")[2] == _STREAM_PATH == path else path
            headers["accept-encoding"] = "identity"
        url = hosts.direct(parsed, path)
    if settings.key or settings.backend == "fal":
        headers = {"authorization": "Key $FAL_KEY", **headers}
    headers["content-type"] = "application/json"
    body = describe_inputs(dict(inputs))
    json_body(body, endpoint)
    return {
        "how": how,
        "endpoint": endpoint,
        "inputs": inputs,
        "options": options,
        "url": url,
        "headers": headers,
        "body": body,
    }
