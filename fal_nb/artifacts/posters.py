"""Posters of solids: a binary glTF seen from in front and a little above, drawn without a graphics card.

Triangles are filled in arrays, those of one size together, into a buffer of what is nearest; only what is seen in
the end is given a colour. Safe in worker threads; numpy gives up the interpreter's lock for most of the work.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fal_nb.artifacts.glb import MAX_BYTES, Solid, read_glb
from fal_nb.artifacts.preview import Preview
from fal_nb.artifacts.thumbnails import MAX_SIDE, encode_thumbnail

__all__ = ["SOLID_TYPES", "draw_solid", "preview_solid"]

SOLID_TYPES = frozenset({"model/gltf-binary"})
"""Content types of solids that can be drawn."""

_log = logging.getLogger("fal_nb")
_FINER = 2
"""How many times wider than the poster it is drawn, so that its edges are smooth."""
_MOST_TESTS = 60_000_000
_TESTS_AT_ONCE = 1_000_000
_FILLED = 0.9
_TURN, _TILT = np.radians(28.0), np.radians(18.0)
_LIGHT = np.array([-0.35, 0.55, 0.76])
_SHADOW = 0.5
_HAIR = np.float32(1e-4)
_MIDDLE = np.float32(0.5)


def preview_solid(path: Path) -> Preview:
    """Return the poster of a binary glTF; without one where it is damaged, compressed or too large to be drawn here.

    None of that is an error of the file: other programs may open it. Takes some 0.3 s for 100,000 triangles.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            return Preview()
        with np.errstate(all="ignore"):
            return Preview(thumbnail=encode_thumbnail(draw_solid(read_glb(path.read_bytes()))))
    except Exception as error:  # noqa: BLE001 - a hostile file brings about anything
        _log.info("no poster of a solid: %s", error)
        return Preview()


def draw_solid(solid: Solid, side: int = MAX_SIDE) -> Image.Image:
    """Return a picture of a solid, `side` pixels wide and high, transparent where nothing is.

    Raises
    ------
    ValueError
        Where it has no extent, or would take too long.
    """
    turned = _turned(solid.corners)
    for wide in (side * _FINER, side, side // 2):
        flat = _fitted(turned, wide)
        if _tests(flat, wide) <= _MOST_TESTS:
            break
    else:
        raise ValueError("its triangles would take too long to draw")
    nearest, shares = _fill(flat, wide)
    picture = Image.fromarray(_shade(solid, turned, nearest, shares).reshape(wide, wide, 4), "RGBA")
    return picture.resize((side, side), Image.Resampling.BOX if wide > side else Image.Resampling.BILINEAR)


def _turned(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the corners as the eye has them: x to the right, y up, z towards it."""
    (sin_a, cos_a), (sin_b, cos_b) = ((np.sin(angle), np.cos(angle)) for angle in (_TURN, _TILT))
    around = np.array([[cos_a, 0, -sin_a], [0, 1, 0], [sin_a, 0, cos_a]])
    over = np.array([[1, 0, 0], [0, cos_b, -sin_b], [0, sin_b, cos_b]])
    # By its own size, before anything is multiplied: a scene may be as small or as large as numbers go.
    low, high = corners.min((0, 1)).astype(np.float64), corners.max((0, 1)).astype(np.float64)
    size = float((high - low).max())
    if not np.isfinite(size) or size <= 0:
        raise ValueError("it has no extent")
    around_middle = (corners - (low + high) / 2) / size
    turned: NDArray[np.float32] = (around_middle @ (over @ around).T).astype(np.float32)
    return turned


def _fitted(turned: NDArray[np.float32], wide: int) -> NDArray[np.float32]:
    """Return (triangles, 3, 3): pixels from the left, pixels from the top, nearness."""
    low, high = turned.min((0, 1)), turned.max((0, 1))
    scale = _FILLED * wide / max(float((high - low)[:2].max()), 1e-9)
    flat: NDArray[np.float32] = (turned - (low + high) / 2) * np.float32(scale)
    flat[..., 1] *= -1
    flat[..., :2] += wide / 2
    return flat


def _boxes(flat: NDArray[np.float32], wide: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the first pixel of each triangle's box, (triangles, 2), and the box's longer side."""
    low = np.clip(np.floor(flat[..., :2].min(1)), 0, wide - 1).astype(np.int32)
    high = np.clip(np.ceil(flat[..., :2].max(1)), 0, wide - 1).astype(np.int32)
    return low, (high - low).max(1) + 1


def _classes(sides: NDArray[np.int32], wide: int) -> list[tuple[int, NDArray[np.int64]]]:
    """Return the triangles by the size of their boxes, in powers of two."""
    power = 1 << np.ceil(np.log2(np.maximum(sides, 1))).astype(np.int64)
    return [(min(int(each), wide), np.flatnonzero(power == each)) for each in np.unique(power)]


def _tests(flat: NDArray[np.float32], wide: int) -> int:
    return sum(len(which) * side * side for side, which in _classes(_boxes(flat, wide)[1], wide))


def _fill(flat: NDArray[np.float32], wide: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return for each pixel the nearest triangle, -1 for none, and the shares of its corners there, (pixels, 3)."""
    depth = np.full(wide * wide, -np.inf, np.float32)
    nearest = np.full(wide * wide, -1, np.int32)
    shares = np.zeros((wide * wide, 3), np.float32)
    first, sides = _boxes(flat, wide)
    for side, which in _classes(sides, wide):
        step = max(1, _TESTS_AT_ONCE // (side * side))
        down, across = np.divmod(np.arange(side * side, dtype=np.int32), side)
        for at in range(0, len(which), step):
            some = which[at : at + step]
            x, y = first[some, 0, None] + across, first[some, 1, None] + down
            share_b, share_c = _shares(flat[some], x, y)
            # A hair's breadth wider than it is, so that no gaps show between neighbours.
            inside = (share_b > -_HAIR) & (share_c > -_HAIR) & (share_b + share_c < 1 + _HAIR)
            inside &= (x < wide) & (y < wide)
            row, place = np.nonzero(inside)
            pixel = y[row, place] * wide + x[row, place]
            to_b, to_c = share_b[row, place], share_c[row, place]
            weights = np.stack([1 - to_b - to_c, to_b, to_c], -1)
            near = (weights * flat[some[row], :, 2]).sum(1).astype(np.float32)
            np.maximum.at(depth, pixel, near)
            seen = near == depth[pixel]
            nearest[pixel[seen]] = some[row[seen]]
            shares[pixel[seen]] = weights[seen]
    return nearest, shares


def _shares(
    flat: NDArray[np.float32], x: NDArray[np.int32], y: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the shares of the second and third corner in the middle of each pixel; no numbers where it has no area."""
    (ax, ay), (bx, by), (cx, cy) = (flat[:, corner, :2].T[:, :, None] for corner in range(3))
    px, py = x.astype(np.float32) - (ax - _MIDDLE), y.astype(np.float32) - (ay - _MIDDLE)
    (bx, by), (cx, cy) = (bx - ax, by - ay), (cx - ax, cy - ay)
    area = bx * cy - by * cx
    return (px * (cy / area) - py * (cx / area)), (py * (bx / area) - px * (by / area))


def _shade(
    solid: Solid, turned: NDArray[np.float32], nearest: NDArray[np.int32], shares: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Return (pixels, 4): the colour of what is seen, lit from the upper left."""
    seen = np.flatnonzero(nearest >= 0)
    which, share = nearest[seen], shares[seen, :, None]
    colour = (solid.colours[which] * share).sum(1)
    place = (solid.places[which] * share).sum(1)
    for index, texture in enumerate(solid.textures):
        own = np.flatnonzero(solid.texture[which] == index)
        rows, columns = texture.shape[:2]
        across = np.minimum((place[own, 0] % 1.0 * columns).astype(np.int64), columns - 1)
        down = np.minimum((place[own, 1] % 1.0 * rows).astype(np.int64), rows - 1)
        colour[own] *= texture[down, across]
    edges = turned[which].astype(np.float64)
    normal = np.cross(edges[:, 1] - edges[:, 0], edges[:, 2] - edges[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    # Of either side, as it is seen: many meshes have their faces turned inside out.
    normal *= np.where(normal[:, 2:] < 0, -1, 1)
    light = _SHADOW + (1.08 - _SHADOW) * np.clip(normal @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1)
    pixels = np.zeros((len(nearest), 4), np.uint8)
    pixels[seen, :3] = np.clip(np.nan_to_num(colour * light[:, None]) * 255, 0, 255).astype(np.uint8)
    pixels[seen, 3] = 255
    return pixels
