"""A pen for figures: polygons and ovals in coordinates from 0 to 100."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw

from fal_nb.simulator.media.colours import RGB, blend

__all__ = ["OVERSIZE", "Ink", "Inks", "Pen"]

OVERSIZE = 2
"""How much larger than wanted figures are drawn."""
Ink: TypeAlias = str | RGB | tuple[int, int, int, int]
"""The name of one of a figure's inks, or a colour, with an opacity where it has four parts."""
_WHITE: RGB = (255, 252, 245)
_BLACK: RGB = (24, 20, 28)


@dataclass(frozen=True, slots=True)
class Inks:
    """The colours of a figure, made from its main colour.

    Attributes
    ----------
    body, shade, light
        The main colour, the same in shadow, the same in light.
    pale, dark
        For bellies and muzzles; for noses, eyes and outlines.
    accent
        For what should stand out.
    """

    body: RGB
    shade: RGB
    light: RGB
    pale: RGB
    dark: RGB
    accent: RGB

    @classmethod
    def of(cls, body: RGB, accent: RGB) -> Inks:
        """Return the inks of a main colour."""
        return cls(
            body,
            blend(body, _BLACK, 0.28),
            blend(body, _WHITE, 0.3),
            blend(body, _WHITE, 0.86),
            blend(body, _BLACK, 0.84),
            accent,
        )

    def __getitem__(self, name: str) -> RGB:
        return getattr(self, name)  # type: ignore[no-any-return]


class Pen:
    """Draws one figure on a square sheet, which is reduced by `OVERSIZE` afterwards so that edges become smooth."""

    def __init__(self, sheet: Image.Image, inks: Inks) -> None:
        self._scale = sheet.width / 100
        self.inks = inks
        self._opaque = ImageDraw.Draw(sheet)
        # Draws what is underneath through; several times slower, so for inks with an opacity only.
        self._glaze = ImageDraw.Draw(sheet, "RGBA") if sheet.mode == "RGB" else self._opaque

    def poly(self, ink: Ink, *points: tuple[float, float]) -> None:
        """Fill a polygon."""
        self._on(ink).polygon([(x * self._scale, y * self._scale) for x, y in points], fill=self._ink(ink))

    def oval(self, ink: Ink, x: float, y: float, rx: float, ry: float | None = None) -> None:
        """Fill an oval around a point; a circle where one radius is given."""
        ry = rx if ry is None else ry
        box = [(x - rx) * self._scale, (y - ry) * self._scale, (x + rx) * self._scale, (y + ry) * self._scale]
        self._on(ink).ellipse(box, fill=self._ink(ink))

    def arc(self, ink: Ink, x: float, y: float, r: float, start: float, stop: float) -> None:
        """Fill a sector between two angles, in degrees clockwise from the right."""
        box = [(x - r) * self._scale, (y - r) * self._scale, (x + r) * self._scale, (y + r) * self._scale]
        self._on(ink).pieslice(box, start, stop, fill=self._ink(ink))

    def line(self, ink: Ink, width: float, *points: tuple[float, float]) -> None:
        """Draw a line of some width through points."""
        scaled = [(x * self._scale, y * self._scale) for x, y in points]
        self._on(ink).line(scaled, fill=self._ink(ink), width=max(1, round(width * self._scale)), joint="curve")

    def box(self, ink: Ink, x0: float, y0: float, x1: float, y1: float, radius: float = 0) -> None:
        """Fill a rectangle, with round corners where a radius is given."""
        corners = [x0 * self._scale, y0 * self._scale, x1 * self._scale, y1 * self._scale]
        self._on(ink).rounded_rectangle(corners, radius * self._scale, fill=self._ink(ink))

    def pair_poly(self, ink: Ink, *points: tuple[float, float]) -> None:
        """Fill a polygon and its mirror image."""
        self.poly(ink, *points)
        self.poly(ink, *((100 - x, y) for x, y in points))

    def pair_oval(self, ink: Ink, x: float, y: float, rx: float, ry: float | None = None) -> None:
        """Fill an oval and its mirror image."""
        self.oval(ink, x, y, rx, ry)
        self.oval(ink, 100 - x, y, rx, ry)

    def eyes(self, x: float, y: float, r: float, iris: RGB | None = None) -> None:
        """Draw two eyes with a glint in each."""
        if iris is not None:
            self.pair_oval(iris, x, y, r * 1.5, r * 1.35)
        self.pair_oval("dark", x, y, r * 0.85, r)
        for side in (x, 100 - x):
            self.oval(_WHITE, side + r * 0.3, y - r * 0.35, r * 0.28)

    def _on(self, ink: Ink) -> ImageDraw.ImageDraw:
        return self._glaze if len(ink) == 4 and not isinstance(ink, str) else self._opaque

    def _ink(self, ink: Ink) -> tuple[int, ...]:
        return self.inks[ink] if isinstance(ink, str) else ink
