"""Stable Audio. Source: fal-js endpoint types; its ranges are third-party tables, not confirmed."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.outputs import publish_file
from fal_nb.simulator.endpoints.shapes import File, field
from fal_nb.simulator.media.look import seeded
from fal_nb.simulator.media.recording import SoundFormat, encode_sound
from fal_nb.simulator.media.sound import SAMPLE_RATE, film_sound

__all__ = ["StableAudio"]


class StableAudioInput(BaseModel):
    """Arguments of fal-ai/stable-audio, in display order."""

    prompt: str = field(..., "The prompt to generate audio from", examples=["128 BPM tech house drum loop"])
    seconds_start: int = field(0, "The start point of the audio clip to generate", ge=0, le=47)
    seconds_total: int = field(30, "The duration of the audio clip to generate", ge=0, le=47)
    steps: int = field(100, "The number of steps to denoise the audio for", ge=1, le=1000)


class StableAudioOutput(BaseModel):
    """What it answers."""

    audio_file: File = field(..., "The generated audio clip")


class StableAudio(SimulatedEndpoint):
    """A chord that swells; it has no seed, so each call plays another. Before `seconds_start` there is silence."""

    endpoint_id: ClassVar[str] = "fal-ai/stable-audio"
    title: ClassVar[str] = "Stable Audio Open"
    category: ClassVar[str] = "text-to-audio"
    description: ClassVar[str] = "Music and sounds from text."
    input_model: ClassVar[type[BaseModel]] = StableAudioInput
    output_model: ClassVar[type[BaseModel]] = StableAudioOutput
    price: ClassVar[Price] = Price("compute seconds", 0.00111)

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with steps."""
        del studio
        return Plan(1.0 + 0.03 * arguments.steps, arguments.steps)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Play the clip and put it on the CDN."""
        seed = int(seeded("audio", studio.request_id).integers(2**31))
        samples = film_sound(arguments.prompt, seed, max(1, arguments.seconds_total))
        samples = samples * np.float32(0.5)
        samples[: arguments.seconds_start * SAMPLE_RATE] = 0
        sound_format = SoundFormat("wav")
        data = encode_sound(samples, sound_format)
        return {"audio_file": publish_file(studio, data, sound_format.content_type, "output.wav")}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return the seconds it computed."""
        del arguments, result
        return inference_s
