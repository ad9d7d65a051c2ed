"""What near-duplicates are told by, kept by content: a picture is looked at once, in whatever kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from fal_nb.ledger.database import Database

__all__ = ["Fingerprints"]

Value = TypeVar("Value", int, str)

_AT_ONCE = 500


class Fingerprints:
    """Part of `HistoryStore`: opaque bytes by the digest of a file and the version of what made them."""

    _database: Database

    def first_pictures(self, record_ids: Iterable[int]) -> dict[int, str]:
        """Return by record number the digest of its first picture or film, where it has one that is stored."""
        found: dict[int, str] = {}
        with self._database.reading() as connection:
            for some in _parts(sorted(set(record_ids))):
                rows = connection.execute(
                    "SELECT record_id, digest FROM artifacts WHERE kind IN ('image', 'video') "  # noqa: S608 - marks only
                    f"AND digest IS NOT NULL AND record_id IN ({_marks(some)}) ORDER BY record_id, position DESC",
                    some,
                )
                found.update(rows.fetchall())
        return found

    def fingerprints(self, digests: Iterable[str], version: int) -> dict[str, bytes]:
        """Return those that are kept, by digest."""
        found: dict[str, bytes] = {}
        with self._database.reading() as connection:
            for some in _parts(list(digests)):
                rows = connection.execute(
                    f"SELECT digest, bits FROM fingerprints WHERE version = ? AND digest IN ({_marks(some)})",  # noqa: S608
                    (version, *some),
                )
                found.update(rows.fetchall())
        return found

    def keep_fingerprints(self, prints: Mapping[str, bytes], version: int) -> None:
        """Write some down by digest, in one commit; one of another version is replaced."""
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO fingerprints (digest, version, bits) VALUES (?, ?, ?)",
                ((digest, version, bits) for digest, bits in prints.items()),
            )

    def thumbnails_by_digest(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Return the small pictures (WebP) of those files that have one."""
        found: dict[str, bytes] = {}
        with self._database.reading() as connection:
            for some in _parts(list(digests)):
                rows = connection.execute(
                    "SELECT a.digest, v.thumbnail FROM artifacts a JOIN previews v ON v.artifact_id = a.id "  # noqa: S608
                    f"WHERE v.thumbnail IS NOT NULL AND a.digest IN ({_marks(some)})",
                    some,
                )
                found.update((digest, bytes(thumbnail)) for digest, thumbnail in rows)
        return found


def _parts(values: Sequence[Value]) -> Iterator[list[Value]]:
    return (list(values[at : at + _AT_ONCE]) for at in range(0, len(values), _AT_ONCE))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
