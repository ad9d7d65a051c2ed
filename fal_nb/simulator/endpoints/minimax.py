"""MiniMax speech. Source: its fal.ai ``llms.txt`` page; fal-js endpoint types."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel

from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.outputs import publish_file
from fal_nb.simulator.endpoints.shapes import File, field, optional_field
from fal_nb.simulator.media.recording import SoundFormat, encode_sound
from fal_nb.simulator.media.sound import SAMPLE_RATE, Samples, speak

__all__ = ["MinimaxSpeech"]

_Rate: TypeAlias = Literal[8000, 16000, 22050, 24000, 32000, 44100]
_BitRate: TypeAlias = Literal[32000, 64000, 128000, 256000]
_Emotion: TypeAlias = Literal["happy", "sad", "angry", "fearful", "disgusted", "surprised", "neutral"]
_Language: TypeAlias = Literal[
    "Chinese", "Chinese,Yue", "English", "Arabic", "Russian", "Spanish", "French", "Portuguese", "German", "Turkish",
    "Dutch", "Ukrainian", "Vietnamese", "Indonesian", "Japanese", "Italian", "Korean", "Thai", "Polish", "Romanian",
    "Greek", "Czech", "Finnish", "Hindi", "Bulgarian", "Danish", "Hebrew", "Malay", "Slovak", "Swedish", "Croatian",
    "Hungarian", "Norwegian", "Slovenian", "Catalan", "Nynorsk", "Afrikaans", "auto",
]  # fmt: skip
_PAUSE = re.compile(r"<#(\d{1,2}(?:\.\d{1,2})?)#>")
_NOISE = re.compile(r"\((?:laughs|sighs|coughs|clears throat|gasps|sniffs|groans|yawns)\)")
_LIVELINESS = {"happy": 0.8, "surprised": 0.95, "angry": 0.7, "fearful": 0.6, "disgusted": 0.4, "sad": 0.15}


class VoiceSetting(BaseModel):
    """Who speaks, and how."""

    voice_id: str = field("Wise_Woman", "The voice to use.")
    speed: float = field(1.0, "Speech speed.", ge=0.5, le=2.0)
    vol: float = field(1.0, "Volume.", ge=0, le=10)
    pitch: int = field(0, "Voice pitch, in half tones.", ge=-12, le=12)
    emotion: _Emotion | None = optional_field("Emotion of the generated speech.")
    english_normalization: bool = field(False, "Whether numbers are read the English way.")


class AudioSetting(BaseModel):
    """How the sound is written."""

    format: Literal["mp3", "pcm", "flac"] = field("mp3", "Audio format.")
    sample_rate: _Rate = field(32000, "Samples a second.")
    channel: Literal[1, 2] = field(1, "Number of channels.")
    bitrate: _BitRate = field(128000, "Bits a second.")


class PronunciationDict(BaseModel):
    """How words are said; without effect on what is heard here."""

    tone_list: list[str] | None = optional_field("List of pronunciation replacements.")


class LoudnessNormalizationSetting(BaseModel):
    """How loud the whole is."""

    enabled: bool = field(True, "Whether loudness is normalised.")
    target_loudness: float = field(-18, "Target loudness in LUFS.")
    target_range: float = field(8, "Target loudness range in LU.")
    target_peak: float = field(-0.5, "Target peak in dBTP.")


class VoiceModify(BaseModel):
    """How the voice is bent."""

    pitch: int = field(0, "Deeper to brighter.", ge=-100, le=100)
    intensity: int = field(0, "Stronger to softer.", ge=-100, le=100)
    timbre: int = field(0, "Fuller to crisper.", ge=-100, le=100)


class MinimaxSpeechInput(BaseModel):
    """Arguments of fal-ai/minimax/speech-2.8-hd, in display order."""

    prompt: str = field(
        ..., "Text to convert to speech; <#0.5#> is a pause of half a second.", min_length=1,
        examples=["Hello world! Welcome to <#0.5#> the new model."],
    )  # fmt: skip
    voice_setting: VoiceSetting | None = optional_field("Voice configuration settings")
    audio_setting: AudioSetting | None = optional_field("Audio configuration settings")
    language_boost: _Language | None = optional_field("Enhance recognition of a language.")
    output_format: Literal["url", "hex"] = field("hex", "Format of the output content (non-streaming only)")
    pronunciation_dict: PronunciationDict | None = optional_field("Custom pronunciation")
    normalization_setting: LoudnessNormalizationSetting | None = optional_field("Loudness normalisation")
    voice_modify: VoiceModify | None = optional_field("Voice modifications")


class MinimaxSpeechOutput(BaseModel):
    """What it answers."""

    audio: File = field(..., "The generated audio file")
    duration_ms: int = field(..., "Duration of the audio in milliseconds")


class MinimaxSpeech(SimulatedEndpoint):
    """Speech-like sound; the answer describes a file whatever `output_format` says, as the service's schema does."""

    endpoint_id: ClassVar[str] = "fal-ai/minimax/speech-2.8-hd"
    title: ClassVar[str] = "MiniMax Speech 2.8 HD"
    category: ClassVar[str] = "text-to-speech"
    description: ClassVar[str] = "Speech from text, with pauses and moods."
    input_model: ClassVar[type[BaseModel]] = MinimaxSpeechInput
    output_model: ClassVar[type[BaseModel]] = MinimaxSpeechOutput
    price: ClassVar[Price] = Price("1000 characters", 0.10)

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with the text."""
        del studio
        return Plan(min(20.0, 1.4 + 0.006 * len(arguments.prompt)))

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Speak the text and put the sound on the CDN."""
        voice, audio = arguments.voice_setting or VoiceSetting(), arguments.audio_setting or AudioSetting()
        samples = _spoken(arguments.prompt, voice)
        data = encode_sound(samples, SoundFormat(audio.format, audio.sample_rate, audio.channel, audio.bitrate))
        content_type = SoundFormat(audio.format).content_type
        studio.remember(data, " ".join(_PAUSE.sub(" ", _NOISE.sub(" ", arguments.prompt)).split()))
        file = publish_file(studio, data, content_type, f"speech.{audio.format}")
        return {"audio": file, "duration_ms": round(1000 * samples.size / SAMPLE_RATE)}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return thousands of characters."""
        del result, inference_s
        return len(arguments.prompt) / 1000


def _spoken(text: str, voice: VoiceSetting) -> Samples:
    """Return the sound of a text with its pauses; a higher pitch is the same voice played quicker, said slower."""
    raised = 2 ** (voice.pitch / 12)
    pieces: list[Samples] = []
    for index, part in enumerate(_PAUSE.split(_NOISE.sub(" ", text))):
        if index % 2:
            pieces.append(np.zeros(int(float(part) * SAMPLE_RATE), np.float32))
        elif part.strip():
            liveliness = _LIVELINESS.get(voice.emotion or "", 0.45)
            samples, _ = speak(part, voice.voice_id, voice.speed / raised, liveliness)
            places = np.arange(int(samples.size / raised)) * raised
            pieces.append(np.interp(places, np.arange(samples.size), samples))
    whole = np.concatenate(pieces) if pieces else np.zeros(SAMPLE_RATE // 10, np.float32)
    whole = whole * np.float32(voice.vol)
    return whole.clip(-1, 1)
