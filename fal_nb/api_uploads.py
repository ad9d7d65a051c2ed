"""The module's uploads, on this kernel's session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.client.pictures import encode_picture
from fal_nb.engine.uploading import UploadOptions
from fal_nb.workbench import current

if TYPE_CHECKING:
    from fal_nb.client.bodies import Progress
    from fal_nb.client.lifecycle import Lifecycle
    from fal_nb.client.storage import Repository

__all__ = ["upload", "upload_file", "upload_image"]


def upload_file(
    path: str | os.PathLike[str],
    *,
    repository: Repository | None = None,
    fallback_repository: Repository | list[Repository] | None = None,
    lifecycle: Lifecycle | None = None,
    progress: Progress | None = None,
) -> str:
    """Upload a local file and return its URL; blocks. Options as for `upload`.

    Raises
    ------
    FileError
        Where it cannot be read.
    """
    options = UploadOptions(repository, fallback_repository, lifecycle, progress)
    return current().session.upload(Path(path), options=options)


def upload(
    data: str | bytes,
    content_type: str,
    file_name: str | None = None,
    *,
    repository: Repository | None = None,
    fallback_repository: Repository | list[Repository] | None = None,
    lifecycle: Lifecycle | None = None,
    progress: Progress | None = None,
) -> str:
    """Upload bytes, or a text as UTF-8, and return their URL; blocks. The same bytes go up once.

    Parameters
    ----------
    repository, fallback_repository
        ``fal_v3`` or ``fal``: the ways to try, in their order; by default both.
    lifecycle
        How long the file lives and who may read it; with one the bytes go up each time.
    progress
        Called with (bytes sent, bytes in all) on the calling thread, always the newest; an error it raises ends the
        upload.
    """
    options = UploadOptions(repository, fallback_repository, lifecycle, progress)
    content = data.encode("utf-8") if isinstance(data, str) else data
    return current().session.upload(content, content_type, file_name, options)


def upload_image(
    image: Any,
    format: str = "jpeg",  # noqa: A002 - the official client's argument
    *,
    repository: Repository | None = None,
    fallback_repository: Repository | list[Repository] | None = None,
    lifecycle: Lifecycle | None = None,
    progress: Progress | None = None,
) -> str:
    """Upload a Pillow picture, encoded in the given format, and return its URL; blocks. Options as for `upload`.

    Raises
    ------
    FileError
        Where it cannot be encoded so.
    """
    options = UploadOptions(repository, fallback_repository, lifecycle, progress)
    return current().session.upload(*encode_picture(image, format), options=options)
