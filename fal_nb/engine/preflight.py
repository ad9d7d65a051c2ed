"""What is looked at before anything is sent: the endpoint's schema, and the arguments against it.

Its one invariant: a schema that cannot be had keeps no call from being made, unless fal says that there is no such
endpoint.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fal_nb.artifacts import Artifact
from fal_nb.engine.inputs import LocalFile, read_inputs
from fal_nb.engine.measure import picture_size
from fal_nb.errors import ArgumentsError, FalError, NotFoundError
from fal_nb.pricing.price import Price, price_of
from fal_nb.pricing.source_picture import source_picture
from fal_nb.schemas.check import Checked, check_arguments
from fal_nb.schemas.nearest import nearest

if TYPE_CHECKING:
    from fal_nb.client.schema_cache import SchemaCache
    from fal_nb.engine.wire import ClientWire
    from fal_nb.pricing.unit import UnitPrice
    from fal_nb.runtime import Runtime
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["Preflight", "check_inputs"]

_PATIENCE_S = 20.0


class Preflight:
    """The session's way to schemas; every method blocks, the first time an endpoint is asked for about one request.

    On the loop's own thread, where nothing may block, a schema that is in memory serves; one that is not is fetched
    for the next time, and the arguments go unchecked this once.

    Parameters
    ----------
    notify
        Shows one line to the person.
    names
        Returns the endpoints that this machine knows of.
    has_answered
        Returns whether an endpoint has ever given a result here.
    """

    def __init__(
        self,
        runtime: Runtime,
        get_wire: Callable[[], Awaitable[ClientWire]],
        notify: Callable[[str], None],
        names: Callable[[], Iterable[str]] = tuple,
        has_answered: Callable[[str], bool] = lambda _endpoint: False,
    ) -> None:
        self._runtime = runtime
        self._get_wire = get_wire
        self._notify = notify
        self._names = names
        self._has_answered = has_answered
        self._noted: set[str] = set()
        self._cache: SchemaCache | None = None

    def schema(self, endpoint: str) -> EndpointSchema:
        """Return an endpoint's schema.

        Raises
        ------
        FalError
            Where it cannot be had, as ``SchemaCache.schema`` says.
        WrongThreadError
            On the loop's own thread, where it is not in memory.
        """
        if self._runtime.is_loop_thread:
            known = None if self._cache is None else self._cache.peek(endpoint)
            if known is not None:
                return known
            self._runtime.start_soon(self._ask(endpoint))
        return self._runtime.call(self._ask(endpoint), _PATIENCE_S)

    def known_schema(self, endpoint: str) -> EndpointSchema | None:
        """Return an endpoint's schema, or None where it cannot be had.

        Once, there is a note that arguments go unchecked; none where fal knows no such endpoint, which `schema_to_send`
        refuses.
        """
        try:
            return self.schema(endpoint)
        except (FalError, TimeoutError) as error:
            if not _says_unknown(error):
                self._note(endpoint, error)
            return None

    def schema_to_send(self, endpoint: str) -> EndpointSchema | None:
        """Return the schema of an endpoint that is about to be called, or None and, once, a note.

        An endpoint that has given a result here is called even if fal publishes no schema of it.

        Raises
        ------
        NotFoundError
            Where fal knows no such endpoint: a misspelt name is not sent.
        """
        try:
            return self.schema(endpoint)
        except (FalError, TimeoutError) as error:
            if isinstance(error, NotFoundError) and _says_unknown(error) and not self._has_answered(endpoint):
                raise self._refusal(endpoint, error) from None
            self._note(endpoint, error)
            return None

    def _note(self, endpoint: str, error: BaseException) -> None:
        if endpoint not in self._noted and not self._runtime.is_loop_thread:
            self._noted.add(endpoint)
            self._notify(f"The schema of {endpoint} cannot be had, so its arguments go unchecked. {error}")

    def _refusal(self, endpoint: str, error: NotFoundError) -> NotFoundError:
        like = nearest(endpoint, (name for name in self._names() if name != endpoint))
        if like is not None and endpoint not in like and nearest(_path(endpoint), [_path(like)]) is None:
            like = None  # alike are only their owners
        step = f"; did you mean {like}?" if like else ". `%fal models` lists what there is, --unchecked calls it still."
        return NotFoundError(
            f"fal knows no endpoint {endpoint}: nothing was sent{step}",
            error.status_code,
            error.response_headers,
            detail=error.detail,
            endpoint=endpoint,
        )

    def price(
        self,
        endpoint: str,
        arguments: Mapping[str, Any],
        past_units: Sequence[float] = (),
        known: Iterable[Artifact] = (),
    ) -> Price:
        """Return what a call will cost; past units as for `price_of`.

        Where the output has the size of the picture that is given, that is measured on this machine; no URL is
        fetched.

        Parameters
        ----------
        arguments
            As the caller gave them, files included.
        known
            Files whose URLs may stand in the arguments.

        Raises
        ------
        FileError
            Where a local file in the arguments cannot be read.
        FalError
            Where the price list cannot be had.
        """
        inputs = read_inputs(arguments)
        schema = self.known_schema(endpoint)
        name = source_picture(schema)
        picture = None if name is None else picture_size(arguments.get(name), inputs.get(name), known)

        async def ask() -> UnitPrice | None:
            return await (await self._get_wire()).prices.unit_price(endpoint)

        unit_price = self._runtime.call(ask(), _PATIENCE_S)
        return price_of(endpoint, unit_price, schema, inputs, past_units, picture)

    def fitted(self, endpoint: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return inputs as the endpoint wants them; unchanged where there is no schema.

        Parameters
        ----------
        inputs
            As `read_inputs` returns them: JSON and local files.

        Raises
        ------
        ArgumentsError
            With every problem there is.
        NotFoundError
            Where fal knows no such endpoint.
        """
        schema = self.schema_to_send(endpoint)
        if schema is None:
            return dict(inputs)
        checked = check_inputs(schema, inputs)
        if not checked.ok:
            raise ArgumentsError(endpoint, checked.problems)
        return checked.arguments

    async def _ask(self, endpoint: str) -> EndpointSchema:
        self._cache = (await self._get_wire()).schemas
        return await self._cache.schema(endpoint)


def _says_unknown(error: BaseException) -> bool:
    """Return whether fal itself says that there is no such endpoint."""
    return isinstance(error, NotFoundError) and not error.is_from_gateway


def _path(endpoint: str) -> str:
    return endpoint.partition("/")[2]


def check_inputs(schema: EndpointSchema, inputs: Mapping[str, Any]) -> Checked:
    """Return what a check of read inputs comes to; a local file counts as the URL it will have."""
    return check_arguments(schema, inputs, is_file=lambda value: isinstance(value, LocalFile))
