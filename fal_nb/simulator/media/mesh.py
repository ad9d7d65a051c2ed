"""Solids from pictures: a relief as high as the picture is bright, closed by a flat back, written as binary glTF."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["make_relief"]

_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_FLOAT, _UINT = 5126, 5125
_VERTEX_BUFFER, _INDEX_BUFFER = 34962, 34963
_DEPTH = 0.35
_WHITE = [0.86, 0.86, 0.86, 1.0]


def make_relief(picture: Image.Image, cells: int, texture_size: int | None) -> bytes:
    """Return a GLB of about `cells` × `cells` squares, two units wide.

    Source: Khronos glTF 2.0 specification, "Binary glTF-2.0".

    Parameters
    ----------
    texture_size
        Pixels of the longer side of its picture; None leaves it white.
    """
    points, places, triangles = _solid(picture, cells)
    views: list[tuple[bytes, int | None]] = [
        (points.tobytes(), _VERTEX_BUFFER),
        (places.tobytes(), _VERTEX_BUFFER),
        (triangles.tobytes(), _INDEX_BUFFER),
    ]
    material: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 0.8}
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "fal_nb simulator"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "relief"}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0, "mode": 4}]}
        ],
        "materials": [{"pbrMetallicRoughness": material, "doubleSided": True}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": _FLOAT,
                "count": len(points),
                "type": "VEC3",
                "min": points.min(0).tolist(),
                "max": points.max(0).tolist(),
            },
            {"bufferView": 1, "componentType": _FLOAT, "count": len(places), "type": "VEC2"},
            {"bufferView": 2, "componentType": _UINT, "count": int(triangles.size), "type": "SCALAR"},
        ],
    }
    if texture_size is None:
        material["baseColorFactor"] = _WHITE
    else:
        views.append((_texture(picture, texture_size), None))
        material["baseColorTexture"] = {"index": 0}
        document |= {
            "textures": [{"source": 0, "sampler": 0}],
            "samplers": [{"magFilter": 9729, "minFilter": 9987}],
            "images": [{"bufferView": 3, "mimeType": "image/jpeg"}],
        }
    return _binary(document, views)


def _solid(picture: Image.Image, cells: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint32]]:
    """Return points, places on the picture, and triangles: the front, the back turned round, and the four walls."""
    ratio = picture.width / picture.height
    columns = max(2, round(cells * min(1.0, ratio))) + 1
    rows = max(2, round(cells * min(1.0, 1 / ratio))) + 1
    heights = np.asarray(picture.convert("L").resize((columns, rows), Image.Resampling.BOX), np.float32) / 255
    across, down = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    x, y = (across - 0.5) * 2 * min(1.0, ratio), (0.5 - down) * 2 * min(1.0, 1 / ratio)
    front = np.stack([x, y, heights * _DEPTH], axis=-1).reshape(-1, 3)
    back = np.stack([x, y, np.full_like(x, -0.05)], axis=-1).reshape(-1, 3)
    places = np.stack([across, down], axis=-1).reshape(-1, 2)
    index = np.arange(rows * columns, dtype=np.uint32).reshape(rows, columns)
    upper, lower = index[:-1, :-1].ravel(), index[1:, :-1].ravel()
    right, corner = index[:-1, 1:].ravel(), index[1:, 1:].ravel()
    face = np.concatenate([np.stack([upper, lower, right], 1), np.stack([right, lower, corner], 1)])
    rim = np.concatenate([index[0, :-1], index[:-1, -1], index[-1, :0:-1], index[:0:-1, 0]])
    after = np.roll(rim, -1)
    behind = np.uint32(index.size)
    walls = np.concatenate(
        [np.stack([rim, after, rim + behind], 1), np.stack([after, after + behind, rim + behind], 1)]
    )
    triangles = np.concatenate([face, face[:, ::-1] + behind, walls]).astype(np.uint32)
    points = np.concatenate([front, back]).astype(np.float32)
    return points, np.concatenate([places, places]).astype(np.float32), triangles


def _texture(picture: Image.Image, size: int) -> bytes:
    factor = size / max(picture.size)
    shape = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    buffer = io.BytesIO()
    picture.convert("RGB").resize(shape, Image.Resampling.BILINEAR).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _binary(document: dict[str, Any], views: list[tuple[bytes, int | None]]) -> bytes:
    """Return header, JSON chunk and binary chunk, each padded to four bytes."""
    body = bytearray()
    document["bufferViews"] = []
    for data, target in views:
        view = {"buffer": 0, "byteOffset": len(body), "byteLength": len(data)}
        document["bufferViews"].append(view if target is None else view | {"target": target})
        body += data + b"\0" * (-len(data) % 4)
    document["buffers"] = [{"byteLength": len(body)}]
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(body)
    head = struct.pack("<III", _MAGIC, 2, total)
    return head + struct.pack("<II", len(text), _JSON) + text + struct.pack("<II", len(body), _BIN) + bytes(body)
