"""Input files: fetched from where an argument says, and looked at before they are used."""

from __future__ import annotations

import io

from PIL import Image, UnidentifiedImageError

from fal_nb.simulator.endpoints.detail import field_error
from fal_nb.simulator.endpoints.endpoint import EndpointFailure, Studio

__all__ = ["fetch_picture"]


def fetch_picture(studio: Studio, url: str, field: str) -> tuple[bytes, tuple[int, int]]:
    """Return (bytes, (width, height)) of an input picture.

    Raises
    ------
    EndpointFailure
        422 where it cannot be had or is no picture.
    """
    data, _ = studio.fetch(url, field)
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return data, picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        detail = field_error(field, "image_load_error", "The image could not be loaded", url[:120])
        raise EndpointFailure(422, detail) from error
