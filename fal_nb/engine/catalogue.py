"""The catalogue as a session has it: its models, and their pictures, which go through the content store."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.client.kept import keep
from fal_nb.errors import ConfigError, FalError

if TYPE_CHECKING:
    from fal_nb.catalogue.model import Model
    from fal_nb.client.model_cache import Listing, ModelCache
    from fal_nb.client.models import Expansion
    from fal_nb.engine.session import Session

__all__ = ["EXPANSIONS", "Catalogue"]

EXPANSIONS = ("openapi", "enterprise", "price")
"""What can be asked for beside what the catalogue says of a model by itself."""
_WIRE_NAMES: dict[str, Expansion] = {"openapi": "openapi-3.0", "enterprise": "enterprise_status"}
_PICTURES_AT_ONCE = 6
_PATIENCE_S = 120.0


class Catalogue:
    """Models of the server that calls go to; methods that are not coroutines block, and belong to any other thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pictures: dict[str, bytes | None] = {}
        self._digests: dict[str, str] | None = None
        self._gate = asyncio.Semaphore(_PICTURES_AT_ONCE)

    def listing(self, *, is_anew: bool = False) -> Listing:
        """Return all models; the first time they are read page by page, then kept for a day.

        Raises
        ------
        FalError
            Where they cannot be had and none are kept.
        """

        async def reading() -> Listing:
            return await (await self.cache()).whole(is_anew=is_anew)

        _ = self._session.settings
        return self._session.runtime.call(reading(), _PATIENCE_S)

    def find(self, endpoints: Sequence[str], expand: Sequence[str] = ()) -> list[Model]:
        """Return some models as fal describes them now, in the order asked for, without those it does not know.

        Raises
        ------
        ConfigError, EndpointError
            Where an expansion or an endpoint is not one.
        FalError
            Where fal cannot be asked.
        """
        for name in expand:
            if name not in EXPANSIONS:
                raise ConfigError(f"expand knows {', '.join(EXPANSIONS)}, not {str(name)[:60]!r}.")
        wanted = [_WIRE_NAMES[name] for name in expand if name in _WIRE_NAMES]

        async def finding() -> list[Model]:
            wire = await self._session._get_wire()  # noqa: SLF001 - a part of the session
            found = await wire.client.models.find(endpoints, expand=wanted)
            if "price" not in expand:
                return found
            prices = await asyncio.gather(*(wire.prices.unit_price(model.endpoint) for model in found))
            return [replace(model, price=price) for model, price in zip(found, prices, strict=True)]

        _ = self._session.settings
        return self._session.runtime.call(finding(), _PATIENCE_S)

    async def cache(self) -> ModelCache:
        """Return what reads and keeps the list; on the loop's thread."""
        return (await self._session._get_wire()).models  # noqa: SLF001 - a part of the session

    async def picture(self, url: str) -> bytes | None:
        """Return the small picture that stands for a model, as WebP, or None; on the loop's thread.

        It is fetched once, by the kernel, under the rules of every download; a page never sees its URL.
        """
        if url not in self._pictures:
            async with self._gate:
                if url not in self._pictures:
                    self._pictures[url] = await self._fetched(url)
        return self._pictures[url]

    def known_picture(self, url: str) -> bytes | None:
        """Return a small picture that was fetched already; any thread."""
        return self._pictures.get(url)

    async def _fetched(self, url: str) -> bytes | None:
        if not url:
            return None
        kept = await asyncio.to_thread(self._from_store, url)
        if kept is not None:
            return kept
        try:
            wire = await self._session._get_wire()  # noqa: SLF001 - a part of the session
            picture = await wire.picture(url)
        except FalError:
            return None
        if picture is not None:
            await asyncio.to_thread(self._store, url, picture)
        return picture

    @property
    def _file(self) -> Path | None:
        """Where it is written which picture has which digest; a simulator's addresses are others tomorrow."""
        settings = self._session.known_settings
        if settings is None or settings.backend == "simulator":
            return None
        return settings.home / "model-pictures.json"

    def _from_store(self, url: str) -> bytes | None:
        digest = self._known_digests().get(_name(url))
        try:
            return None if digest is None else self._session.artifacts.read(digest)
        except (FalError, ValueError):
            return None

    def _store(self, url: str, picture: bytes) -> None:
        file = self._file
        if file is None:
            return
        try:
            digest = self._session.artifacts.put_bytes(picture)
        except FalError:
            return  # a disk that takes nothing costs another download tomorrow
        digests = self._known_digests()
        digests[_name(url)] = digest
        keep(file, dict(digests))

    def _known_digests(self) -> dict[str, str]:
        if self._digests is None:
            self._digests = {} if self._file is None else _read(self._file)
        return self._digests


def _name(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _read(file: Path) -> dict[str, str]:
    """Return what is kept; what cannot be read counts as absent."""
    try:
        kept: Any = json.loads(file.read_bytes())
        return {str(name): str(digest) for name, digest in kept.items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}
