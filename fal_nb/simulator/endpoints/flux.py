"""FLUX.1: schnell, dev, dev image-to-image. Source: fal docs "model API reference" of each; fal-js endpoint types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from fal_nb.simulator.endpoints import words
from fal_nb.simulator.endpoints.endpoint import Price, Studio
from fal_nb.simulator.endpoints.inputs import fetch_picture
from fal_nb.simulator.endpoints.pictures import Drawing, PictureEndpoint, draw_seed
from fal_nb.simulator.endpoints.shapes import (
    IMAGE_FIELD,
    Acceleration,
    ImageFormat,
    ImageSize,
    LoraWeight,
    SizePreset,
    StandardImages,
    field,
    optional_field,
    pixels,
)
from fal_nb.simulator.media.picture import PictureSpec

__all__ = ["FluxDev", "FluxDevImageToImage", "FluxLora", "FluxSchnell"]


class FluxLoraTextToImageInput(BaseModel):
    """Arguments of fal-ai/flux-lora, in display order."""

    prompt: str = field(..., words.PROMPT, examples=["A lighthouse above a stormy sea at night, oil painting"])
    image_size: ImageSize | SizePreset = field("landscape_4_3", words.SIZE)
    num_inference_steps: int = field(28, words.STEPS, ge=1, le=50)
    seed: int | None = optional_field(words.SEED)
    loras: list[LoraWeight] = field([], "The LoRAs to use for the image generation.")
    guidance_scale: float = field(3.5, words.GUIDANCE, ge=0, le=35, title="Guidance scale (CFG)")
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT, ge=1, le=4)
    enable_safety_checker: bool = field(True, words.SAFETY)
    output_format: ImageFormat = field("jpeg", words.FORMAT)
    acceleration: Literal["none", "regular"] = field("none", words.ACCELERATION)


class SchnellTextToImageInput(BaseModel):
    """Arguments of fal-ai/flux/schnell, in display order."""

    num_inference_steps: int = field(4, words.STEPS, ge=1, le=12)
    prompt: str = field(..., words.PROMPT, examples=["A red fox in fresh snow at dawn, woodblock print"])
    image_size: ImageSize | SizePreset = field("landscape_4_3", words.SIZE)
    seed: int | None = optional_field(words.SEED)
    guidance_scale: float = field(3.5, words.GUIDANCE, ge=1, le=20, title="Guidance scale (CFG)")
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT, ge=1, le=4)
    enable_safety_checker: bool = field(True, words.SAFETY)
    output_format: ImageFormat = field("jpeg", words.FORMAT)
    acceleration: Acceleration = field("none", words.ACCELERATION)


class BaseInput(BaseModel):
    """Arguments of fal-ai/flux/dev, in display order."""

    prompt: str = field(..., words.PROMPT, examples=["A lighthouse above a stormy sea at night, oil painting"])
    image_size: ImageSize | SizePreset = field("landscape_4_3", words.SIZE)
    num_inference_steps: int = field(28, words.STEPS, ge=1, le=50)
    seed: int | None = optional_field(words.SEED)
    guidance_scale: float = field(3.5, words.GUIDANCE, ge=1, le=20, title="Guidance scale (CFG)")
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT, ge=1, le=4)
    enable_safety_checker: bool = field(True, words.SAFETY)
    output_format: ImageFormat = field("jpeg", words.FORMAT)
    acceleration: Acceleration = field("none", words.ACCELERATION)


class BaseImageToInput(BaseModel):
    """Arguments of fal-ai/flux/dev/image-to-image, in display order."""

    image_url: str = field(..., "The URL of the image to generate an image from.", json_schema_extra=IMAGE_FIELD)
    strength: float = field(0.95, "How far the result may go from the initial image.", ge=0.01, le=1)
    num_inference_steps: int = field(40, words.STEPS, ge=10, le=50)
    prompt: str = field(..., words.PROMPT, examples=["The same scene at night"])
    seed: int | None = optional_field(words.SEED)
    guidance_scale: float = field(3.5, words.GUIDANCE, ge=1, le=20, title="Guidance scale (CFG)")
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT, ge=1, le=4)
    enable_safety_checker: bool = field(True, words.SAFETY)
    output_format: ImageFormat = field("jpeg", words.FORMAT)
    acceleration: Acceleration = field("none", words.ACCELERATION)


class FluxSchnell(PictureEndpoint):
    """Four quick steps."""

    endpoint_id: ClassVar[str] = "fal-ai/flux/schnell"
    title: ClassVar[str] = "FLUX.1 [schnell]"
    category: ClassVar[str] = "text-to-image"
    description: ClassVar[str] = "Pictures from text in one to four steps."
    input_model: ClassVar[type[BaseModel]] = SchnellTextToImageInput
    output_model: ClassVar[type[BaseModel]] = StandardImages
    price: ClassVar[Price] = Price("megapixels", 0.003)
    opening_s: ClassVar[float] = 0.3
    step_s: ClassVar[float] = 0.12
    usual_steps: ClassVar[int] = 4

    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return a picture of the asked size."""
        del studio
        width, height = pixels(arguments.image_size)
        return self._drawing(arguments, width, height)

    def _drawing(self, arguments: Any, width: int, height: int) -> Drawing:
        spec = PictureSpec(
            arguments.prompt,
            draw_seed(arguments.seed),
            width,
            height,
            detail=arguments.num_inference_steps / self.usual_steps,
            guidance=arguments.guidance_scale / 3.5,
        )
        return Drawing(
            spec,
            arguments.num_images,
            arguments.output_format,
            arguments.num_inference_steps,
            arguments.sync_mode,
            arguments.enable_safety_checker,
        )


class FluxDev(FluxSchnell):
    """The usual quality."""

    endpoint_id: ClassVar[str] = "fal-ai/flux/dev"
    title: ClassVar[str] = "FLUX.1 [dev]"
    description: ClassVar[str] = "Pictures from text, 28 steps."
    input_model: ClassVar[type[BaseModel]] = BaseInput
    price: ClassVar[Price] = Price("megapixels", 0.025)
    step_s: ClassVar[float] = 0.08
    usual_steps: ClassVar[int] = 28


class FluxLora(FluxDev):
    """With adapters, which change nothing of what is drawn.

    Its price is that of two third-party tables. Source: fal's published OpenAPI document of fal-ai/flux-lora.
    """

    endpoint_id: ClassVar[str] = "fal-ai/flux-lora"
    title: ClassVar[str] = "FLUX.1 [dev] with LoRAs"
    description: ClassVar[str] = "Pictures from text with adapters."
    input_model: ClassVar[type[BaseModel]] = FluxLoraTextToImageInput
    price: ClassVar[Price] = Price("megapixels", 0.035)


class FluxDevImageToImage(FluxSchnell):
    """A picture made from another and a prompt; it keeps the input's size."""

    endpoint_id: ClassVar[str] = "fal-ai/flux/dev/image-to-image"
    title: ClassVar[str] = "FLUX.1 [dev] Image to Image"
    category: ClassVar[str] = "image-to-image"
    description: ClassVar[str] = "Pictures from a picture and text."
    input_model: ClassVar[type[BaseModel]] = BaseImageToInput
    price: ClassVar[Price] = Price("megapixels", 0.025)
    step_s: ClassVar[float] = 0.07
    usual_steps: ClassVar[int] = 40
    reads_files: ClassVar[bool] = True

    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return a picture of the input's size that begins with the input."""
        data, (width, height) = fetch_picture(studio, arguments.image_url, "image_url")
        drawing = self._drawing(arguments, width, height)
        return replace(drawing, spec=replace(drawing.spec, source=data, strength=arguments.strength))
