"""Stable Diffusion XL, fast. Source: fal-js endpoint types; its ranges are third-party tables, not confirmed."""

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
    Embedding,
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

__all__ = ["FastSdxl", "FastSdxlImageToImage"]


class TextToImageInput(BaseModel):
    """Arguments of fal-ai/fast-sdxl, in display order."""

    prompt: str = field(..., words.PROMPT, examples=["a harbour at dusk, watercolor"])
    negative_prompt: str = field("", "What the image should not show.", examples=["blurry, text"])
    image_size: ImageSize | SizePreset = field("square_hd", words.SIZE)
    num_inference_steps: int = field(25, words.STEPS, ge=1, le=50)
    seed: int | None = optional_field(words.SEED)
    guidance_scale: float = field(7.5, words.GUIDANCE, ge=0, le=20, title="Guidance scale (CFG)")
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT, ge=1, le=4)
    loras: list[LoraWeight] = field([], "The LoRAs to use for the image generation.")
    embeddings: list[Embedding] = field([], "The embeddings to use for the image generation.")
    enable_safety_checker: bool = field(True, words.SAFETY)
    safety_checker_version: Literal["v1", "v2"] = field("v1", "The version of the safety checker to use.")
    expand_prompt: bool = field(False, "If set to true, the prompt will be expanded with additional prompts.")
    format: ImageFormat = field("jpeg", words.FORMAT)
    request_id: str = field("", "An id bound to a request, echoed in the response.")


class ImageToImageInput(BaseModel):
    """Arguments of fal-ai/fast-sdxl/image-to-image, in display order."""

    image_url: str = field(..., "The URL of the image to start from.", json_schema_extra=IMAGE_FIELD)
    prompt: str = field(..., words.PROMPT, examples=["a harbour at dusk, watercolor"])
    negative_prompt: str = field("", "What the image should not show.")
    image_size: ImageSize | SizePreset = field("square_hd", words.SIZE)
    num_inference_steps: int = field(25, words.STEPS, ge=1, le=50)
    guidance_scale: float = field(7.5, words.GUIDANCE, ge=0, le=20, title="Guidance scale (CFG)")
    strength: float = field(0.95, "How far the result may go from the initial image.")
    seed: int | None = optional_field(words.SEED)
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT, ge=1, le=4)
    loras: list[LoraWeight] = field([], "The LoRAs to use for the image generation.")
    embeddings: list[Embedding] = field([], "The embeddings to use for the image generation.")
    enable_safety_checker: bool = field(True, words.SAFETY)
    safety_checker_version: Literal["v1", "v2"] = field("v1", "The version of the safety checker to use.")
    expand_prompt: bool = field(False, "If set to true, the prompt will be expanded with additional prompts.")
    format: ImageFormat = field("jpeg", words.FORMAT)
    request_id: str = field("", "An id bound to a request, echoed in the response.")
    preserve_aspect_ratio: bool = field(False, "Whether the result keeps the proportions of the initial image.")
    crop_output: bool = field(False, "Whether the result is cropped to the proportions of the initial image.")


class FastSdxl(PictureEndpoint):
    """Billed by the seconds it computes."""

    endpoint_id: ClassVar[str] = "fal-ai/fast-sdxl"
    title: ClassVar[str] = "Stable Diffusion XL"
    category: ClassVar[str] = "text-to-image"
    description: ClassVar[str] = "Pictures from text with Stable Diffusion XL."
    input_model: ClassVar[type[BaseModel]] = TextToImageInput
    output_model: ClassVar[type[BaseModel]] = StandardImages
    price: ClassVar[Price] = Price("compute seconds", 0.00111)
    opening_s: ClassVar[float] = 0.25
    step_s: ClassVar[float] = 0.045

    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return a picture of the asked size."""
        del studio
        width, height = pixels(arguments.image_size)
        spec = PictureSpec(
            arguments.prompt,
            draw_seed(arguments.seed),
            width,
            height,
            detail=arguments.num_inference_steps / 25,
            guidance=arguments.guidance_scale / 7.5,
            negative_prompt=arguments.negative_prompt,
        )
        return Drawing(
            spec,
            arguments.num_images,
            arguments.format,
            arguments.num_inference_steps,
            arguments.sync_mode,
            arguments.enable_safety_checker,
        )


class FastSdxlImageToImage(FastSdxl):
    """A picture of the asked size that begins with another."""

    endpoint_id: ClassVar[str] = "fal-ai/fast-sdxl/image-to-image"
    title: ClassVar[str] = "Stable Diffusion XL Image to Image"
    category: ClassVar[str] = "image-to-image"
    description: ClassVar[str] = "Pictures from a picture and text with Stable Diffusion XL."
    input_model: ClassVar[type[BaseModel]] = ImageToImageInput
    reads_files: ClassVar[bool] = True

    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return a picture that begins with the input."""
        data, _ = fetch_picture(studio, arguments.image_url, "image_url")
        drawing = super().drawing(arguments, studio)
        return replace(
            drawing, spec=replace(drawing.spec, source=data, strength=min(max(arguments.strength, 0.01), 1.0))
        )
