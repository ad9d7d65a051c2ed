"""The OpenAPI document of an endpoint, in the shape of those fal publishes, made from its pydantic models."""

from __future__ import annotations

import re
from typing import Any

from fal_nb.simulator.endpoints.endpoint import SimulatedEndpoint

__all__ = ["openapi_document"]

_REF = "#/components/schemas/"
_REQUEST_ID = {
    "name": "request_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "description": "Request ID"},
}
_LOGS = {
    "name": "logs",
    "in": "query",
    "required": False,
    "schema": {
        "type": "number",
        "description": "Whether to include logs (`1`) in the response or not (`0`).",
    },
}
_QUEUE_STATUS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]},
        "request_id": {"type": "string", "description": "The request id."},
        "response_url": {"type": "string", "description": "The response url."},
        "status_url": {"type": "string", "description": "The status url."},
        "cancel_url": {"type": "string", "description": "The cancel url."},
        "logs": {"type": "object", "description": "The logs.", "additionalProperties": True},
        "metrics": {"type": "object", "description": "The metrics.", "additionalProperties": True},
        "queue_position": {"type": "integer", "description": "The queue position."},
    },
    "required": ["status", "request_id"],
}


def openapi_document(endpoint: SimulatedEndpoint, base_url: str) -> dict[str, Any]:
    """Return the document of one endpoint.

    Source: fal's published documents (fal-ai/flux-lora and others); fal 1.83.0 for the ``x-fal-`` extensions.
    """
    name = _pascal(endpoint.endpoint_id)
    shared: dict[str, Any] = {}
    schemas = {
        "QueueStatus": _QUEUE_STATUS,
        f"{name}Input": _schema(endpoint.input_model.model_json_schema(ref_template=_REF + "{model}"), shared),
        f"{name}Output": _schema(endpoint.output_model.model_json_schema(ref_template=_REF + "{model}"), shared),
    }
    return {
        "openapi": "3.0.4",
        "info": _info(endpoint, base_url),
        "components": {
            "securitySchemes": {
                "apiKeyAuth": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "Fal Key",
                }
            },
            "schemas": schemas | shared,
        },
        "paths": _paths(endpoint.endpoint_id, name),
        "servers": [{"url": f"{base_url}/queue"}],
        "security": [{"apiKeyAuth": []}],
    }


def _info(endpoint: SimulatedEndpoint, base_url: str) -> dict[str, Any]:
    endpoint_id = endpoint.endpoint_id
    return {
        "title": f"Queue OpenAPI for {endpoint_id}",
        "version": "1.0.0",
        "description": f"The OpenAPI schema for the {endpoint_id} queue.",
        "x-fal-metadata": {
            "endpointId": endpoint_id,
            "category": endpoint.category,
            "thumbnailUrl": f"{base_url}/cdn/thumbnails/{endpoint_id}.jpg",
            "playgroundUrl": f"https://fal.ai/models/{endpoint_id}",
            "documentationUrl": f"https://fal.ai/models/{endpoint_id}/api",
        },
    }


def _paths(endpoint_id: str, name: str) -> dict[str, Any]:
    request = f"/{endpoint_id}/requests/{{request_id}}"
    cancelled = {
        "type": "object",
        "properties": {
            "success": {"type": "boolean", "description": "Whether the request was cancelled successfully."}
        },
    }
    return {
        f"{request}/status": {
            "get": {
                "parameters": [_REQUEST_ID, _LOGS],
                "responses": _answer("The request status.", {"$ref": f"{_REF}QueueStatus"}),
            }
        },
        f"{request}/cancel": {
            "put": {"parameters": [_REQUEST_ID], "responses": _answer("The request was cancelled.", cancelled)}
        },
        f"/{endpoint_id}": {
            "post": {
                "parameters": [],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": f"{_REF}{name}Input"}}},
                },
                "responses": _answer("The request status.", {"$ref": f"{_REF}QueueStatus"}),
            }
        },
        request: {
            "get": {
                "parameters": [_REQUEST_ID],
                "responses": _answer("Result of the request.", {"$ref": f"{_REF}{name}Output"}),
            }
        },
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}


def _schema(schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Return a model's schema; the types it uses are moved into `shared`."""
    for name, inner in schema.pop("$defs", {}).items():
        shared[name] = _schema(inner, shared)
    properties = schema.get("properties")
    if properties is None:
        return schema
    tidy: dict[str, Any] = {
        "title": schema["title"],
        "type": "object",
        "properties": {name: _property(value) for name, value in properties.items()},
        "x-fal-order-properties": list(properties),
    }
    if schema.get("required"):
        tidy["required"] = schema["required"]
    return tidy


def _property(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a property as fal writes it.

    An absent value is no default of its own; null is named only where the field takes it on purpose, which a
    field says by ``nullable`` among its extras.
    """
    schema = dict(schema)
    nullable = schema.pop("nullable", False)
    if "default" in schema and schema["default"] is None and not nullable:
        del schema["default"]
        choices = [choice for choice in schema.pop("anyOf", []) if choice != {"type": "null"}]
        schema |= choices[0] if len(choices) == 1 else {"anyOf": choices}
    return schema


def _pascal(endpoint_id: str) -> str:
    """Return the id without its owner in PascalCase: fal-ai/flux-lora → FluxLora."""
    words = re.split(r"[/\-_.]", endpoint_id.partition("/")[2])
    return "".join(word[:1].upper() + word[1:] for word in words)
