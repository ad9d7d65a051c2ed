"""Pictures and files inside a realtime input: nothing is uploaded, they travel in the frame itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fal_nb.engine.inputs import LocalFile, read_inputs
from fal_nb.errors import ArgumentsError, FileError
from fal_nb.protocol.files import encode_data_uri

__all__ = ["inlined", "is_ready"]

_DEEPEST = 100
_READY = (str, bytes, bool, int, float, type(None))


def is_ready(value: Any) -> bool:
    """Return whether an input can be written as it is."""
    if type(value) is dict:
        return all(is_ready(inner) for inner in value.values())
    if type(value) is list:
        return all(is_ready(inner) for inner in value)
    return type(value) in _READY


def inlined(value: Any, name: str = "", depth: int = 0) -> Any:
    """Return an input with the bytes of each file in its place: as they are under ``…_bytes``, else as a data URI.

    Blocks.

    Raises
    ------
    FileError
        Where a file cannot be read, or something is neither JSON nor a file.
    ArgumentsError
        Where it goes deeper than a hundred levels, or holds itself.
    """
    if depth > _DEEPEST:
        raise ArgumentsError("arguments", [f"nested deeper than {_DEEPEST} levels"])
    if isinstance(value, Mapping) and not _is_result(value):
        return {str(key): inlined(inner, str(key), depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [inlined(inner, name, depth + 1) for inner in value]
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, _READY):
        return value
    found = read_inputs(value)
    if not isinstance(found, LocalFile):
        return found
    data = _bytes_of(found)
    return data if name.endswith("_bytes") else encode_data_uri(data, found.content_type)


def _is_result(value: object) -> bool:
    """Return whether it is an earlier call's result, which stands for its first file."""
    return hasattr(value, "files") and hasattr(value, "artifacts")


def _bytes_of(file: LocalFile) -> bytes:
    if file.data is not None:
        return file.data
    try:
        return file.path.read_bytes() if file.path is not None else b""
    except OSError as error:
        problem = f"Cannot read {file.path}: {error.strerror or error}."
    raise FileError(problem)
