"""Colours: as text, as numbers, and the palettes that words of a prompt call for."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["COLOUR_WORDS", "PALETTES", "RGB", "Palette", "blend", "parse", "turn_hue"]

RGB: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """Six colours by the part they play.

    Attributes
    ----------
    high, low
        Upper and lower end of the sky or backdrop.
    glow
        Sun, moon, lamps and what they touch.
    far, near
        The most distant and the nearest layer.
    accent
        What stands out.
    """

    high: RGB
    low: RGB
    glow: RGB
    far: RGB
    near: RGB
    accent: RGB

    @property
    def is_dark(self) -> bool:
        """Whether the backdrop is dark, so that stars and lit windows show."""
        return sum(self.high) + sum(self.low) < 330

    def turned(self, degrees: float) -> Palette:
        """Return it with all hues turned."""
        return Palette(*(turn_hue(colour, degrees) for colour in self.colours()))

    def colours(self) -> tuple[RGB, ...]:
        """Return the six colours in order."""
        return (self.high, self.low, self.glow, self.far, self.near, self.accent)


def parse(text: str) -> RGB:
    """Return the colour of six hexadecimal digits."""
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def blend(first: RGB, second: RGB, share: float) -> RGB:
    """Return a colour `share` of the way from the first to the second."""
    mixed = [round(one + (two - one) * share) for one, two in zip(first, second, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def turn_hue(colour: RGB, degrees: float) -> RGB:
    """Return a colour with its hue turned."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    red, green, blue = colorsys.hls_to_rgb((hue + degrees / 360) % 1, light, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _palettes(text: str) -> tuple[Palette, ...]:
    return tuple(Palette(*(parse(word) for word in line.split())) for line in text.strip().splitlines())


PALETTES: dict[str, tuple[Palette, ...]] = {
    "day": _palettes("""
        3d8fd1 cfe8f2 fff6d8 8fb7c9 2f5d50 e4572e
        4aa3df e8f1dc fffbe0 9cc5a1 216869 f2a65a
        5fa8d3 f6efdc ffffff a3bfa8 40615a d1495b
    """),
    "dawn": _palettes("""
        5b6ea8 f7c8a6 fff1cf b58aa5 3c3a5e ef6f6c
        3f5e8c ffd3b0 fff4da a7a0bd 41436a f67280
    """),
    "sunset": _palettes("""
        3b2a5e f58a4b ffdf8c a8506a 2a1a3e ff5e5b
        4a2545 f9a03f ffe6a7 bf4e5e 2d1e3a f46036
        27406b f7797d ffd9a0 7d4f7c 1d1c3b fb8b24
    """),
    "night": _palettes("""
        070b24 24386b f4efcf 2a3f6e 0a1026 e8b44f
        0b0f2b 3a2d63 e9e4ff 3f3a74 0d0c24 f25f5c
        04131f 1b4b5a dff3e4 1e4d58 06181f f6ae2d
    """),
    "storm": _palettes("""
        27303a 7f8c94 e6ecec 5c6b75 1b242b d9a441
        1f2a38 6f7f8f d7dee6 4a5b6d 141c26 c8553d
    """),
    "snow": _palettes("""
        7fa6c9 eef5fb ffffff b7cde0 56748f d64545
        9bb8d3 fbf3ee ffffff c4d4e3 5b6c8c c0392b
    """),
    "autumn": _palettes("""
        c98b4b f6e3b8 fff4cf c7763a 5a2a1d d1350f
        8a5a44 f3c98b ffeec2 b5532d 3f1f1a e09f3e
    """),
    "spring": _palettes("""
        9fd3e6 fdeef4 fffbe6 b9dba8 4a7c59 f27ea9
        c4e3ee fff5e6 ffffff cfe5b3 588157 e56b8c
    """),
    "desert": _palettes("""
        4f86b8 fbd9a0 fff3cf dda15e 8a4b2a bc3908
        e8a15c fde8c0 fffbe3 c97b4a 6f3320 3a6b7e
    """),
    "fire": _palettes("""
        1b0a0a 8c1c13 ffd166 7a1f12 150505 ff7b00
        2b0b12 c1292e ffe08a 8d1f2a 1a070b ff9f1c
    """),
    "sea": _palettes("""
        2b7fb8 d6eef2 fff7df 3f97a8 0e4a63 f2704e
        13496b 9bd0d6 fdf3d0 2e7f95 0b2f48 ffb703
    """),
    "deep": _palettes("""
        0b5d7a 063047 b9f2ee 0e4f63 04202f ff8c61
        0a4a6e 05243f a6e3e9 0b3f5c 031a2b f9c74f
    """),
    "forest": _palettes("""
        6fa58a e3ecc9 fdf8d4 5f8f6b 17352a d98e32
        8fb996 f1f0d0 fffde0 6a994e 1f3a2c bc4749
    """),
    "space": _palettes("""
        05040f 1c0f3a f7e7ff 5b2a86 0b0618 ff9e64
        020816 0d2447 e0f4ff 1d5c8f 040a1c ff6b6b
        0a0410 33112e ffe9d6 8c2f5b 100515 5fd3bc
    """),
    "neon": _palettes("""
        0d0221 3d0e61 ff2fb9 5a189a 0a0118 21f0f3
        050a30 1a1a6e 00f0ff 3c1a78 060321 ff3cac
    """),
    "ukiyo-e": _palettes("""
        2b5c8a f0e2c0 f7efdc 8fb0b8 1d3557 c8402f
        7da7a7 f3e6c8 fbf3df 5e8d93 264653 b5402c
        d9b78c f5ead0 fff8e6 90a58c 2e4a62 c1452f
    """),
    "bauhaus": _palettes("""
        f2e9d8 efe3cb f4b41a 1f4e8c 1c1c1c d7352b
        eadfc8 f3ead8 e9a820 275d9e 20201f c92f2a
    """),
    "pastel": _palettes("""
        bcd4f0 fde2ea fff8e8 d5c6e8 8fa7c9 f5a6b8
        cdebe2 fff0dd ffffff e2c9e8 9bb8b0 f7b267
    """),
    "noir": _palettes("""
        1a1a1c 6f6f72 f1f1ee 4d4d50 0c0c0d d9d9d6
        26262a 8a8a8d ffffff 5c5c60 101012 efefec
    """),
    "vintage": _palettes("""
        a98f6c ecdcb9 f8efd6 9c7d5a 4a3624 a4452c
        8c8a72 e8dcc0 f7eed8 8f7f66 3d3427 9e4a34
    """),
    "gold": _palettes("""
        1c140c 6b4a1c ffe7a3 8a6324 120c06 f5b841
        2a1b0f a5702a fff0bf b5842f 1a1008 ffd35c
    """),
    "jewel": _palettes("""
        2d1e5f d86a8b ffe3c2 6b3fa0 1a1140 3fd0c9
        0f3d3e 7fc29b fdf0c4 2a7f62 0a2526 f2545b
        43245f f2a1b3 fff0d9 8a4fa3 23123a f7c548
        123a6b 8fd3c8 fff3d1 2f7fb0 0c2140 f77f5b
        5a1f2e f0b08a fff0d6 a1474b 2c0f19 5fb8a6
    """),
}
"""Palettes by mood; which of several is taken, the words of the prompt decide."""

COLOUR_WORDS: dict[str, RGB] = {
    name: parse(value)
    for name, value in {
        "red": "d2402b",
        "scarlet": "d92b2b",
        "crimson": "a8172e",
        "vermilion": "dc4a2f",
        "orange": "ee7f22",
        "amber": "eda323",
        "yellow": "f2c52c",
        "golden": "d9a332",
        "gold": "d9a332",
        "green": "3f9b54",
        "emerald": "1e9c6d",
        "lime": "9bcb3c",
        "olive": "7d8b3a",
        "teal": "1f8a8c",
        "turquoise": "32bfb8",
        "cyan": "25bcd6",
        "blue": "2f6fc4",
        "navy": "1d3461",
        "indigo": "3d3a9e",
        "purple": "7b3fa8",
        "violet": "8a55c7",
        "lavender": "b79be0",
        "magenta": "d13596",
        "pink": "ee86ad",
        "rose": "e0627f",
        "brown": "855433",
        "copper": "b86b3d",
        "bronze": "9c6b34",
        "silver": "b4bcc4",
        "grey": "8c949c",
        "gray": "8c949c",
        "white": "f2efe9",
        "ivory": "f1e8d2",
        "black": "26262c",
    }.items()
}
"""Plain colour words."""
