"""Objects that many endpoints share: picture sizes, files, images; and how their fields are described."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, Field

__all__ = [
    "IMAGE_FIELD",
    "PRESETS",
    "Acceleration",
    "Embedding",
    "File",
    "Image",
    "ImageFormat",
    "ImageSize",
    "LoraWeight",
    "ProImage",
    "ProImages",
    "SizePreset",
    "StandardImages",
    "field",
    "nullable_field",
    "optional_field",
    "pixels",
]

SizePreset: TypeAlias = Literal[
    "square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"
]
ImageFormat: TypeAlias = Literal["jpeg", "png"]
Acceleration: TypeAlias = Literal["none", "regular", "high"]

PRESETS: dict[str, tuple[int, int]] = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
"""Width and height in pixels. Source: fal 1.83.0 ``toolkit/image``."""


def field(default: Any, description: str, **limits: Any) -> Any:
    """Return a field with a default and a description; `limits` as pydantic has them."""
    return Field(default, description=description, **limits)


def optional_field(description: str, **limits: Any) -> Any:
    """Return a field that may be absent and has no default of its own."""
    return Field(None, description=description, **limits)


IMAGE_FIELD: dict[str, Any] = {"ui": {"field": "image"}}
"""Marks an input that takes a picture's URL."""


def nullable_field(description: str, **limits: Any) -> Any:
    """Return a field whose default is null on purpose, so that its schema says so."""
    return Field(None, description=description, json_schema_extra={"nullable": True}, **limits)


class ImageSize(BaseModel):
    """A picture size in pixels."""

    width: int = field(512, "The width of the generated image.", gt=0, le=14142)
    height: int = field(512, "The height of the generated image.", gt=0, le=14142)


class LoraWeight(BaseModel):
    """Weights of an adapter; accepted, and without effect on what is drawn."""

    path: str = field(..., "URL or the path to the LoRA weights.")
    scale: float = field(1.0, "How strongly the weights are merged into the base model.", ge=0, le=4)
    force: bool = field(False, "Whether to load the weights even where they do not match.")


class Embedding(BaseModel):
    """A text embedding; accepted, and without effect on what is drawn."""

    path: str = field(..., "URL or the path to the embedding weights.")
    tokens: list[str] = field(["<s0>", "<s1>"], "The tokens to map the embedding to.")


class File(BaseModel):
    """A file on the CDN."""

    url: str = field(..., "The URL where the file can be downloaded from.")
    content_type: str | None = optional_field("The mime type of the file.")
    file_name: str | None = optional_field("The name of the file.")
    file_size: int | None = optional_field("The size of the file in bytes.")


class Image(BaseModel):
    """A picture on the CDN."""

    url: str = field(..., "The URL where the file can be downloaded from.")
    content_type: str | None = optional_field("The mime type of the file.")
    file_name: str | None = optional_field("The name of the file.")
    file_size: int | None = optional_field("The size of the file in bytes.")
    width: int | None = optional_field("The width of the image")
    height: int | None = optional_field("The height of the image")


class ProImage(BaseModel):
    """A picture as the flux-pro endpoints describe it."""

    url: str = field(..., "The URL where the file can be downloaded from.")
    width: int = field(..., "The width of the image")
    height: int = field(..., "The height of the image")
    content_type: str = field("image/jpeg", "The mime type of the file.")


class StandardImages(BaseModel):
    """What most picture endpoints answer."""

    images: list[Image] = field(..., "The generated image files info.")
    timings: dict[str, float] = field(..., "Seconds spent on each part of the work.")
    seed: int = field(
        ..., "Seed of the generated Image: the one passed in the input, or the randomly generated one that was used."
    )
    has_nsfw_concepts: list[bool] = field(..., "Whether the generated images contain NSFW concepts.")
    prompt: str = field(..., "The prompt used for generating the image.")


class ProImages(StandardImages):
    """What the flux-pro endpoints answer."""

    images: list[ProImage] = field(..., "The generated image files info.")  # type: ignore[assignment]


def pixels(size: ImageSize | str) -> tuple[int, int]:
    """Return (width, height) of a preset or a size object."""
    return (size.width, size.height) if isinstance(size, ImageSize) else PRESETS[size]
