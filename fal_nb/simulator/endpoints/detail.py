"""Validation errors in the service's words: location under ``body``, message, type, context and a link."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

__all__ = ["field_error", "validation_detail"]

_DOCS = "https://docs.fal.ai/errors/#"


def validation_detail(error: ValidationError) -> list[dict[str, Any]]:
    """Return pydantic's errors as fal's ``detail`` list. Source: fal docs "Model Errors"."""
    return [_item(found) for found in error.errors(include_url=False)]


def field_error(
    field: str, error_type: str, message: str, given: Any = None, context: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return a ``detail`` list of one error about one argument."""
    return [_described(["body", field], message, error_type, given, context)]


def _item(found: Any) -> dict[str, Any]:
    context = {key: _plain(value) for key, value in found.get("ctx", {}).items()}
    return _described(["body", *found["loc"]], found["msg"], found["type"], found.get("input"), context)


def _described(
    loc: list[Any], message: str, error_type: str, given: Any, context: dict[str, Any] | None
) -> dict[str, Any]:
    body: dict[str, Any] = {"loc": loc, "msg": message, "type": error_type, "input": given}
    if context:
        body["ctx"] = context
    body["url"] = f"{_DOCS}{error_type}"
    return body


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, type(None))) else str(value)
