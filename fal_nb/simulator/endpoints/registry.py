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

__all__ = ["Registry"]

_PLACES = {
    "fal-ai/flux/schnell": "flux.FluxSchnell",
    "fal-ai/flux/dev": "flux.FluxDev",
    "fal-ai/flux/dev/image-to-image": "flux.FluxDevImageToImage",
    "fal-ai/flux-lora": "flux.FluxLora",
    "fal-ai/flux-pro/v1.1": "flux_pro.FluxPro",
    "fal-ai/flux-pro/v1.1-ultra": "flux_pro.FluxProUltra",
    "fal-ai/fast-sdxl": "fast_sdxl.FastSdxl",
    "fal-ai/fast-sdxl/image-to-image": "fast_sdxl.FastSdxlImageToImage",
    "fal-ai/kling-video/v3/pro/text-to-video": "kling_video.KlingTextToVideo",
    "fal-ai/elevenlabs/tts/turbo-v2.5": "elevenlabs.ElevenLabsTurbo",
    "fal-ai/lcm-sd15-i2i": "lcm.LcmImageToImage",
    "fal-ai/fast-lcm-diffusion": "lcm.FastLcmDiffusion",
    "fal-ai/recraft/v3/text-to-image": "recraft.RecraftV3",
    "fal-ai/recraft/v4/text-to-image": "recraft.RecraftV4",
    "fal-ai/kling-video/v3/pro/image-to-video": "kling_video.KlingImageToVideo",
    "fal-ai/minimax/speech-2.8-hd": "minimax.MinimaxSpeech",
    "fal-ai/whisper": "whisper.Whisper",
    "fal-ai/wizper": "whisper.Wizper",
    "openrouter/router": "language.OpenRouter",
    "fal-ai/any-llm": "language.AnyLlm",
    "fal-ai/birefnet": "birefnet.Birefnet",
    "fal-ai/birefnet/v2": "birefnet.BirefnetV2",
    "fal-ai/trellis": "solids.Trellis",
    "fal-ai/trellis-2": "solids.Trellis2",
    "fal-ai/hunyuan3d/v2": "solids.Hunyuan3d",
    "fal-ai/stable-audio": "stable_audio.StableAudio",
    "fal-ai/esrgan": "upscalers.Esrgan",
    "fal-ai/clarity-upscaler": "upscalers.ClarityUpscaler",
    "simulator/sleep": "sleep.Sleep",
}
"""Module and class of each endpoint, below this package."""


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
        for endpoint_id in _PLACES:
            self._load(endpoint_id)

    def _load(self, endpoint_id: str) -> SimulatedEndpoint | None:
        place = _PLACES.get(endpoint_id)
        if place is not None and endpoint_id not in self._loaded:
            module, name = place.split(".")
            cls: type[SimulatedEndpoint] = getattr(import_module(f"{__package__}.{module}"), name)
            self._loaded[endpoint_id] = cls()
        return self._loaded.get(endpoint_id)
