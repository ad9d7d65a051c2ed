"""What is kept on disk between kernels to spare a request: whole or absent, and never in anybody's way."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from pathlib import Path

from fal_nb.protocol.status import JSON

__all__ = ["keep", "list_file"]


def list_file(home: Path, api: str, what: str) -> Path:
    """Return where a list of one server is kept, its ``prices`` or its ``models``."""
    name = hashlib.sha256(api.encode()).hexdigest()[:16]
    return home / f"{what}-{name}.json"


def keep(file: Path, value: JSON) -> None:
    """Write JSON in the place of a file; a disk that takes nothing costs a request later, nothing else. Blocks."""
    half = file.with_name(f"{file.stem}.{secrets.token_hex(4)}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(json.dumps(value), "utf-8")
        os.replace(half, file)  # noqa: PTH105 - the one call that replaces on every system
    except OSError:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
