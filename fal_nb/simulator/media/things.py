"""People, buildings, vehicles, plants, things; and the sign for what has no drawing. Coordinates from 0 to 100."""

from __future__ import annotations

from math import cos, pi, sin

import numpy as np

from fal_nb.simulator.media.colours import RGB, turn_hue
from fal_nb.simulator.media.pen import Ink, Pen

__all__ = [
    "astronaut",
    "balloon",
    "boat",
    "car",
    "castle",
    "cup",
    "emblem",
    "flower",
    "guitar",
    "house",
    "lighthouse",
    "mushroom",
    "person",
    "robot",
    "rocket",
    "temple",
    "tree",
]

_WHITE: RGB = (250, 246, 238)
_LAMP: RGB = (255, 220, 130)
_SKIN: RGB = (226, 172, 132)
_WOOD: RGB = (112, 74, 48)
_GLASS: RGB = (38, 60, 92)


def person(pen: Pen) -> None:
    """Draw a person, head and shoulders."""
    pen.oval("dark", 50, 36, 25, 29)
    pen.poly("dark", (26, 36), (74, 36), (78, 72), (22, 72))
    pen.poly("body", (10, 100), (20, 78), (42, 68), (58, 68), (80, 78), (90, 100))
    pen.poly("shade", (50, 100), (50, 70), (58, 68), (80, 78), (90, 100))
    pen.poly(_SKIN, (42, 54), (58, 54), (60, 70), (50, 80), (40, 70))
    pen.oval(_SKIN, 50, 41, 18, 22)
    pen.poly("dark", (30, 38), (36, 17), (56, 14), (70, 24), (71, 40), (62, 26), (46, 24))
    pen.pair_oval("dark", 42.5, 42, 2.2)
    pen.line("dark", 1.2, (38, 36), (46, 36))
    pen.line("dark", 1.2, (54, 36), (62, 36))
    pen.arc("accent", 50, 51, 5, 10, 170)
    pen.poly("accent", (42, 70), (50, 80), (58, 70), (54, 90), (50, 96), (46, 90))


def astronaut(pen: Pen) -> None:
    """Draw an astronaut."""
    pen.box("shade", 24, 56, 76, 96, 8)
    pen.box(_WHITE, 28, 58, 72, 100, 12)
    pen.pair_poly(_WHITE, (30, 62), (14, 74), (10, 96), (24, 98), (32, 82))
    pen.oval(_WHITE, 50, 36, 30)
    pen.arc("pale", 50, 36, 30, -60, 90)
    pen.oval("dark", 50, 37, 23, 19)
    pen.oval(_GLASS, 50, 37, 21, 17)
    pen.poly("light", (35, 30), (46, 24), (58, 24), (40, 44))
    pen.box("body", 38, 70, 62, 84, 2)
    pen.oval("accent", 44, 77, 3)
    pen.oval(_LAMP, 54, 77, 3)
    pen.pair_oval("accent", 20, 36, 4, 7)


def robot(pen: Pen) -> None:
    """Draw a robot."""
    pen.line("dark", 2, (50, 20), (50, 8))
    pen.oval("accent", 50, 7, 4)
    pen.box("body", 22, 18, 78, 56, 9)
    pen.box("shade", 50, 18, 78, 56, 9)
    pen.box("body", 48, 18, 62, 56)
    pen.box("dark", 29, 27, 71, 47, 8)
    pen.pair_oval(_LAMP, 40, 37, 5.6)
    pen.pair_oval(_WHITE, 38.5, 35.5, 1.7)
    pen.box("shade", 42, 56, 58, 63)
    pen.box("body", 26, 62, 74, 100, 7)
    pen.box("light", 33, 68, 67, 86, 3)
    for index in range(4):
        pen.box("accent" if index % 2 else "dark", 36 + index * 7.4, 84 - (index * 5) % 13, 41 + index * 7.4, 85)
    pen.pair_poly("shade", (24, 64), (12, 70), (9, 94), (17, 95), (20, 76), (26, 74))
    pen.pair_oval("accent", 13, 96, 5)


def boat(pen: Pen) -> None:
    """Draw a sailing boat."""
    pen.line(_WOOD, 2, (50, 8), (50, 80))
    pen.poly("body", (53, 10), (53, 70), (88, 70))
    pen.poly("light", (47, 18), (47, 70), (18, 70))
    pen.poly("shade", (53, 50), (53, 70), (88, 70), (75, 50))
    pen.poly("accent", (50, 8), (66, 12), (50, 16))
    pen.poly(_WOOD, (8, 76), (94, 76), (82, 94), (22, 94))
    pen.poly("dark", (16, 86), (88, 86), (82, 94), (22, 94))


def house(pen: Pen) -> None:
    """Draw a small house with lit windows."""
    pen.box("shade", 66, 18, 75, 42)
    pen.box(_WHITE, 18, 46, 82, 96)
    pen.poly("pale", (62, 46), (82, 46), (82, 96), (62, 96))
    pen.poly("body", (8, 50), (34, 18), (72, 18), (94, 50))
    pen.poly("shade", (62, 50), (72, 18), (94, 50))
    pen.box(_LAMP, 26, 58, 40, 72)
    pen.box(_LAMP, 66, 58, 77, 72)
    pen.line("dark", 1.2, (33, 58), (33, 72))
    pen.line("dark", 1.2, (26, 65), (40, 65))
    pen.box("accent", 46, 62, 58, 96, 2)


def lighthouse(pen: Pen) -> None:
    """Draw a lighthouse with its lamp lit."""
    pen.poly((*_LAMP, 90), (50, 17), (0, 4), (0, 34))
    pen.poly((*_LAMP, 90), (50, 17), (100, 4), (100, 34))
    pen.poly(_WHITE, (41, 28), (59, 28), (66, 92), (34, 92))
    for top in (34, 56, 78):
        grow, height = (top - 28) * 0.11, 11
        pen.poly("body", (41 - grow, top), (59 + grow, top), (60.2 + grow, top + height), (39.8 - grow, top + height))
    pen.poly("shade", (54, 28), (59, 28), (66, 92), (56, 92))
    pen.box("dark", 38, 25, 62, 29)
    pen.box(_LAMP, 43, 12, 57, 25)
    pen.poly("body", (39, 13), (61, 13), (50, 3))
    pen.poly("dark", (16, 100), (26, 90), (74, 90), (86, 100))


def castle(pen: Pen) -> None:
    """Draw a castle."""
    for x, top in ((14, 34), (72, 34), (42, 14)):
        pen.box("body", x, top, x + 15, 96)
        pen.box("shade", x + 9, top, x + 15, 96)
        pen.poly("accent", (x - 3, top), (x + 18, top), (x + 7.5, top - 20))
        pen.box(_LAMP, x + 5, top + 12, x + 9, top + 21, 2)
    pen.box("light", 22, 58, 78, 98)
    for x in range(22, 78, 9):
        pen.box("light", x, 52, x + 5, 60)
    pen.arc("dark", 50, 84, 9, 180, 360)
    pen.box("dark", 41, 83, 59, 98)


def temple(pen: Pen) -> None:
    """Draw a pagoda."""
    for level in range(3):
        y, half = 34 + level * 21, 18 + level * 8
        pen.box(_WHITE, 50 - half + 6, y, 50 + half - 6, y + 16)
        pen.box(_LAMP, 46, y + 5, 54, y + 16)
        points = [(50 - half - 9, y + 1), (50 - half + 4, y - 8), (50 + half - 4, y - 8), (50 + half + 9, y + 1)]
        pen.poly("body", *points, (50 + half, y + 3), (50 - half, y + 3))
        pen.poly("shade", (50, y - 8), (50 + half - 4, y - 8), (50 + half + 9, y + 1), (50 + half, y + 3), (50, y + 3))
    pen.line("accent", 2, (50, 26), (50, 6))
    pen.box("dark", 14, 92, 86, 98)


def tree(pen: Pen) -> None:
    """Draw a broad tree."""
    pen.poly(_WOOD, (45, 100), (47, 56), (53, 56), (56, 100))
    pen.line(_WOOD, 3, (50, 70), (66, 52))
    for x, y, r, ink in (
        (32, 44, 20, "shade"),
        (68, 44, 20, "shade"),
        (50, 30, 24, "body"),
        (40, 48, 18, "body"),
        (62, 40, 15, "light"),
        (44, 26, 12, "light"),
    ):
        pen.oval(ink, x, y, r)


def flower(pen: Pen) -> None:
    """Draw a flower on its stem."""
    pen.line((76, 128, 72), 3, (50, 50), (52, 78), (48, 100))
    pen.poly((76, 128, 72), (50, 84), (72, 68), (76, 76), (60, 88))
    pen.poly((92, 148, 84), (50, 92), (28, 78), (24, 86), (40, 96))
    for ring, (count, reach, size, ink) in enumerate(((8, 25, 13, "shade"), (8, 22, 11, "body"), (6, 13, 9, "light"))):
        for petal in range(count):
            angle = 2 * pi * (petal + ring / 2) / count
            pen.oval(ink, 50 + reach * cos(angle), 38 + reach * sin(angle), size)
    pen.oval((246, 190, 60), 50, 38, 9)
    pen.oval((206, 132, 34), 50, 38, 5)


def mushroom(pen: Pen) -> None:
    """Draw a mushroom."""
    pen.poly(_WHITE, (41, 52), (59, 52), (64, 96), (36, 96))
    pen.poly("pale", (52, 52), (59, 52), (64, 96), (54, 96))
    pen.arc("body", 50, 56, 42, 180, 360)
    pen.arc("shade", 50, 56, 42, 290, 360)
    pen.oval("pale", 50, 56, 42, 6)
    for x, y, r in ((34, 36, 6), (54, 26, 7), (70, 42, 5), (22, 48, 4)):
        pen.oval(_WHITE, x, y, r, r * 0.85)


def car(pen: Pen) -> None:
    """Draw a car from the side."""
    pen.poly("body", (4, 74), (8, 56), (26, 52), (40, 34), (70, 34), (84, 52), (96, 58), (97, 74))
    pen.poly("shade", (4, 74), (5, 66), (97, 66), (97, 74))
    pen.poly(_GLASS, (32, 52), (43, 39), (54, 39), (54, 52))
    pen.poly(_GLASS, (58, 52), (58, 39), (68, 39), (77, 52))
    pen.line("light", 1.2, (56, 54), (56, 70))
    for x in (26, 76):
        pen.oval("dark", x, 76, 10)
        pen.oval("pale", x, 76, 4.6)
    pen.poly(_LAMP, (92, 57), (97, 59), (97, 64), (91, 63))


def rocket(pen: Pen) -> None:
    """Draw a rocket on its way up."""
    pen.poly(_LAMP, (42, 78), (58, 78), (50, 100))
    pen.poly("accent", (45, 78), (55, 78), (50, 92))
    pen.pair_poly("shade", (38, 56), (22, 76), (24, 84), (40, 76))
    pen.poly(_WHITE, (50, 2), (64, 24), (64, 78), (36, 78), (36, 24))
    pen.poly("pale", (50, 2), (64, 24), (64, 78), (52, 78))
    pen.poly("body", (50, 2), (63, 22), (37, 22))
    pen.box("body", 36, 68, 64, 78)
    pen.oval("dark", 50, 40, 9)
    pen.oval(_GLASS, 50, 40, 7)
    pen.poly("light", (45, 38), (50, 34), (54, 36), (47, 43))


def balloon(pen: Pen) -> None:
    """Draw a hot-air balloon."""
    pen.line("dark", 0.8, (36, 62), (44, 84))
    pen.line("dark", 0.8, (64, 62), (56, 84))
    pen.oval("body", 50, 36, 33)
    pen.poly("body", (20, 48), (80, 48), (58, 72), (42, 72))
    for half, ink in ((24, "light"), (15, "accent"), (6, "pale")):
        pen.oval(ink, 50, 36, half, 33)
        pen.poly(ink, (50 - half * 0.94, 46), (50 + half * 0.94, 46), (50 + half * 0.24, 72), (50 - half * 0.24, 72))
    pen.box(_WOOD, 43, 83, 57, 94, 2)


def cup(pen: Pen) -> None:
    """Draw a cup with steam over it."""
    pen.line("pale", 2, (40, 34), (36, 24), (42, 14), (38, 4))
    pen.line("pale", 2, (56, 34), (60, 24), (54, 14), (58, 4))
    pen.oval("shade", 78, 62, 15, 14)
    pen.oval("pale", 78, 62, 8.5, 8)
    pen.poly("body", (18, 42), (76, 42), (70, 84), (60, 92), (34, 92), (24, 84))
    pen.poly("shade", (56, 42), (76, 42), (70, 84), (60, 92), (50, 92))
    pen.oval("light", 47, 42, 29, 6)
    pen.oval((74, 44, 30), 47, 42.5, 25, 4.4)
    pen.oval("shade", 47, 94, 36, 4)


def guitar(pen: Pen) -> None:
    """Draw a guitar."""
    pen.box(_WOOD, 47, 8, 53, 60)
    pen.box("dark", 44, 2, 56, 14, 2)
    pen.oval("body", 50, 60, 19, 17)
    pen.oval("body", 50, 80, 25, 19)
    pen.oval("light", 46, 58, 12, 10)
    pen.oval("light", 45, 78, 16, 12)
    pen.oval("dark", 50, 64, 8)
    pen.box("dark", 40, 84, 60, 87)
    for x in (48.2, 49.4, 50.6, 51.8):
        pen.line("pale", 0.4, (x, 6), (x, 85))


def emblem(pen: Pen, lot: np.random.Generator) -> None:
    """Draw a sign of its own for words that have no drawing: rings of petals, points and beads, by lot."""
    folds = int(lot.integers(5, 12))
    inks = ("body", "light", "shade", "accent", "pale", "dark")
    pen.oval("dark", 50, 50, 48)
    pen.oval("body", 50, 50, 46)
    for ring in range(4):
        reach, kind = 42 - ring * 10, int(lot.integers(4))
        ink: Ink = inks[int(lot.integers(1, 6))]
        if lot.random() < 0.35:
            ink = turn_hue(pen.inks["accent"], float(lot.uniform(-60, 60)))
        turn = float(lot.uniform(0, pi / folds)) if ring % 2 else 0.0
        for fold in range(folds):
            _emblem_part(pen, ink, kind, reach, 2 * pi * fold / folds + turn, pi / folds)
        pen.oval(inks[int(lot.integers(6))], 50, 50, max(3.0, reach - 9.5))
    pen.oval("accent", 50, 50, 5)


def _emblem_part(pen: Pen, ink: Ink, kind: int, reach: float, angle: float, half: float) -> None:
    def at(radius: float, offset: float) -> tuple[float, float]:
        return 50 + radius * cos(angle + offset), 50 + radius * sin(angle + offset)

    inner = reach - 11
    if kind == 0:
        pen.poly(ink, at(inner, -half * 0.8), at(reach, 0), at(inner, half * 0.8))
    elif kind == 1:
        pen.oval(ink, *at(reach - 6, 0), min(5.5, reach * half * 0.7))
    elif kind == 2:
        pen.poly(ink, at(inner, 0), at(reach - 5, -half * 0.7), at(reach, 0), at(reach - 5, half * 0.7))
    else:
        pen.poly(ink, at(inner, -half * 0.45), at(reach, -half * 0.45), at(reach, half * 0.45), at(inner, half * 0.45))
