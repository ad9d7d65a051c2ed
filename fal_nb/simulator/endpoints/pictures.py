"""What all picture endpoints share: sizes, seeds, timing, drawing, the result object and its progressive stages."""

from __future__ import annotations

import io
import math
import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias

from PIL import Image, ImageFilter

from fal_nb.protocol.files import encode_data_uri
from fal_nb.simulator.endpoints.detail import field_error
from fal_nb.simulator.endpoints.endpoint import EndpointFailure, Plan, SimulatedEndpoint, Studio
from fal_nb.simulator.media.encoding import encode_picture
from fal_nb.simulator.media.live import LivePainter
from fal_nb.simulator.media.picture import PictureSpec, paint

__all__ = ["Drawing", "PictureEndpoint", "check_size", "draw_seed"]

_MOST_PIXELS = 25_000_000
_USUAL_PIXELS = 1024 * 768
_STAGES = 4

Painting: TypeAlias = Callable[[PictureSpec], Image.Image]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a call asks to have drawn.

    Attributes
    ----------
    spec
        Of the first picture; the others differ by their seed.
    steps
        Inference steps, as its bar counts them.
    inline
        Whether pictures come as data URIs (``sync_mode``).
    checked
        Whether the safety checker is on.
    """

    spec: PictureSpec
    count: int
    image_format: str
    steps: int
    inline: bool
    checked: bool = True


class PictureEndpoint(SimulatedEndpoint):
    """Parent of the endpoints that draw."""

    opening_s: ClassVar[float] = 0.3
    step_s: ClassVar[float] = 0.08
    """Seconds a step takes for one picture of 1024 x 768."""
    prints_bars: ClassVar[bool] = True
    streams: ClassVar[bool] = True

    @abstractmethod
    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return what is to be drawn."""

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with steps, size and number of pictures."""
        drawing = self.drawing(arguments, studio)
        check_size(drawing.spec.width, drawing.spec.height)
        step_s = self.step_s * _load(drawing)
        return Plan(self.opening_s + drawing.steps * step_s, drawing.steps if self.prints_bars else 0)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Draw the pictures and put them on the CDN."""
        return self.answer(arguments, self._drawn(arguments, studio, paint))

    def generate_live(self, arguments: Any, studio: Studio, memory: dict[str, Any]) -> dict[str, Any]:
        """Draw the pictures of one realtime frame, each scene once a session."""
        painter: LivePainter = memory.setdefault("painter", LivePainter())
        return self.answer(arguments, self._drawn(arguments, studio, painter.paint))

    def answer(self, arguments: Any, drawn: dict[str, Any]) -> dict[str, Any]:
        """Return what was drawn in the endpoint's own names."""
        del arguments
        return drawn

    def _drawn(self, arguments: Any, studio: Studio, painting: Painting) -> dict[str, Any]:
        drawing = self.drawing(arguments, studio)
        check_size(drawing.spec.width, drawing.spec.height)
        flagged = drawing.checked and "nsfw" in drawing.spec.prompt.lower().split()
        images = []
        for index in range(drawing.count):
            if studio.cancelled.is_set():
                break
            spec = replace(drawing.spec, seed=drawing.spec.seed + index)
            picture = Image.new("RGB", (spec.width, spec.height)) if flagged else painting(spec)
            images.append(_publish(picture, drawing, studio))
        return {
            "images": images,
            "timings": {"inference": round(self.plan(arguments, studio).duration_s, 4)},
            "seed": drawing.spec.seed,
            "has_nsfw_concepts": [flagged] * len(images),
            "prompt": drawing.spec.prompt,
        }

    def partials(self, arguments: Any, result: dict[str, Any], studio: Studio) -> Iterator[dict[str, Any]]:
        """Yield the first picture as it comes out of the blur."""
        del arguments
        data, _ = studio.fetch(result["images"][0]["url"], "images")
        with Image.open(io.BytesIO(data)) as opened:
            final = opened.convert("RGB")
        final.thumbnail((512, 512))
        for stage in range(_STAGES):
            blurred = final.filter(ImageFilter.GaussianBlur(max(final.size) / 12 / 2.4**stage))
            encoded, content_type, _ = encode_picture(blurred, "jpeg", quality=70)
            image = {
                "url": encode_data_uri(encoded, content_type),
                "width": blurred.width,
                "height": blurred.height,
                "content_type": content_type,
            }
            yield {**result, "images": [image], "has_nsfw_concepts": result["has_nsfw_concepts"][:1]}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return megapixels, rounded up for each picture, or what the endpoint's unit says."""
        del arguments
        if self.price.unit == "images":
            return float(len(result["images"]))
        if self.price.unit == "compute seconds":
            return inference_s
        return float(sum(math.ceil(image["width"] * image["height"] / 1_000_000) for image in result["images"]))


def draw_seed(seed: int | None) -> int:
    """Return the seed asked for, else one that cannot be guessed."""
    return secrets.randbelow(2**32) if seed is None else seed


def _load(drawing: Drawing) -> float:
    """Return how much heavier than one picture of 1024 x 768 the work is."""
    size = max(0.25, drawing.spec.width * drawing.spec.height / _USUAL_PIXELS)
    return size * (1 + 0.6 * (drawing.count - 1))


def check_size(width: int, height: int) -> None:
    """Refuse a picture that would be too large.

    Raises
    ------
    EndpointFailure
        422 where it has too many pixels.
    """
    if width * height > _MOST_PIXELS:
        side = math.isqrt(_MOST_PIXELS)
        message = f"The image is too large: at most {_MOST_PIXELS:,} pixels"
        context = {"max_height": side, "max_width": side}
        raise EndpointFailure(422, field_error("image_size", "image_too_large", message, None, context))


def _publish(picture: Image.Image, drawing: Drawing, studio: Studio) -> dict[str, Any]:
    data, content_type, extension = encode_picture(picture, drawing.image_format)
    if drawing.inline:
        url = encode_data_uri(data, content_type)
    else:
        url = studio.publish(data, content_type, f"{secrets.token_hex(10)}{extension}")
    return {"url": url, "width": picture.width, "height": picture.height, "content_type": content_type}
