"""Endpoint ids: one frozen value, parsed by the rule both official clients use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fal_nb.errors import EndpointError

__all__ = ["NAMESPACES", "EndpointId"]

NAMESPACES = ("workflows", "comfy")
"""First segments that stand before the owner. Source: fal-client 1.0.3 ``AppId``, fal-js ``parseEndpointId``."""

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*\Z")
_LEGACY = re.compile(r"(\d+)-([A-Za-z0-9-]+)\Z")


@dataclass(frozen=True, slots=True)
class EndpointId:
    """``[namespace/]owner/alias[/path…]``, for example ``fal-ai/flux/schnell``."""

    owner: str
    alias: str
    path: str = ""
    namespace: str = ""

    @classmethod
    def parse(cls, text: str) -> EndpointId:
        """Return the endpoint id written in `text`.

        Raises
        ------
        EndpointError
            Where it is not ``owner/alias[/path…]``.

        Source: fal-client 1.0.3 ``AppId.from_endpoint_id``, fal-js ``libs/client/src/utils.ts``.
        """
        if not isinstance(text, str):
            raise EndpointError(f"An endpoint is a text such as fal-ai/flux/dev, not a {type(text).__name__}.")
        cleaned = text.strip().strip("/")
        legacy = _LEGACY.match(cleaned)
        if legacy:
            cleaned = f"{legacy[1]}/{legacy[2]}"
        parts = cleaned.split("/")
        namespace = parts.pop(0) if parts[0] in NAMESPACES else ""
        if len(parts) < 2 or not all(_SEGMENT.match(part) for part in parts):
            shown = text if len(text) <= 80 else text[:79] + "…"
            raise EndpointError(
                f"{shown!r} is not an endpoint id: write owner/alias or owner/alias/path, like fal-ai/flux/dev.",
                endpoint=shown,
            )
        return cls(parts[0], parts[1], "/".join(parts[2:]), namespace)

    @property
    def base(self) -> str:
        """The part that status, result and cancel URLs use: without the path."""
        return "/".join(part for part in (self.namespace, self.owner, self.alias) if part)

    def __str__(self) -> str:
        return f"{self.base}/{self.path}" if self.path else self.base
