"""The schemas that a sweep was planned under, as a text beside its plan.

A cell's key leaves out what is at the endpoint's default, so that under another schema the same plan has other keys:
its cells would be called again. With its own schemas a sweep that is found again is the sweep that was planned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.written import read_written, write_schema

__all__ = ["read_schemas", "schemas_text"]


def schemas_text(schemas: Mapping[str, EndpointSchema | None]) -> str:
    """Return the text for some endpoints' schemas; one that could not be had stays one that could not."""
    return json.dumps({name: None if schema is None else write_schema(schema) for name, schema in schemas.items()})


def read_schemas(text: str | None) -> dict[str, EndpointSchema | None] | None:
    """Return what `schemas_text` wrote; None where there is nothing, or nothing that this version can read."""
    try:
        kept = json.loads(text or "null")
        if not isinstance(kept, dict):
            return None
        return {name: None if schema is None else read_written(schema) for name, schema in kept.items()}
    except (ValueError, RecursionError):
        return None
