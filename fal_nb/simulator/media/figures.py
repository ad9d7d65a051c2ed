"""The figures a prompt can name, with their usual colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from fal_nb.simulator.media import animals, things
from fal_nb.simulator.media.colours import RGB, parse
from fal_nb.simulator.media.pen import OVERSIZE, Inks, Pen

__all__ = ["FIGURES", "Figure", "cut_out_figure", "stamp_figure"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes
    ----------
    colour
        Its usual colour.
    place
        Where it belongs: ``bust`` at the lower edge, because it has no feet, ``ground``, ``water`` or ``air``.
    reach
        Its size against that of the others.
    """

    draw: Callable[[Pen], None]
    colour: RGB
    place: str = "ground"
    reach: float = 1.0


_TABLE: tuple[tuple[str, Callable[[Pen], None], str, str, float], ...] = (
    ("fox", animals.fox, "d9622b", "bust", 1.0),
    ("wolf husky coyote", animals.wolf, "7c8794", "bust", 1.05),
    ("cat kitten", animals.cat, "8d8f98", "bust", 0.95),
    ("dog puppy corgi labrador shiba", animals.dog, "c58f55", "bust", 1.0),
    ("bear grizzly", animals.bear, "7d5236", "bust", 1.15),
    ("panda", animals.panda, "e9e6e0", "bust", 1.1),
    ("rabbit bunny hare", animals.rabbit, "b79a83", "bust", 0.95),
    ("tiger leopard jaguar cheetah", animals.tiger, "e78b2e", "bust", 1.1),
    ("lion lioness", animals.lion, "d9a441", "bust", 1.15),
    ("owl", animals.owl, "8a6a4a", "ground", 0.95),
    ("bird sparrow robin parrot crow raven eagle penguin hummingbird dove", animals.bird, "3f7fb5", "ground", 0.8),
    ("fish goldfish koi salmon shark", animals.fish, "ef8a35", "water", 0.85),
    ("whale dolphin orca", animals.whale, "3d6f94", "water", 1.1),
    ("deer stag elk reindeer moose", animals.deer, "a8713f", "bust", 1.1),
    ("horse pony unicorn", animals.horse, "8f5a3a", "bust", 1.1),
    ("elephant mammoth", animals.elephant, "8a8f99", "bust", 1.15),
    ("butterfly moth", animals.butterfly, "e2762e", "air", 1.25),
    (
        "person woman man girl boy child portrait king queen face samurai geisha dancer",
        things.person,
        "4f6fa8",
        "bust",
        1.1,
    ),
    ("astronaut cosmonaut spaceman", things.astronaut, "3f74b5", "bust", 1.05),
    ("robot android cyborg", things.robot, "7d93a8", "bust", 1.05),
    ("boat ship sailboat yacht schooner", things.boat, "e9e3d4", "water", 0.8),
    ("house cabin cottage hut barn home", things.house, "b5503c", "ground", 0.85),
    ("lighthouse", things.lighthouse, "d4483b", "ground", 1.1),
    ("castle fortress palace", things.castle, "9a93a6", "ground", 1.05),
    ("temple pagoda shrine monastery", things.temple, "b3402f", "ground", 1.05),
    ("tree oak bonsai maple", things.tree, "5b8f4e", "ground", 1.1),
    ("flower rose tulip sunflower daisy lotus orchid poppy", things.flower, "e0527a", "ground", 0.95),
    ("mushroom toadstool", things.mushroom, "d0382f", "ground", 0.8),
    ("car taxi automobile sedan", things.car, "c93a34", "ground", 0.9),
    ("rocket spaceship starship", things.rocket, "d6453d", "air", 1.4),
    ("balloon", things.balloon, "e1583f", "air", 1.2),
    ("cup coffee tea teacup mug teapot", things.cup, "4f8fa8", "ground", 0.75),
    ("guitar ukulele violin", things.guitar, "c27a35", "ground", 1.0),
)

FIGURES: dict[str, Figure] = {
    name: Figure(draw, parse(colour), place, reach)
    for names, draw, colour, place, reach in _TABLE
    for name in names.split()
}
"""Figures by every word that means them."""


def stamp_figure(
    picture: Image.Image,
    name: str,
    box: tuple[int, int, int],
    inks: Inks,
    lot: np.random.Generator,
) -> None:
    """Draw a figure into a picture.

    Parameters
    ----------
    name
        A key of `FIGURES`, or ``emblem``.
    box
        Left, top and side in pixels; what lies outside the picture is cut off.
    lot
        Decides what an emblem looks like; figures ignore it.
    """
    left, top, side = box
    sheet = picture.crop((left, top, left + side, top + side))
    sheet = sheet.resize((side * OVERSIZE, side * OVERSIZE), Image.Resampling.NEAREST)
    _draw(name, Pen(sheet, inks), lot)
    picture.paste(sheet.reduce(OVERSIZE), (left, top))


def cut_out_figure(name: str, side: int, inks: Inks, lot: np.random.Generator) -> Image.Image:
    """Return a figure by itself, as a square with transparency."""
    sheet = Image.new("RGBA", (side * OVERSIZE, side * OVERSIZE))
    _draw(name, Pen(sheet, inks), lot)
    return sheet.reduce(OVERSIZE)


def _draw(name: str, pen: Pen, lot: np.random.Generator) -> None:
    if name in FIGURES:
        FIGURES[name].draw(pen)
    else:
        things.emblem(pen, lot)
