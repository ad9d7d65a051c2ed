"""Quick models that redraw a picture, made for realtime: there a picture comes and goes as bytes.

Source: fal-js endpoint types; for the turbo model, which they do not have any more, the published types of its time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from fal_nb.simulator.endpoints import words
from fal_nb.simulator.endpoints.endpoint import Live, Price, Studio
from fal_nb.simulator.endpoints.inputs import fetch_picture
from fal_nb.simulator.endpoints.lcm import MOST_IMAGES, LcmModel
from fal_nb.simulator.endpoints.pictures import Drawing, PictureEndpoint, draw_seed
from fal_nb.simulator.endpoints.shapes import (
    IMAGE_FIELD,
    ImageFormat,
    ImageSize,
    SizePreset,
    StandardImages,
    field,
    optional_field,
    pixels,
)
from fal_nb.simulator.media.picture import PictureSpec

__all__ = ["FastLcmImageToImage", "FastTurboImageToImage"]

_TurboModel = Literal["stabilityai/sdxl-turbo", "stabilityai/sd-turbo"]
_STARTING_POINT = "The URL of the image to use as a starting point for the generation."
_LIKENESS = "How far the result may go from the initial image."


class FastLcmRedrawInput(BaseModel):
    """Arguments of fal-ai/fast-lcm-diffusion/image-to-image, in display order."""

    model_name: LcmModel = field("stabilityai/stable-diffusion-xl-base-1.0", "The name of the model to use.")
    image_url: str = field(..., _STARTING_POINT, json_schema_extra=IMAGE_FIELD)
    prompt: str = field(..., words.PROMPT, examples=["an island near sea, with seagulls, oil painting"])
    negative_prompt: str = field("", "What the image should not show.")
    image_size: ImageSize | SizePreset = field("square_hd", words.SIZE)
    num_inference_steps: int = field(6, words.STEPS)
    guidance_scale: float = field(1.5, words.GUIDANCE, title="Guidance scale (CFG)")
    strength: float = field(0.95, _LIKENESS)
    seed: int | None = optional_field(words.SEED)
    sync_mode: bool = field(True, words.SYNC)
    num_images: int = field(1, words.COUNT)
    enable_safety_checker: bool = field(True, words.SAFETY)
    safety_checker_version: Literal["v1", "v2"] = field("v1", "The version of the safety checker to use.")
    expand_prompt: bool = field(False, "If set to true, the prompt will be expanded with additional prompts.")
    format: ImageFormat = field("jpeg", words.FORMAT)
    guidance_rescale: float = field(0.0, "The rescale factor for the CFG.")
    request_id: str = field("", "An id bound to a request, echoed in the response.")
    preserve_aspect_ratio: bool = field(False, "Whether the result keeps the proportions of the initial image.")
    crop_output: bool = field(False, "Whether the result is cropped to the proportions of the initial image.")


class FastTurboRedrawInput(BaseModel):
    """Arguments of fal-ai/fast-turbo-diffusion/image-to-image, in display order."""

    model_name: _TurboModel = field("stabilityai/sdxl-turbo", "The name of the model to use.")
    image_url: str = field(..., _STARTING_POINT, json_schema_extra=IMAGE_FIELD)
    prompt: str = field(..., words.PROMPT, examples=["an island near sea, with seagulls, oil painting"])
    negative_prompt: str = field("", "What the image should not show.")
    image_size: ImageSize | SizePreset = field("square", words.SIZE)
    num_inference_steps: int = field(2, words.STEPS)
    guidance_scale: float = field(1.0, words.GUIDANCE, title="Guidance scale (CFG)")
    strength: float = field(0.95, _LIKENESS)
    seed: int | None = optional_field(words.SEED)
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT)
    enable_safety_checker: bool = field(True, words.SAFETY)
    expand_prompt: bool = field(False, "If set to true, the prompt will be expanded with additional prompts.")


class FastLcmImageToImage(PictureEndpoint):
    """A few steps, from a picture."""

    endpoint_id: ClassVar[str] = "fal-ai/fast-lcm-diffusion/image-to-image"
    title: ClassVar[str] = "Fast LCM Diffusion Image to Image"
    category: ClassVar[str] = "image-to-image"
    description: ClassVar[str] = "Pictures from a picture and text in a few steps."
    input_model: ClassVar[type[BaseModel]] = FastLcmRedrawInput
    output_model: ClassVar[type[BaseModel]] = StandardImages
    price: ClassVar[Price] = Price("compute seconds", 0.00111)
    opening_s: ClassVar[float] = 0.12
    step_s: ClassVar[float] = 0.03
    streams: ClassVar[bool] = False
    reads_files: ClassVar[bool] = True
    live: ClassVar[Live | None] = "unary"
    live_bytes: ClassVar[bool] = True
    usual_steps: ClassVar[int] = 6
    usual_guidance: ClassVar[float] = 1.5

    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return a picture of the asked size that begins with the input."""
        data, _ = fetch_picture(studio, arguments.image_url, "image_url")
        width, height = pixels(arguments.image_size)
        steps = max(1, arguments.num_inference_steps)
        spec = PictureSpec(
            arguments.prompt,
            draw_seed(arguments.seed),
            width,
            height,
            detail=steps / self.usual_steps,
            guidance=arguments.guidance_scale / self.usual_guidance,
            negative_prompt=arguments.negative_prompt,
        )
        spec = replace(spec, source=data, strength=min(max(arguments.strength, 0.01), 1.0))
        count = min(max(1, arguments.num_images), MOST_IMAGES)
        image_format = getattr(arguments, "format", "jpeg")
        return Drawing(spec, count, image_format, steps, arguments.sync_mode, arguments.enable_safety_checker)


class FastTurboImageToImage(FastLcmImageToImage):
    """Two steps, from a picture."""

    endpoint_id: ClassVar[str] = "fal-ai/fast-turbo-diffusion/image-to-image"
    title: ClassVar[str] = "Stable Diffusion Turbo Image to Image"
    input_model: ClassVar[type[BaseModel]] = FastTurboRedrawInput
    opening_s: ClassVar[float] = 0.08
    usual_steps: ClassVar[int] = 2
    usual_guidance: ClassVar[float] = 1.0
