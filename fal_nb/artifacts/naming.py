"""Names of files: built from what servers and people wrote, but never able to leave the folder they are meant for."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from fal_nb.artifacts.sniff import plain_type
from fal_nb.errors import FileError
from fal_nb.plain import one_line
from fal_nb.protocol.files import FileRef, extension_for, guess_content_type, safe_file_name, url_name

__all__ = ["check_pattern", "fill_pattern", "free_path", "name_artifact", "name_part"]

_OF_RESULTS = ("seed", "record", "request", "endpoint", "index", "name", "ext")
"""What a result brings along, in addition to the call's arguments."""

_PART_CHARS = 80
_SHOWN = ("image", "video", "audio")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ufffd]+')
_PART_BYTES = 160
_SEPARATORS = re.compile(r"[/\\]+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)
_NUMBER_SPEC = re.compile(r"0?\d{1,2}d?\Z")


def name_artifact(ref: FileRef, content_type: str, index: int) -> str:
    """Return a safe name for a file of a result, with an extension that fits its content."""
    name = ref.file_name or url_name(ref.url)
    if not name:
        key = next((str(part) for part in reversed(ref.where) if isinstance(part, str) and part != "url"), "file")
        name = f"{key}-{index}"
    name = safe_file_name(name, f"file-{index}")
    if _RESERVED.match(name):
        name = f"_{name}"
    return _with_extension(name, content_type)


def name_part(value: Any) -> str:
    """Return a value as a part of a file name: without separators, leading dots or what some systems forbid.

    At most 80 characters and 160 bytes, since most disks end a name after 255.
    """
    text = unicodedata.normalize("NFC", one_line(str(value), 4 * _PART_CHARS))
    text = _FORBIDDEN.sub("_", _SEPARATORS.sub("-", text))
    text = text[:_PART_CHARS].encode()[:_PART_BYTES].decode("utf-8", "ignore").strip(" .")
    return f"_{text}" if not text or _RESERVED.match(text) else text


def check_pattern(pattern: str, arguments: Iterable[str]) -> None:
    """Refuse a pattern that no result of a call with these arguments could fill, before the call costs anything.

    Raises
    ------
    FileError
        As `fill_pattern`.
    """
    fill_pattern(pattern, dict.fromkeys((*arguments, *_OF_RESULTS), 0))


def fill_pattern(pattern: str, values: Mapping[str, Any]) -> str:
    """Return `pattern` with each ``{name}`` replaced by a value; no value can add a folder.

    Parameters
    ----------
    pattern
        A path with ``{name}`` or, for whole numbers, ``{name:03}``; ``{{`` and ``}}`` are braces.

    Raises
    ------
    FileError
        Where a name is unknown or the pattern is broken.
    """
    try:
        pieces = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise FileError(f"{pattern[:80]!r} is not a pattern ({error}): write {{{{ for a brace.") from error
    filled = []
    for literal, name, spec, conversion in pieces:
        filled.append(literal)
        if name is None:
            continue
        if name not in values or conversion:
            known = ", ".join(sorted(values))
            raise FileError(f"{pattern[:80]!r} holds {{{name}}}, and there is no such value. There are: {known}.")
        filled.append(name_part(_formatted(values[name], spec or "", pattern)))
    return "".join(filled)


def free_path(path: Path, number: int) -> Path:
    """Return the n-th choice for a path: itself, then with ``-1``, ``-2`` before its extension."""
    return path if number == 0 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def _formatted(value: Any, spec: str, pattern: str) -> Any:
    if not spec:
        return value
    if not _NUMBER_SPEC.match(spec) or not isinstance(value, int):
        raise FileError(f"{pattern[:80]!r} holds the format {spec[:20]!r}: only whole numbers can have one, like :03.")
    return format(value, spec)


def _with_extension(name: str, content_type: str) -> str:
    suffix = PurePosixPath(name).suffix
    said = plain_type(guess_content_type(name))
    fitting = extension_for(content_type)
    if said == content_type or name.endswith(fitting):
        return name
    family = said.partition("/")[0]
    is_misleading = said == "text/html" or (family in _SHOWN and family != content_type.partition("/")[0])
    if fitting == ".bin" and suffix and not is_misleading:
        return name
    stem = name[: -len(suffix)] if suffix and said else name
    return f"{stem}{fitting}"
