"""Latent consistency models, realtime too. Source: fal-js endpoint types; no source states ranges or prices."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from fal_nb.simulator.endpoints import words
from fal_nb.simulator.endpoints.endpoint import Live, Price, Studio
from fal_nb.simulator.endpoints.inputs import fetch_picture
from fal_nb.simulator.endpoints.pictures import Drawing, PictureEndpoint, draw_seed
from fal_nb.simulator.endpoints.shapes import (
    IMAGE_FIELD,
    Image,
    ImageFormat,
    ImageSize,
    SizePreset,
    StandardImages,
    field,
    optional_field,
    pixels,
)
from fal_nb.simulator.media.picture import PictureSpec

__all__ = ["MOST_IMAGES", "FastLcmDiffusion", "LcmImageToImage", "LcmModel"]

LcmModel = Literal["stabilityai/stable-diffusion-xl-base-1.0", "runwayml/stable-diffusion-v1-5"]
MOST_IMAGES = 8
"""So that a slip of the finger does not keep a machine busy; the service states no limit."""


class LcmInput(BaseModel):
    """Arguments of fal-ai/lcm-sd15-i2i, in display order."""

    prompt: str = field(..., words.PROMPT, examples=["an island near sea, with seagulls, oil painting"])
    image_url: str = field(..., "The image to use as a base.", json_schema_extra=IMAGE_FIELD)
    strength: float = field(0.8, "How far the result may go from the initial image.")
    negative_prompt: str = field("", "What the image should not show.")
    seed: int | None = optional_field(words.SEED)
    guidance_scale: float = field(1, words.GUIDANCE, title="Guidance scale (CFG)")
    num_inference_steps: int = field(4, words.STEPS)
    sync_mode: bool = field(False, words.SYNC)
    num_images: int = field(1, words.COUNT)
    enable_safety_checks: bool = field(True, "If set to true, a flagged image is replaced by a black one.")
    request_id: str = field("", "An id bound to a request, echoed in the response.")
    mask_url: str | None = optional_field("The mask of what may change.", json_schema_extra=IMAGE_FIELD)


class LcmOutput(BaseModel):
    """What it answers: no prompt, and the list of flags has a name of its own."""

    images: list[Image] = field(..., "The generated image files info.")
    timings: dict[str, float] = field(..., "Seconds spent on each part of the work.")
    seed: int = field(..., "Seed of the generated image.")
    num_inference_steps: int = field(4, "Number of inference steps used to generate the image.")
    request_id: str = field("", "An id bound to a request, echoed in the response.")
    nsfw_content_detected: list[bool] = field(..., "Whether the generated images contain NSFW concepts.")


class FastLcmInput(BaseModel):
    """Arguments of fal-ai/fast-lcm-diffusion, in display order."""

    model_name: LcmModel = field("stabilityai/stable-diffusion-xl-base-1.0", "The name of the model to use.")
    prompt: str = field(..., words.PROMPT, examples=["a harbour at dusk, watercolor"])
    negative_prompt: str = field("", "What the image should not show.")
    image_size: ImageSize | SizePreset = field("square_hd", words.SIZE)
    num_inference_steps: int = field(6, words.STEPS)
    seed: int | None = optional_field(words.SEED)
    guidance_scale: float = field(1.5, words.GUIDANCE, title="Guidance scale (CFG)")
    sync_mode: bool = field(True, words.SYNC)
    num_images: int = field(1, words.COUNT)
    enable_safety_checker: bool = field(True, words.SAFETY)
    safety_checker_version: Literal["v1", "v2"] = field("v1", "The version of the safety checker to use.")
    expand_prompt: bool = field(False, "If set to true, the prompt will be expanded with additional prompts.")
    format: ImageFormat = field("jpeg", words.FORMAT)
    guidance_rescale: float = field(0.0, "The rescale factor for the CFG.")
    request_id: str = field("", "An id bound to a request, echoed in the response.")


class FastLcmDiffusion(PictureEndpoint):
    """A few steps, and the picture in the answer itself."""

    endpoint_id: ClassVar[str] = "fal-ai/fast-lcm-diffusion"
    title: ClassVar[str] = "Fast LCM Diffusion"
    category: ClassVar[str] = "text-to-image"
    description: ClassVar[str] = "Pictures from text in a few steps."
    input_model: ClassVar[type[BaseModel]] = FastLcmInput
    output_model: ClassVar[type[BaseModel]] = StandardImages
    price: ClassVar[Price] = Price("compute seconds", 0.00111)
    opening_s: ClassVar[float] = 0.12
    step_s: ClassVar[float] = 0.03
    streams: ClassVar[bool] = False
    live: ClassVar[Live | None] = "unary"

    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return a picture of the asked size."""
        del studio
        width, height = pixels(arguments.image_size)
        steps = max(1, arguments.num_inference_steps)
        spec = PictureSpec(
            arguments.prompt,
            draw_seed(arguments.seed),
            width,
            height,
            detail=steps / 6,
            guidance=arguments.guidance_scale / 1.5,
            negative_prompt=arguments.negative_prompt,
        )
        count = min(max(1, arguments.num_images), MOST_IMAGES)
        checked = arguments.enable_safety_checker
        return Drawing(spec, count, arguments.format, steps, arguments.sync_mode, checked)


class LcmImageToImage(PictureEndpoint):
    """Redraws a picture in its own size."""

    endpoint_id: ClassVar[str] = "fal-ai/lcm-sd15-i2i"
    title: ClassVar[str] = "Optimized Latent Consistency (SDv1.5)"
    category: ClassVar[str] = "image-to-image"
    description: ClassVar[str] = "Pictures from a picture in a few steps."
    input_model: ClassVar[type[BaseModel]] = LcmInput
    output_model: ClassVar[type[BaseModel]] = LcmOutput
    price: ClassVar[Price] = Price("compute seconds", 0.00111)
    opening_s: ClassVar[float] = 0.1
    step_s: ClassVar[float] = 0.03
    streams: ClassVar[bool] = False
    live: ClassVar[Live | None] = "unary"
    reads_files: ClassVar[bool] = True

    def drawing(self, arguments: Any, studio: Studio) -> Drawing:
        """Return a picture that begins with the input and has its size."""
        data, (width, height) = fetch_picture(studio, arguments.image_url, "image_url")
        steps = max(1, arguments.num_inference_steps)
        spec = PictureSpec(
            arguments.prompt,
            draw_seed(arguments.seed),
            width,
            height,
            detail=steps / 4,
            guidance=arguments.guidance_scale,
            negative_prompt=arguments.negative_prompt,
            source=data,
            strength=min(max(arguments.strength, 0.01), 1.0),
        )
        count = min(max(1, arguments.num_images), MOST_IMAGES)
        return Drawing(spec, count, "jpeg", steps, arguments.sync_mode, arguments.enable_safety_checks)

    def answer(self, arguments: Any, drawn: dict[str, Any]) -> dict[str, Any]:
        """Return what was drawn in the endpoint's own names."""
        return {
            "images": drawn["images"],
            "timings": drawn["timings"],
            "seed": drawn["seed"],
            "num_inference_steps": arguments.num_inference_steps,
            "request_id": arguments.request_id,
            "nsfw_content_detected": drawn["has_nsfw_concepts"],
        }
