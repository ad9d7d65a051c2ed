"""Reads the triangles of a binary glTF: where they stand in the scene, with their colours and textures.

Everything in the file is hostile: lengths and places are checked against the bytes there are, nothing it names is
fetched, and of what is beyond the limits nothing is read.
Source: Khronos glTF 2.0 specification.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fal_nb.artifacts.sniff import sniff
from fal_nb.artifacts.thumbnails import PICTURE_TYPES, scaled_bytes

__all__ = ["MAX_TRIANGLES", "Solid", "read_glb"]

MAX_BYTES = 512 * 2**20
MAX_TRIANGLES = 2_000_000
_MAX_JSON_BYTES = 32 * 2**20
_MAX_NODES = 20_000
_MAX_DEPTH = 64
_TEXTURE_SIDE = 512
_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_DECODED = {"KHR_draco_mesh_compression", "EXT_meshopt_compression"}
_WHITE = (0.86, 0.86, 0.86, 1.0)


@dataclass(frozen=True, slots=True)
class Solid:
    """Triangles of a scene.

    Attributes
    ----------
    corners
        (triangles, 3, 3): x, y and z of each corner, y upwards.
    colours
        (triangles, 3, 3): red, green and blue of each corner, 0 to 1, as a screen shows them (not linear).
    places
        (triangles, 3, 2): where on its texture each corner lies, 0 to 1, from the top left.
    texture
        (triangles): which of `textures` it has, -1 for none.
    textures
        (rows, columns, 3) each, 0 to 1.
    """

    corners: NDArray[np.float32]
    colours: NDArray[np.float32]
    places: NDArray[np.float32]
    texture: NDArray[np.int32]
    textures: tuple[NDArray[np.float32], ...]


class _Glb:
    """One file's description and bytes."""

    def __init__(self, data: bytes) -> None:
        magic, version, length = struct.unpack_from("<III", data, 0)
        size, kind = struct.unpack_from("<II", data, 12)
        if magic != _MAGIC or version != 2 or kind != _JSON or size > min(_MAX_JSON_BYTES, len(data) - 20):
            raise ValueError("no binary glTF of version 2")
        self.document: dict[str, Any] = json.loads(data[20 : 20 + size])
        needed = _DECODED & {str(name) for name in self.document.get("extensionsRequired", ())}
        if needed:
            raise ValueError(f"its mesh is compressed ({min(needed)})")
        self.body = b""
        at = 20 + size
        if at + 8 <= min(length, len(data)):
            body, kind = struct.unpack_from("<II", data, at)
            if kind == _BIN:
                self.body = data[at + 8 : at + 8 + body]
        self.pictures: list[NDArray[np.float32]] = []
        self._textures: dict[int, int] = {}

    def item(self, table: str, index: object) -> dict[str, Any]:
        """Return an entry of one of the description's tables."""
        if type(index) is not int or index < 0:
            raise ValueError(f"{table} has no such entry")
        found: dict[str, Any] = self.document[table][index]
        return found

    def view(self, index: object) -> tuple[bytes, int]:
        """Return the bytes of a buffer view and its stride, 0 where it is packed."""
        view = self.item("bufferViews", index)
        if view.get("buffer") != 0 or "uri" in self.item("buffers", 0):
            raise ValueError("its data is in another file")
        at, length = int(view.get("byteOffset", 0)), int(view["byteLength"])
        if at < 0 or length < 0 or at + length > len(self.body):
            raise ValueError("its data is cut off")
        return self.body[at : at + length], int(view.get("byteStride", 0))

    def array(self, index: object) -> NDArray[Any]:
        """Return an accessor's values, (count, width); whole numbers that stand for fractions as such."""
        accessor = self.item("accessors", index)
        kind, width, count = np.dtype(_TYPES[accessor["componentType"]]), _WIDTHS[accessor["type"]], accessor["count"]
        if type(count) is not int or not 0 <= count <= 3 * MAX_TRIANGLES:
            raise ValueError("it has too many points")
        if "bufferView" not in accessor:
            return np.zeros((count, width), np.float32)
        data, stride = self.view(accessor["bufferView"])
        at, packed = int(accessor.get("byteOffset", 0)), kind.itemsize * width
        stride = stride or packed
        if at < 0 or stride < packed or (count and at + stride * (count - 1) + packed > len(data)):
            raise ValueError("its data is cut off")
        values = np.ndarray((count, width), kind, data, at, (stride, kind.itemsize))
        if accessor.get("normalized") and kind.kind in "iu":
            return np.maximum(values.astype(np.float32) / np.iinfo(kind).max, -1.0)
        return values

    def texture(self, index: object) -> int:
        """Return the place of a texture's picture in `pictures`, or -1 where it cannot be read."""
        if type(index) is not int:
            return -1
        if index not in self._textures:
            picture = self._read_texture(index)
            self._textures[index] = -1 if picture is None else len(self.pictures)
            self.pictures += [] if picture is None else [picture]
        return self._textures[index]

    def _read_texture(self, index: int) -> NDArray[np.float32] | None:
        texture = self.item("textures", index)
        webp = texture.get("extensions", {}).get("EXT_texture_webp", {}).get("source")
        image = self.item("images", texture.get("source", webp) if webp is None else webp)
        if "bufferView" not in image:
            return None
        data, _ = self.view(image["bufferView"])
        content_type = sniff(data[:64])
        if content_type not in PICTURE_TYPES:
            return None
        picture = scaled_bytes(data, content_type, _TEXTURE_SIDE)
        return None if picture is None else np.asarray(picture.convert("RGB"), np.float32) / np.float32(255)


def read_glb(data: bytes) -> Solid:
    """Return the triangles of a file's scene.

    Raises
    ------
    Exception
        Whatever a damaged file brings about; ValueError with the reason where it is compressed or too large.
    """
    glb = _Glb(data)
    parts, count = [], 0
    for index, matrix in _placed(glb):
        for primitive in glb.item("meshes", index).get("primitives", ()):
            part = _part(glb, primitive, matrix)
            count += len(part[0])
            if count > MAX_TRIANGLES:
                raise ValueError(f"more than {MAX_TRIANGLES:,} triangles are too many")
            parts.append(part)
    if not count:
        raise ValueError("it has no triangles")
    corners, colours, places, texture = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Solid(corners, colours, places, texture, tuple(glb.pictures))


_Part: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


def _placed(glb: _Glb) -> list[tuple[Any, NDArray[np.float64]]]:
    """Return the meshes of the scene, each with where it stands."""
    document = glb.document
    nodes = document.get("nodes", [])
    scenes = document.get("scenes") or [{"nodes": list(range(len(nodes)))}]
    roots = scenes[int(document.get("scene", 0))].get("nodes", ())
    open_nodes = [(root, np.eye(4), 0) for root in roots]
    found: list[tuple[Any, NDArray[np.float64]]] = []
    seen = 0
    while open_nodes:
        index, above, depth = open_nodes.pop()
        seen += 1
        if seen > _MAX_NODES or depth > _MAX_DEPTH:
            raise ValueError("its scene has too many parts")
        node = glb.item("nodes", index)
        matrix = above @ _local(node)
        if "mesh" in node:
            found.append((node["mesh"], matrix))
        open_nodes += [(child, matrix, depth + 1) for child in node.get("children", ())]
    return found


def _local(node: dict[str, Any]) -> NDArray[np.float64]:
    if "matrix" in node:
        return np.asarray(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = np.asarray(node.get("rotation", (0, 0, 0, 1)), np.float64)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= np.asarray(node.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, 3] = np.asarray(node.get("translation", (0, 0, 0)), np.float64)
    return matrix


def _part(glb: _Glb, primitive: dict[str, Any], matrix: NDArray[np.float64]) -> _Part:
    """Return a primitive's triangles as `Solid` has them; none of lines and dots."""
    attributes = primitive["attributes"]
    points = glb.array(attributes["POSITION"]).astype(np.float64)
    faces = _faces(glb, primitive, len(points))
    if not np.isfinite(points).all():
        raise ValueError("its points are not numbers")
    corners = (points @ matrix[:3, :3].T + matrix[:3, 3])[faces]
    colours, places, texture = _paint(glb, primitive, len(points))
    return (
        corners.astype(np.float32),
        colours[faces],
        places[faces],
        np.full(len(faces), texture, np.int32),
    )


def _faces(glb: _Glb, primitive: dict[str, Any], count: int) -> NDArray[np.int64]:
    """Return (triangles, 3): which points make each."""
    mode = primitive.get("mode", _TRIANGLES)
    order = glb.array(primitive["indices"])[:, 0].astype(np.int64) if "indices" in primitive else np.arange(count)
    if mode not in (_TRIANGLES, _STRIP, _FAN) or len(order) < 3:
        return np.zeros((0, 3), np.int64)
    if order.max() >= count or order.min() < 0:
        raise ValueError("its triangles name points that are not there")
    if mode == _TRIANGLES:
        return order[: len(order) // 3 * 3].reshape(-1, 3)
    if mode == _STRIP:
        return np.stack([order[:-2], order[1:-1], order[2:]], 1)
    return np.stack([np.full(len(order) - 2, order[0]), order[1:-1], order[2:]], 1)


def _paint(glb: _Glb, primitive: dict[str, Any], count: int) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    """Return each point's colour (its material's times its own), its place on the texture, and which texture."""
    material = glb.item("materials", primitive["material"]) if "material" in primitive else {}
    surface = material.get("pbrMetallicRoughness", {})
    attributes = primitive["attributes"]
    given = surface.get("baseColorTexture")
    texture = -1 if given is None else glb.texture(given.get("index"))
    factor = surface.get("baseColorFactor", _WHITE if given is None or texture < 0 else (1, 1, 1, 1))
    colours = np.tile(_on_screen(np.asarray(factor, np.float32)[:3]), (count, 1))
    own = glb.array(attributes["COLOR_0"])[:, :3] if "COLOR_0" in attributes else ()
    if len(own) == count:
        colours *= _on_screen(np.asarray(own, np.float32))
    name = f"TEXCOORD_{(given or {}).get('texCoord', 0)}"
    places = glb.array(attributes[name])[:, :2].astype(np.float32) if name in attributes else None
    if places is None or len(places) != count or places.shape[1] != 2:
        return colours, np.zeros((count, 2), np.float32), -1
    return colours, np.nan_to_num(places), texture


def _on_screen(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return linear light as a screen's values, near enough for a poster."""
    bright: NDArray[np.float32] = np.clip(np.nan_to_num(linear), 0.0, 1.0) ** np.float32(1 / 2.2)
    return bright
