import hashlib
import io

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from fal_nb.artifacts.store import ArtifactStore
from fal_nb.protocol.files import FileRef, media_kind


@pytest.fixture
def store(tmp_path):
    return ArtifactStore(tmp_path / "home" / "artifacts")


@pytest.fixture
def picture():
    """A maker of encoded pictures: left half red, right half blue, or noise, or half transparent."""

    def make(kind="PNG", size=(640, 480), *, noise=False, alpha=False, **options):
        if noise:
            channels = 4 if alpha else 3
            pixels = np.random.default_rng(7).integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
            image = Image.fromarray(pixels)
        else:
            image = Image.new("RGBA" if alpha else "RGB", size, (255, 0, 0, 0)[: 4 if alpha else 3])
            ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill=(0, 0, 255, 255)[: 4 if alpha else 3])
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return make


@pytest.fixture
def film():
    """A maker of encoded films that go from black to white, red in the upper left; with `codec` None only sound."""

    def make(container="mp4", codec="libx264", *, size=(320, 180), seconds=2, sound=None, rate=24):
        buffer = io.BytesIO()
        with av.open(buffer, "w", format=container) as output:
            streams = []
            if codec is not None:
                stream = output.add_stream(codec, rate=rate)
                stream.width, stream.height = size
                stream.gop_size = rate
                if codec == "libvpx":
                    stream.options = {"deadline": "realtime", "cpu-used": "8"}
                stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
                streams.append((stream, _pictures(size, seconds * rate)))
            if sound is not None:
                stream = output.add_stream(sound, rate=48_000)
                stream.layout = "mono"
                streams.append((stream, _tones(seconds)))
            for stream, frames in streams:
                for frame in frames:
                    output.mux(stream.encode(frame))
                output.mux(stream.encode(None))
        return buffer.getvalue()

    return make


def _pictures(size, count):
    for number in range(count):
        pixels = np.full((size[1], size[0], 3), number * 255 // max(count - 1, 1), np.uint8)
        pixels[: size[1] // 4, : size[0] // 4] = (255, 0, 0)
        yield av.VideoFrame.from_ndarray(pixels, format="rgb24")


def _tones(seconds):
    """Loud in the first half, silent in the second."""
    count = int(48_000 * seconds)
    wave = (np.sin(np.arange(count) / 20) * 20_000).astype(np.int16)
    wave[count // 2 :] = 0
    for start in range(0, count, 4_800):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 4_800], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, start
        yield frame


@pytest.fixture
def ref():
    """A maker of what a result says of a file."""

    def make(url="https://v3.fal.media/files/x/y.png", content_type=None, file_name=None, where=("images", 0)):
        return FileRef(where, url, media_kind(content_type, url, where), content_type, file_name)

    return make


@pytest.fixture
def described(tmp_path, ref):
    """Write bytes to a file and describe it."""
    from fal_nb.artifacts.describe import describe

    def make(data, *arguments, answered=None, index=0, **options):
        digest = hashlib.sha256(data).hexdigest()
        path = tmp_path / digest
        if not path.exists():
            path.write_bytes(data)
        return describe(path, ref(*arguments, **options), index=index, digest=digest, content_type=answered)

    return make
