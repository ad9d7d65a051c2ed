"""Rows of the ledger's tables: how a field is written to SQLite and read back, whatever text a server sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fal_nb.artifacts import Artifact
from fal_nb.errors import HistoryError
from fal_nb.ledger.records import NEW_COLUMNS, PAYLOAD_COLUMNS, RECORD_COLUMNS, NewRecord, Record
from fal_nb.protocol.status import JSON

__all__ = [
    "ARTIFACTS_OF_RECORD",
    "READ_COLUMNS",
    "change_record",
    "from_json",
    "insert_artifact",
    "insert_record",
    "read_artifact",
    "read_record",
    "seed_in",
    "to_json",
    "to_sql",
]

ARTIFACT_COLUMNS = (
    "position",
    "location",
    "url",
    "kind",
    "content_type",
    "file_name",
    "size_bytes",
    "width",
    "height",
    "duration_s",
    "digest",
    "error",
)
ARTIFACTS_OF_RECORD = (
    f"SELECT {', '.join(f'a.{name}' for name in ARTIFACT_COLUMNS)}, v.thumbnail, v.text "  # noqa: S608 - our names
    "FROM artifacts a LEFT JOIN previews v ON v.artifact_id = a.id WHERE a.record_id = ? ORDER BY a.position"
)
"""Rows for `read_artifact`."""
READ_COLUMNS = (*(f"r.{name}" for name in RECORD_COLUMNS), *(f"p.{name}" for name in PAYLOAD_COLUMNS))
"""Rows for `read_record`, over ``records r`` and ``payloads p``."""

_ADD_RECORD = (
    f"INSERT INTO records ({', '.join(NEW_COLUMNS)}, updated) "  # noqa: S608 - our names
    f"VALUES ({', '.join('?' * (len(NEW_COLUMNS) + 1))})"
)
_ADD_ARTIFACT = (
    f"INSERT INTO artifacts (record_id, {', '.join(ARTIFACT_COLUMNS)}) "  # noqa: S608 - our names
    f"VALUES ({', '.join('?' * (len(ARTIFACT_COLUMNS) + 1))})"
)
_JSON_COLUMNS = frozenset({*PAYLOAD_COLUMNS, "input_digests", "options", "tags"})
_NAMES = (*RECORD_COLUMNS, *PAYLOAD_COLUMNS)
_SQLITE_INTEGER = range(-(2**63), 2**63)


def insert_record(connection: sqlite3.Connection, record: NewRecord) -> int:
    """Insert a record with its arguments and return its number."""
    values = [to_sql(name, getattr(record, name)) for name in NEW_COLUMNS]
    arguments = to_sql("arguments", record.arguments)
    record_id = connection.execute(_ADD_RECORD, (*values, record.created)).lastrowid
    connection.execute("INSERT INTO payloads (record_id, arguments) VALUES (?, ?)", (record_id, arguments))
    return int(record_id or 0)


def change_record(connection: sqlite3.Connection, record_id: int, changes: Mapping[str, Any]) -> bool:
    """Set columns of a record and of its payload; return whether there is such a record.

    Parameters
    ----------
    changes
        Known names only, ``updated`` among them.
    """
    payload = {name: value for name, value in changes.items() if name in PAYLOAD_COLUMNS}
    columns = {name: value for name, value in changes.items() if name not in PAYLOAD_COLUMNS}
    found = _set(connection, "records", "id", record_id, columns)
    if found and payload:
        _set(connection, "payloads", "record_id", record_id, payload)
    return found


def insert_artifact(connection: sqlite3.Connection, record_id: int, artifact: Artifact) -> None:
    """Insert an artifact, and its preview where it has one."""
    place = {"position": artifact.index, "location": to_json(list(artifact.where))}
    values = [place[name] if name in place else to_sql(name, getattr(artifact, name)) for name in ARTIFACT_COLUMNS]
    artifact_id = connection.execute(_ADD_ARTIFACT, (record_id, *values)).lastrowid
    if artifact.thumbnail is not None or artifact.text is not None:
        preview = (artifact_id, artifact.thumbnail, to_sql("preview", artifact.text))
        connection.execute("INSERT INTO previews (artifact_id, thumbnail, text) VALUES (?, ?, ?)", preview)


def to_json(value: JSON) -> str:
    """Return compact JSON text in the order of its keys; what UTF-8 cannot hold stands as an escape.

    Raises
    ------
    ValueError
        Where the value holds NaN or an infinity, which JSON does not have.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if _is_utf8(text):
        return text
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def to_sql(name: str, value: Any) -> Any:
    """Return a field's value as SQLite is to store it."""
    if name in _JSON_COLUMNS:
        if value is None:
            return "[]" if name == "tags" else None
        if name == "result":
            return _result_json(value)
        return to_json(dict(value) if isinstance(value, Mapping) else _plain_list(value))
    if isinstance(value, str) and not _is_utf8(value):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def read_record(row: Iterable[Any]) -> Record:
    """Return the record in a row of `READ_COLUMNS`.

    Raises
    ------
    HistoryError
        Where a text in it is not what was written.
    """
    values = dict(zip(_NAMES, row, strict=True))
    for name in _JSON_COLUMNS:
        if values[name] is not None:
            values[name] = from_json(values[name], f"{name} of record #{values['id']}")
    values["tags"] = tuple(values["tags"])
    return Record(**values)


def from_json(text: str, what: str) -> JSON:
    """Return what a stored text says; `what` names it where it is damaged.

    Raises
    ------
    HistoryError
        Where it is no JSON: its bytes have changed on the disk.
    """
    try:
        return json.loads(text)
    except (ValueError, TypeError) as error:
        raise HistoryError(
            f"The {what} cannot be read, the history file is damaged there ({error}): put a copy in its place. "
            "Nothing was overwritten."
        ) from error


def seed_in(result: JSON) -> int | str | None:
    """Return the seed a result names, as SQLite can hold it: a number beyond 64 bits becomes text."""
    seed = result.get("seed") if isinstance(result, Mapping) else None
    if isinstance(seed, int) and not isinstance(seed, bool):
        return seed if seed in _SQLITE_INTEGER else str(seed)
    return seed if isinstance(seed, str) else None


def read_artifact(row: Sequence[Any]) -> Artifact:
    """Return the artifact in a row of `ARTIFACTS_OF_RECORD`."""
    values = dict(zip((*ARTIFACT_COLUMNS, "thumbnail", "text"), row, strict=True))
    where = from_json(values.pop("location"), "place of a file")
    return Artifact(index=values.pop("position"), where=tuple(where), **values)


def _set(connection: sqlite3.Connection, table: str, key: str, record_id: int, changes: Mapping[str, Any]) -> bool:
    names = ", ".join(f"{name} = ?" for name in changes)
    values = [to_sql(name, value) for name, value in changes.items()]
    cursor = connection.execute(f"UPDATE {table} SET {names} WHERE {key} = ?", (*values, record_id))  # noqa: S608
    return cursor.rowcount > 0


def _result_json(value: JSON) -> str:
    """Return a result as JSON text; the NaN some servers send is kept as they wrote it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if _is_utf8(text) else json.dumps(value, separators=(",", ":"))


def _plain_list(value: JSON) -> JSON:
    return list(value) if isinstance(value, tuple) else value


def _is_utf8(text: str) -> bool:
    """Whether the text has no lone surrogates, which JSON escapes can smuggle in."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
