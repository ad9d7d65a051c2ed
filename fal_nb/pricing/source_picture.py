"""Calls whose output has the size of the picture they are given. Pure: who measures the picture is no matter here."""

from __future__ import annotations

import re

from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.types import file_kinds

__all__ = ["source_picture"]

_CATEGORY = "image-to-image"
# Any of these makes the output larger or smaller than what was given.
_SHAPING = re.compile(
    r"(?:^|_)(?:size|width|height|resolution|ratio|megapixels)$|upscal|enlarge|expand|crop|outpaint|^target_|^scale$"
    r"|(?:^|_)(?:scale_factor|image_scale|factor|zoom)(?:_|$)"
)


def source_picture(schema: EndpointSchema | None) -> str | None:
    """Return the name of the input whose size the output has, or None where that cannot be told.

    It can where an endpoint turns a picture into a picture, takes one, and has no input about sizes.

    No document of fal's says so outright; an endpoint that rounds the size can cross a megapixel's border.
    """
    if schema is None or schema.category != _CATEGORY:
        return None
    pictures = [field.name for field in schema.inputs.fields if "image" in file_kinds(field.type)]
    shaping = any(_SHAPING.search(name) for name in schema.names)
    return pictures[0] if len(pictures) == 1 and not shaping else None
