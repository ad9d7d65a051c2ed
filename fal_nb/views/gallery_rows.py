"""What a gallery's page is told of its outputs, as plain data: live in messages, in an export in the file itself.

Every text in it is fit to be shown and cut to a length; every number is one that a page reads as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fal_nb.plain import plain_text
from fal_nb.views.gallery_look import Facet, OutputLook

__all__ = ["LABEL_CHARS", "cut", "facet_rows", "item_row", "page_value"]

LABEL_CHARS = 120
_TEXT_CHARS = 160
_READ_CHARS = 500
_DIGEST_CHARS = 16


def item_row(look: OutputLook) -> list[Any]:
    """Return a tile as the page reads it (``ItemRow`` in ``js/src/lib/gallery_messages.ts``)."""
    artifact = look.artifact
    return [
        artifact.kind,
        cut(artifact.content_type, 60),
        (artifact.digest or "")[:_DIGEST_CHARS],
        artifact.width,
        artifact.height,
        None if artifact.duration_s is None else round(artifact.duration_s, 2),
        artifact.size_bytes,
        cut(artifact.text, _READ_CHARS),
        look.record,
        look.position,
        cut(look.endpoint),
        cut(look.prompt, _TEXT_CHARS),
        page_value(look.seed),
        None if look.cost is None else float(f"{look.cost:.6g}"),
        None if look.total_s is None else round(look.total_s, 2),
        look.rating,
        [cut(tag, 60) for tag in look.tags],
        1 if look.note else 0,
        round(look.created),
        cut(artifact.error, _TEXT_CHARS),
        1 if look.is_hidden else 0,
    ]


def facet_rows(facets: Sequence[Facet]) -> list[list[Any]]:
    """Return what can be filtered by as the page reads it (``Facet`` in the same file)."""
    return [[cut(each.name), [[page_value(value), count] for value, count in each.counts]] for each in facets]


def page_value(value: Any) -> Any:
    """Return a plain value as JSON that no page takes for another one: whole numbers beyond its precision as texts."""
    if isinstance(value, str):
        return plain_text(value, LABEL_CHARS)
    if type(value) is int and abs(value) > 2**53:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float)) else None


def cut(text: str | None, most: int = LABEL_CHARS) -> str:
    """Return text fit to be shown, at most so many characters of it."""
    return plain_text(text or "", most)
