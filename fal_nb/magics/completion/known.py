"""What is known on this machine without asking anybody: endpoints, what they take, jobs, sweeps."""

from __future__ import annotations

import contextlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.client.kept import list_file
from fal_nb.client.schema_files import SchemaFiles
from fal_nb.errors import EndpointError, FalError
from fal_nb.ledger.names import HistoryNames, NamesReader
from fal_nb.magics.completion.models import KnownModels, ModelsReader
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.urls import Hosts
from fal_nb.schemas.openapi import read_schema
from fal_nb.simulator.endpoints.places import PLACES
from fal_nb.simulator.process import schemas_path

if TYPE_CHECKING:
    from pathlib import Path

    from fal_nb.engine.session import Session
    from fal_nb.schemas.endpoint_schema import EndpointSchema
    from fal_nb.workbench import Workbench

__all__ = ["Known"]

_SCHEMAS = 300
_ENDPOINT_CHARS = 120


class Known:
    """Reads caches and the history, each again only once it has changed. It sends nothing and creates nothing."""

    def __init__(self, get_bench: Callable[[], Workbench]) -> None:
        self._get_bench = get_bench
        self._files: SchemaFiles | None = None
        self._names = NamesReader()
        self._models = ModelsReader()
        self._schemas: OrderedDict[tuple[str, int], EndpointSchema | None] = OrderedDict()
        self._simulated: tuple[int, Mapping[str, Any]] = (0, {})

    def endpoints(self) -> list[str]:
        """Return ids: those called before, newest first, then all others there is a trace of."""
        called = self.history().endpoints
        others = sorted({*self._schema_files().endpoints(), *self._simulators(), *self.models().endpoints})
        return [name for name in dict.fromkeys((*called, *others)) if _is_endpoint(name)]

    def schema(self, endpoint: str) -> EndpointSchema | None:
        """Return what an endpoint takes, if it was ever fetched."""
        wire = self._session.open_wire
        schema = wire.schemas.peek(endpoint) if wire is not None else None
        if schema is not None:
            return schema
        for server in self._servers():
            schema = self._kept(server, endpoint)
            if schema is not None:
                return schema
        return self._simulated_schema(endpoint)

    def models(self) -> KnownModels:
        """Return what is kept of the catalogue."""
        wire = self._session.open_wire
        if wire is not None and wire.models.listing.models:
            return self._models.of(wire.models.listing.models)
        found = (list_file(self._home, api, "models") for api in self._hosts("api"))
        return next((models for file in found if (models := self._models.read(file)).endpoints), KnownModels())

    def history(self) -> HistoryNames:
        """Return endpoints, jobs and sweeps of the history."""
        return self._names.read(self._home / "history.sqlite")

    @property
    def aliases(self) -> Mapping[str, str]:
        """Short names of endpoints → what they stand for."""
        return self._get_bench().aliases

    @property
    def kept(self) -> list[str]:
        """Names of arguments that were kept."""
        return sorted(self._get_bench().kept)

    # -- inside ------------------------------------------------------------------------------------------

    @property
    def _session(self) -> Session:
        return self._get_bench().session

    @property
    def _home(self) -> Path:
        return self._session.home

    def _schema_files(self) -> SchemaFiles:
        folder = self._home / "schemas"
        if self._files is None or self._files.folder != folder:
            self._files = SchemaFiles(folder)
        return self._files

    def _servers(self) -> list[str]:
        return self._hosts("schema")

    def _hosts(self, service: str) -> list[str]:
        """Return where things may have come from; settings that nobody needed yet are not resolved for this."""
        wire = self._session.open_wire
        if wire is not None:
            return [getattr(wire.client.http.settings.hosts, service)]
        servers = [Hosts()]
        base = os.environ.get("FAL_NB_BASE_URL")
        with contextlib.suppress(FalError):
            servers[:0] = [Hosts.under(base)] if base else []
        return [getattr(hosts, service) for hosts in servers]

    def _kept(self, server: str, endpoint: str) -> EndpointSchema | None:
        files = self._schema_files()
        path = files.path(server, endpoint)
        try:
            mark = (str(path), os.stat(path).st_mtime_ns)  # noqa: PTH116 - one call, on the way of a key press
        except OSError:
            return None
        if mark not in self._schemas:
            kept = files.read(server, endpoint)
            self._schemas[mark] = None if kept is None else kept.schema
            while len(self._schemas) > _SCHEMAS:
                self._schemas.popitem(last=False)
        return self._schemas[mark]

    def _simulators(self) -> list[str]:
        """Return the simulator's endpoints, unless calls go elsewhere."""
        wire = self._session.open_wire
        is_elsewhere = wire is not None and wire.client.http.settings.backend != "simulator"
        return [] if is_elsewhere else list(PLACES)

    def _simulated_schema(self, endpoint: str) -> EndpointSchema | None:
        if endpoint not in self._simulators():
            return None
        path = schemas_path(self._home)
        try:
            mark = os.stat(path).st_mtime_ns  # noqa: PTH116 - one call, on the way of a key press
            if self._simulated[0] != mark:
                documents = json.loads(path.read_bytes())
                self._simulated = mark, documents if isinstance(documents, dict) else {}
            return read_schema(endpoint, self._simulated[1].get(endpoint))
        except (OSError, ValueError, RecursionError, FalError):
            return None


def _is_endpoint(name: str) -> bool:
    """Tell whether a name can stand on a line as it is; caches and histories may hold a stranger's."""
    try:
        return len(name) <= _ENDPOINT_CHARS and str(EndpointId.parse(name)) == name
    except EndpointError:
        return False
