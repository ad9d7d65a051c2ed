"""ElevenLabs speech. Source: its fal.ai ``llms.txt`` page; fal-js endpoint types."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.shapes import File, field, optional_field
from fal_nb.simulator.media.recording import encode_speech
from fal_nb.simulator.media.sound import SpokenWord, speak

__all__ = ["ElevenLabsTurbo"]

_VOICE_NAMES = (
    "Aria Roger Sarah Laura Charlie George Callum River Liam Charlotte Alice Matilda Will Jessica Eric Chris Brian "
    "Daniel Lily Bill"
)


class TextToSpeechRequest(BaseModel):
    """Arguments of fal-ai/elevenlabs/tts/turbo-v2.5, in display order."""

    text: str = field(..., "The text to convert to speech.", min_length=1, examples=["Hello! This is a test."])
    voice: str = field("Rachel", "The voice to use for speech generation.", examples=_VOICE_NAMES.split())
    stability: float = field(0.5, "Voice stability.", ge=0, le=1)
    similarity_boost: float = field(0.75, "Similarity boost.", ge=0, le=1)
    style: float = field(0.0, "Style exaggeration.", ge=0, le=1)
    speed: float = field(1.0, "Speech speed. Values below 1 slow the speech down.", ge=0.7, le=1.2)
    timestamps: bool = field(False, "Whether to return timestamps for each word in the generated speech.")
    previous_text: str | None = optional_field("The text that was spoken before this one.")
    next_text: str | None = optional_field("The text that will be spoken after this one.")
    language_code: str | None = optional_field("Language code (ISO 639-1).")
    apply_text_normalization: Literal["auto", "on", "off"] = field("auto", "How text is normalised.")


class TTSOutput(BaseModel):
    """What it answers."""

    audio: File = field(..., "The generated audio file.")
    timestamps: list[Any] | None = optional_field("Timestamps for each word in the generated speech.")


class ElevenLabsTurbo(SimulatedEndpoint):
    """Speech-like sound from text."""

    endpoint_id: ClassVar[str] = "fal-ai/elevenlabs/tts/turbo-v2.5"
    title: ClassVar[str] = "ElevenLabs TTS Turbo v2.5"
    category: ClassVar[str] = "text-to-speech"
    description: ClassVar[str] = "Speech from text."
    input_model: ClassVar[type[BaseModel]] = TextToSpeechRequest
    output_model: ClassVar[type[BaseModel]] = TTSOutput
    price: ClassVar[Price] = Price("1000 characters", 0.05)
    streams: ClassVar[bool] = True

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with the text."""
        del studio
        return Plan(min(20.0, 1.1 + 0.005 * len(arguments.text)))

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Speak the text and put the sound on the CDN."""
        liveliness = min(1.0, 0.3 + arguments.style + (1 - arguments.stability) * 0.5)
        samples, words = speak(arguments.text, arguments.voice, arguments.speed, liveliness)
        data = encode_speech(samples)
        studio.remember(data, arguments.text)
        url = studio.publish(data, "audio/mpeg", "output.mp3")
        audio = {"url": url, "content_type": "audio/mpeg", "file_name": "output.mp3", "file_size": len(data)}
        result: dict[str, Any] = {"audio": audio}
        if arguments.timestamps:
            result["timestamps"] = [_stamp(word) for word in words]
        return result

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return thousands of characters."""
        del result, inference_s
        return len(arguments.text) / 1000


def _stamp(word: SpokenWord) -> dict[str, Any]:
    return {"text": word.text, "start": round(word.start_s, 3), "end": round(word.stop_s, 3)}
