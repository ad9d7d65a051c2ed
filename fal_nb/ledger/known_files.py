"""What is known of files behind URLs: the digest each was uploaded from, and where its bytes may still be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fal_nb.ledger.database import Database
from fal_nb.ledger.rows import to_json, to_sql

__all__ = ["KnownFile", "KnownFiles"]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file behind a URL.

    Attributes
    ----------
    digest
        SHA-256 of its bytes; None of a large file until somebody has to know it.
    path
        Where it was uploaded from, of a local file.
    identity
        What its folder said of it then, so that a change is noticed.
    """

    url: str
    digest: str | None
    file_name: str
    content_type: str
    path: str | None = None
    identity: str | None = None


class KnownFiles:
    """Part of `HistoryStore`: uploads by URL, and the digests of inputs."""

    _database: Database

    def note_upload(self, file: KnownFile) -> None:
        """Write down that a file was uploaded, or what its digest has turned out to be."""
        values = (file.url, file.digest, file.file_name, file.content_type, file.path, file.identity)
        cleaned = [to_sql("text", value) for value in values]
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO uploads (url, digest, file_name, content_type, path, identity, uploaded) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*cleaned, time.time()),
            )

    def known_files(self, urls: Iterable[str]) -> dict[str, KnownFile]:
        """Return what is known behind URLs: uploads of ours, and outputs of earlier calls that are stored."""
        found: dict[str, KnownFile] = {}
        with self._database.reading() as connection:
            for url in urls:
                key = (to_sql("url", url),)
                row = connection.execute(
                    "SELECT digest, file_name, content_type, path, identity FROM uploads WHERE url = ?", key
                ).fetchone()
                row = (
                    row
                    or connection.execute(
                        "SELECT digest, file_name, content_type, NULL, NULL FROM artifacts "
                        "WHERE url = ? AND digest IS NOT NULL ORDER BY id DESC LIMIT 1",
                        key,
                    ).fetchone()
                )
                if row is not None:
                    found[url] = KnownFile(url, *row)
        return found

    def note_inputs(self, record_id: int, digests: Mapping[str, str], *, is_as_keyed: bool) -> None:
        """Add digests by URL to a record's inputs.

        Parameters
        ----------
        is_as_keyed
            Whether the bytes that went up are those the memo key was made of; if not, the key goes.
        """
        with self._database.writing() as connection:
            row = connection.execute("SELECT input_digests FROM records WHERE id = ?", (record_id,)).fetchone()
            known = json.loads(row[0]) if row and row[0] else {}
            connection.execute(
                "UPDATE records SET input_digests = ?, memo_key = CASE WHEN ? THEN memo_key END WHERE id = ?",
                (to_json({**known, **digests}), is_as_keyed, record_id),
            )
