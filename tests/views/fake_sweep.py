"""A sweep in memory: what a board needs of one, driven by a test. It calls nothing and costs nothing."""

import dataclasses
import functools
import hashlib
import io
import itertools
import struct
import wave

import av
from PIL import Image, ImageDraw

from fal_nb.views.board import Axis, CellArtifact, CellLook, SweepTotals

ANIMALS = ("fox", "owl")
STYLES = ("ukiyo-e", "bauhaus", "risograph")
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED", "UNKNOWN", "SKIPPED")


class FakeSweep:
    """Cells for every combination of the axes; `become` changes some of them, `tell` says so."""

    def __init__(self, axes, *, name="styles", budget=2.0, state="PREPARED", folder=None):
        self.name, self.endpoint_text, self.backend = name, "fal-ai/flux/dev", "simulator"
        self.axes = tuple(Axis(name=name, labels=tuple(labels)) for name, labels in axes.items())
        self.budget, self.seconds_left, self.is_paused = budget, None, False
        self.observers, self.commands = [], []
        self.pictures, self.folder = {}, folder
        places = itertools.product(*(range(len(axis.labels)) for axis in self.axes))
        self.cells = {f"k{number}": self._cell(number, place, state) for number, place in enumerate(places)}

    def _cell(self, number, place, state):
        arguments = {axis.name: axis.labels[at] for axis, at in zip(self.axes, place, strict=True)}
        words = " ".join(arguments.values())
        arguments = {
            "prompt": f"a painting of {words}, soft light",
            "image_size": {"width": 512, "height": 512},
        } | arguments
        return CellLook(
            key=f"k{number}", coordinates=place, state=state, estimate=0.03, record_id=number + 1, arguments=arguments
        )

    @property
    def totals(self):
        counts = {}
        for look in self.cells.values():
            counts[look.state] = counts.get(look.state, 0) + 1
        spent = sum(look.cost or 0.0 for look in self.cells.values())
        return SweepTotals(
            counts=counts, spent=spent, reserved=0.03 * counts.get("RUNNING", 0), budget=self.budget, currency="USD",
            seconds_left=self.seconds_left, is_paused=self.is_paused,
        )  # fmt: skip

    def observe(self, observer):
        self.observers.append(observer)

    def unobserve(self, observer):
        self.observers.remove(observer)

    def become(self, key, **changes):
        self.cells[key] = dataclasses.replace(self.cells[key], **changes)
        return key

    def tell(self, *keys):
        for observer in list(self.observers):
            observer(set(keys))

    def finish(self, key, *, size=(512, 512), look=None, **changes):
        """Let a cell succeed with a picture of its own, or with that of another number and place, which is drawn once."""
        number = int(key[1:])
        digest = hashlib.sha256(f"{self.name} {key}".encode()).hexdigest()
        thumbnail, original = draw(*(look or (number, self.cells[key].coordinates)), size)
        self.pictures[digest] = thumbnail
        if self.folder is not None:
            (self.folder / digest).write_bytes(original)
        artifact = CellArtifact(
            kind="image",
            content_type="image/png",
            digest=digest,
            width=size[0],
            height=size[1],
            size_bytes=len(original),
        )
        known = {
            "state": "SUCCEEDED", "cost": 0.025, "total_s": 1.0 + number % 7 / 3, "progress": None, "artifact": artifact,
            "artifact_count": 1, "request_id": f"request-{number}", "scores": {"sharpness": (number * 37 % 101) / 100},
        }  # fmt: skip
        return self.become(key, **(known | changes))

    def finish_sound(self, key):
        """Let a cell succeed with a second of sound."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(b"".join(struct.pack("<h", (at % 40 - 20) * 300) for at in range(8000)))
        digest = hashlib.sha256(f"{self.name} {key} sound".encode()).hexdigest()
        if self.folder is not None:
            (self.folder / digest).write_bytes(buffer.getvalue())
        self.pictures[digest] = encode(Image.new("RGB", (320, 64), "#456"))
        artifact = CellArtifact(
            kind="audio", content_type="audio/wav", digest=digest, duration_s=1.0, size_bytes=len(buffer.getvalue())
        )
        return self.become(key, state="SUCCEEDED", artifact=artifact, artifact_count=1, cost=0.01, total_s=2.0)

    def finish_film(self, key, seconds=2):
        """Let a cell succeed with a film of its own length."""
        digest = hashlib.sha256(f"{self.name} {key} film".encode()).hexdigest()
        frames = [Image.new("RGB", (160, 96), f"hsl({at * 12}, 60%, 50%)") for at in range(10 * seconds)]
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="webm") as out:
            stream = out.add_stream("libvpx-vp9", rate=10)
            stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
            for frame in frames:
                out.mux(stream.encode(av.VideoFrame.from_image(frame)))
            out.mux(stream.encode(None))
        if self.folder is not None:
            (self.folder / digest).write_bytes(buffer.getvalue())
        self.pictures[digest] = encode(frames[0])
        artifact = CellArtifact(
            kind="video", content_type="video/webm", digest=digest, width=160, height=96, duration_s=seconds,
            size_bytes=len(buffer.getvalue()),
        )  # fmt: skip
        return self.become(key, state="SUCCEEDED", artifact=artifact, artifact_count=1, cost=0.1, total_s=9.0)

    def thumbnail(self, digest):
        return self.pictures.get(digest)

    def path(self, digest):
        return self.folder / digest

    def pause(self):
        self.commands.append("pause")
        self.is_paused = True
        self.tell()

    def resume(self):
        self.commands.append("resume")
        self.is_paused = False
        self.tell()

    def cancel(self):
        self.commands.append("cancel")

    def retry(self):
        self.commands.append("retry")

    def cancel_cell(self, key):
        self.commands.append(("cancel", key))

    def rate(self, key, rating):
        self.commands.append(("rate", key, rating))
        self.tell(self.become(key, rating=rating))


def styles(**options):
    """Return the sweep of 2 × 3 × 2 × 4."""
    axes = {"animal": ANIMALS, "style": STYLES, "guidance_scale": ("2", "3.5"), "seed": ("1", "2", "3", "4")}
    return FakeSweep(axes, **options)


def thousand(**options):
    """Return a sweep of 20 × 50 cells."""
    return FakeSweep({"steps": [str(n) for n in range(1, 21)], "seed": [str(n) for n in range(1, 51)]}, **options)


def encode(image):
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=70)
    return buffer.getvalue()


@functools.lru_cache(maxsize=200)
def draw(number, place, size):
    """Return a thumbnail and a PNG: a look for each first coordinates, the number in it."""
    hue = (place[0] * 70 + (place[1] if len(place) > 1 else 0) * 37) % 360
    image = Image.new("RGB", size, f"hsl({hue}, 38%, 42%)")
    pen = ImageDraw.Draw(image)
    width, height = size
    shift = (place[-1] * 61) % (width // 2)
    pen.ellipse((shift, height // 4, shift + width // 2, height * 3 // 4), fill=f"hsl({(hue + 150) % 360}, 55%, 66%)")
    pen.polygon(
        [(0, height), (width // 2, height // 2 + place[-1] * 11 % 60), (width, height)], fill=f"hsl({hue}, 30%, 24%)"
    )
    pen.text((width // 20, height // 20), f"#{number + 1}", fill="white", font_size=height // 8)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    image.thumbnail((320, 320))
    return encode(image), buffer.getvalue()
