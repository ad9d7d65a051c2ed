"""The built-in scorers against formulas written another way, and against pictures whose score can be said beforehand."""

import colorsys
import io
import math
import os
import statistics
import subprocess
import sys

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from fal_nb.errors import FileError
from fal_nb.results import Result
from fal_nb.scoring import likeness, looks
from fal_nb.scoring.measuring import code_of


def drawn(seed=1, size=(48, 40)):
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(int(part) for part in rng.integers(0, 255, 3)))
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, r = rng.integers(0, max(size), 3) % min(size)
        colour = tuple(int(part * 255) for part in colorsys.hsv_to_rgb(rng.random(), 0.8, 0.9))
        pen.ellipse((x - r / 2, y - r / 2, x + r / 2, y + r / 2), fill=colour)
    return image


@pytest.fixture
def save(tmp_path):
    def saved(image, name="one.png", **options):
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return saved


def luma(image):
    return [[0.299 * r + 0.587 * g + 0.114 * b for r, g, b in row] for row in np.asarray(image).tolist()]


def test_sharpness_is_the_variance_of_the_laplacian_and_falls_with_blur(save):
    image = drawn()
    rows = luma(image)
    around = [
        rows[y - 1][x] + rows[y + 1][x] + rows[y][x - 1] + rows[y][x + 1] - 4 * rows[y][x]
        for y in range(1, image.height - 1)
        for x in range(1, image.width - 1)
    ]
    sharp = looks.sharpness(save(image))
    assert sharp == pytest.approx(statistics.pvariance(around), rel=1e-4)
    assert looks.sharpness(save(image.filter(ImageFilter.GaussianBlur(2)))) < sharp / 5
    assert looks.sharpness(save(Image.new("RGB", (9, 9), "red"))) == 0
    assert looks.sharpness(save(Image.new("RGB", (2, 900)))) == 0


def test_brightness_goes_from_black_to_white(save):
    assert looks.brightness(save(Image.new("L", (8, 8), 0))) == 0
    assert looks.brightness(save(Image.new("RGB", (8, 8), "white"))) == pytest.approx(1)
    assert looks.brightness(save(Image.new("RGB", (8, 8), (0, 255, 0)))) == pytest.approx(0.587)


def test_colourfulness_is_that_of_hasler_and_suesstrunk(save):
    image = drawn(2)
    pixels = np.asarray(image).reshape(-1, 3).tolist()
    rg = [r - g for r, g, b in pixels]
    yb = [(r + g) / 2 - b for r, g, b in pixels]
    spread = math.sqrt(statistics.pvariance(rg) + statistics.pvariance(yb))
    middle = math.sqrt(statistics.fmean(rg) ** 2 + statistics.fmean(yb) ** 2)
    assert looks.colourfulness(save(image)) == pytest.approx(spread + 0.3 * middle, rel=1e-4)
    assert looks.colourfulness(save(image.convert("L"))) == pytest.approx(0, abs=1e-4)


def slow_ssim(one, two):
    """Window by window, as the paper writes it."""
    a, b = (np.asarray(image.convert("L"), dtype=float) for image in (one, two))
    g = np.array([math.exp(-((at - 5) ** 2) / (2 * 1.5**2)) for at in range(11)])
    w = np.outer(g, g) / np.outer(g, g).sum()
    found = []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
            mp, mq = (w * p).sum(), (w * q).sum()
            vp, vq, cov = (w * (p - mp) ** 2).sum(), (w * (q - mq) ** 2).sum(), (w * (p - mp) * (q - mq)).sum()
            c1, c2 = 6.5025, 58.5225
            found.append((2 * mp * mq + c1) * (2 * cov + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2)))
    return sum(found) / len(found)


def test_ssim_is_that_of_the_paper_whatever_the_other_size(save):
    one, two = drawn(3), drawn(4)
    paths = save(one, "a.png"), save(two, "b.png")
    assert likeness.ssim(*paths) == pytest.approx(slow_ssim(one, two), abs=1e-9)
    assert likeness.ssim(paths[0], paths[0]) == pytest.approx(1)
    blurred = save(one.filter(ImageFilter.GaussianBlur(1)), "c.png")
    assert likeness.ssim(*paths) < likeness.ssim(paths[0], blurred) < 0.99
    larger = save(one.resize((96, 80)), "d.png")
    assert likeness.ssim(paths[0], larger) > 0.9
    assert likeness.ssim(save(Image.new("L", (3, 4)), "e.png"), paths[0]) < 1
    huge = save(drawn(3, (1100, 1030)), "f.png")
    assert likeness.ssim(huge, huge) == pytest.approx(1)


def slow_hash(image):
    small = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS), dtype=float)
    low = [
        sum(
            small[y, x] * math.cos(math.pi * u * (2 * y + 1) / 64) * math.cos(math.pi * v * (2 * x + 1) / 64)
            for y in range(32)
            for x in range(32)
        )
        for u in range(8)
        for v in range(8)
    ]
    middle = statistics.median(low)
    return int("".join("1" if value > middle else "0" for value in low), 2)


def test_phash_counts_the_bits_that_differ(save):
    one, two = drawn(5), drawn(6)
    paths = save(one, "a.png"), save(two, "b.png")
    assert likeness.phash(*paths) == (slow_hash(one) ^ slow_hash(two)).bit_count() > 10
    assert likeness.phash(paths[0], save(one.resize((96, 80)), "c.png")) <= 2
    assert likeness.phash(paths[0], save(one, "d.jpg", quality=60)) <= 4
    assert likeness.hash_of(Image.new("RGB", (64, 64), "#777")) == likeness.hash_of(Image.new("RGB", (9, 30), "#888"))


def thumbnail(image):
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=70)
    return buffer.getvalue()


def test_a_fingerprint_tells_colours_that_a_hash_does_not_see():
    red, blue = Image.new("RGB", (64, 64), "#a05040"), Image.new("RGB", (64, 64), "#4060a0")
    for image in (red, blue):
        ImageDraw.Draw(image).ellipse((10, 10, 50, 50), fill="white")
    one, two = likeness.fingerprint(thumbnail(red)), likeness.fingerprint(thumbnail(blue))
    assert (one.bits ^ two.bits).bit_count() <= 4
    assert one.distance(two) == 64
    assert one.distance(likeness.fingerprint(thumbnail(red.resize((80, 80))))) <= 2


def test_transparency_lies_on_white_and_a_turned_photo_is_turned(save):
    assert looks.brightness(save(Image.new("RGBA", (8, 8), (0, 0, 0, 0)))) == pytest.approx(1)
    sideways = Image.Exif()
    sideways[0x0112] = 6
    turned = save(drawn(7), "turned.jpg", exif=sideways, quality=95)
    upright = save(drawn(7).transpose(Image.Transpose.ROTATE_270), "upright.png")
    assert likeness.ssim(upright, turned) > 0.9


def test_a_film_is_scored_by_a_frame(tmp_path):
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            out.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 48), "#808080"))))
        out.mux(stream.encode(None))
    assert looks.brightness(path) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\nnonsense", b"RIFF\x04\x00\x00\x00WAVE", b"words"])
def test_what_is_no_picture_is_refused_in_one_line(tmp_path, data):
    path = tmp_path / "evil\x1b[31m.png"
    path.write_bytes(data)
    with pytest.raises(FileError) as caught:
        looks.brightness(path)
    assert str(caught.value).isprintable()


def test_a_picture_of_too_many_pixels_is_never_unpacked(save):
    path = save(Image.new("1", (8200, 8200)), "bomb.png")
    with pytest.raises(FileError, match="8200×8200 pixels are too many"):
        looks.sharpness(path)


def test_text_length_counts_characters():
    assert looks.text_length(Result({"output": "grüße"})) == 5
    with pytest.raises(FileError, match="no text"):
        looks.text_length(Result({"seed": 1}))


def test_the_same_code_is_told_from_other_code_and_from_its_defaults():
    def made(body):
        space = {}
        exec(body, space)
        return code_of(space["scorer"])

    one = "def scorer(x, y=1):\n    return x in {'a', 'b', 'c'}"
    assert made(one) == made(f"\n\n{one}  # said elsewhere")
    assert len({made(one), made(one.replace("'c'", "'d'")), made(one.replace("=1", "=2"))}) == 3
    assert code_of(len) == ""


@pytest.mark.slow
def test_code_is_told_the_same_in_another_process():
    told = (
        "from fal_nb.scoring.measuring import code_of\n"
        "def scorer(x):\n    return x in {'alpha', 'beta', 'gamma', 'delta', 'epsilon'}\n"
        "print(code_of(scorer))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", told], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
