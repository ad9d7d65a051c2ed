"""``ArtifactStore``: the bytes of outputs, filed under their SHA-256, so that nothing is kept twice or half.

A file appears under its digest complete or not at all: it is written elsewhere in the store and moved in one step.
No name that a server chose is ever part of a path.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import BinaryIO

from fal_nb.errors import FileError

__all__ = ["ArtifactStore"]

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_EXTENSION = re.compile(r"\.[a-z0-9]{1,15}\Z")
_LEFT_OVER_S = 24 * 3600


class ArtifactStore:
    """A folder of files by content.

    ``blobs/ab/abcd…`` holds the file whose digest begins with ``ab``; ``incoming`` what is still being written.
    Any number of threads and processes may use one folder. Nothing is created before it is needed; every method
    that touches the disk blocks.

    Raises
    ------
    FileError
        From every method: the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"ArtifactStore({str(self.folder)!r})"

    def path(self, digest: str, extension: str = "") -> Path:
        """Return where the file of a digest is, or would be.

        Parameters
        ----------
        extension
            With its dot: the same file under a name that other programs recognise. It is made if the file is
            there; an extension of any other form is left out.

        Raises
        ------
        ValueError
            Where `digest` is not a SHA-256 in lower-case hexadecimal.
        """
        if not _DIGEST.match(digest):
            raise ValueError(f"{digest[:80]!r} is not a SHA-256 digest.")
        blob = self.folder / "blobs" / digest[:2] / digest
        if not _EXTENSION.match(extension):
            return blob
        named = blob.with_name(digest + extension)
        if not named.exists():
            _name_again(blob, named)
        return named if named.exists() else blob

    def has(self, digest: str) -> bool:
        """Return whether the file of a digest is stored."""
        return self.path(digest).is_file()

    def is_intact(self, digest: str) -> bool:
        """Return whether the file of a digest is stored and still has that digest; reads all of it."""
        try:
            with self.path(digest).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            return False

    def incoming_path(self) -> Path:
        """Return a new path to write to before `adopt`; on the same disk as the store."""
        folder = self.folder / "incoming"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self.unwritable(error) from error
        return folder / f"{os.getpid()}-{secrets.token_hex(8)}.part"

    def adopt(self, temp_path: Path, digest: str) -> Path:
        """Move a finished file into the store and return its path there; `temp_path` is gone afterwards.

        Parameters
        ----------
        digest
            Its SHA-256, which the caller has worked out while writing it.
        """
        target = self.path(digest)
        try:
            if target.is_file():
                temp_path.unlink()
                return target
            target.parent.mkdir(parents=True, exist_ok=True)
            # Read-only: a program that is handed the path must not change what the digest stands for.
            temp_path.chmod(0o444)
            self._move(temp_path, target)
        except OSError as error:
            raise self.unwritable(error) from error
        return target

    def put_bytes(self, data: bytes) -> str:
        """Store bytes and return their digest."""
        digest = hashlib.sha256(data).hexdigest()
        if self.has(digest):
            return digest
        temp_path = self.incoming_path()
        try:
            temp_path.write_bytes(data)
            self.adopt(temp_path, digest)
        except OSError as error:
            raise self.unwritable(error) from error
        finally:
            with contextlib.suppress(OSError):
                temp_path.unlink(missing_ok=True)
        return digest

    def open(self, digest: str) -> BinaryIO:
        """Return the file of a digest, open for reading."""
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            raise FileError(f"Artifact {digest[:12]}… is not in the store {self.folder}.") from None
        except OSError as error:
            raise FileError(f"Artifact {digest[:12]}… cannot be read: {error.strerror}.") from error

    def read(self, digest: str) -> bytes:
        """Return the bytes of a digest."""
        with self.open(digest) as file:
            return file.read()

    def clean(self, older_than_s: float = _LEFT_OVER_S) -> int:
        """Delete what killed processes left half-written and return how many files that were."""
        deleted = 0
        for path in (self.folder / "incoming").glob("*.part"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - older_than_s:
                    path.unlink()
                    deleted += 1
        return deleted

    def _move(self, temp_path: Path, target: Path) -> None:
        try:
            temp_path.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # From another disk there is no move in one step: it is copied into the store first.
            near = self.incoming_path()
            try:
                shutil.copyfile(temp_path, near)
                near.chmod(0o444)
                near.replace(target)
            finally:
                near.unlink(missing_ok=True)
            temp_path.unlink()

    def unwritable(self, error: OSError) -> FileError:
        """Return the error that says why nothing can be kept here, and what to do."""
        return FileError(
            f"Artifacts cannot be written to {self.folder} ({error.strerror or error}): free some space or allow "
            "writing there, or set FAL_NB_HOME to another folder."
        )


def _name_again(blob: Path, named: Path) -> None:
    """Give a stored file a second name; where the disk has no hard links, none is given."""
    with contextlib.suppress(OSError):
        os.link(blob, named)
