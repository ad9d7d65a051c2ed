"""The platform's catalogue: list, find and search over the simulated endpoints, with OpenAPI where it is asked for.

Source: fal Platform API document, ``/models``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.requests import Request

from fal_nb.simulator.endpoints.endpoint import SimulatedEndpoint
from fal_nb.simulator.openapi import openapi_document
from fal_nb.simulator.platform_answers import Refusal, endpoint_ids, page, several
from fal_nb.simulator.simulation import Simulation

__all__ = ["ModelsList", "model_record"]

_EXPANSIONS = frozenset({"openapi-3.0", "enterprise_status"})
_MOST_EXPANDED = 10
_STATUSES = frozenset({"active", "deprecated"})
_DEPRECATED = frozenset({"fal-ai/fast-sdxl", "fal-ai/fast-sdxl/image-to-image", "fal-ai/wizper"})
_DATES: Mapping[str, str] = MappingProxyType(
    {
        "flux": "2024-08-01", "fast-sdxl": "2023-11-20", "kling-video": "2026-02-05", "elevenlabs": "2025-03-12",
        "lcm-sd15-i2i": "2023-12-04", "fast-lcm-diffusion": "2024-01-15", "recraft": "2024-11-02",
        "minimax": "2026-01-20", "whisper": "2024-02-10", "wizper": "2024-07-01", "birefnet": "2024-09-17",
        "trellis": "2025-01-09", "trellis-2": "2025-12-18", "hunyuan3d": "2025-01-25", "stable-audio": "2024-06-20",
        "esrgan": "2023-10-02", "clarity-upscaler": "2024-08-27", "flux-lora": "2024-08-20", "flux-pro": "2024-10-03",
    }
)  # fmt: skip
"""When a family came out, roughly: what a catalogue is sorted by."""
_OTHER_DATE = "2025-06-01"


class ModelsList:
    """Answers to one address."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def answer(self, request: Request) -> dict[str, Any]:
        """Return one page of models.

        Raises
        ------
        Refusal
            Where a parameter is not one, or an endpoint is asked for that there is not.
        """
        query = request.query_params
        status, category = query.get("status"), query.get("category")
        if status is not None and status not in _STATUSES:
            raise Refusal(400, "validation_error", "status must be active or deprecated")
        expand = several(request, "expand")
        if unknown := set(expand) - _EXPANSIONS:
            raise Refusal(400, "validation_error", f"expand knows no {min(unknown)[:40]!r}")
        wanted = endpoint_ids(request, are_needed=False)
        found = [self._record(endpoint) for endpoint in await self._simulation.all_endpoints()]
        words = query.get("q", "").lower().split()
        chosen = [
            record
            for record in found
            if (not wanted or record["endpoint_id"] in wanted)
            and category in {None, record["metadata"]["category"]}
            and status in {None, record["metadata"]["status"]}
            and _holds(record, words)
        ]
        if wanted and len(wanted) != len({record["endpoint_id"] for record in found} & set(wanted)):
            raise Refusal(404, "not_found", "One of the endpoints was not found")
        most = _MOST_EXPANDED if "openapi-3.0" in expand and not wanted else 100
        body = page(chosen, request, dict, "models", most)
        for record in body["models"]:
            await self._expand(record, expand)
        return body

    def _record(self, endpoint: SimulatedEndpoint) -> dict[str, Any]:
        return model_record(endpoint, self._simulation.base_url)

    async def _expand(self, record: dict[str, Any], expand: list[str]) -> None:
        if "enterprise_status" in expand:
            record["enterprise_status"] = "pending" if record["metadata"]["status"] == "deprecated" else "ready"
        if "openapi-3.0" in expand:
            found = await self._simulation.find_endpoint(record["endpoint_id"])
            failed = {"error": {"code": "expansion_failed", "message": "The schema could not be expanded"}}
            record["openapi"] = failed if found is None else openapi_document(found[1], self._simulation.base_url)


def model_record(endpoint: SimulatedEndpoint, base_url: str) -> dict[str, Any]:
    """Return an endpoint as the catalogue writes it."""
    endpoint_id = endpoint.endpoint_id
    owner, _, path = endpoint_id.partition("/")
    family = path.partition("/")[0]
    date = f"{_DATES.get(family, _OTHER_DATE)}T00:00:00Z"
    metadata: dict[str, Any] = {
        "display_name": endpoint.title,
        "category": endpoint.category,
        "description": endpoint.description,
        "status": "deprecated" if endpoint_id in _DEPRECATED else "active",
        "tags": _tags(endpoint),
        "updated_at": date,
        "is_favorited": None,
        "thumbnail_url": f"{base_url}/cdn/thumbnails/{endpoint_id}.jpg",
        "model_url": f"https://fal.run/{endpoint_id}",
        "license_type": "commercial",
        "date": date,
        "group": {"key": f"{owner}/{family}", "label": endpoint.title},
        "kind": "inference",
        "highlighted": False,
        "pinned": False,
    }
    if endpoint.streams:
        metadata["stream_url"] = f"https://fal.run/{endpoint_id}/stream"
    return {"endpoint_id": endpoint_id, "metadata": metadata}


def _tags(endpoint: SimulatedEndpoint) -> list[str]:
    words = endpoint.endpoint_id.split("/")
    tags = [word for word in ("pro", "turbo", "lora", "dev", "schnell") if any(word in part for part in words)]
    return [*tags, "streaming"] if endpoint.streams else tags


def _holds(record: Mapping[str, Any], words: list[str]) -> bool:
    metadata = record["metadata"]
    text = " ".join(
        (
            record["endpoint_id"],
            metadata["display_name"],
            metadata["category"],
            metadata["description"],
            *metadata["tags"],
        )
    ).lower()
    return all(word in text for word in words)
