"""Whisper transcription. Source: its fal.ai ``llms.txt`` page; fal-js endpoint types."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.shapes import field, nullable_field, optional_field
from fal_nb.simulator.endpoints.transcript import (
    AUDIO_FIELD,
    Language,
    chunks_of,
    listen,
    segments_of,
    transcribe,
)

__all__ = ["Whisper", "Wizper"]

_AUDIO = "URL of the audio file to transcribe. Supported formats: mp3, mp4, mpeg, mpga, m4a, wav or webm."


class WhisperInput(BaseModel):
    """Arguments of fal-ai/whisper, in display order."""

    audio_url: str = field(..., _AUDIO, json_schema_extra=AUDIO_FIELD)
    task: Literal["transcribe", "translate"] = field("transcribe", "Task to perform on the audio file.")
    language: Language | None = nullable_field("Language of the audio file; detected where it is null.")
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


class WizperInput(BaseModel):
    """Arguments of fal-ai/wizper, in display order."""

    audio_url: str = field(..., _AUDIO, json_schema_extra=AUDIO_FIELD)
    task: Literal["transcribe", "translate"] = field("transcribe", "Task to perform on the audio file.")
    language: Language | None = Field(
        "en", description="Language of the audio file; detected where it is null.", json_schema_extra={"nullable": True}
    )
    chunk_level: str = field("segment", "Level of the chunks to return.")
    max_segment_len: int = field(29, "Maximum length of a speech segment, in seconds.", ge=10, le=29)
    merge_chunks: bool = field(True, "Whether consecutive chunks are merged, up to the maximum length.")
    version: str = field("3", "Version of the model to use.")


class WizperChunk(BaseModel):
    """A piece of the transcript."""

    timestamp: list[float] = field(..., "Start and end in seconds.")
    text: str = field(..., "Transcription of the chunk.")


class WizperOutput(BaseModel):
    """What it answers."""

    text: str = field(..., "Transcription of the audio file.")
    chunks: list[WizperChunk] = field(..., "Timestamp chunks of the audio file.")
    languages: list[str] = field(..., "Languages heard in the audio file.")


class Whisper(SimulatedEndpoint):
    """Tells speakers apart by turns, whoever they are."""

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
        duration_s, _ = listen(arguments, studio)
        return Plan(min(30.0, 0.8 + duration_s * 0.05 * (1.6 if arguments.diarize else 1.0)))

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Return the transcript."""
        text, timed = transcribe(arguments, studio)
        speakers = [f"SPEAKER_{index:02d}" for index in range(arguments.num_speakers or 2)]
        heard = chunks_of(segments_of(timed))
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


class Wizper(SimulatedEndpoint):
    """The quick one: no speakers, no words."""

    endpoint_id: ClassVar[str] = "fal-ai/wizper"
    title: ClassVar[str] = "Wizper (Whisper v3)"
    category: ClassVar[str] = "speech-to-text"
    description: ClassVar[str] = "Quick transcripts of speech."
    input_model: ClassVar[type[BaseModel]] = WizperInput
    output_model: ClassVar[type[BaseModel]] = WizperOutput
    price: ClassVar[Price] = Price("compute seconds", 0.00111)
    reads_files: ClassVar[bool] = True

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with the length of the recording."""
        duration_s, _ = listen(arguments, studio)
        return Plan(min(20.0, 0.6 + duration_s * 0.03))

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Return the transcript."""
        text, timed = transcribe(arguments, studio)
        segments = segments_of(timed, arguments.max_segment_len, ends_with_sentences=not arguments.merge_chunks)
        language = "en" if arguments.task == "translate" else arguments.language or "en"
        return {"text": text, "chunks": chunks_of(segments), "languages": [language]}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return the seconds it computed."""
        del arguments, result
        return inference_s
