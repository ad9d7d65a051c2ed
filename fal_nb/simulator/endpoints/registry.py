"""The simulated endpoints by id; each family is imported when it is first asked for.

What draws and records takes longer to import than everything else together, and a server that answers early matters
more: `load_all` is called in a thread once it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module

from fal_nb.errors import EndpointError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.simulator.endpoints.endpoint import SimulatedEndpoint
from fal_nb.simulator.endpoints.places import PLACES

__all__ = ["Registry"]


class Registry:
    """All endpoints of one server.

    Parameters
    ----------
    more
        Endpoints beside the built-in ones.
    """

    def __init__(self, more: Iterable[SimulatedEndpoint] = ()) -> None:
        self._loaded = {endpoint.endpoint_id: endpoint for endpoint in more}

    def __iter__(self) -> Iterator[SimulatedEndpoint]:
        self.load_all()
        return iter(list(self._loaded.values()))

    def find(self, path: str) -> tuple[EndpointId, SimulatedEndpoint] | None:
        """Return an endpoint by its id as a client wrote it, or None."""
        try:
            endpoint_id = EndpointId.parse(path)
        except EndpointError:
            return None
        endpoint = self._load(str(endpoint_id))
        return None if endpoint is None else (endpoint_id, endpoint)

    def load_all(self) -> None:
        """Import every family; takes a good part of a second the first time."""
        for endpoint_id in PLACES:
            self._load(endpoint_id)

    def _load(self, endpoint_id: str) -> SimulatedEndpoint | None:
        place = PLACES.get(endpoint_id)
        if place is not None and endpoint_id not in self._loaded:
            module, name = place.split(".")
            cls: type[SimulatedEndpoint] = getattr(import_module(f"{__package__}.{module}"), name)
            self._loaded[endpoint_id] = cls()
        return self._loaded.get(endpoint_id)
