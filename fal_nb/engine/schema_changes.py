"""What of an endpoint's schema is kept with a call, and what has changed since, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fal_nb.schemas.types import Missing
from fal_nb.schemas.words import show_value

if TYPE_CHECKING:
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["changes_between", "schema_rows"]

_KEPT = ("name", "type", "default", "values", "required")
_MOST_NAMED = 8


def schema_rows(schema: EndpointSchema) -> list[dict[str, Any]]:
    """Return what is kept of a schema, one entry an input; no ``default`` where it states none."""
    return [{name: row[name] for name in _KEPT if not isinstance(row[name], Missing)} for row in schema.rows()]


def changes_between(before: Iterable[Mapping[str, Any]] | None, after: Iterable[Mapping[str, Any]]) -> str:
    """Return in words what has changed between two schemas, as `schema_rows` keeps them."""
    if before is None:
        return "what has changed is not known"
    old, new = ({str(row["name"]): row for row in rows} for rows in (before, after))
    parts = [
        _named(
            "new",
            [name + (" (required)" if row.get("required") else "") for name, row in new.items() if name not in old],
        ),
        _named("gone", [name for name in old if name not in new]),
        *[change for name in new if name in old for change in _changes(name, old[name], new[name])],
    ]
    found = [part for part in parts if part]
    if len(found) > _MOST_NAMED:
        found = [*found[:_MOST_NAMED], f"and {len(found) - _MOST_NAMED} more changes"]
    return "; ".join(found) or "only within its inputs' parts"


def _changes(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    changes = []
    if old.get("default") != new.get("default") or ("default" in old) != ("default" in new):
        changes.append(f"the default of {name} was {_shown(old)} and is {_shown(new)}")
    if old["type"] != new["type"] or old["values"] != new["values"]:
        before, after = (f"{row['type']} {row['values']}".strip() for row in (old, new))
        changes.append(f"{name} took {before} and takes {after}")
    if old["required"] != new["required"]:
        changes.append(f"{name} is {'required now' if new['required'] else 'no longer required'}")
    return changes


def _shown(row: Mapping[str, Any]) -> str:
    return show_value(row["default"]) if "default" in row else "none"


def _named(what: str, names: Sequence[str]) -> str:
    return f"{what}: {', '.join(names)}" if names else ""
