"""Previews of films and sounds: a poster frame, a drawn waveform, size and length, read with FFmpeg's libraries.

The format is always given by what the first bytes prove: left to itself FFmpeg would also take play lists, which
make it open other files and hosts. Packets are read within limits of time and number. Safe in worker threads;
PyAV gives up the interpreter's lock while it reads and decodes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from PIL import Image, ImageDraw

from fal_nb.artifacts.preview import Preview
from fal_nb.artifacts.thumbnails import MAX_PIXELS, MAX_SIDE, encode_thumbnail

__all__ = ["FILM_TYPES", "poster_frame", "preview_film"]

_FORMATS = {
    "video/mp4": "mp4",
    "video/quicktime": "mp4",
    "audio/mp4": "mp4",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/mp2t": "mpegts",
    "video/ogg": "ogg",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/aac": "aac",
    "audio/aiff": "aiff",
}
FILM_TYPES = frozenset(_FORMATS)
"""Content types of films and sounds that can be looked into."""

_OPEN_S = 5.0
_DECODE_S = 3.0
_POSTER_AT = 0.1
_POSTER_PACKETS = 2_000
_WAVE_RATE = 8_000
_WAVE_BARS = 80
_WAVE_SIZE = (320, 80)
_WAVE_COLOUR = (124, 108, 240, 255)
"""Between white and black paper: over 4 : 1 on either."""
_MICROSECONDS = 1_000_000


def preview_film(path: Path, content_type: str) -> Preview:
    """Return the preview of a film or a sound; its kind is decided by the streams inside.

    Parameters
    ----------
    content_type
        One of `FILM_TYPES`, proven by its first bytes.

    Raises
    ------
    Exception
        Whatever FFmpeg's libraries raise for a damaged file.
    """
    timeout = (_OPEN_S, _OPEN_S)
    with av.open(str(path), format=_FORMATS[content_type], metadata_errors="replace", timeout=timeout) as container:
        duration_s = container.duration / _MICROSECONDS if container.duration else None
        film = next((stream for stream in container.streams.video if not _is_cover(stream)), None)
        if film is not None:
            return _poster(container, film, duration_s)
        if container.streams.audio:
            return _waveform(container, duration_s)
    return Preview(kind="file", error="no preview, there is neither picture nor sound in it")


def poster_frame(path: Path, content_type: str) -> Image.Image | None:
    """Return the frame that a film's poster is made of, in its own size; None where there is none.

    Parameters
    ----------
    content_type
        As for `preview_film`, and it raises as that.
    """
    timeout = (_OPEN_S, _OPEN_S)
    with av.open(str(path), format=_FORMATS[content_type], metadata_errors="replace", timeout=timeout) as container:
        film = next((stream for stream in container.streams.video if not _is_cover(stream)), None)
        if film is None or film.codec_context.width * film.codec_context.height > MAX_PIXELS:
            return None
        frame = _poster_of(container, film, container.duration / _MICROSECONDS if container.duration else None)
        return None if frame is None else frame.to_image().rotate(_turn(frame), expand=True)


def _is_cover(stream: Any) -> bool:
    """Whether a video stream is the picture on a song's sleeve."""
    return bool(int(stream.disposition) & int(av.stream.Disposition.attached_pic))


def _poster(container: InputContainer, stream: Any, duration_s: float | None) -> Preview:
    context = stream.codec_context
    width, height = context.width, context.height
    if width * height > MAX_PIXELS:
        error = f"no preview, {width}×{height} pixels are too many"
        return Preview(kind="video", width=width, height=height, duration_s=duration_s, error=error)
    frame = _poster_of(container, stream, duration_s)
    if frame is None:
        return Preview(kind="file", duration_s=duration_s, error="no preview, not one picture of it can be decoded")
    share = min(1.0, MAX_SIDE / max(frame.width, frame.height))
    small = (max(2, round(frame.width * share)), max(2, round(frame.height * share)))
    image = frame.to_image(width=small[0], height=small[1], interpolation="AREA")
    width, height = frame.width, frame.height
    turn = _turn(frame)
    if turn:
        image = image.rotate(turn, expand=True)
        if turn in {90, 270}:
            width, height = height, width
    thumbnail = encode_thumbnail(image)
    return Preview(kind="video", width=width, height=height, duration_s=duration_s, thumbnail=thumbnail)


def _poster_of(container: InputContainer, stream: Any, duration_s: float | None) -> Any:
    """Return a key frame a tenth of the way into a film, or None."""
    stream.codec_context.thread_count = 1
    stream.codec_context.skip_frame = "NONKEY"
    if duration_s and duration_s * _POSTER_AT >= 1:
        container.seek(int(duration_s * _POSTER_AT * _MICROSECONDS))
    return next(_frames(container, stream), None)


def _turn(frame: Any) -> int:
    return int(getattr(frame, "rotation", 0) or 0) % 360


def _frames(container: InputContainer, stream: Any) -> Iterator[Any]:
    """Yield decoded frames of bearable size until a limit is reached."""
    deadline = time.monotonic() + _DECODE_S
    for number, packet in enumerate(container.demux(stream)):
        if number > _POSTER_PACKETS or time.monotonic() > deadline:
            return
        for frame in packet.decode():
            if frame.width * frame.height <= MAX_PIXELS:
                yield frame


def _waveform(container: InputContainer, duration_s: float | None) -> Preview:
    samples, is_whole = _samples(container)
    if not samples.size:
        return Preview(kind="file", duration_s=duration_s, error="no preview, not one sound of it can be decoded")
    heard_s = samples.size / _WAVE_RATE
    # Where the container does not say, FFmpeg guesses by the bit rate of the first packets.
    if is_whole and (duration_s is None or abs(duration_s - heard_s) > 0.05 * heard_s):
        duration_s = heard_s
    return Preview(kind="audio", duration_s=duration_s, thumbnail=encode_thumbnail(_draw_wave(samples)))


def _samples(container: InputContainer) -> tuple[np.ndarray[Any, Any], bool]:
    """Return one channel of sound at a low rate, and whether it is all of it; long ones are cut by time."""
    stream = container.streams.audio[0]
    stream.codec_context.thread_count = 1
    resampler = av.AudioResampler(format="s16", layout="mono", rate=_WAVE_RATE, frame_size=_WAVE_RATE)
    deadline = time.monotonic() + _DECODE_S
    parts: list[np.ndarray[Any, Any]] = []
    for packet in container.demux(stream):
        if time.monotonic() > deadline:
            break
        for frame in packet.decode():
            parts += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    else:
        parts += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int16), True
    return np.concatenate(parts) if parts else np.zeros(0, np.int16), False


def _draw_wave(samples: np.ndarray[Any, Any]) -> Image.Image:
    """Return bars of the loudness over time, on a transparent ground."""
    power = np.square(samples.astype(np.float64))
    edges = np.linspace(0, power.size, min(_WAVE_BARS, power.size) + 1).astype(int)
    loud = np.sqrt(np.add.reduceat(power, edges[:-1]) / np.diff(edges))
    loud /= max(float(loud.max()), 1.0)
    width, height = (2 * side for side in _WAVE_SIZE)
    image = Image.new("RGBA", (width, height), (*_WAVE_COLOUR[:3], 0))
    draw = ImageDraw.Draw(image)
    step = width / _WAVE_BARS
    for number, share in enumerate(loud.tolist()):
        half = max(2.0, share * (height / 2 - 4))
        left = number * step + step * 0.2
        box = (left, height / 2 - half, left + step * 0.6, height / 2 + half)
        draw.rounded_rectangle(box, radius=step * 0.3, fill=_WAVE_COLOUR)
    return image.resize(_WAVE_SIZE, Image.Resampling.BOX)
