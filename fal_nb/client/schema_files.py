"""The documents of endpoints that are kept on disk: found, listed and read without the client."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fal_nb.errors import FalError
from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.openapi import read_schema

__all__ = ["KeptSchema", "SchemaFiles", "kept_form"]

_HEAD_BYTES = 300
_HEAD = re.compile(rb'\{"endpoint": "([^"\\]+)"')


@dataclass(frozen=True, slots=True)
class KeptSchema:
    """A schema and when it was fetched, in Unix time."""

    schema: EndpointSchema
    fetched_at: float


class SchemaFiles:
    """One folder of documents. Every method reads files and nothing else; any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: dict[str, str | None] = {}

    def path(self, server: str, endpoint: str) -> Path:
        """Return where the document that a server publishes of an endpoint is kept."""
        name = hashlib.sha256(f"{server}\n{endpoint}".encode()).hexdigest()[:32]
        return self.folder / f"{name}.json"

    def read(self, server: str, endpoint: str) -> KeptSchema | None:
        """Return what is kept; what cannot be read counts as absent."""
        try:
            kept: Any = json.loads(self.path(server, endpoint).read_bytes())
            return KeptSchema(read_schema(endpoint, kept["document"]), float(kept["fetched_at"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError, FalError):
            return None

    def endpoints(self) -> list[str]:
        """Return the ids of all endpoints of which a document is kept; each file is looked into once."""
        try:
            with os.scandir(self.folder) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(".json")]
        except OSError:
            return []
        for name in names:
            if name not in self._names:
                self._names[name] = self._endpoint_in(name)
        return sorted({endpoint for name in names if (endpoint := self._names[name])})

    def _endpoint_in(self, name: str) -> str | None:
        """Return the id that stands at a file's head, so that no document has to be read whole."""
        try:
            with (self.folder / name).open("rb") as file:
                found = _HEAD.match(file.read(_HEAD_BYTES))
            return found[1].decode() if found else None
        except (OSError, ValueError):
            return None


def kept_form(endpoint: str, fetched_at: float, document: JSON) -> dict[str, JSON]:
    """Return what a file holds; the endpoint first, where `SchemaFiles.endpoints` finds it."""
    return {"endpoint": endpoint, "fetched_at": fetched_at, "document": document}
