"""A sweep as a folder: every output under a name that says what it is, and a manifest of what each one came from.

Begun again after an interrupt it goes on: a file that is there with the right bytes is left as it is. A file that did
not come from an export of this sweep is never written over, unless that is asked for.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fal_nb.errors import FileError
from fal_nb.exports.files import Staged, require_free, unwritable
from fal_nb.exports.naming import Names, extension_of, speaking_name
from fal_nb.exports.rows import plain_data, sweep_rows
from fal_nb.exports.tables import json_text, write_table
from fal_nb.plain import one_line
from fal_nb.results import Result

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.artifacts.store import ArtifactStore
    from fal_nb.exports.progress import Progress
    from fal_nb.sweeps.cell_view import CellView
    from fal_nb.sweeps.sweep import Sweep

__all__ = ["write_folder"]

_MANIFEST, _TABLE = "manifest.json", "manifest.csv"
_FORMAT = "fal_nb export"
_CHUNK = 1024 * 1024
_MOST_MANIFEST = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Output:
    """One file that is to be there; `open_source` gives its bytes, `error` says why there are none."""

    name: str
    cell: str
    digest: str | None
    facts: Mapping[str, Any]
    open_source: Callable[[], BinaryIO] | None = None
    error: str | None = None


def write_folder(sweep: Sweep, folder: Path, *, overwrite: bool, progress: Progress) -> list[Path]:
    """Write the outputs and the manifest, and return where they are, also those that were there already.

    Raises
    ------
    FileError
        Where a file of somebody else's stands in the way, or something cannot be written; what is there by then
        is complete, and the next export goes on from it.
    """
    views = list(sweep)
    outputs = list(_outputs(sweep, views))
    ours = _earlier(folder, sweep.name, overwrite=overwrite)
    wanted = [output for output in outputs if output.open_source is not None]
    progress.begin(len(wanted), "files")
    todo = []
    for output in wanted:
        if _is_there(folder, output, ours, overwrite=overwrite):
            progress.step()
        else:
            todo.append(output)
    failed: dict[str, str] = {}
    for output in todo:
        error = _write(output, folder / output.name)
        if error is not None:
            failed[output.name] = error
        progress.step()
    written = [folder / output.name for output in wanted if output.name not in failed]
    return [*written, *_write_manifests(sweep, folder, views, outputs, failed)]


def _outputs(sweep: Sweep, views: Sequence[CellView]) -> Iterator[_Output]:
    names = Names((_MANIFEST, _TABLE))
    varying = _varying(views)
    for view in views:
        stem = speaking_name({name: view.cell.coordinates.get(name, "") for name in varying}, sweep.name)
        yield from _outputs_of(view, stem, names, sweep.session.artifacts)


def _outputs_of(view: CellView, stem: str, names: Names, store: ArtifactStore) -> Iterator[_Output]:
    several = len(view.artifacts) > 1
    for artifact in view.artifacts:
        name = names.give(f"{stem}_{artifact.index + 1}" if several else stem, extension_of(artifact.file_name))
        yield _of_artifact(view.cell.key, artifact, name, store)
    text = None if view.artifacts else Result(view.result).text
    if text is not None:
        data = text.encode("utf-8", "replace")
        facts = {"content_type": "text/plain", "size_bytes": len(data)}
        digest = hashlib.sha256(data).hexdigest()
        yield _Output(names.give(stem, ".txt"), view.cell.key, digest, facts, lambda: io.BytesIO(data))


def _of_artifact(key: str, artifact: Artifact, name: str, store: ArtifactStore) -> _Output:
    facts = {
        "content_type": artifact.content_type,
        "size_bytes": artifact.size_bytes,
        "width": artifact.width,
        "height": artifact.height,
        "duration_s": artifact.duration_s,
    }
    digest = artifact.digest
    if digest is None or not store.has(digest):
        why = artifact.error if digest is None else "it is no longer in the store of artifacts"
        return _Output(name, key, digest, facts, error=one_line(why or "it was never stored", 300))
    return _Output(name, key, digest, facts, lambda: store.open(digest))


def _varying(views: Sequence[CellView]) -> list[str]:
    """Return the names that have more than one value."""
    values: dict[str, set[str]] = {}
    for view in views:
        for name, value in view.cell.coordinates.items():
            values.setdefault(name, set()).add(json.dumps(plain_data(value), sort_keys=True))
    return [name for name, each in values.items() if len(each) > 1]


def _earlier(folder: Path, sweep_name: str, *, overwrite: bool) -> dict[str, str]:
    """Return name → digest of what an earlier export of this sweep has written there.

    Raises
    ------
    FileError
        Where a manifest of another kind or of another sweep is there.
    """
    manifest = folder / _MANIFEST
    if not os.path.lexists(manifest):
        if not overwrite:
            require_free([folder / _TABLE])
        return {}
    try:
        found = json.loads(manifest.read_text("utf-8")) if manifest.stat().st_size < _MOST_MANIFEST else None
    except (OSError, ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and found.get("format") == _FORMAT and found.get("sweep") == sweep_name:
        files = found.get("files")
        pairs = [(one.get("file"), one.get("digest")) for one in files or () if isinstance(one, dict)]
        return {name: digest for name, digest in pairs if isinstance(name, str) and isinstance(digest, str)}
    if overwrite:
        return {}
    raise FileError(
        f"{manifest} is there already and is not of the sweep {sweep_name}: choose another folder, or let it be "
        "replaced with overwrite=True (--overwrite)."
    )


def _is_there(folder: Path, output: _Output, ours: Mapping[str, str], *, overwrite: bool) -> bool:
    """Return whether a file is there already as it should be; refuse where another one is."""
    path = folder / output.name
    if not os.path.lexists(path):
        return False
    digest = _digest_of(path)
    if digest == output.digest:
        return True
    if not overwrite and (digest is None or ours.get(output.name) != digest):
        require_free([path])
    return False


def _digest_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _write(output: _Output, path: Path) -> str | None:
    """Copy one file; return why the bytes are not what they were, or None. What was there is known to be ours."""
    if output.open_source is None:
        return output.error
    try:
        with Staged(overwrite=os.path.lexists(path)) as staged, output.open_source() as source:
            _copy(source, staged.path_for(path), output.digest)
    except _Damaged:
        return "its bytes in the store of artifacts are damaged"
    except OSError as error:
        raise unwritable(path, error) from error
    return None


def _copy(source: BinaryIO, to: Path, expected: str | None) -> None:
    digest = hashlib.sha256()
    with to.open("wb") as target:
        while piece := source.read(_CHUNK):
            digest.update(piece)
            target.write(piece)
    if digest.hexdigest() != expected:
        raise _Damaged


class _Damaged(Exception):  # noqa: N818 - never leaves this module
    pass


def _write_manifests(
    sweep: Sweep, folder: Path, views: Sequence[CellView], outputs: Sequence[_Output], failed: Mapping[str, str]
) -> list[Path]:
    rows = {row["cell"]: row for row in sweep_rows(sweep)}
    files = [_file_row(output, failed.get(output.name, output.error)) for output in outputs]
    manifest = {
        "format": _FORMAT,
        "version": 1,
        "sweep": sweep.name,
        "endpoints": list(sweep.plan.endpoints),
        "backend": sweep.session.settings.backend,
        "plan": sweep.text,
        "files": [file | _origin(rows[file["cell"]]) for file in files],
        "cells": [_cell_row(view) for view in views],
    }
    has_file = {file["cell"] for file in files}
    lines = [*files, *(_file_row(None, None) | {"cell": key} for key in rows if key not in has_file)]
    place = {key: at for at, key in enumerate(rows)}
    lines.sort(key=lambda line: place[line["cell"]])
    with Staged(overwrite=True) as staged:
        path = staged.path_for(folder / _MANIFEST)
        path.write_text(json_text(manifest, indent=1) + "\n", "utf-8", newline="\n")
        write_table(
            [line | _without_file(rows[line["cell"]]) for line in lines], staged.path_for(folder / _TABLE), ".csv"
        )
    return [folder / _MANIFEST, folder / _TABLE]


def _file_row(output: _Output | None, error: str | None) -> dict[str, Any]:
    facts = dict.fromkeys(("content_type", "size_bytes", "width", "height", "duration_s")) | dict(
        output.facts if output else {}
    )
    is_here = output is not None and error is None
    return {
        "file": output.name if output is not None and is_here else None,
        "digest": output.digest if output is not None else None,
        "cell": output.cell if output is not None else None,
        **facts,
        "error": error,
    }


def _origin(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("record", "request_id", "cost", "currency")}


def _cell_row(view: CellView) -> dict[str, Any]:
    return {
        "cell": view.cell.key,
        "axes": plain_data(view.cell.coordinates),
        "endpoint": view.cell.endpoint,
        "arguments": plain_data(view.cell.arguments),
        "state": view.state,
        "reason": view.reason or None,
        "record": view.record_id,
        "request_id": view.request_id,
        "cost": view.cost,
        "currency": None if view.cost is None else "USD",
        "total_s": view.total_s,
        "rating": view.rating,
        "from_memo": view.is_from_memo,
    }


def _without_file(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"file", "digest", "cell"}}
