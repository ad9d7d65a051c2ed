"""Whisper transcription. Source: its fal.ai ``llms.txt`` page; fal-js endpoint types."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel

from fal_nb.simulator.endpoints.detail import field_error
from fal_nb.simulator.endpoints.endpoint import EndpointFailure, Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.shapes import field, nullable_field, optional_field
from fal_nb.simulator.media.look import seeded
from fal_nb.simulator.media.recording import audio_duration_s

__all__ = ["Whisper"]

_Language: TypeAlias = Literal[
    "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs", "cy", "da", "de", "el", "en",
    "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "haw", "he", "hi", "hr", "ht", "hu", "hy", "id", "is",
    "it", "ja", "jw", "ka", "kk", "km", "kn", "ko", "la", "lb", "ln", "lo", "lt", "lv", "mg", "mi", "mk", "ml", "mn",
    "mr", "ms", "mt", "my", "ne", "nl", "nn", "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru", "sa", "sd", "si", "sk",
    "sl", "sn", "so", "sq", "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "uk", "ur", "uz",
    "vi", "yi", "yo", "zh",
]  # fmt: skip
_FORMATS = ["mp3", "mp4", "mpeg", "mpga", "m4a", "wav", "webm"]
_WORDS_PER_S = 2.6
_SEGMENT_S = 6.0
_OPENERS = ("so", "and then", "well", "today", "as you can see", "in the end", "first of all", "after a while")
_SUBJECTS = ("we", "the model", "everybody here", "the second take", "this recording", "the whole team", "she", "they")
_VERBS = ("looked at", "went back to", "talked about", "changed", "kept", "waited for", "listened to", "drew")
_OBJECTS = (
    "the first version", "a quiet place by the sea", "the old pictures", "what had been said before",
    "a much longer story", "the light in the window", "every single step", "the other side of the question",
)  # fmt: skip


class WhisperInput(BaseModel):
    """Arguments of fal-ai/whisper, in display order."""

    audio_url: str = field(
        ...,
        "URL of the audio file to transcribe. Supported formats: mp3, mp4, mpeg, mpga, m4a, wav or webm.",
        json_schema_extra={"ui": {"field": "audio"}},
    )
    task: Literal["transcribe", "translate"] = field("transcribe", "Task to perform on the audio file.")
    language: _Language | None = nullable_field("Language of the audio file; detected where it is null.")
    diarize: bool = field(False, "Whether to tell speakers apart.")
    chunk_level: Literal["none", "segment", "word"] = field("segment", "Level of the chunks to return.")
    batch_size: int = field(64, "Batch size.", ge=1, le=64)
    prompt: str = field("", "Prompt to use for generation.")
    num_speakers: int | None = nullable_field("Number of speakers in the audio file; guessed where it is null.", ge=1)


class WhisperChunk(BaseModel):
    """A piece of the transcript."""

    timestamp: list[float] = field(..., "Start and end in seconds.")
    text: str = field(..., "Transcription of the chunk.")
    speaker: str | None = optional_field("Speaker of the chunk.")


class DiarizationSegment(BaseModel):
    """When somebody speaks."""

    timestamp: list[float] = field(..., "Start and end in seconds.")
    speaker: str = field(..., "Speaker of the segment.")


class WhisperOutput(BaseModel):
    """What it answers."""

    text: str = field(..., "Transcription of the audio file.")
    chunks: list[WhisperChunk] | None = optional_field("Timestamp chunks of the audio file.")
    inferred_languages: list[str] = field(..., "Languages heard in the audio file.")
    diarization_segments: list[DiarizationSegment] = field(..., "Who speaks when; empty without diarization.")


class Whisper(SimulatedEndpoint):
    """True for speech made by this simulator, made up for any other, and always of the right length."""

    endpoint_id: ClassVar[str] = "fal-ai/whisper"
    title: ClassVar[str] = "Whisper"
    category: ClassVar[str] = "speech-to-text"
    description: ClassVar[str] = "Transcripts of speech."
    input_model: ClassVar[type[BaseModel]] = WhisperInput
    output_model: ClassVar[type[BaseModel]] = WhisperOutput
    price: ClassVar[Price] = Price("compute seconds", 0.00111)
    reads_files: ClassVar[bool] = True

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with the length of the recording."""
        duration_s, _ = _listen(arguments, studio)
        return Plan(min(30.0, 0.8 + duration_s * 0.05 * (1.6 if arguments.diarize else 1.0)))

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Return the transcript."""
        duration_s, data = _listen(arguments, studio)
        lot = seeded("speech", len(data), data[:4096].hex(), data[-4096:].hex())
        text = studio.recall(data) or _made_up(max(2, int(duration_s * _WORDS_PER_S)), lot)
        timed = _timed(text.split(), duration_s)
        segments = _segments(timed)
        speakers = [f"SPEAKER_{index:02d}" for index in range(arguments.num_speakers or 2)]
        heard = [
            {"timestamp": [part[0][0], part[-1][1]], "text": " ".join(word for _, _, word in part)} for part in segments
        ]
        turns = []
        if arguments.diarize:
            for index, segment in enumerate(heard):
                segment["speaker"] = speakers[index % len(speakers)]
            turns = [{"timestamp": part["timestamp"], "speaker": part["speaker"]} for part in heard]
        result: dict[str, Any] = {"text": text}
        if arguments.chunk_level == "segment":
            result["chunks"] = heard
        elif arguments.chunk_level == "word":
            result["chunks"] = [{"timestamp": [start, stop], "text": word} for start, stop, word in timed]
        language = "en" if arguments.task == "translate" else arguments.language or "en"
        return result | {"inferred_languages": [language], "diarization_segments": turns}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return the seconds it computed."""
        del arguments, result
        return inference_s


def _listen(arguments: Any, studio: Studio) -> tuple[float, bytes]:
    """Return (seconds of sound, bytes) of the recording.

    Raises
    ------
    EndpointFailure
        422 where it cannot be had or holds no sound.
    """
    data, _ = studio.fetch(arguments.audio_url, "audio_url")
    duration_s = audio_duration_s(data)
    if duration_s is None:
        context = {"supported_formats": _FORMATS}
        message = "The file holds no sound that could be read"
        raise EndpointFailure(
            422, field_error("audio_url", "unsupported_audio_format", message, arguments.audio_url[:120], context)
        )
    return duration_s, data


def _made_up(count: int, lot: np.random.Generator) -> str:
    """Return plain sentences of about that many words."""
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < count:
        parts = (table[int(lot.integers(len(table)))] for table in (_OPENERS, _SUBJECTS, _VERBS, _OBJECTS))
        sentences.append(" ".join(parts).capitalize() + ".")
    return " ".join(sentences)


def _timed(words: list[str], duration_s: float) -> list[tuple[float, float, str]]:
    """Return (start, stop, word), longer words taking longer."""
    weights = np.array([len(word) + 2.5 * bool(re.search(r"[.,;:!?]$", word)) + 1 for word in words], float)
    edges = np.concatenate([[0.0], np.cumsum(weights)]) / max(weights.sum(), 1) * duration_s
    return [(round(float(edges[i]), 2), round(float(edges[i + 1]), 2), word) for i, word in enumerate(words)]


def _segments(timed: list[tuple[float, float, str]]) -> list[list[tuple[float, float, str]]]:
    """Return the words in pieces that end with a sentence or after some seconds."""
    segments: list[list[tuple[float, float, str]]] = [[]]
    for start, stop, word in timed:
        current = segments[-1]
        if current and (current[-1][2][-1:] in ".!?" or stop - current[0][0] > _SEGMENT_S):
            segments.append(current := [])
        current.append((start, stop, word))
    return [segment for segment in segments if segment]
