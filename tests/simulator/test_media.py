import io

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from fal_nb.simulator.media.caption import write_caption
from fal_nb.simulator.media.encoding import encode_picture
from fal_nb.simulator.media.figures import FIGURES
from fal_nb.simulator.media.look import read_look, seeded
from fal_nb.simulator.media.picture import PictureSpec, paint
from fal_nb.simulator.media.scenes import SCENES
from fal_nb.simulator.media.sound import SAMPLE_RATE, speak
from fal_nb.simulator.step_bars import bar_line, printed_steps


def spec(prompt="a red fox in the hills", seed=1, size=(320, 240), **options):
    return PictureSpec(prompt, seed, *size, **options)


def spread(picture):
    return ImageStat.Stat(picture.convert("L")).stddev[0]


def difference(first, second):
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (17, 9), (64, 64), (511, 513), (1024, 768), (300, 2000)])
def test_a_picture_has_exactly_the_size_asked_for(size):
    assert paint(spec(size=size)).size == size


@pytest.mark.parametrize("scene", sorted(SCENES))
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_scene_holds_holes_or_comes_out_flat(scene, seed, monkeypatch):
    from dataclasses import replace

    from fal_nb.simulator.media import picture

    look = replace(read_look("a quiet place"), scene=scene, figures=())
    monkeypatch.setattr(picture, "read_look", lambda prompt: look)
    with np.errstate(all="raise", under="ignore"):
        painted = paint(spec(seed=seed))
    assert spread(painted) > 8


def test_prompt_and_seed_both_matter_and_nothing_else_does():
    fox, owl, other_seed, again = (
        paint(spec(prompt, seed)) for prompt, seed in (("a fox", 1), ("an owl", 1), ("a fox", 2), ("a fox", 1))
    )
    assert fox.tobytes() == again.tobytes()
    assert difference(fox, owl) > 20
    assert difference(fox, other_seed) > 2


def test_guidance_raises_contrast():
    contrasts = [spread(paint(spec("mountains", guidance=guidance))) for guidance in (0.3, 1.0, 2.5)]
    assert contrasts == sorted(contrasts)
    assert contrasts[-1] > contrasts[0] * 1.2


def test_too_few_steps_leave_noise_and_more_steps_come_closer_to_the_end():
    finished = paint(spec(detail=1.0))
    gaps = [difference(finished, paint(spec(detail=detail))) for detail in (0.05, 0.3, 0.65)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] > 0


def test_the_caption_can_be_read_says_simulated_and_does_not_move_the_picture():
    plain = Image.new("RGB", (400, 300), (90, 120, 150))
    written = plain.copy()
    write_caption(written, "a red fox", "seed 1", (255, 200, 100))
    changed = ImageChops.difference(plain, written).getbbox()
    assert changed[1] > 200
    assert changed[3] == 300
    assert spread(written.crop((0, changed[1], 400, 300))) > 20
    other = plain.copy()
    write_caption(other, "a red owl", "seed 1", (255, 200, 100))
    assert other.tobytes() != written.tobytes()


@pytest.mark.parametrize("text", ["", "x" * 5000, "word " * 900, "日本語 🦊 naïve café", "one\ntwo\tthree"])
def test_any_prompt_can_be_written(text):
    assert paint(spec(text)).size == (320, 240)


@pytest.mark.parametrize(
    ("prompt", "scene", "style", "figures"),
    [
        ("a fox in ukiyo-e style", None, "ukiyo-e", ["fox"]),
        ("an owl, bauhaus", "tiles", "bauhaus", ["owl"]),
        ("two cats on a rooftop", "city", "plain", ["cat", "cat"]),
        ("portrait of a dog", "studio", "plain", ["dog"]),
        ("a sailing boat on the ocean, watercolor", "sea", "watercolor", ["boat"]),
        ("koi fish underwater", "deep", "plain", ["koi"]),
        ("mountains", "hills", "plain", []),
        ("", None, "plain", []),
    ],
)
def test_words_decide_scene_style_and_figures(prompt, scene, style, figures):
    look = read_look(prompt)
    assert look.style == style
    assert scene is None or look.scene == scene
    assert [wish.name.rstrip("s") for wish in look.figures if wish.name != "emblem"] == figures
    assert read_look(prompt) == look


def test_a_colour_belongs_to_the_figure_it_stands_before_else_to_the_scene():
    red_fox = read_look("a red fox in the forest")
    red_hills = read_look("red mountains")
    assert red_fox.figures[0].colour == (210, 64, 43)
    assert red_fox.tint is None
    assert red_hills.tint == (210, 64, 43)


def test_moods_are_read_from_time_and_weather_before_places():
    look = read_look("the ocean at night in the rain")
    assert (look.scene, look.mood, look.is_night) == ("sea", "night", True)
    assert read_look("snow on the beach").is_snowy


@pytest.mark.parametrize("name", sorted({figure.draw.__name__ for figure in FIGURES.values()}))
def test_every_figure_is_drawn(name):
    word = next(word for word, figure in FIGURES.items() if figure.draw.__name__ == name)
    with_figure, without = paint(spec(f"{word} studio")), paint(spec("studio"))
    assert difference(with_figure, without) > 4


@pytest.mark.parametrize("style", ["ukiyo-e", "bauhaus", "watercolor", "oil", "pixel art", "neon", "noir", "sketch",
                                   "pastel", "vintage", "stained glass"])  # fmt: skip
def test_every_style_shows(style):
    plain, styled = paint(spec("a fox in the hills")), paint(spec(f"a fox in the hills, {style}"))
    assert difference(plain, styled) > 12


@pytest.mark.parametrize(("image_format", "magic"), [("jpeg", b"\xff\xd8"), ("png", b"\x89PNG"), ("webp", b"RIFF")])
def test_a_picture_is_encoded_the_same_each_time(image_format, magic):
    picture = paint(spec())
    data, content_type, extension = encode_picture(picture, image_format)
    assert data.startswith(magic)
    assert data == encode_picture(picture, image_format)[0]
    assert content_type == f"image/{image_format}"
    assert extension in {".jpg", ".png", ".webp"}
    assert Image.open(io.BytesIO(data)).size == picture.size


def test_a_lot_depends_on_its_parts_and_on_where_one_ends():
    assert seeded("a", "b").random() == seeded("a", "b").random()
    assert seeded("a", "b").random() != seeded("ab").random()


def test_longer_texts_take_longer_and_faster_speech_is_shorter():
    short, words = speak("hello", "Rachel")
    long_, _ = speak("hello and good morning to everybody", "Rachel")
    fast, _ = speak("hello", "Rachel", speed=1.2)
    assert fast.size < short.size < long_.size
    assert [word.text for word in words] == ["hello"]
    assert words[0].stop_s <= short.size / SAMPLE_RATE


@pytest.mark.parametrize("text", ["", "...", "1234", "zzz", "日本語", "x" * 300])
def test_any_text_can_be_spoken(text):
    samples, _ = speak(text, "Rachel")
    assert np.isfinite(samples).all()
    assert abs(samples).max() <= 1


def test_a_bar_is_drawn_as_tqdm_draws_it():
    assert bar_line(0, 28, 0.0) == "  0%|          | 0/28 [00:00<?, ?it/s]"
    assert bar_line(13, 28, 1.0) == " 46%|████▋     | 13/28 [00:01<00:01, 13.00it/s]"
    assert bar_line(28, 28, 2.0) == "100%|██████████| 28/28 [00:02<00:00, 14.00it/s]"
    assert bar_line(1, 3, 4.0) == " 33%|███▎      | 1/3 [00:04<00:08,  4.00s/it]"
    assert bar_line(1, 2, 3725.0) == " 50%|█████     | 1/2 [1:02:05<1:02:05, 3725.00s/it]"


@pytest.mark.parametrize(
    ("total", "step_s", "expected"),
    [(4, 0.2, [1, 2, 3, 4]), (28, 0.04, [3, 6, 9, 12, 15, 18, 21, 24, 27, 28]), (5, 0.0, [5]), (3, 1.0, [1, 2, 3])],
)
def test_lines_are_printed_at_most_ten_a_second_and_always_at_the_end(total, step_s, expected):
    assert list(printed_steps(total, step_s)) == expected
