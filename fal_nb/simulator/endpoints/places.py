"""Which endpoints the simulator has; light, so that a notebook can list them without what draws and records."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["PLACES"]

PLACES: Mapping[str, str] = MappingProxyType(
    {
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
        "fal-ai/fast-lcm-diffusion/image-to-image": "lcm_redraw.FastLcmImageToImage",
        "fal-ai/fast-turbo-diffusion/image-to-image": "lcm_redraw.FastTurboImageToImage",
        "simulator/sleep": "sleep.Sleep",
        "simulator/count": "sleep.Count",
    }
)
"""Endpoint → module and class of it, below this package."""
