"""Transcripts: true for speech made by this simulator, made up for any other, and always of the right length."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

import numpy as np

from fal_nb.simulator.endpoints.detail import field_error
from fal_nb.simulator.endpoints.endpoint import EndpointFailure, Studio
from fal_nb.simulator.media.look import seeded
from fal_nb.simulator.media.recording import audio_duration_s

__all__ = ["AUDIO_FIELD", "Language", "TimedWord", "chunks_of", "listen", "made_up", "segments_of", "transcribe"]

AUDIO_FIELD: dict[str, Any] = {"ui": {"field": "audio"}}
"""Marks an input that takes a recording's URL."""

Language: TypeAlias = Literal[
    "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs", "cy", "da", "de", "el", "en",
    "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "haw", "he", "hi", "hr", "ht", "hu", "hy", "id", "is",
    "it", "ja", "jw", "ka", "kk", "km", "kn", "ko", "la", "lb", "ln", "lo", "lt", "lv", "mg", "mi", "mk", "ml", "mn",
    "mr", "ms", "mt", "my", "ne", "nl", "nn", "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru", "sa", "sd", "si", "sk",
    "sl", "sn", "so", "sq", "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "uk", "ur", "uz",
    "vi", "yi", "yo", "zh",
]  # fmt: skip
TimedWord: TypeAlias = tuple[float, float, str]
"""Start and end in seconds, and the word."""

_FORMATS = ["mp3", "mp4", "mpeg", "mpga", "m4a", "wav", "webm"]
_WORDS_PER_S = 2.6
_SEGMENT_S = 6.0
"""A segment ends with a sentence, or here."""
_OPENERS = ("so", "and then", "well", "today", "as you can see", "in the end", "first of all", "after a while")
_SUBJECTS = ("we", "the model", "everybody here", "the second take", "this recording", "the whole team", "she", "they")
_VERBS = ("looked at", "went back to", "talked about", "changed", "kept", "waited for", "listened to", "drew")
_OBJECTS = (
    "the first version", "a quiet place by the sea", "the old pictures", "what had been said before",
    "a much longer story", "the light in the window", "every single step", "the other side of the question",
)  # fmt: skip


def listen(arguments: Any, studio: Studio) -> tuple[float, bytes]:
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


def transcribe(arguments: Any, studio: Studio) -> tuple[str, list[TimedWord]]:
    """Return what is said in the recording, and each word with its time."""
    duration_s, data = listen(arguments, studio)
    lot = seeded("speech", len(data), data[:4096].hex(), data[-4096:].hex())
    text = studio.recall(data) or made_up(max(2, int(duration_s * _WORDS_PER_S)), lot)
    return text, _timed(text.split(), duration_s)


def chunks_of(segments: list[list[TimedWord]]) -> list[dict[str, Any]]:
    """Return segments as the service writes them."""
    return [
        {"timestamp": [part[0][0], part[-1][1]], "text": " ".join(word for _, _, word in part)} for part in segments
    ]


def made_up(count: int, lot: np.random.Generator) -> str:
    """Return plain sentences of about that many words."""
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < count:
        parts = (table[int(lot.integers(len(table)))] for table in (_OPENERS, _SUBJECTS, _VERBS, _OBJECTS))
        sentences.append(" ".join(parts).capitalize() + ".")
    return " ".join(sentences)


def _timed(words: list[str], duration_s: float) -> list[TimedWord]:
    """Return (start, stop, word), longer words taking longer."""
    weights = np.array([len(word) + 2.5 * bool(re.search(r"[.,;:!?]$", word)) + 1 for word in words], float)
    edges = np.concatenate([[0.0], np.cumsum(weights)]) / max(weights.sum(), 1) * duration_s
    return [(round(float(edges[i]), 2), round(float(edges[i + 1]), 2), word) for i, word in enumerate(words)]


def segments_of(
    timed: list[TimedWord], longest_s: float = _SEGMENT_S, *, ends_with_sentences: bool = True
) -> list[list[TimedWord]]:
    """Return the words in pieces that end with a sentence or before they are longer than that."""
    segments: list[list[TimedWord]] = [[]]
    for start, stop, word in timed:
        current = segments[-1]
        is_over = bool(current) and ends_with_sentences and current[-1][2][-1:] in ".!?"
        if current and (is_over or stop - current[0][0] > longest_s):
            segments.append(current := [])
        current.append((start, stop, word))
    return [segment for segment in segments if segment]
