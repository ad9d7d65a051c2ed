"""Realtime frames as apps read and write them: msgpack or JSON, told by the first byte, and pictures as bytes."""

from __future__ import annotations

import base64
import json
from typing import Any, Literal, TypeAlias

from fal_nb.errors import FileError
from fal_nb.protocol.files import decode_data_uri
from fal_nb.protocol.realtime import decode_output, encode_input

__all__ = ["Codec", "pack", "unpack", "with_bytes", "without_bytes"]

Codec: TypeAlias = Literal["msgpack", "json", "text"]
"""How an input came, and so how its output goes: the service has one codec an app, chosen by its author."""


def unpack(frame: bytes | str) -> tuple[dict[str, Any], Codec]:
    """Return the arguments in a frame and how they were written.

    Raises
    ------
    ValueError
        Where it holds none.
    """
    codec: Codec = "text" if isinstance(frame, str) else "json" if frame[:1] == b"{" else "msgpack"
    value = decode_output(frame) if isinstance(frame, bytes) and codec == "msgpack" else json.loads(frame)
    if not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004 - what was sent is wrong, not its type here
            f"an input is a map of arguments, not {type(value).__name__}"
        )
    return without_bytes(value), codec


def pack(result: dict[str, Any], codec: Codec) -> bytes | str:
    """Return an output as a frame."""
    if codec == "msgpack":
        return encode_input(result)
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    return text if codec == "text" else text.encode()


def without_bytes(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with a data URI as ``image_url`` for bytes under ``image_bytes``, and so on.

    Source: fal-js, demo ``camera-turbo``; the name stands for the other over realtime connections only.
    """
    plain = {}
    for name, value in arguments.items():
        if isinstance(value, bytes):
            uri = "data:application/octet-stream;base64," + base64.b64encode(value).decode()
            plain[f"{name.removesuffix('_bytes')}_url" if name.endswith("_bytes") else name] = uri
        else:
            plain[name] = value
    return plain


def with_bytes(result: dict[str, Any]) -> dict[str, Any]:
    """Return an output whose pictures are raw bytes in ``content`` instead of data URIs."""
    images = []
    for image in result.get("images", ()):
        try:
            content, _ = decode_data_uri(image["url"])
        except FileError:
            images.append(image)
        else:
            images.append({"content": content, **{name: value for name, value in image.items() if name != "url"}})
    return {**result, "images": images} if images else result
