"""Backgrounds taken away: BiRefNet. Source: fal-js endpoint types; the ``llms.txt`` page of its second version."""

from __future__ import annotations

import io
from typing import Any, ClassVar, Literal

from PIL import Image as PillowImage
from pydantic import BaseModel

from fal_nb.simulator.endpoints import words
from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.inputs import fetch_picture
from fal_nb.simulator.endpoints.outputs import publish_picture
from fal_nb.simulator.endpoints.shapes import IMAGE_FIELD, Image, field, optional_field
from fal_nb.simulator.media.cutout import foreground_mask

__all__ = ["Birefnet", "BirefnetV2"]

_MODEL = "Model to use for background removal."
_RESOLUTION = "The resolution to operate on; the higher, the sharper the border."
_MASK = "Whether to output the mask used to remove the background"
_REFINE = "Whether to refine the foreground using the estimated mask"
_IMAGE = "URL of the image to remove background from"


class BirefnetInput(BaseModel):
    """Arguments of fal-ai/birefnet, in display order: the required one comes sixth."""

    model: Literal["General Use (Light)", "General Use (Heavy)", "Portrait"] = field("General Use (Light)", _MODEL)
    operating_resolution: Literal["1024x1024", "2048x2048"] = field("1024x1024", _RESOLUTION)
    output_mask: bool = field(False, _MASK)
    refine_foreground: bool = field(True, _REFINE)
    sync_mode: bool = field(False, words.SYNC)
    image_url: str = field(..., _IMAGE, json_schema_extra=IMAGE_FIELD)
    output_format: Literal["webp", "png", "gif"] = field("png", words.FORMAT)


class BirefnetV2Input(BaseModel):
    """Arguments of fal-ai/birefnet/v2, in display order."""

    model: Literal[
        "General Use (Light)",
        "General Use (Light 2K)",
        "General Use (Heavy)",
        "Matting",
        "Portrait",
        "General Use (Dynamic)",
    ] = field("General Use (Light)", _MODEL)
    operating_resolution: Literal["1024x1024", "2048x2048", "2304x2304"] = field("1024x1024", _RESOLUTION)
    output_mask: bool = field(False, _MASK)
    refine_foreground: bool = field(True, _REFINE)
    sync_mode: bool = field(False, words.SYNC)
    image_url: str = field(..., _IMAGE, json_schema_extra=IMAGE_FIELD)
    output_format: Literal["webp", "png", "gif"] = field("png", words.FORMAT)
    mask_only: bool = field(False, "Whether to output the mask in place of the image")


class BirefnetOutput(BaseModel):
    """What they answer."""

    image: Image = field(..., "Image with background removed")
    mask_image: Image | None = optional_field("Mask used to remove the background")


class Birefnet(SimulatedEndpoint):
    """Keeps what is unlike the edges of the picture."""

    endpoint_id: ClassVar[str] = "fal-ai/birefnet"
    title: ClassVar[str] = "Birefnet Background Removal"
    category: ClassVar[str] = "image-to-image"
    description: ClassVar[str] = "Pictures without their background."
    input_model: ClassVar[type[BaseModel]] = BirefnetInput
    output_model: ClassVar[type[BaseModel]] = BirefnetOutput
    price: ClassVar[Price] = Price("compute seconds", 0.00111)

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with the resolution."""
        del studio
        return Plan({"1024x1024": 0.8, "2048x2048": 1.8}.get(arguments.operating_resolution, 2.2))

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Take the background away."""
        data, _ = fetch_picture(studio, arguments.image_url, "image_url")
        with PillowImage.open(io.BytesIO(data)) as opened:
            picture = opened.convert("RGB")
        mask = foreground_mask(picture, 3 if "Light" in arguments.model else 2)
        is_mask_only = getattr(arguments, "mask_only", False)
        if is_mask_only:
            shown = mask
        else:
            shown = picture.convert("RGBA")
            shown.putalpha(mask)
        image_format, is_inline = arguments.output_format, arguments.sync_mode
        result = {"image": publish_picture(studio, shown, image_format, is_inline=is_inline)}
        if arguments.output_mask:
            result["mask_image"] = publish_picture(studio, mask, image_format, is_inline=is_inline)
        return result

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return the seconds it computed."""
        del arguments, result
        return inference_s


class BirefnetV2(Birefnet):
    """With more models, and the mask alone on request."""

    endpoint_id: ClassVar[str] = "fal-ai/birefnet/v2"
    title: ClassVar[str] = "Birefnet Background Removal v2"
    input_model: ClassVar[type[BaseModel]] = BirefnetV2Input
