"""What the subcommands about the catalogue do, as in ``handlers.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fal_nb.magics.catalogue_commands import (
    AdviceArguments,
    CatalogueArguments,
    ModelsArguments,
    SchemaArguments,
    UsageArguments,
)

if TYPE_CHECKING:
    from fal_nb.workbench import Workbench

__all__ = ["handle_catalogue"]


def handle_catalogue(bench: Workbench, command: CatalogueArguments, assign: Callable[[str, Any], None]) -> Any:
    """Carry out one command, and return what the cell shows."""
    match command:
        case ModelsArguments():
            value: Any = _models(command)
        case SchemaArguments():
            value = bench.session.schema(command.endpoint)
        case AdviceArguments():
            value = _advice(command)
        case UsageArguments():
            from fal_nb.api_usage import usage  # noqa: PLC0415 - loaded when first asked for

            value = usage(command.days)
    if command.var:
        assign(command.var, value)
    return None if command.silenced else value


def _advice(command: AdviceArguments) -> Any:
    from fal_nb import api_catalogue  # noqa: PLC0415 - loaded when first asked

    return api_catalogue.docs(command.words) if command.subcommand == "docs" else api_catalogue.recommend(command.words)


def _models(command: ModelsArguments) -> Any:
    from fal_nb.api_catalogue import models  # noqa: PLC0415 - loaded with the first look

    return models(
        command.words,
        category=command.category or None,
        tags=command.tags or None,
        kind=command.kind,
        license=command.license,
        status=command.status,
        sort=command.sort,
        limit=command.limit,
        refresh=command.refresh,
    )
