"""FLUX1.1 [pro] and [pro] ultra. Source: fal docs "model API reference" of each; fal-js endpoint types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel

from fal_nb.simulator.endpoints import words
from fal_nb.simulator.endpoints.endpoint import Price, Studio
from fal_nb.simulator.endpoints.inputs import fetch_picture
from fal_nb.simulator.endpoints.pictures import Drawing, PictureEndpoint, draw_seed
from fal_nb.simulator.endpoints.shapes import (
    IMAGE_FIELD,
    ImageFormat,
    ImageSize,
    ProImages,
    SizePreset,
    field,
    optional_field,
    pixels,
)
from fal_nb.simulator.media.picture import PictureSpec

__all__ = ["FluxPro", "FluxProUltra"]

_Tolerance: TypeAlias = Literal["1", "2", "3", "4", "5", "6"]
_Ratio: TypeAlias = Literal["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"]
_TOLERANCE = "The safety tolerance level for the generated image. 1 is the most strict, 6 the most permissive."
_ENHANCE = "Whether to enhance the prompt for better results."
_ULTRA_PIXELS = 4_194_304
_MULTIPLE = 32


class FluxProTextToImageInput(BaseModel):
    """Arguments of fal-ai/flux-pro/v1.1, in display order."""

    prompt: str = field(..., words.PROMPT, examples=["A glass greenhouse in the rain, wide angle"])
    image_size: ImageSize | SizePreset = field("landscape_4_3", words.SIZE)
    seed: int | None = optional_field(words.SEED)
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT, ge=1, le=4)
    output_format: ImageFormat = field("jpeg", words.FORMAT)
    safety_tolerance: _Tolerance = field("2", _TOLERANCE)
    enhance_prompt: bool = field(False, _ENHANCE)


class FluxProUltraTextToImageInput(BaseModel):
    """Arguments of fal-ai/flux-pro/v1.1-ultra, in display order."""

    prompt: str = field(..., words.PROMPT, examples=["A glass greenhouse in the rain, wide angle"])
    seed: int | None = optional_field(words.SEED)
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT, ge=1, le=4)
    output_format: ImageFormat = field("jpeg", words.FORMAT)
    safety_tolerance: _Tolerance = field("2", _TOLERANCE)
    enhance_prompt: bool = field(False, _ENHANCE)
    image_url: str | None = optional_field("The image URL to generate an image from.", json_schema_extra=IMAGE_FIELD)
    image_prompt_strength: float = field(0.1, "The strength of the image prompt.", ge=0, le=1)
    aspect_ratio: _Ratio | str = field("16:9", "The aspect ratio of the generated image.")
    raw: bool = field(False, "Generate less processed, more natural-looking images.")


class FluxPro(PictureEndpoint):
    """No steps and no guidance to choose."""

    endpoint_id: ClassVar[str] = "fal-ai/flux-pro/v1.1"
    title: ClassVar[str] = "FLUX1.1 [pro]"
    category: ClassVar[str] = "text-to-image"
    description: ClassVar[str] = "Pictures from text, the larger model."
    input_model: ClassVar[type[BaseModel]] = FluxProTextToImageInput
    output_model: ClassVar[type[BaseModel]] = ProImages
    price: ClassVar[Price] = Price("megapixels", 0.04)
    prints_bars: ClassVar[bool] = False
    streams: ClassVar[bool] = False
    opening_s: ClassVar[float] = 0.4
    step_s: ClassVar[float] = 0.08
    hidden_steps: ClassVar[int] = 24

    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return a picture of the asked size."""
        del studio
        width, height = pixels(arguments.image_size)
        return self._drawing(arguments, width, height)

    def _drawing(self, arguments: Any, width: int, height: int) -> Drawing:
        spec = PictureSpec(arguments.prompt, draw_seed(arguments.seed), width, height, detail=1.2)
        return Drawing(spec, arguments.num_images, arguments.output_format, self.hidden_steps, arguments.sync_mode)


class FluxProUltra(FluxPro):
    """Up to four megapixels, by aspect ratio."""

    endpoint_id: ClassVar[str] = "fal-ai/flux-pro/v1.1-ultra"
    title: ClassVar[str] = "FLUX1.1 [pro] ultra"
    description: ClassVar[str] = "Pictures from text, up to four megapixels."
    input_model: ClassVar[type[BaseModel]] = FluxProUltraTextToImageInput
    price: ClassVar[Price] = Price("images", 0.06)
    step_s: ClassVar[float] = 0.025
    reads_files: ClassVar[bool] = True

    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return a picture of four megapixels, tinted by the image prompt where there is one."""
        drawing = self._drawing(arguments, *_ultra_pixels(arguments.aspect_ratio))
        if arguments.image_url is None:
            return drawing
        data, _ = fetch_picture(studio, arguments.image_url, "image_url")
        strength = 1 - arguments.image_prompt_strength
        return replace(drawing, spec=replace(drawing.spec, source=data, strength=max(0.01, strength)))


def _ultra_pixels(ratio: str) -> tuple[int, int]:
    """Return (width, height) of about four megapixels, multiples of 32; 16:9 where the ratio cannot be read."""
    wide, _, high = ratio.partition(":")
    try:
        proportion = float(wide) / float(high)
    except (ValueError, ZeroDivisionError):
        proportion = 16 / 9
    proportion = min(max(proportion, 9 / 21), 21 / 9) if proportion > 0 else 16 / 9
    height = (_ULTRA_PIXELS / proportion) ** 0.5
    return _rounded(height * proportion), _rounded(height)


def _rounded(pixels_: float) -> int:
    return max(_MULTIPLE, int(pixels_) // _MULTIPLE * _MULTIPLE)
