"""Code that a view needs only now and then, sent to the page in parts as bytes when it asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fal_nb.views.media import CHUNK_BYTES
from fal_nb.views.view import Post, bundle_text

__all__ = ["VIEWER_MODULES", "send_module"]

VIEWER_MODULES = ("three", "viewer")
"""What shows solids, in the order in which it is imported. An exported page carries the `bundle_text` of each."""


def send_module(content: Mapping[str, Any], post: Post) -> None:
    """Answer a page's request for a module; anything but one of `VIEWER_MODULES` is ignored.

    Raises
    ------
    ConfigError
        Where the bundles were not built.
    """
    name = content.get("name")
    if name not in VIEWER_MODULES:
        return
    data = bundle_text(str(name)).encode()
    digest = hashlib.sha256(data).hexdigest()[:16]
    parts = range(0, len(data), CHUNK_BYTES)
    for part, at in enumerate(parts):
        about = {"kind": "module", "name": name, "digest": digest, "part": part, "parts": len(parts)}
        post(about, data[at : at + CHUNK_BYTES])
