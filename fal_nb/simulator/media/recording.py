"""Sound and films as files, and what is in a file somebody sent."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray
from PIL import Image

from fal_nb.simulator.media.sound import SAMPLE_RATE, Samples

__all__ = ["FrameRate", "audio_duration_s", "encode_film", "encode_speech"]

_AUDIO_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class FrameRate:
    """Frames a second of a film, and its size in pixels (even numbers)."""

    fps: int
    width: int
    height: int


def encode_speech(samples: Samples) -> bytes:
    """Return an MP3."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = 64_000
        _encode_audio(container, stream, samples, "s16p")
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
    clipped = np.clip(samples, -1, 1)
    block: NDArray[Any] = (clipped * 32767).astype(np.int16) if sample_format == "s16p" else clipped.astype(np.float32)
    for start in range(0, block.size, _AUDIO_BLOCK):
        frame = av.AudioFrame.from_ndarray(block[None, start : start + _AUDIO_BLOCK], sample_format, "mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start
        frame.time_base = Fraction(1, SAMPLE_RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
