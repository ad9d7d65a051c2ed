"""Which inputs take a file, and of which kind: by the schema's mark where there is one, else by the input's name.

Counted over the endpoint types of fal's JavaScript client: every input that takes a file's URL ends in ``_url`` or
``_urls``, and no other does; a handful of plain texts take one as well. Source: @fal-ai/client 1.10.1
``types/endpoints.d.ts``.
"""

from __future__ import annotations

from collections.abc import Mapping

from fal_nb.protocol.status import JSON
from fal_nb.schemas.types import FileKind

__all__ = ["file_kind"]

_UNSUFFIXED: Mapping[str, FileKind] = {
    "garment_image": "image",
    "model_image": "image",
    "image_source": "image",
    "audio_url_person1": "audio",
    "audio_url_person2": "audio",
    "txt_font": "file",
}
_RULES: tuple[tuple[FileKind, tuple[str, ...]], ...] = (
    ("weights", ("lora", "embedding", "base_model_url", "ic_light_model_url")),
    ("mesh", ("mesh", "model_url", "input_file_url", "glb", "obj_url")),
    ("file", ("pointmap", "pdf", "srt", "font", "media", "config", "file_url")),
    ("audio", ("audio", "voice", "impulse")),
    ("video", ("video",)),
)
_ARCHIVES = ("data_url", "image_archive_url")
_MARKS: Mapping[str, FileKind] = {"image": "image", "video": "video", "audio": "audio", "file": "file"}
_FORMATS = frozenset({"uri", "url", "data-uri"})
_NOT_FILES = ("webhook_url", "callback_url", "base_url", "repo_url", "website_url", "page_url")


def file_kind(name: str, schema: Mapping[str, JSON]) -> FileKind | None:
    """Return what kind of file a text input takes, or None where it takes none.

    Parameters
    ----------
    name
        The input's own name; of a list, the list's.
    schema
        The text's schema; its ``ui`` mark wins over the name.
    """
    ui = schema.get("ui")
    marked = _MARKS.get(str(ui.get("field"))) if isinstance(ui, Mapping) else None
    by_name = _by_name(name.lower())
    if marked and marked != "file":
        return marked
    return by_name or marked or ("file" if str(schema.get("format")) in _FORMATS else None)


def _by_name(name: str) -> FileKind | None:
    if name in _UNSUFFIXED:
        return _UNSUFFIXED[name]
    name = name.removesuffix("s") if name.endswith("_urls") else name
    if not (name == "url" or name.endswith("_url")) or name in _NOT_FILES:
        return None
    if name.endswith(_ARCHIVES):
        return "archive"
    for kind, words in _RULES:
        if any(word in name for word in words):
            return kind
    return "file" if name == "url" else "image"
