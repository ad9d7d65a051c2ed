"""The canvas scenes are painted on: three planes of floats at a fraction of the size, brought up at the end.

Everything soft is painted small, because it looks the same; what must be sharp is drawn later at full size.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fal_nb.simulator.media.colours import RGB

__all__ = ["Canvas", "Floats"]

Floats: TypeAlias = NDArray[np.floating[Any]]

_WORK_PIXELS = 200_000
_WAVES = 20


class Canvas:
    """Planes of shape (3, height, width), values 0 to 255.

    Parameters
    ----------
    width, height
        Of the finished picture, in pixels.
    rng
        Decides where things are.

    Attributes
    ----------
    x, y
        Coordinates of columns (1, w) and rows (h, 1); y runs from 0 to 1, x from 0 to `aspect`.
    factor
        How many pixels of the picture one of the canvas stands for, in each direction; a power of two.
    """

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.width, self.height = width, height
        self.rng = rng
        self.factor = 1
        while width * height > _WORK_PIXELS * self.factor**2:
            self.factor *= 2
        self.w, self.h = -(-width // self.factor), -(-height // self.factor)
        self.aspect = width / height
        self.x: Floats = np.linspace(0, self.aspect, self.w, dtype=np.float32)[None, :]
        self.y: Floats = np.linspace(0, 1, self.h, dtype=np.float32)[:, None]
        self.planes: Floats = np.zeros((3, self.h, self.w), np.float32)

    def fill_gradient(self, top: RGB, bottom: RGB, curve: float = 1.0, start: float = 0.0, stop: float = 1.0) -> None:
        """Fill the rows between two heights with a vertical gradient."""
        first, last = self.row(start), self.row(stop)
        share = np.clip((self.y[first:last, 0] - start) / max(stop - start, 1e-6), 0, 1) ** np.float32(curve)
        ramp = self.colour(top) + (self.colour(bottom) - self.colour(top)) * share[None, :, None]
        self.planes[:, first:last] = ramp

    def lay(self, mask: Floats, colour: Floats | RGB, first_row: int = 0) -> None:
        """Lay a colour over the rows from `first_row`, as far as the mask (0 to 1) covers them."""
        paint = self.colour(colour) if isinstance(colour, tuple) else colour
        # Plane by plane and in place: what is at work stays in the processor's cache.
        for plane, share in zip(self.planes, paint, strict=True):
            area = plane[first_row : first_row + mask.shape[0]]
            step = share - area
            step *= mask
            area += step

    def ridge(self, heights: Floats, top: RGB, bottom: RGB) -> None:
        """Lay everything below a line over the canvas, shading down from one colour to another.

        Parameters
        ----------
        heights
            y of the line at each column, shape (1, w).
        """
        first = self.row(float(heights.min()) - 2 / self.h)
        rows = self.y[first:]
        mask = np.clip((rows - heights) * self.h + 0.5, 0, 1)
        share = np.clip((rows[:, 0] - float(heights.mean())) / 0.35, 0, 1)
        colour = self.colour(top) + (self.colour(bottom) - self.colour(top)) * share[None, :, None]
        self.lay(mask, colour, first)

    def glow(self, x: float, y: float, radius: float, colour: RGB, strength: float) -> None:
        """Add light around a point; it falls off smoothly and has no edge."""
        across, down = (self.x - x) / radius, (self.y - y) / radius
        mask = across * across + 1 + down * down
        mask *= mask
        self.lay(np.divide(np.float32(strength), mask, out=mask), colour)

    def disc(self, x: float, y: float, radius: float, colour: RGB, strength: float = 1.0) -> None:
        """Lay a disc with a smooth edge."""
        first, last = self.row(y - radius - 0.02), self.row(y + radius + 0.02)
        left, right = self._column(x - radius - 0.02), self._column(x + radius + 0.02)
        if last <= first or right <= left:
            return
        distance = (self.x[:, left:right] - x) ** 2 + (self.y[first:last] - y) ** 2
        mask = np.clip((radius**2 - distance) * (self.h / (2 * max(radius, 1e-3))) + 0.5, 0, 1)
        area = self.planes[:, first:last, left:right]
        area += mask * np.float32(strength) * (self.colour(colour) - area)

    def field(self, scale: float, stretch: float = 1.0, waves: int = _WAVES) -> Floats:
        """Return a smooth random field of shape (h, w), mean 0 and deviation about 1.

        A sum of plane waves, each the product of a row and a column term, so that one matrix product makes them all.

        Parameters
        ----------
        scale
            Waves over the height of the picture.
        stretch
            How much longer the waves are sideways.
        """
        angle = self.rng.uniform(0, 2 * np.pi, waves)
        length = scale * self.rng.lognormal(0, 0.5, waves) * 2 * np.pi
        phase = self.rng.uniform(0, 2 * np.pi, waves).astype(np.float32)
        across = (length * np.cos(angle) / stretch).astype(np.float32)
        down = (length * np.sin(angle)).astype(np.float32)
        columns = across[:, None] * self.x + phase[:, None]
        rows = self.y * down[None, :]
        left = np.concatenate([np.cos(rows), -np.sin(rows)], axis=1)
        right = np.concatenate([np.cos(columns), np.sin(columns)], axis=0)
        product: Floats = left @ right * np.float32((2 / waves) ** 0.5)
        return product

    def line(self, base: float, swing: float, scale: float, octaves: int = 4, roughness: float = 0.5) -> Floats:
        """Return the y of a rolling line at each column, shape (1, w)."""
        line = np.zeros_like(self.x)
        for octave in range(octaves):
            frequency = scale * 2.1**octave
            phase = self.rng.uniform(0, 2 * np.pi)
            line += np.sin(self.x * np.float32(2 * np.pi * frequency) + np.float32(phase)) * np.float32(
                roughness**octave
            )
        return np.float32(base) + line * np.float32(swing / 2)

    def row(self, y: float) -> int:
        """Return the row at a height, within the canvas."""
        return min(max(int(y * self.h), 0), self.h)

    def _column(self, x: float) -> int:
        return min(max(int(x / self.aspect * self.w), 0), self.w)

    def finish(self) -> Image.Image:
        """Return the picture at full size."""
        small = np.clip(self.planes, 0, 255).astype(np.uint8)
        planes = [_brought_up(plane, self.factor)[: self.height, : self.width] for plane in small]
        return Image.merge("RGB", [Image.fromarray(np.ascontiguousarray(plane)) for plane in planes])

    @staticmethod
    def colour(value: RGB) -> Floats:
        """Return a colour in the shape of the planes."""
        return np.array(value, np.float32)[:, None, None]


def _brought_up(plane: NDArray[Any], factor: int) -> NDArray[Any]:
    """Return a plane enlarged by a power of two, values in between halved."""
    while factor > 1:
        factor //= 2
        wide = np.empty((plane.shape[0], plane.shape[1] * 2), plane.dtype)
        wide[:, 0::2] = plane
        wide[:, 1:-1:2] = _halfway(plane[:, :-1], plane[:, 1:])
        wide[:, -1] = plane[:, -1]
        plane = np.empty((wide.shape[0] * 2, wide.shape[1]), wide.dtype)
        plane[0::2] = wide
        plane[1:-1:2] = _halfway(wide[:-1], wide[1:])
        plane[-1] = wide[-1]
    return plane


def _halfway(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Return the mean of two byte arrays without leaving bytes."""
    mean: NDArray[Any] = (first & second) + ((first ^ second) >> 1)
    return mean
