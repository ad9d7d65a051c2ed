"""What endpoints answer with: files on the CDN, described the way the service describes them."""

from __future__ import annotations

import secrets
from typing import Any

from PIL import Image

from fal_nb.protocol.files import encode_data_uri
from fal_nb.simulator.endpoints.endpoint import Studio
from fal_nb.simulator.media.encoding import encode_picture

__all__ = ["publish_file", "publish_picture"]


def publish_file(studio: Studio, data: bytes, content_type: str, name: str) -> dict[str, Any]:
    """Put a file on the CDN and return its description."""
    url = studio.publish(data, content_type, name)
    return {"url": url, "content_type": content_type, "file_name": name, "file_size": len(data)}


def publish_picture(
    studio: Studio, picture: Image.Image, image_format: str, *, is_inline: bool = False
) -> dict[str, Any]:
    """Return the description of a picture that was put on the CDN, or is a data URI (``sync_mode``)."""
    data, content_type, extension = encode_picture(picture, image_format)
    name = f"{secrets.token_hex(10)}{extension}"
    if is_inline:
        file = {
            "url": encode_data_uri(data, content_type),
            "content_type": content_type,
            "file_name": name,
            "file_size": len(data),
        }
    else:
        file = publish_file(studio, data, content_type, name)
    return file | {"width": picture.width, "height": picture.height}
