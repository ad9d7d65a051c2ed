"""What a prompt asks to see: scene, mood, style, figures, read from its words; what it leaves open goes by lot."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fal_nb.simulator.media.colours import COLOUR_WORDS, PALETTES, RGB, Palette
from fal_nb.simulator.media.figures import FIGURES

__all__ = ["FigureWish", "Look", "read_look", "seeded"]

_SCENES: dict[str, str] = {
    "sea": "sea ocean wave waves beach coast shore harbour harbor lake river bay surf island lagoon water sailing",
    "hills": "mountain mountains hill hills valley landscape meadow field fields countryside alps cliff canyon fuji "
    "vineyard nature horizon volcano fjord prairie",
    "forest": "forest forests wood woods jungle trees pine pines taiga grove rainforest",
    "city": "city town street skyline building buildings tokyo york paris london skyscraper skyscrapers downtown alley "
    "metropolis architecture rooftop rooftops bridge urban",
    "space": "space galaxy galaxies nebula planet planets cosmos cosmic universe stars starship asteroid orbit saturn "
    "mars astronaut alien rocket",
    "deep": "underwater reef coral fish whale shark jellyfish octopus submarine turtle aquarium mermaid",
    "dunes": "desert dune dunes sahara cactus camel oasis pyramid pyramids sand",
    "tiles": "bauhaus geometric pattern abstract mosaic tiles tile poster quilt logo composition",
    "swirl": "dream dreamy surreal psychedelic swirl swirling fluid marble liquid smoke fractal aurora vortex magic "
    "magical energy music emotion chaos",
    "studio": "portrait still product studio closeup teapot cup vase bottle watch shoe chair table interior room "
    "kitchen food cake coffee bowl statue sculpture robot camera person woman man girl boy guitar",
    "garden": "garden flower flowers bouquet blossom blossoms rose roses tulip tulips sunflower sunflowers greenhouse "
    "orchard bee butterfly lotus",
}
_MOODS: dict[str, str] = {
    "night": "night midnight moon moonlight moonlit starry dark nocturnal",
    "dawn": "dawn sunrise morning early misty mist foggy fog",
    "sunset": "sunset dusk evening twilight",
    "storm": "storm stormy rain rainy thunder lightning cloudy overcast gloomy",
    "snow": "snow snowy winter ice icy frozen arctic frost frosty christmas",
    "autumn": "autumn fall harvest october november",
    "spring": "spring cherry sakura blossoming april",
    "fire": "fire lava volcano volcanic flame flames burning dragon inferno hell",
    "gold": "gold golden luxury royal baroque candlelight",
    "day": "sunny noon summer bright daylight",
}
_PLACES: dict[str, str] = {
    "desert": "desert dune dunes sahara",
    "deep": "underwater reef coral deep submarine",
    "space": "space galaxy nebula cosmos cosmic universe planet orbit",
    "sea": "ocean sea beach tropical lagoon island",
    "forest": "forest woods jungle moss rainforest",
}
_STYLES: dict[str, str] = {
    "ukiyo-e": "ukiyo-e ukiyo hokusai hiroshige woodblock japanese-print",
    "bauhaus": "bauhaus suprematist constructivist mondrian de-stijl",
    "watercolor": "watercolor watercolour aquarelle gouache wash",
    "oil": "oil impressionist impressionism impasto painting monet gogh brush brushstrokes acrylic",
    "pixel": "pixel pixels 8-bit 8bit 16-bit voxel retro-game",
    "neon": "neon cyberpunk synthwave vaporwave glowing futuristic cyber",
    "noir": "noir monochrome black-and-white b&w charcoal silhouette film-noir",
    "sketch": "sketch pencil drawing ink lineart line-art engraving etching doodle",
    "pastel": "pastel kawaii cute soft ghibli children",
    "vintage": "vintage retro sepia old antique 1950s polaroid postcard",
    "glass": "stained low-poly lowpoly polygonal crystal facets origami",
}
_STYLE_PALETTES = frozenset({"ukiyo-e", "bauhaus", "neon", "noir", "pastel", "vintage"})
_OPEN_SCENES = ("hills", "swirl", "studio", "sea", "hills", "garden", "tiles")
_FIGURE_SCENES = ("hills", "forest", "studio", "garden")
_VAGUE = frozenset({"portrait", "face", "home", "tea", "coffee"})
_NUMBERS = {"two": 2, "pair": 2, "couple": 2, "three": 3, "many": 3}
_WORD = re.compile(r"[a-z0-9&]+(?:-[a-z0-9]+)*")
_SMALL_WORDS = (
    "a an the of in on at to and or with without by for from into over under above below near behind beside style "
    "picture image photo photograph painting illustration drawing render view shot scene very high quality detailed "
    "4k 8k hd best it its is are be as that this these those one two three her his"
)


@dataclass(frozen=True, slots=True)
class FigureWish:
    """A figure to draw, and the colour word before it, if there was one."""

    name: str
    colour: RGB | None


@dataclass(frozen=True, slots=True)
class Look:
    """Everything the words decide.

    Attributes
    ----------
    figures
        At most three; the name ``emblem`` is a sign made up for a noun nobody can draw here.
    tint
        A colour word that belongs to no figure, or None.
    """

    scene: str
    style: str
    mood: str
    palette: Palette
    figures: tuple[FigureWish, ...]
    tint: RGB | None
    is_night: bool
    is_snowy: bool
    is_rainy: bool


@lru_cache(maxsize=256)
def read_look(prompt: str) -> Look:
    """Return what a prompt asks for; the same prompt always gives the same."""
    words = _WORD.findall(prompt.lower())
    lot = seeded(prompt)
    style = _find(words, _STYLES) or "plain"
    figures = _figures(words)
    scene = _find(words, _SCENES)
    mood = _find(words, _MOODS) or _find(words, _PLACES)
    if style == "bauhaus" or (scene == "tiles" and figures):
        scene = "tiles"
    elif scene is None and figures:
        scene = _FIGURE_SCENES[int(lot.integers(len(_FIGURE_SCENES)))]
    elif scene is None:
        scene = _OPEN_SCENES[int(lot.integers(len(_OPEN_SCENES)))]
    if scene == "deep" and mood == "storm":
        scene = "sea"
    if not figures and scene in {"studio", "tiles"} and (_content(words) or scene == "studio"):
        figures = (FigureWish("emblem", _colour_of(words)),)
    palette = _choose_palette(style, mood, scene, lot)
    bound = {figure.colour for figure in figures}
    colour = _colour_of(words)
    return Look(
        scene,
        style,
        mood or "",
        palette,
        figures,
        None if colour in bound else colour,
        is_night=mood in {"night", "space"} or scene == "space" or style == "neon",
        is_snowy=mood == "snow",
        is_rainy=mood == "storm",
    )


def seeded(*parts: object) -> np.random.Generator:
    """Return a generator that depends on these values and nothing else."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def _find(words: list[str], table: dict[str, str]) -> str | None:
    """Return the entry that the earliest word in the prompt belongs to."""
    by_word = {word: name for name, text in table.items() for word in text.split()}
    return next((by_word[word] for word in words if word in by_word), None)


def _figures(words: list[str]) -> tuple[FigureWish, ...]:
    """Return the figures named, each once; a portrait is of whoever else is named, if anybody is."""
    wishes: list[FigureWish] = []
    named = [(index, name) for index, word in enumerate(words) if (name := _figure_named(word)) is not None]
    named = [(index, name) for index, name in named if name not in _VAGUE] or named
    for index, name in named:
        if any(FIGURES[wish.name].draw is FIGURES[name].draw for wish in wishes):
            continue
        before = words[max(0, index - 3) : index]
        colour = next((COLOUR_WORDS[word] for word in reversed(before) if word in COLOUR_WORDS), None)
        number = next((_NUMBERS[word] for word in reversed(before) if word in _NUMBERS), 1)
        wishes += [FigureWish(name, colour)] * number
    return tuple(wishes[:3])


def _figure_named(word: str) -> str | None:
    for candidate in (
        word,
        word.removesuffix("s"),
        word.removesuffix("es"),
        word[:-3] + "y" if word[-3:] == "ies" else "",
    ):
        if candidate in FIGURES:
            return candidate
    return None


def _colour_of(words: list[str]) -> RGB | None:
    return next((COLOUR_WORDS[word] for word in words if word in COLOUR_WORDS), None)


def _content(words: list[str]) -> list[str]:
    """Return the words that name something: neither small words nor those that were understood otherwise."""
    understood = set(_SMALL_WORDS.split()) | set(COLOUR_WORDS)
    for table in (_SCENES, _MOODS, _PLACES, _STYLES):
        understood = understood.union(*(text.split() for text in table.values()))
    return [word for word in words if word not in understood]


def _choose_palette(style: str, mood: str | None, scene: str, lot: np.random.Generator) -> Palette:
    by_scene = {
        "sea": "sea",
        "deep": "deep",
        "space": "space",
        "dunes": "desert",
        "forest": "forest",
        "garden": "spring",
    }
    if style in _STYLE_PALETTES:
        name = style
    elif mood is not None:
        name = mood
    elif scene in by_scene and lot.random() < 0.75:
        name = by_scene[scene]
    else:
        name = str(lot.choice(["day", "dawn", "sunset", "jewel", "jewel", "spring", "autumn", "forest", "sea"]))
    choices = PALETTES[name]
    palette = choices[int(lot.integers(len(choices)))]
    return palette if mood is not None or style in _STYLE_PALETTES else palette.turned(float(lot.uniform(-25, 25)))
