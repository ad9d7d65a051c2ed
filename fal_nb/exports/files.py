"""``Staged``: files that appear under their names complete, all of them at the end, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from fal_nb.errors import FileError

__all__ = ["Staged", "require_free", "unwritable"]


class Staged:
    """Files being written under other names beside their own; leaving the ``with`` block puts them in their places.

    An error or an interrupt inside the block leaves nothing of them. A file that is there already is never written
    over unless that was asked for, also where it came while the block ran.

    Parameters
    ----------
    overwrite
        Whether files may take the place of others.
    """

    def __init__(self, *, overwrite: bool = False) -> None:
        self._overwrite = overwrite
        self._waiting: list[tuple[Path, Path]] = []

    def path_for(self, target: Path) -> Path:
        """Return where to write what will be `target`; makes its folder.

        Raises
        ------
        FileError
            Where `target` is there already, or its folder cannot be made.
        """
        if not self._overwrite:
            require_free([target])
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(target, error) from error
        temp_path = target.parent / f".fal_nb-{secrets.token_hex(8)}.part"
        self._waiting.append((temp_path, target))
        return temp_path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                while self._waiting:
                    self._put(*self._waiting[0])
                    self._waiting.pop(0)
        finally:
            for temp_path, _ in self._waiting:
                with contextlib.suppress(OSError):
                    temp_path.unlink(missing_ok=True)
        if isinstance(error, OSError) and self._waiting:
            raise unwritable(self._waiting[-1][1], error) from error

    def _put(self, temp_path: Path, target: Path) -> None:
        try:
            if self._overwrite:
                temp_path.replace(target)
            else:
                _put_where_nothing_is(temp_path, target)
        except FileExistsError:
            raise _taken(target) from None
        except OSError as error:
            raise unwritable(target, error) from error


def require_free(targets: list[Path]) -> None:
    """Refuse where one of some files is there already.

    Raises
    ------
    FileError
        That names the first.
    """
    taken = [target for target in targets if os.path.lexists(target)]
    if taken:
        raise _taken(taken[0], len(taken) - 1)


def unwritable(target: Path, error: OSError) -> FileError:
    """Return the error that says why a file cannot be written."""
    return FileError(f"{target} cannot be written: {error.strerror or error}.")


def _taken(target: Path, more: int = 0) -> FileError:
    others = f" (and {more:,} more)" if more else ""
    return FileError(
        f"{target}{others} is there already: choose another name, or let it be replaced with overwrite=True "
        "(--overwrite)."
    )


def _put_where_nothing_is(temp_path: Path, target: Path) -> None:
    """Move a file without taking the place of another, which a plain rename would do."""
    try:
        os.link(temp_path, target)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links
        with target.open("xb"):
            pass
        temp_path.replace(target)
    else:
        temp_path.unlink()
