"""Sound: pads and noises for films, and speech-like syllables whose pitch and length depend on voice and text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fal_nb.simulator.media.look import read_look, seeded

__all__ = ["SAMPLE_RATE", "Samples", "SpokenWord", "film_sound", "speak"]

Samples: TypeAlias = NDArray[np.floating[Any]]

SAMPLE_RATE = 24_000
"""Samples a second."""

_FORMANTS = {
    "a": (800, 1200, 2600),
    "e": (500, 1900, 2600),
    "i": (300, 2300, 3000),
    "o": (450, 850, 2500),
    "u": (330, 750, 2400),
    "y": (300, 2000, 2700),
}
_HISSING = frozenset("sfzxchjtk")
_LOW_VOICES = "roger charlie george callum liam will eric chris brian daniel bill adam river"
_PAUSES_S = {",": 0.16, ";": 0.2, ":": 0.2, ".": 0.3, "!": 0.3, "?": 0.32}
_SYLLABLE = re.compile(r"[^aeiouy\W\d]*[aeiouy]+|[^aeiouy\W\d]+|\d", re.IGNORECASE)
_TOKEN = re.compile(r"[\w'’-]+|[,;:.!?]")
_CHORDS = ((0, 4, 7, 11), (0, 3, 7, 10), (0, 5, 7, 12), (0, 4, 9, 12), (0, 3, 8, 12))


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and when it is heard, in seconds."""

    text: str
    start_s: float
    stop_s: float


def speak(text: str, voice: str, speed: float = 1.0, liveliness: float = 0.5) -> tuple[Samples, list[SpokenWord]]:
    """Return the sound of a text in a voice, and when each word is heard.

    Nobody would take it for a person; but another text or another voice is plainly heard as another.

    Parameters
    ----------
    speed
        Over 1 is faster.
    liveliness
        How far the melody swings, 0 to 1.
    """
    lot = seeded("voice", voice)
    low = voice.lower() in _LOW_VOICES.split()
    pitch_hz = float(lot.uniform(88, 128) if low else lot.uniform(165, 225))
    stretch = float(lot.uniform(0.93, 1.1)) * (0.88 if low else 1.0)
    pieces: list[Samples] = [_silence(0.12)]
    words: list[SpokenWord] = []
    at = pieces[0].size
    tokens = _TOKEN.findall(text)
    for index, token in enumerate(tokens):
        if token in _PAUSES_S:
            sound = _silence(_PAUSES_S[token] / speed)
        else:
            rest = tokens[index + 1 :]
            fall = 0.9 if rest and rest[0] == "." else 1.12 if rest and rest[0] == "?" else 1.0
            sound = _word(token, pitch_hz * fall, stretch, speed, liveliness, voice)
            words.append(SpokenWord(token, at / SAMPLE_RATE, (at + sound.size) / SAMPLE_RATE))
        pieces.append(sound)
        at += sound.size
    pieces.append(_silence(0.2))
    return np.concatenate(pieces) * np.float32(0.8), words


def film_sound(prompt: str, seed: int, duration_s: float) -> Samples:
    """Return a quiet chord that swells, with wind, rain or waves where the prompt has them."""
    look = read_look(prompt)
    lot = seeded("sound", prompt, seed)
    count = int(duration_s * SAMPLE_RATE)
    time = np.arange(count, dtype=np.float32) / SAMPLE_RATE
    root = 110 * 2 ** (int(lot.integers(-3, 8)) / 12)
    sound = np.zeros(count, np.float32)
    for step in _CHORDS[int(lot.integers(len(_CHORDS)))]:
        note = np.float32(2 * np.pi * root * 2 ** (step / 12))
        swell = 0.6 + 0.4 * np.sin(np.float32(2 * np.pi * float(lot.uniform(0.12, 0.4))) * time)
        sound += (np.sin(note * time) + 0.35 * np.sin(2 * note * time)) * swell * np.float32(0.09)
    if look.scene in {"sea", "deep", "forest", "dunes"} or look.is_rainy or look.is_snowy:
        noise = lot.standard_normal(count, dtype=np.float32)
        width = 3 if look.is_rainy else 14
        soft = np.convolve(noise, np.full(width, 1 / width, np.float32), "same")
        surge = 0.5 + 0.5 * np.sin(np.float32(2 * np.pi * 0.21) * time + np.float32(lot.uniform(0, 6)))
        sound += soft * surge * np.float32(0.22)
    return sound * _fade(count, SAMPLE_RATE // 3)


def _word(word: str, pitch_hz: float, stretch: float, speed: float, liveliness: float, voice: str) -> Samples:
    lot = seeded("word", word.lower(), voice)
    syllables = _SYLLABLE.findall(word) or ["a"]
    sounds = []
    for index, syllable in enumerate(syllables):
        lift = 1.0 + 0.16 * (liveliness + 0.2) * (float(lot.uniform(-1, 1)) + (0.6 if index == 0 else -0.2))
        sounds.append(_syllable(syllable.lower(), pitch_hz * lift, stretch, (0.1 + 0.02 * len(syllable)) / speed))
    return np.concatenate([*sounds, _silence(0.035 / speed)])


def _syllable(letters: str, pitch_hz: float, stretch: float, duration_s: float) -> Samples:
    """Return harmonics of a pitch, the louder the nearer they lie to the vowel's formants, after a hiss."""
    vowel = next((letter for letter in letters if letter in _FORMANTS), "e")
    count = int(duration_s * SAMPLE_RATE)
    bend = 1 + 0.05 * np.sin(np.linspace(0, np.pi, count, dtype=np.float32))
    phase = np.cumsum(bend) * np.float32(2 * np.pi * pitch_hz / SAMPLE_RATE)
    order = np.arange(1, int(3600 / pitch_hz) + 1, dtype=np.float32)
    distance = [(order * pitch_hz - formant * stretch) / (90 + formant * 0.06) for formant in _FORMANTS[vowel]]
    weight = sum(gain * np.exp(-(gap**2)) for gain, gap in zip((1.0, 0.55, 0.25), distance, strict=True)) + 0.03
    voiced: Samples = (weight.astype(np.float32)[:, None] * np.sin(order[:, None] * phase[None, :])).sum(0)
    voiced *= _fade(count, count // 5) * np.float32(0.3)
    if letters[0] in _HISSING:
        hiss = seeded("hiss", letters).standard_normal(count // 3, dtype=np.float32)
        voiced[: hiss.size] += np.diff(hiss, prepend=hiss[:1]) * _fade(hiss.size, hiss.size // 4) * np.float32(0.06)
    return voiced


def _fade(count: int, edge: int) -> Samples:
    """Return a gain that rises from 0 and falls back to it over `edge` samples."""
    rise = np.minimum(np.arange(count), np.arange(count)[::-1]).astype(np.float32) / max(1, edge)
    return np.minimum(rise, 1)


def _silence(duration_s: float) -> Samples:
    return np.zeros(int(duration_s * SAMPLE_RATE), np.float32)
