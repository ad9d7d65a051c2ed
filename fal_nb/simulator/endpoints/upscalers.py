"""Larger pictures from pictures: ESRGAN and the Clarity upscaler. Source: fal.ai ``llms.txt`` page of each."""

from __future__ import annotations

import io
import math
from typing import Any, ClassVar, Literal, TypeAlias

from PIL import Image as PillowImage
from pydantic import BaseModel

from fal_nb.simulator.endpoints import words
from fal_nb.simulator.endpoints.detail import field_error
from fal_nb.simulator.endpoints.endpoint import EndpointFailure, Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.inputs import fetch_picture
from fal_nb.simulator.endpoints.outputs import publish_picture
from fal_nb.simulator.endpoints.pictures import draw_seed
from fal_nb.simulator.endpoints.shapes import IMAGE_FIELD, Image, field, optional_field

__all__ = ["ClarityUpscaler", "Esrgan"]

_MOST_PIXELS = 40_000_000
_Model: TypeAlias = Literal[
    "RealESRGAN_x4plus", "RealESRGAN_x2plus", "RealESRGAN_x4plus_anime_6B", "RealESRGAN_x4_v3",
    "RealESRGAN_x4_wdn_v3", "RealESRGAN_x4_anime_v3",
]  # fmt: skip


class EsrganInput(BaseModel):
    """Arguments of fal-ai/esrgan, in display order."""

    image_url: str = field(..., "Url to input image", json_schema_extra=IMAGE_FIELD)
    scale: float = field(2, "Rescaling factor", ge=1, le=8)
    tile: int = field(0, "Tile size; 0 stands for no tiling.")
    face: bool = field(False, "Upscaling a face")
    model: _Model = field("RealESRGAN_x4plus", "Model to use for upscaling")
    output_format: Literal["png", "jpeg"] = field("png", "Output image format")


class EsrganOutput(BaseModel):
    """What it answers."""

    image: Image = field(..., "Upscaled image")


class ClarityInput(BaseModel):
    """Arguments of fal-ai/clarity-upscaler, in display order."""

    image_url: str = field(..., "The URL of the image to upscale.", json_schema_extra=IMAGE_FIELD)
    prompt: str = field("masterpiece, best quality, highres", words.PROMPT)
    upscale_factor: float = field(2, "The upscale factor", ge=1, le=4)
    negative_prompt: str = field("(worst quality, low quality, normal quality:2)", "What the image should not show.")
    creativity: float = field(0.35, "How far the result may go from the image.", ge=0, le=1)
    resemblance: float = field(0.6, "How close the result stays to the image.", ge=0, le=1)
    guidance_scale: float = field(4, words.GUIDANCE, ge=0, le=20, title="Guidance scale (CFG)")
    num_inference_steps: int = field(18, words.STEPS, ge=4, le=50)
    seed: int | None = optional_field(words.SEED)
    enable_safety_checker: bool = field(True, words.SAFETY)


class ClarityOutput(BaseModel):
    """What it answers."""

    image: Image = field(..., "The URL of the generated image.")
    seed: int = field(..., "The seed used to generate the image.")
    timings: dict[str, float] = field(..., "Seconds spent on each part of the work.")


class Esrgan(SimulatedEndpoint):
    """Enlarges, and invents nothing."""

    endpoint_id: ClassVar[str] = "fal-ai/esrgan"
    title: ClassVar[str] = "Upscale Images"
    category: ClassVar[str] = "image-to-image"
    description: ClassVar[str] = "Larger pictures from pictures."
    input_model: ClassVar[type[BaseModel]] = EsrganInput
    output_model: ClassVar[type[BaseModel]] = EsrganOutput
    price: ClassVar[Price] = Price("compute seconds", 0.00111)
    reads_files: ClassVar[bool] = True

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with the larger picture."""
        _, (width, height) = _enlarged_size(arguments.image_url, arguments.scale, studio)
        return Plan(0.8 + width * height / 4_000_000)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Enlarge the picture and put it on the CDN."""
        data, size = _enlarged_size(arguments.image_url, arguments.scale, studio)
        return {"image": publish_picture(studio, _enlarge(data, size), arguments.output_format)}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return the seconds it computed."""
        del arguments, result
        return inference_s


class ClarityUpscaler(SimulatedEndpoint):
    """Enlarges by steps."""

    endpoint_id: ClassVar[str] = "fal-ai/clarity-upscaler"
    title: ClassVar[str] = "Clarity Upscaler"
    category: ClassVar[str] = "image-to-image"
    description: ClassVar[str] = "Larger pictures from pictures, with detail."
    input_model: ClassVar[type[BaseModel]] = ClarityInput
    output_model: ClassVar[type[BaseModel]] = ClarityOutput
    price: ClassVar[Price] = Price("megapixels", 0.03)
    reads_files: ClassVar[bool] = True

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with steps and the larger picture."""
        _, (width, height) = _enlarged_size(arguments.image_url, arguments.upscale_factor, studio)
        steps = arguments.num_inference_steps
        return Plan(0.5 + steps * 0.1 * max(0.25, width * height / 1_000_000), steps)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Enlarge the picture and put it on the CDN."""
        data, size = _enlarged_size(arguments.image_url, arguments.upscale_factor, studio)
        image = publish_picture(studio, _enlarge(data, size), "png")
        timings = {"inference": round(self.plan(arguments, studio).duration_s, 4)}
        return {"image": image, "seed": draw_seed(arguments.seed), "timings": timings}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return the megapixels of the larger picture, rounded up."""
        del arguments, inference_s
        return float(math.ceil(result["image"]["width"] * result["image"]["height"] / 1_000_000))


def _enlarged_size(url: str, factor: float, studio: Studio) -> tuple[bytes, tuple[int, int]]:
    """Return (the input's bytes, (width, height) of what it becomes).

    Raises
    ------
    EndpointFailure
        422 where the input cannot be had, or the outcome would be too large.
    """
    data, (width, height) = fetch_picture(studio, url, "image_url")
    width, height = round(width * factor), round(height * factor)
    if width * height > _MOST_PIXELS:
        side = math.isqrt(_MOST_PIXELS)
        message = f"The upscaled image is too large: at most {_MOST_PIXELS:,} pixels"
        context = {"max_height": side, "max_width": side}
        raise EndpointFailure(422, field_error("image_url", "image_too_large", message, None, context))
    return data, (width, height)


def _enlarge(data: bytes, size: tuple[int, int]) -> PillowImage.Image:
    with PillowImage.open(io.BytesIO(data)) as opened:
        return opened.convert("RGB").resize(size, PillowImage.Resampling.LANCZOS)
