"""How long files live at fal and who may read them: the official client's classes, and what they are on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from fal_nb.errors import ConfigError
from fal_nb.protocol.status import JSON

__all__ = [
    "Lifecycle",
    "ObjectExpiration",
    "StorageACL",
    "StorageACLDecision",
    "StorageACLRule",
    "StorageSettings",
    "life_s",
    "lifecycle_body",
    "lifecycle_header",
]

_Name: TypeAlias = Literal["never", "immediate", "1h", "1d", "7d", "30d", "1y"]
ObjectExpiration: TypeAlias = _Name | int
"""``never`` leaves it to the account; ``immediate`` is 60 s, because 0 means for ever; an integer is seconds."""
StorageACLDecision: TypeAlias = Literal["hide", "forbid", "allow"]

_SECONDS: Mapping[str, int | None] = {
    "never": None,
    "immediate": 60,
    "1h": 3_600,
    "1d": 86_400,
    "7d": 604_800,
    "30d": 2_592_000,
    "1y": 31_536_000,
}


@dataclass(frozen=True)
class StorageACLRule:
    """What one user may do. Source: fal-client 1.0.3 ``StorageACLRule``."""

    user: str
    decision: StorageACLDecision


@dataclass(frozen=True)
class StorageACL:
    """Who may read a file. Source: fal-client 1.0.3 ``StorageACL``."""

    default: StorageACLDecision | None = None
    rules: list[StorageACLRule] | None = None


@dataclass(frozen=True)
class StorageSettings:
    """How long a file lives, and who may read it.

    Raises
    ------
    ConfigError
        Where `expires_in` is no duration.

    Source: fal-client 1.0.3 ``StorageSettings``.
    """

    expires_in: ObjectExpiration | None = None
    initial_acl: StorageACL | None = None

    def __post_init__(self) -> None:
        if self.expires_in is not None:
            _seconds(self.expires_in)


Lifecycle: TypeAlias = StorageSettings | Mapping[str, Any]
"""Settings, or the mapping that the service itself takes."""


def lifecycle_body(value: Lifecycle | None) -> dict[str, JSON] | None:
    """Return ``{"expiration_duration_seconds", "initial_acl"}`` with what is set, or None where nothing is.

    Raises
    ------
    ConfigError
        Where it is neither `StorageSettings` nor a mapping.

    Source: fal docs "Platform Headers"; fal-client 1.0.3 ``_normalize_upload_lifecycle``.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return dict(value) or None
    if not isinstance(value, StorageSettings):
        raise ConfigError(f"A lifecycle is StorageSettings(expires_in=…, initial_acl=…), not {type(value).__name__}.")
    body: dict[str, JSON] = {}
    seconds = None if value.expires_in is None else _seconds(value.expires_in)
    if seconds is not None:
        body["expiration_duration_seconds"] = seconds
    acl = _acl_body(value.initial_acl)
    if acl:
        body["initial_acl"] = acl
    return body or None


def lifecycle_header(value: Lifecycle | None) -> str | None:
    """Return the value of ``X-Fal-Object-Lifecycle-Preference``, or None where nothing is to be sent.

    Raises
    ------
    ConfigError
        Where it cannot be one.
    """
    body = lifecycle_body(value)
    try:
        return None if body is None else json.dumps(body)
    except (TypeError, ValueError):
        raise ConfigError("A lifecycle must be plain JSON.") from None


def life_s(value: Lifecycle | None) -> float | None:
    """Return the seconds a file lives by it, or None where that is left to the account."""
    seconds = (lifecycle_body(value) or {}).get("expiration_duration_seconds")
    return float(seconds) if isinstance(seconds, (int, float)) else None


def _seconds(expires_in: object) -> int | None:
    if isinstance(expires_in, int) and not isinstance(expires_in, bool) and expires_in > 0:
        return expires_in
    if isinstance(expires_in, str) and expires_in in _SECONDS:
        return _SECONDS[expires_in]
    names = ", ".join(get_args(_Name))
    raise ConfigError(f"expires_in is one of {names}, or a number of seconds above 0, not {str(expires_in)[:40]!r}.")


def _acl_body(acl: StorageACL | None) -> dict[str, JSON]:
    if acl is None:
        return {}
    body: dict[str, JSON] = {} if acl.default is None else {"default": acl.default}
    if acl.rules:
        body["rules"] = [{"user": rule.user, "decision": rule.decision} for rule in acl.rules]
    return body
