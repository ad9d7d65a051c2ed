"""Files that are not what they are called, or more than they should be."""

import functools
import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

MIB = 1024 * 1024


@dataclass(frozen=True)
class Media:
    """What a file's URL answers.

    Attributes
    ----------
    body
        Bytes, or a function that makes them when they are asked for: an iterator's are sent without a length.
    length
        What ``content-length`` claims, where it is not the truth.
    """

    body: bytes | Any = b""
    content_type: str | None = "image/png"
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    length: int | None = None


SCRIPT_SVG = b"""<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="parent.hostile = 10">
<script>parent.hostile = 11; alert(5)</script><image href="{bait}/svg-image"/>
<foreignObject width="100" height="100"><body xmlns="http://www.w3.org/1999/xhtml"><img src="{bait}/foreign"
onerror="parent.hostile = 12"/><iframe src="{bait}/frame"/></body></foreignObject>
<use href="{bait}/use#x"/><style>@import "{bait}/svg-css"; * { fill: url({bait}/fill) }</style></svg>"""
XML_BOMB = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY x SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg"><text>&c;&x;</text></svg>"""
PAGE = b"""<!doctype html><title>x</title><script>parent.hostile = 20; alert(6)</script>
<img src="{bait}/page" onerror="parent.hostile = 21"><meta http-equiv=refresh content="0;url={bait}/refresh">"""


@functools.cache
def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@functools.cache
def png_claiming(width: int, height: int, *, rows: int = 16) -> bytes:
    """A PNG of one bit a pixel that says it is huge, and begins to be."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes((width + 7) // 8 + 1) * rows, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@functools.cache
def png_bomb(side: int) -> bytes:
    """A whole and valid PNG of `side` × `side` black pixels: some hundred kilobytes, gigabytes when decoded."""
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes((side + 7) // 8 + 1)
    data = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def png_with_text(text: bytes) -> bytes:
    """A good picture with words in it, and a compressed text that unpacks to 100 MiB."""
    whole = picture()
    bomb = chunk(b"zTXt", b"bomb\x00\x00" + zlib.compress(bytes(100 * MIB), 9))
    return whole[:33] + chunk(b"tEXt", b"Comment\x00" + text) + bomb + whole[33:]


@functools.cache
def gzip_bomb(layers: int = 1, mib: int = 64) -> bytes:
    """Zeros, packed so many times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(MIB)
    data = b"".join(packer.compress(block) for _ in range(mib)) + packer.flush()
    for _ in range(layers - 1):
        data = gzip.compress(data, 9)
    return data


@functools.cache
def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../../escaped.txt", "out of the folder")
        archive.writestr("zeros", bytes(64 * MIB))
    return buffer.getvalue()


def webp_claiming(width: int, height: int) -> bytes:
    body = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + (width - 1).to_bytes(3, "little")
    body += (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def gif_claiming(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"


def wav_claiming_hours() -> bytes:
    data = bytes(range(256)) * 32
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    return b"RIFF" + b"\xff\xff\xff\x7f" + head + b"data" + struct.pack("<I", 0x7FFFFF00) + data


def endless(block: bytes = bytes(64 * 1024)) -> Iterator[bytes]:
    while True:
        yield block


def endless_picture() -> Iterator[bytes]:
    yield picture()
    yield from endless()
