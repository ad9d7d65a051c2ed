"""Recraft: pictures in a style and in colours. Source: fal's OpenAPI documents and ``llms.txt``; fal-js types."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from PIL import Image as PillowImage
from PIL import ImageOps
from pydantic import BaseModel

from fal_nb.simulator.endpoints import words
from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.outputs import publish_file
from fal_nb.simulator.endpoints.pictures import check_size
from fal_nb.simulator.endpoints.shapes import File, ImageSize, SizePreset, field, optional_field, pixels
from fal_nb.simulator.media.encoding import encode_picture
from fal_nb.simulator.media.look import seeded
from fal_nb.simulator.media.picture import PictureSpec, paint
from fal_nb.simulator.media.vector import draw_svg

__all__ = ["RecraftV3", "RecraftV4"]

_VECTOR_STYLE = "vector_illustration"
_VECTOR_FACTOR = 2.0

_Style = Literal[
    "any", "realistic_image", "digital_illustration", "vector_illustration",
    "realistic_image/b_and_w", "realistic_image/hard_flash", "realistic_image/hdr", "realistic_image/natural_light",
    "realistic_image/studio_portrait", "realistic_image/enterprise", "realistic_image/motion_blur",
    "realistic_image/evening_light", "realistic_image/faded_nostalgia", "realistic_image/forest_life",
    "realistic_image/mystic_naturalism", "realistic_image/natural_tones", "realistic_image/organic_calm",
    "realistic_image/real_life_glow", "realistic_image/retro_realism", "realistic_image/retro_snapshot",
    "realistic_image/urban_drama", "realistic_image/village_realism", "realistic_image/warm_folk",
    "digital_illustration/pixel_art", "digital_illustration/hand_drawn", "digital_illustration/grain",
    "digital_illustration/infantile_sketch", "digital_illustration/2d_art_poster", "digital_illustration/handmade_3d",
    "digital_illustration/hand_drawn_outline", "digital_illustration/engraving_color",
    "digital_illustration/2d_art_poster_2", "digital_illustration/antiquarian", "digital_illustration/bold_fantasy",
    "digital_illustration/child_book", "digital_illustration/child_books", "digital_illustration/cover",
    "digital_illustration/crosshatch", "digital_illustration/digital_engraving", "digital_illustration/expressionism",
    "digital_illustration/freehand_details", "digital_illustration/grain_20", "digital_illustration/graphic_intensity",
    "digital_illustration/hard_comics", "digital_illustration/long_shadow", "digital_illustration/modern_folk",
    "digital_illustration/multicolor", "digital_illustration/neon_calm", "digital_illustration/noir",
    "digital_illustration/nostalgic_pastel", "digital_illustration/outline_details",
    "digital_illustration/pastel_gradient", "digital_illustration/pastel_sketch", "digital_illustration/pop_art",
    "digital_illustration/pop_renaissance", "digital_illustration/street_art", "digital_illustration/tablet_sketch",
    "digital_illustration/urban_glow", "digital_illustration/urban_sketching", "digital_illustration/vanilla_dreams",
    "digital_illustration/young_adult_book", "digital_illustration/young_adult_book_2",
    "vector_illustration/bold_stroke", "vector_illustration/chemistry", "vector_illustration/colored_stencil",
    "vector_illustration/contour_pop_art", "vector_illustration/cosmics", "vector_illustration/cutout",
    "vector_illustration/depressive", "vector_illustration/editorial", "vector_illustration/emotional_flat",
    "vector_illustration/infographical", "vector_illustration/marker_outline", "vector_illustration/mosaic",
    "vector_illustration/naivector", "vector_illustration/roundish_flat", "vector_illustration/segmented_colors",
    "vector_illustration/sharp_contrast", "vector_illustration/thin", "vector_illustration/vector_photo",
    "vector_illustration/vivid_shapes", "vector_illustration/engraving", "vector_illustration/line_art",
    "vector_illustration/line_circuit", "vector_illustration/linocut",
]  # fmt: skip


class RGBColor(BaseModel):
    """A colour."""

    r: int = field(0, "Red color value", ge=0, le=255)
    g: int = field(0, "Green color value", ge=0, le=255)
    b: int = field(0, "Blue color value", ge=0, le=255)


class RecraftV3Input(BaseModel):
    """Arguments of fal-ai/recraft/v3/text-to-image, in display order."""

    prompt: str = field(..., words.PROMPT, min_length=1, examples=["a red panda eating bamboo in front of a poster"])
    image_size: ImageSize | SizePreset = field("square_hd", words.SIZE)
    style: _Style = field("realistic_image", "The style of the generated images. Vector images cost 2X as much.")
    colors: list[RGBColor] = field([], "An array of preferable colors")
    style_id: str | None = optional_field("The ID of the custom style reference.")
    enable_safety_checker: bool = field(False, words.SAFETY)


class RecraftV4Input(BaseModel):
    """Arguments of fal-ai/recraft/v4/text-to-image, in display order."""

    prompt: str = field(..., words.PROMPT, min_length=1, examples=["a lighthouse at dusk, editorial photograph"])
    image_size: ImageSize | SizePreset = field("square_hd", words.SIZE)
    colors: list[RGBColor] = field([], "An array of preferable colors")
    background_color: RGBColor | None = optional_field("The preferable background color of the generated images.")
    enable_safety_checker: bool = field(True, words.SAFETY)


class RecraftOutput(BaseModel):
    """What they answer: neither size nor seed."""

    images: list[File] = field(..., "The generated image files.")


class RecraftV4(SimulatedEndpoint):
    """One picture; it has no seed, so each call draws another."""

    endpoint_id: ClassVar[str] = "fal-ai/recraft/v4/text-to-image"
    title: ClassVar[str] = "Recraft V4"
    category: ClassVar[str] = "text-to-image"
    description: ClassVar[str] = "Pictures for designers, in colours you choose."
    input_model: ClassVar[type[BaseModel]] = RecraftV4Input
    output_model: ClassVar[type[BaseModel]] = RecraftOutput
    price: ClassVar[Price] = Price("images", 0.04)

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with the size."""
        del studio
        width, height = pixels(arguments.image_size)
        check_size(width, height)
        return Plan(3.0 + width * height / 2_000_000)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Draw the picture and put it on the CDN."""
        data, content_type, extension = encode_picture(self.draw(arguments, studio, arguments.prompt), "webp")
        return {"images": [publish_file(studio, data, content_type, f"image{extension}")]}

    def draw(self, arguments: Any, studio: Studio, prompt: str) -> PillowImage.Image:
        """Return the picture of a prompt, drawn towards the colours asked for."""
        seed = int(seeded("recraft", studio.request_id).integers(2**31))
        width, height = pixels(arguments.image_size)
        flagged = arguments.enable_safety_checker and "nsfw" in prompt.lower().split()
        if flagged:
            return PillowImage.new("RGB", (width, height))
        ground = getattr(arguments, "background_color", None)
        colours = [(colour.r, colour.g, colour.b) for colour in [*arguments.colors, *([ground] if ground else [])]]
        return _in_colours(paint(PictureSpec(prompt, seed, width, height)), colours)


class RecraftV3(RecraftV4):
    """As version 4, with styles; those of the vector family are SVG and cost twice as much."""

    endpoint_id: ClassVar[str] = "fal-ai/recraft/v3/text-to-image"
    title: ClassVar[str] = "Recraft V3"
    description: ClassVar[str] = "Pictures and vector drawings in a named style."
    input_model: ClassVar[type[BaseModel]] = RecraftV3Input

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Draw the picture in its style and put it on the CDN."""
        style = arguments.style.replace("/", " ").replace("_", " ")
        picture = self.draw(arguments, studio, f"{arguments.prompt}, {style}")
        if arguments.style.startswith(_VECTOR_STYLE):
            file = publish_file(studio, draw_svg(picture), "image/svg+xml", "image.svg")
        else:
            data, content_type, extension = encode_picture(picture, "webp")
            file = publish_file(studio, data, content_type, f"image{extension}")
        return {"images": [file]}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return 1, or 2 for a vector drawing."""
        del result, inference_s
        return _VECTOR_FACTOR if arguments.style.startswith(_VECTOR_STYLE) else 1.0


def _in_colours(picture: PillowImage.Image, colours: list[tuple[int, int, int]]) -> PillowImage.Image:
    """Return the picture, its light and dark drawn from these colours where there are any."""
    if not colours:
        return picture
    ordered = sorted(colours, key=lambda colour: 299 * colour[0] + 587 * colour[1] + 114 * colour[2])
    dark, light = ordered[0], ordered[-1] if len(ordered) > 1 else (255, 255, 255)
    return PillowImage.blend(picture, ImageOps.colorize(picture.convert("L"), dark, light), 0.6)
