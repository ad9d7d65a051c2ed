"""The simulated endpoints by id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fal_nb.errors import EndpointError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.simulator.endpoints.elevenlabs import ElevenLabsTurbo
from fal_nb.simulator.endpoints.endpoint import SimulatedEndpoint
from fal_nb.simulator.endpoints.fast_sdxl import FastSdxl
from fal_nb.simulator.endpoints.flux import FluxDev, FluxDevImageToImage, FluxSchnell
from fal_nb.simulator.endpoints.flux_pro import FluxPro, FluxProUltra
from fal_nb.simulator.endpoints.kling_video import KlingTextToVideo
from fal_nb.simulator.endpoints.sleep import Sleep
from fal_nb.simulator.endpoints.whisper import Whisper

__all__ = ["Registry"]

_ENDPOINTS: tuple[type[SimulatedEndpoint], ...] = (
    FluxSchnell,
    FluxDev,
    FluxDevImageToImage,
    FluxPro,
    FluxProUltra,
    FastSdxl,
    KlingTextToVideo,
    ElevenLabsTurbo,
    Whisper,
    Sleep,
)


class Registry:
    """All endpoints of one server.

    Parameters
    ----------
    more
        Endpoints beside the built-in ones.
    """

    def __init__(self, more: Iterable[SimulatedEndpoint] = ()) -> None:
        known = (*(cls() for cls in _ENDPOINTS), *more)
        self._endpoints = {endpoint.endpoint_id: endpoint for endpoint in known}

    def __iter__(self) -> Iterator[SimulatedEndpoint]:
        return iter(self._endpoints.values())

    def find(self, path: str) -> tuple[EndpointId, SimulatedEndpoint] | None:
        """Return an endpoint by its id as a client wrote it, or None."""
        try:
            endpoint_id = EndpointId.parse(path)
        except EndpointError:
            return None
        endpoint = self._endpoints.get(str(endpoint_id))
        return None if endpoint is None else (endpoint_id, endpoint)
