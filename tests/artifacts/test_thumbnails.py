import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from fal_nb.artifacts.thumbnails import MAX_BYTES, MAX_PIXELS, MAX_SIDE, encode_thumbnail


def opened(artifact):
    image = Image.open(io.BytesIO(artifact.thumbnail))
    assert image.format == "WEBP"
    assert max(image.size) <= MAX_SIDE
    assert len(artifact.thumbnail) <= MAX_BYTES
    image.load()
    return image


def near(pixel, wanted, within=40):
    return all(abs(have - want) <= within for have, want in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_a_picture_of_any_format_gets_its_size_and_a_small_copy(described, picture, kind):
    if kind == "AVIF" and "AVIF" not in (Image.init(), Image.SAVE)[1]:
        pytest.skip("this Pillow has no AVIF")
    artifact = described(picture(kind, (640, 320)))
    assert (artifact.kind, artifact.width, artifact.height, artifact.error) == ("image", 640, 320, None)
    assert artifact.content_type == f"image/{kind.lower()}"
    small = opened(artifact)
    assert small.size == (320, 160)
    assert near(small.convert("RGB").getpixel((40, 80)), (255, 0, 0))
    assert near(small.convert("RGB").getpixel((280, 80)), (0, 0, 255))


def test_a_small_picture_is_not_blown_up(described, picture):
    assert opened(described(picture(size=(17, 9)))).size == (17, 9)


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1)])
def test_extreme_shapes_keep_at_least_one_pixel(described, picture, size):
    assert min(opened(described(picture(size=size))).size) == 1


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("size", [(320, 320), (800, 600)])
def test_noise_fits_the_limit(described, picture, size, alpha):
    opened(described(picture(size=size, noise=True, alpha=alpha, compress_level=1)))


def test_the_limit_is_met_with_the_best_of_the_steps_that_fit():
    flat = Image.new("RGB", (320, 320), (9, 90, 200))
    assert Image.open(io.BytesIO(encode_thumbnail(flat))).size == (320, 320)
    soft = Image.effect_noise((320, 320), 60).convert("RGB")
    data = encode_thumbnail(soft)
    assert MAX_BYTES / 8 < len(data) <= MAX_BYTES


def test_transparency_is_kept(described, picture):
    small = opened(described(picture(alpha=True)))
    assert small.mode == "RGBA"
    assert small.getpixel((40, 100))[3] < 10
    assert small.getpixel((280, 100))[3] > 245


def test_transparency_of_a_palette_is_kept(described):
    image = Image.new("P", (40, 40), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(1, (20, 0, 40, 40))
    buffer = io.BytesIO()
    image.save(buffer, "GIF", transparency=0)
    small = opened(described(buffer.getvalue())).convert("RGBA")
    assert small.getpixel((5, 20))[3] < 10
    assert near(small.getpixel((35, 20)), (0, 255, 0, 255))


@pytest.mark.parametrize(("code", "size", "red"), [
    (1, (300, 200), (20, 100)), (2, (300, 200), (280, 100)), (3, (300, 200), (280, 100)), (4, (300, 200), (20, 100)),
    (5, (200, 300), (100, 20)), (6, (200, 300), (100, 20)), (7, (200, 300), (100, 280)), (8, (200, 300), (100, 280)),
])  # fmt: skip
def test_the_camera_s_orientation_is_applied(described, picture, code, size, red):
    exif = Image.Exif()
    exif[0x0112] = code
    artifact = described(picture("JPEG", (300, 200), exif=exif))
    assert (artifact.width, artifact.height) == size
    small = opened(artifact)
    assert small.size == size
    assert near(small.getpixel(red), (255, 0, 0))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_data_does_no_harm(described, picture):
    artifact = described(picture("JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff garbage"))
    assert artifact.error is None
    assert near(opened(artifact).getpixel((40, 100)), (255, 0, 0))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK", "I", "F"])
def test_pictures_of_every_mode_become_thumbnails(described, mode):
    image = Image.new("L", (500, 400), 30)
    image.paste(220, (250, 0, 500, 400))
    if mode in {"I;16", "I", "F"}:
        pixels = np.asarray(image).astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]) * 200
        image = Image.fromarray(pixels)
    else:
        image = image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG" if mode not in {"CMYK", "F", "I"} else "TIFF")
    artifact = described(buffer.getvalue())
    assert artifact.error is None
    small = np.asarray(opened(artifact).convert("L")).astype(float)
    middle = small.shape[1] // 2
    assert small[:, middle + 2 :].mean() - small[:, : middle - 2].mean() > 100


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_shows_its_first_frame(described, kind):
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=100)
    artifact = described(buffer.getvalue())
    assert artifact.kind == "image"
    assert near(opened(artifact).convert("RGB").getpixel((32, 32)), (255, 0, 0))


def png_that_claims(width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def webp_that_claims(width, height):
    body = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + (width - 1).to_bytes(3, "little")
    body += (height - 1).to_bytes(3, "little")
    body += b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def lossless_webp_that_claims(width, height):
    bits = (width - 1) | (height - 1) << 14
    body = b"VP8L" + struct.pack("<I", 100) + b"\x2f" + struct.pack("<I", bits) + bytes(95)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def lossy_webp_that_claims(width, height):
    body = b"VP8 " + struct.pack("<I", 100) + b"\x30\x01\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(90)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize("bomb", [png_that_claims, webp_that_claims, lossless_webp_that_claims, lossy_webp_that_claims])
@pytest.mark.parametrize("size", [(8193, 8192), (16000, 16000)])
def test_a_bomb_is_named_and_not_decoded(described, bomb, size):
    artifact = described(bomb(*size))
    assert artifact.thumbnail is None
    assert artifact.digest
    assert (artifact.kind, artifact.width, artifact.height) == ("image", *size)
    assert "pixels" in artifact.error
    assert "\n" not in artifact.error


def test_a_bomb_in_gif_is_named_too(described):
    data = (
        b"GIF89a"
        + struct.pack("<HH", 65535, 65535)
        + b"\x80\0\0"
        + bytes(6)
        + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;"
    )
    artifact = described(data)
    assert artifact.thumbnail is None
    assert "65535×65535" in artifact.error


@pytest.mark.slow
def test_the_largest_allowed_picture_is_still_decoded(described):
    image = Image.new("1", (8192, 8192), 1)
    assert image.width * image.height == MAX_PIXELS
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert opened(described(buffer.getvalue())).size == (320, 320)


@pytest.mark.slow
def test_a_plain_jpeg_may_be_larger_because_it_is_scaled_while_decoded(described):
    image = Image.new("L", (16000, 5000), 128)
    plain, progressive = io.BytesIO(), io.BytesIO()
    image.save(plain, "JPEG")
    image.save(progressive, "JPEG", progressive=True)
    assert opened(described(plain.getvalue())).size == (320, 100)
    assert "16000×5000" in described(progressive.getvalue()).error
