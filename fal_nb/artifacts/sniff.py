"""What a file really is, told by its first bytes: a server's word for it is only believed where bytes cannot tell.

Sources: the formats' specifications; RFC 9559 (Matroska), RFC 3533 (Ogg), ISO/IEC 14496-12 (MP4 brands),
glTF 2.0 section 4.4.
"""

from __future__ import annotations

import codecs
import re

from fal_nb.protocol.files import MediaKind, media_kind

__all__ = ["HEAD_BYTES", "kind_of", "plain_type", "settle_type", "sniff"]

HEAD_BYTES = 4096
"""How much of a file `sniff` needs to see."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"v/1\x01", "image/x-exr"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"glTF", "model/gltf-binary"),
    (0, b"ply\n", "model/ply"),
    (0, b"ply\r\n", "model/ply"),
    (0, b"Kaydara FBX Binary", "model/fbx"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x93NUMPY", "application/x-npy"),
    (257, b"ustar", "application/x-tar"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic",
    b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"qt  ": "video/quicktime",
}  # fmt: skip
_ALIASES = {
    "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-ms-bmp": "image/bmp", "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav", "audio/vnd.wave": "audio/wav", "audio/mp3": "audio/mpeg", "audio/x-flac": "audio/flac",
    "audio/x-aiff": "audio/aiff", "audio/x-aac": "audio/aac", "audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4",
    "audio/opus": "audio/ogg", "video/x-m4v": "video/mp4",
    "application/x-zip-compressed": "application/zip", "application/x-gzip": "application/gzip",
}  # fmt: skip
_MARKED = frozenset({*(content_type for _, _, content_type in _MAGIC), "text/html"} - {"application/x-tar"})
_CONTAINERS = ("application/zip", "application/gzip")
_PAGE_MARKS = ("<!doctype html", "<html", "<head", "<body", "<script")
_UNKNOWN = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,60}/[a-z0-9][a-z0-9.+_-]{0,100}\Z")
"""Source: RFC 6838 section 4.2."""


def plain_type(content_type: str | None) -> str:
    """Return a content type in lower case, without parameters, by its usual name; empty where it is none."""
    plain = (content_type or "").partition(";")[0].strip().lower()
    return _ALIASES.get(plain, plain) if _TYPE.match(plain) else ""


def sniff(head: bytes) -> str | None:
    """Return the content type that the first bytes of a file prove, or None."""
    for offset, magic, content_type in _MAGIC:
        if head.startswith(magic, offset):
            return _matroska(head) if content_type == "video/x-matroska" else content_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "audio/aiff"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if (
        head[:2] == b"BM"
        and len(head) > 26
        and head[14:18] in {b"\x0c\0\0\0", b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"}
    ):
        return "image/bmp"
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] in {b"G", b""} and len(head) > 188:
        return "video/mp2t"
    return _audio_frame(head) or _text(head)


def settle_type(sniffed: str | None, claimed: str) -> str:
    """Return the content type to go by.

    Parameters
    ----------
    sniffed
        What `sniff` found.
    claimed
        What the server or the file's name says, by `plain_type`; it decides only between what the bytes allow.
    """
    family = claimed.partition("/")[0]
    if sniffed in _CONTAINERS:
        is_media = family in {"", "image", "video", "audio", "text"} or claimed == _UNKNOWN
        return sniffed if is_media else claimed
    if sniffed == "audio/ogg":
        return claimed if claimed == "video/ogg" else sniffed
    if sniffed is not None and sniffed != "text/plain":
        return sniffed
    # Bytes without a mark may be weights, a mesh, subtitles; but not what would have had a mark.
    is_possible = claimed not in _MARKED and family not in {"", "image", "video", "audio"} and claimed != _UNKNOWN
    if sniffed == "text/plain":
        return claimed if is_possible else sniffed
    return claimed if is_possible and family != "text" else _UNKNOWN


def kind_of(content_type: str) -> MediaKind:
    """Return the kind of a settled content type; drawings that can hold scripts are files, not pictures."""
    return "file" if content_type == "image/svg+xml" else media_kind(content_type, "")


def _matroska(head: bytes) -> str:
    return "video/webm" if b"webm" in head[:64] else "video/x-matroska"


def _audio_frame(head: bytes) -> str | None:
    """Tell MPEG audio and ADTS AAC, which begin with a frame and no name."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer, has_rate = head[1] & 0x06, head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C
    if layer == 0x02 and has_rate:
        return "audio/mpeg"
    return "audio/aac" if layer == 0 and head[1] & 0xF0 == 0xF0 else None


def _text(head: bytes) -> str | None:
    """Tell texts, and among them the two that browsers run: HTML and SVG."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text/plain"
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return None
    if not head or any(character < " " and character not in "\t\n\v\f\r\x1b" for character in text):
        return None
    lower = text.lstrip().lower()
    if lower.startswith("<"):
        page = min((at for at in map(lower.find, _PAGE_MARKS) if at >= 0), default=len(lower))
        drawing = lower.find("<svg")
        if 0 <= drawing < page:
            return "image/svg+xml"
        if page < len(lower):
            return "text/html"
    return "text/plain"
