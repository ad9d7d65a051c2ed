"""Sound and films as files, and what is in a file somebody sent."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray
from PIL import Image

from fal_nb.simulator.media.sound import SAMPLE_RATE, Samples

__all__ = ["FrameRate", "SoundFormat", "audio_duration_s", "encode_film", "encode_sound", "encode_speech"]

_AUDIO_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class FrameRate:
    """Frames a second of a film, and its size in pixels (even numbers)."""

    fps: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How sound is written.

    Attributes
    ----------
    name
        ``mp3``, ``flac``, ``wav``, or ``pcm`` (bare 16 bit samples, the first byte the lower one).
    bit_rate
        Bits a second; only MP3 has one to choose.
    """

    name: Literal["mp3", "flac", "wav", "pcm"] = "mp3"
    sample_rate: int = SAMPLE_RATE
    channels: int = 1
    bit_rate: int = 64_000

    @property
    def content_type(self) -> str:
        """The media type of such a file."""
        return {"mp3": "audio/mpeg", "pcm": "audio/pcm"}.get(self.name, f"audio/{self.name}")


def encode_speech(samples: Samples) -> bytes:
    """Return an MP3."""
    return encode_sound(samples, SoundFormat())


def encode_sound(samples: Samples, sound_format: SoundFormat) -> bytes:
    """Return samples of 24 kHz as a file; all channels are the same."""
    rate = sound_format.sample_rate
    if rate != SAMPLE_RATE:
        count = round(samples.size * rate / SAMPLE_RATE)
        samples = np.interp(np.arange(count) * SAMPLE_RATE / rate, np.arange(samples.size), samples)
    if sound_format.name == "pcm":
        return np.repeat(_sixteen_bits(samples), sound_format.channels).astype("<i2").tobytes()
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=sound_format.name) as container:
        codec = {"mp3": "libmp3lame", "flac": "flac", "wav": "pcm_s16le"}[sound_format.name]
        layout = "stereo" if sound_format.channels == 2 else "mono"
        stream = cast("AudioStream", container.add_stream(codec, rate=rate, layout=layout))
        if sound_format.name == "mp3":
            stream.bit_rate = sound_format.bit_rate
        _encode_audio(container, stream, samples, "s16p" if sound_format.name == "mp3" else "s16")
    return buffer.getvalue()


def encode_film(frames: Iterable[Image.Image], rate: FrameRate, sound: Samples | None) -> bytes:
    """Return an MP4 (H.264, with AAC where there is sound) that starts to play before it is all there."""
    # FFmpeg moves the index to the front by opening the file again, which a buffer in memory does not allow.
    with tempfile.TemporaryDirectory(prefix="fal_nb-simulator-") as folder:
        path = Path(folder) / "film.mp4"
        _write_film(path, frames, rate, sound)
        return path.read_bytes()


def audio_duration_s(data: bytes) -> float | None:
    """Return how long the sound in a file is, in seconds, measured by decoding it; None where there is none."""
    try:
        with av.open(io.BytesIO(data), "r") as container:
            if not container.streams.audio:
                return None
            heard = 0.0
            for frame in container.decode(audio=0):
                heard += frame.samples / frame.sample_rate
    except (av.FFmpegError, ValueError):
        return None
    return heard or None


def _write_film(path: Path, frames: Iterable[Image.Image], rate: FrameRate, sound: Samples | None) -> None:
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=rate.fps)
        video.width, video.height, video.pix_fmt = rate.width, rate.height, "yuv420p"
        video.options = {"preset": "veryfast", "crf": "26", "threads": "1", "tune": "animation"}
        audio = None
        if sound is not None:
            audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
            audio.bit_rate = 64_000
        for picture in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.asarray(picture), "rgb24")))
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            _encode_audio(container, audio, sound, "fltp")


def _encode_audio(container: OutputContainer, stream: AudioStream, samples: Samples, sample_format: str) -> None:
    block: NDArray[Any] = np.clip(samples, -1, 1).astype(np.float32)
    if sample_format != "fltp":
        block = _sixteen_bits(samples)
    layout, channels = stream.layout.name, stream.layout.nb_channels
    for start in range(0, block.size, _AUDIO_BLOCK):
        part = block[None, start : start + _AUDIO_BLOCK]
        # Planar formats have a row a channel, packed ones all channels of a moment side by side.
        part = np.repeat(part, channels, axis=0) if sample_format.endswith("p") else np.repeat(part, channels, axis=1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), sample_format, layout)
        frame.sample_rate = stream.rate
        frame.pts = start
        frame.time_base = Fraction(1, stream.rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _sixteen_bits(samples: Samples) -> NDArray[np.int16]:
    return (np.clip(samples, -1, 1) * 32767).astype(np.int16)
