"""Animals: mostly heads with shoulders, seen from the front, in coordinates from 0 to 100."""

from __future__ import annotations

from math import cos, radians, sin

from fal_nb.simulator.media.colours import RGB
from fal_nb.simulator.media.pen import Pen

__all__ = [
    "bear",
    "bird",
    "butterfly",
    "cat",
    "deer",
    "dog",
    "elephant",
    "fish",
    "fox",
    "horse",
    "lion",
    "owl",
    "panda",
    "rabbit",
    "tiger",
    "whale",
    "wolf",
]

_WHITE: RGB = (250, 246, 238)
_PINK: RGB = (232, 150, 150)
_AMBER: RGB = (244, 178, 60)
_GREEN: RGB = (146, 196, 90)


def _shoulders(pen: Pen, width: float = 28, top: float = 64) -> None:
    pen.poly("body", (50 - width, 100), (50 - width * 0.62, top), (50 + width * 0.62, top), (50 + width, 100))
    pen.poly("shade", (50, top), (50 + width * 0.62, top), (50 + width, 100), (50, 100))


def _pointed_head(pen: Pen, ear: float = 5) -> None:
    """Draw the head that foxes and wolves share: pointed ears, wide cheeks, narrow chin; one half in shade."""
    pen.poly(
        "body",
        (19, ear),
        (38, 23),
        (62, 23),
        (81, ear),
        (85, 40),
        (94, 53),
        (68, 67),
        (50, 82),
        (32, 67),
        (6, 53),
        (15, 40),
    )
    pen.poly("shade", (50, 23), (62, 23), (81, ear), (85, 40), (94, 53), (68, 67), (50, 82))
    pen.poly("dark", (22, ear + 9), (35, 26), (24, 36))
    pen.poly("dark", (78, ear + 9), (65, 26), (76, 36))
    pen.poly("light", (50, 23), (42, 23), (50, 58), (58, 23))


def fox(pen: Pen) -> None:
    """Draw a fox."""
    _shoulders(pen)
    pen.poly(_WHITE, (37, 66), (63, 66), (57, 92), (50, 100), (43, 92))
    _pointed_head(pen)
    pen.poly(_WHITE, (6, 53), (29, 49), (43, 61), (50, 82), (32, 67))
    pen.poly("pale", (94, 53), (71, 49), (57, 61), (50, 82), (68, 67))
    pen.poly("dark", (44, 75), (56, 75), (50, 83))
    pen.eyes(34, 47, 4.2)


def wolf(pen: Pen) -> None:
    """Draw a wolf."""
    _shoulders(pen, 32)
    pen.poly("light", (34, 66), (66, 66), (60, 84), (50, 78), (40, 84))
    _pointed_head(pen, 3)
    pen.poly("pale", (6, 53), (26, 50), (40, 56), (44, 78), (32, 67))
    pen.poly("pale", (94, 53), (74, 50), (60, 56), (56, 78), (68, 67))
    pen.poly("pale", (44, 60), (56, 60), (58, 74), (50, 82), (42, 74))
    pen.poly("dark", (44, 70), (56, 70), (50, 78))
    pen.eyes(34, 47, 3.6, _AMBER)


def _round_head(pen: Pen, rx: float = 34, ry: float = 29, y: float = 48) -> None:
    pen.oval("body", 50, y, rx, ry)
    pen.arc("shade", 50, y, ry, -90, 90)
    pen.oval("body", 50, y, rx * 0.72, ry * 0.97)


def cat(pen: Pen) -> None:
    """Draw a cat."""
    _shoulders(pen, 27, 66)
    pen.oval("light", 50, 82, 11, 15)
    pen.pair_poly("body", (18, 8), (20, 42), (44, 24))
    pen.pair_poly(_PINK, (23, 17), (24, 36), (38, 26))
    _round_head(pen)
    for top, left in ((22, 44), (20, 48), (22, 52)):
        pen.poly("dark", (left, top), (left + 4, top), (left + 2, top + 11))
    pen.pair_oval("pale", 43, 63, 9, 7)
    pen.poly(_PINK, (46, 55), (54, 55), (50, 60))
    pen.eyes(35, 46, 6, _GREEN)
    for rise in (0, 5):
        pen.line("pale", 0.7, (36, 61 + rise), (12, 57 + rise * 2))
        pen.line("pale", 0.7, (64, 61 + rise), (88, 57 + rise * 2))


def dog(pen: Pen) -> None:
    """Draw a dog."""
    _shoulders(pen, 29, 66)
    pen.oval("pale", 50, 84, 10, 14)
    _round_head(pen, 31, 30, 46)
    pen.pair_poly("dark", (22, 22), (34, 20), (27, 44), (22, 66), (11, 62), (10, 40))
    pen.poly("pale", (45, 17), (55, 17), (58, 46), (50, 56), (42, 46))
    pen.oval("pale", 50, 62, 17, 13)
    pen.oval("dark", 50, 55, 6.5, 4.6)
    pen.line("dark", 1.2, (50, 59), (50, 66), (43, 69))
    pen.line("dark", 1.2, (50, 66), (57, 69))
    pen.oval(_PINK, 50, 71, 4, 5)
    pen.eyes(36, 42, 4.4)


def bear(pen: Pen) -> None:
    """Draw a bear."""
    _shoulders(pen, 36, 62)
    pen.pair_oval("shade", 24, 22, 12)
    pen.pair_oval("light", 24, 23, 6.5)
    _round_head(pen, 36, 32, 46)
    pen.oval("light", 50, 60, 17, 13)
    pen.oval("dark", 50, 54, 7, 5)
    pen.line("dark", 1.2, (50, 58), (50, 65))
    pen.eyes(35, 42, 3.8)


def panda(pen: Pen) -> None:
    """Draw a panda, whatever colour was asked for."""
    black: RGB = (34, 32, 38)
    pen.poly(black, (16, 100), (30, 62), (70, 62), (84, 100))
    pen.oval(_WHITE, 50, 92, 20, 18)
    pen.pair_oval(black, 22, 20, 12)
    pen.oval(_WHITE, 50, 46, 37, 32)
    pen.poly(black, (24, 46), (34, 34), (45, 40), (42, 54), (30, 58))
    pen.poly(black, (76, 46), (66, 34), (55, 40), (58, 54), (70, 58))
    pen.oval(black, 50, 58, 6, 4)
    pen.line(black, 1.2, (50, 61), (50, 66), (44, 69))
    pen.line(black, 1.2, (50, 66), (56, 69))
    pen.pair_oval(_WHITE, 36, 46, 3.6)
    pen.pair_oval(black, 36.5, 46.5, 2)


def rabbit(pen: Pen) -> None:
    """Draw a rabbit."""
    _shoulders(pen, 24, 70)
    pen.pair_oval("body", 38, 20, 8.5, 24)
    pen.pair_oval(_PINK, 38, 20, 4.4, 18)
    _round_head(pen, 27, 25, 57)
    pen.pair_oval("pale", 44, 69, 8, 6.5)
    pen.poly(_PINK, (46, 62), (54, 62), (50, 66))
    pen.box(_WHITE, 46.5, 73, 53.5, 79, 1)
    pen.eyes(37, 54, 4.4)


def tiger(pen: Pen) -> None:
    """Draw a tiger."""
    _shoulders(pen, 36, 62)
    pen.pair_oval("shade", 23, 24, 10)
    pen.pair_oval(_WHITE, 24, 25, 5)
    _round_head(pen, 36, 32, 48)
    pen.pair_oval(_WHITE, 27, 60, 10, 11)
    pen.pair_oval(_WHITE, 42, 64, 10, 9)
    pen.poly("dark", (42, 18), (58, 18), (53, 30), (50, 26), (47, 30))
    for y in (40, 50, 60):
        pen.pair_poly("dark", (14, y - 3), (28, y), (15, y + 3))
    for y in (72, 84):
        pen.pair_poly("dark", (22, y), (38, y + 4), (20, y + 7))
    pen.poly(_PINK, (43, 54), (57, 54), (50, 61))
    pen.eyes(36, 44, 4.4, _AMBER)


def lion(pen: Pen) -> None:
    """Draw a lion."""
    for radius, ink in ((45, "dark"), (43, "shade")):
        rim = [(radius * (1.0 if step % 2 else 0.86), radians(step * 15)) for step in range(24)]
        pen.poly(ink, *((50 + reach * cos(angle), 48 + reach * sin(angle)) for reach, angle in rim))
    pen.poly("body", (26, 100), (36, 70), (64, 70), (74, 100))
    pen.pair_oval("body", 27, 28, 8)
    _round_head(pen, 29, 29, 48)
    pen.oval("pale", 50, 62, 15, 11)
    pen.poly("dark", (43, 52), (57, 52), (50, 60))
    pen.line("dark", 1.2, (50, 59), (50, 66))
    pen.eyes(37, 44, 4, _AMBER)


def owl(pen: Pen) -> None:
    """Draw an owl on its feet."""
    pen.oval("body", 50, 60, 33, 38)
    pen.poly("body", (20, 8), (50, 24), (80, 8), (82, 50), (18, 50))
    pen.arc("shade", 50, 60, 33, -60, 90)
    pen.oval("light", 50, 70, 22, 26)
    for row in range(4):
        for column in range(-row % 2, 5):
            x = 34 + column * 8 + (row % 2) * 4
            if abs(x - 50) < 21 - row * 2:
                pen.arc("shade", x, 58 + row * 8, 3.6, 0, 180)
    pen.pair_poly("shade", (18, 46), (30, 62), (26, 92), (14, 74))
    pen.pair_oval("pale", 36, 34, 16.5)
    pen.pair_oval(_AMBER, 36.5, 34, 11)
    pen.pair_oval("dark", 37, 34, 6.4)
    pen.pair_oval(_WHITE, 39, 31.5, 2)
    pen.poly("accent", (45, 40), (55, 40), (50, 53))
    pen.pair_poly("accent", (36, 94), (46, 94), (43, 100), (36, 100))


def bird(pen: Pen) -> None:
    """Draw a bird in profile, looking to the right."""
    pen.poly("shade", (4, 74), (34, 50), (40, 66), (12, 82))
    pen.poly("body", (22, 62), (40, 36), (64, 24), (84, 34), (86, 52), (72, 72), (46, 80), (28, 74))
    pen.oval("body", 72, 36, 16)
    pen.oval("pale", 66, 60, 15, 15)
    pen.poly("shade", (20, 58), (52, 42), (68, 52), (52, 70), (26, 74))
    pen.poly("light", (26, 60), (52, 47), (60, 54), (44, 64))
    pen.poly("accent", (86, 32), (99, 38), (86, 43))
    pen.oval("dark", 77, 33, 2.8)
    pen.oval(_WHITE, 78, 32, 0.9)
    pen.line("dark", 1.6, (52, 78), (50, 95), (56, 96))
    pen.line("dark", 1.6, (60, 76), (60, 94), (66, 95))


def fish(pen: Pen) -> None:
    """Draw a fish in profile, looking to the left."""
    pen.poly("shade", (70, 50), (97, 24), (90, 50), (97, 76))
    pen.poly("shade", (34, 30), (54, 12), (66, 34))
    pen.poly("shade", (42, 70), (56, 86), (62, 66))
    pen.oval("body", 44, 50, 38, 24)
    pen.poly("body", (60, 32), (80, 50), (60, 68))
    pen.arc("light", 44, 50, 24, 20, 160)
    for x in (34, 48, 62):
        pen.line("pale", 3.4, (x, 31), (x + 4, 50), (x, 69))
    pen.oval(_WHITE, 20, 44, 6)
    pen.oval("dark", 19, 44, 3.4)
    pen.line("dark", 1.4, (8, 57), (16, 59))


def whale(pen: Pen) -> None:
    """Draw a whale in profile with its spout."""
    pen.line("pale", 2, (30, 34), (30, 20), (22, 12))
    pen.line("pale", 2, (30, 22), (38, 12))
    pen.poly("shade", (80, 52), (99, 30), (94, 50), (99, 66))
    pen.poly("body", (4, 60), (10, 44), (26, 34), (50, 34), (72, 44), (92, 46), (84, 62), (60, 80), (30, 82), (10, 76))
    pen.poly("pale", (4, 62), (30, 68), (60, 66), (52, 80), (30, 82), (10, 76))
    for x in (14, 22, 30, 38):
        pen.line("light", 0.9, (x, 66), (x + 3, 80))
    pen.poly("shade", (42, 66), (62, 70), (52, 88))
    pen.oval("dark", 20, 56, 2.6)
    pen.oval(_WHITE, 20.8, 55.2, 0.9)


def deer(pen: Pen) -> None:
    """Draw a deer with antlers."""
    for side in (1, -1):
        antler = [(43, 30), (36, 16), (24, 8)], [(37, 18), (38, 4)], [(31, 12), (18, 16)]
        for branch in antler:
            pen.line("dark", 2.4, *((50 + side * (x - 50), y) for x, y in branch))
    _shoulders(pen, 24, 68)
    pen.pair_poly("shade", (36, 36), (10, 34), (20, 46), (36, 46))
    pen.poly("body", (34, 30), (66, 30), (64, 54), (58, 78), (42, 78), (36, 54))
    pen.poly("shade", (50, 30), (66, 30), (64, 54), (58, 78), (50, 78))
    pen.oval("pale", 50, 75, 10, 9)
    pen.oval("dark", 50, 72, 6, 4.4)
    pen.eyes(38, 46, 3.8)


def horse(pen: Pen) -> None:
    """Draw a horse's head in profile, looking to the left."""
    pen.poly("dark", (56, 10), (82, 26), (94, 60), (96, 100), (70, 100), (60, 40))
    pen.poly(
        "body",
        (48, 22),
        (56, 8),
        (62, 20),
        (78, 44),
        (84, 100),
        (40, 100),
        (46, 70),
        (34, 70),
        (20, 76),
        (10, 70),
        (12, 60),
    )
    pen.poly("shade", (62, 40), (84, 100), (58, 100), (56, 62))
    pen.poly("light", (48, 22), (40, 40), (20, 62), (12, 60))
    pen.poly("shade", (10, 70), (12, 60), (22, 62), (24, 74), (20, 76))
    pen.oval("dark", 42, 38, 2.8)
    pen.oval("dark", 15, 66, 1.4)


def elephant(pen: Pen) -> None:
    """Draw an elephant."""
    pen.pair_poly("shade", (34, 26), (8, 18), (2, 46), (14, 70), (32, 62))
    pen.pair_poly("light", (32, 32), (13, 27), (9, 46), (18, 60), (30, 54))
    _shoulders(pen, 34, 66)
    pen.oval("body", 50, 44, 24, 28)
    pen.poly("body", (41, 56), (59, 56), (57, 84), (62, 94), (52, 98), (46, 86))
    for y in (64, 71, 78, 85):
        pen.line("shade", 1.1, (45, y), (56, y))
    pen.pair_poly(_WHITE, (36, 66), (41, 66), (38, 82), (32, 84))
    pen.eyes(38, 44, 3)


def butterfly(pen: Pen) -> None:
    """Draw a butterfly seen from above."""
    pen.pair_poly("body", (50, 46), (30, 10), (6, 12), (4, 38), (24, 54), (48, 56))
    pen.pair_poly("shade", (50, 52), (22, 56), (14, 78), (28, 92), (44, 78))
    pen.pair_poly("light", (46, 46), (28, 18), (14, 20), (14, 34), (30, 46))
    pen.pair_oval("accent", 18, 27, 5)
    pen.pair_oval("pale", 28, 74, 5)
    pen.oval("dark", 50, 54, 3, 24)
    pen.line("dark", 1, (50, 32), (40, 14))
    pen.line("dark", 1, (50, 32), (60, 14))
