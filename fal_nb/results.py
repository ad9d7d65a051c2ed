"""``Result``: what an endpoint returned. A plain dict to code, a picture to the notebook, its files at hand."""

from __future__ import annotations

import io
import os
import re
import reprlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from fal_nb.artifacts import Artifact
from fal_nb.artifacts.naming import fill_pattern, free_path
from fal_nb.artifacts.store import ArtifactStore
from fal_nb.errors import FileError
from fal_nb.protocol.files import MediaKind, extension_for
from fal_nb.protocol.status import JSON

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

__all__ = ["Call", "Result", "ResultFile"]

_TEXT_KEYS = ("output", "text", "generated_text", "results", "description")
"""Where endpoints put their text, the surest first. Source: output schemas of fal's model catalogue."""
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,12}\Z")
_CHUNK = 1024 * 1024
_REPR_CHARS = 1_200


class Call(Protocol):
    """What a result keeps of the call it came from; a job's snapshot has all of it."""

    @property
    def record_id(self) -> int:
        """Number of the record."""

    @property
    def endpoint(self) -> str:
        """What was called."""

    @property
    def request_id(self) -> str | None:
        """fal's id of the request."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What was sent."""

    @property
    def cost(self) -> float | None:
        """In `currency`."""

    @property
    def currency(self) -> str | None:
        """Of `cost`."""

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The files of the result."""


class ResultFile:
    """One file of a result, kept in the artifact store.

    Its bytes are read when they are asked for; everything that reads them blocks.
    """

    def __init__(self, artifact: Artifact, store: ArtifactStore | None, values: Mapping[str, Any]) -> None:
        self.artifact = artifact
        self._store = store
        self._values = values

    @property
    def url(self) -> str:
        """Where the server put it, and may have deleted it since; empty where the result held the bytes."""
        return self.artifact.url

    @property
    def kind(self) -> MediaKind:
        """``image``, ``video``, ``audio``, ``mesh``, ``text``, ``archive`` or ``file``."""
        return self.artifact.kind

    @property
    def content_type(self) -> str:
        """What its bytes are, whatever the server called them."""
        return self.artifact.content_type

    @property
    def file_name(self) -> str:
        """A safe name with an extension that fits."""
        return self.artifact.file_name

    @property
    def digest(self) -> str | None:
        """SHA-256 of its bytes, or None where they could not be had."""
        return self.artifact.digest

    @property
    def path(self) -> Path:
        """Where its bytes are on this machine; read-only, so copy it (`save`) before changing it.

        Raises
        ------
        FileError
            Where they are not here: `fal_nb` could not fetch them, or the store has been emptied.
        """
        artifact = self.artifact
        if artifact.digest is None or self._store is None:
            why = artifact.error or "it was never stored"
            raise FileError(f"{artifact.file_name} is not on this machine: {why}.")
        if not self._store.has(artifact.digest):
            raise FileError(f"{artifact.file_name} is no longer in the store {self._store.folder}.")
        extension = extension_for(artifact.content_type)
        return self._store.path(artifact.digest, "" if extension == ".bin" else extension)

    def bytes(self) -> bytes:
        """Return its bytes."""
        return self.path.read_bytes()

    def pil(self) -> Image.Image:
        """Return a picture as a Pillow image, decoded.

        Raises
        ------
        FileError
            Where it is no picture, or a damaged one.
        """
        from PIL import Image  # noqa: PLC0415 - only where a picture is asked for

        if self.kind != "image":
            raise FileError(f"{self.file_name} is no picture but {self.kind} ({self.content_type}).")
        try:
            image = Image.open(io.BytesIO(self.bytes()))
            image.load()
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise FileError(f"{self.file_name} cannot be decoded: {error}") from error
        return image

    def array(self) -> np.ndarray[Any, Any]:
        """Return a picture as an array, height × width × channels (grey ones: height × width).

        Raises
        ------
        FileError
            Where it is no picture, or a damaged one.
        """
        import numpy as np  # noqa: PLC0415 - only where an array is asked for

        image = self.pil()
        if image.mode == "P":
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        return np.array(image)

    def save(self, to: str | os.PathLike[str]) -> Path:
        """Copy it and return where to; existing files stay, the copy then gets ``-1``, ``-2`` … in its name.

        Parameters
        ----------
        to
            A folder (also one that does not exist yet: ``out/`` or a name without extension), a file, or a
            pattern: ``out/{seed}.png`` with ``{seed} {index} {record} {request} {endpoint} {name} {ext}`` and the
            names of arguments. Folders are made. The bytes are copied as they are, whatever the extension.

        Raises
        ------
        FileError
            Where the pattern holds an unknown name, or something cannot be read or written.
        """
        source = self.path
        target = self._target(os.fspath(to))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            return _copy_beside(source, target)
        except OSError as error:
            raise FileError(f"{target} cannot be written: {error.strerror or error}.") from error

    def _target(self, to: str) -> Path:
        to = os.path.expanduser(to)  # noqa: PTH111 - still a text, and before any value can bring a ~ of its own
        last = os.path.basename(to)  # noqa: PTH119 - as above
        is_pattern = "{" in to or "}" in to
        if not last or ("{" not in last and not _EXTENSION.search(last)):
            return Path(self._filled(to) if is_pattern else to) / self.file_name
        if is_pattern:
            has_extension = last.endswith("{ext}") or _EXTENSION.search(last)
            return Path(self._filled(to) + ("" if has_extension else Path(self.file_name).suffix))
        return Path(to) / self.file_name if Path(to).is_dir() else Path(to)

    def _filled(self, pattern: str) -> str:
        name = Path(self.file_name)
        own = {"index": self.artifact.index, "name": name.stem, "ext": name.suffix.lstrip(".")}
        return fill_pattern(pattern, {**self._values, **own})

    def __repr__(self) -> str:
        artifact = self.artifact
        size = f" {artifact.width}×{artifact.height}" if artifact.width else ""
        length = f" {artifact.duration_s:.1f} s" if artifact.duration_s else ""
        trouble = f" ({artifact.error})" if artifact.error else ""
        return f"<ResultFile {artifact.file_name} {artifact.kind}{size}{length}{trouble}>"


class Result(dict[str, Any]):
    """The decoded output of a call.

    A dict in every respect: ``json.dumps``, ``copy`` and comparison take it for one. An endpoint that returned
    something else than an object has it under ``output``.

    Parameters
    ----------
    data
        As the endpoint returned it.
    snapshot
        The call it came from.
    store
        Where the bytes of its files are.
    display_html
        Returns what a notebook shows for it.
    show
        Shows it in a notebook by itself; goes before `display_html`.
    """

    def __init__(
        self,
        data: JSON = None,
        *,
        snapshot: Call | None = None,
        store: ArtifactStore | None = None,
        display_html: Callable[[Result], str | None] | None = None,
        show: Callable[[Result], None] | None = None,
    ) -> None:
        super().__init__(data if isinstance(data, Mapping) else {} if data is None else {"output": data})
        self.display_html = display_html
        self.show = show
        self._store = store
        self.record_id: int | None = snapshot.record_id if snapshot else None
        self.endpoint: str | None = snapshot.endpoint if snapshot else None
        self.request_id: str | None = snapshot.request_id if snapshot else None
        arguments = snapshot.arguments if snapshot else None
        self.arguments: dict[str, Any] = dict(arguments) if isinstance(arguments, Mapping) else {}
        self.cost: float | None = snapshot.cost if snapshot else None
        self.currency: str | None = snapshot.currency if snapshot else None
        self.artifacts: tuple[Artifact, ...] = tuple(snapshot.artifacts) if snapshot else ()

    @property
    def files(self) -> list[ResultFile]:
        """Its files, in the order the endpoint wrote them."""
        values = self._pattern_values()
        return [ResultFile(artifact, self._store, values) for artifact in self.artifacts]

    @property
    def text(self) -> str | None:
        """The text it consists of: the first of output, text, generated_text, results and description that is one."""
        return next((self[key] for key in _TEXT_KEYS if isinstance(self.get(key), str)), None)

    @property
    def prompt(self) -> str | None:
        """The prompt it was made from, else the text argument."""
        asked = (self.arguments.get(name) for name in ("prompt", "text"))
        return next((text for text in asked if isinstance(text, str)), None)

    @property
    def seed(self) -> Any:
        """The seed it was made with: the one asked for, else the one it names."""
        asked = self.arguments.get("seed")
        return self.get("seed") if asked is None else asked

    def save(self, to: str | os.PathLike[str]) -> list[Path]:
        """Copy all its files as `ResultFile.save` does, and return where to."""
        return [file.save(to) for file in self.files]

    def _pattern_values(self) -> dict[str, Any]:
        own = {"seed": self.seed, "record": self.record_id, "request": self.request_id, "endpoint": self.endpoint}
        values = {**self.arguments, **own}
        return {name: value for name, value in values.items() if value is not None}

    def _ipython_display_(self) -> None:
        if self.show is None:
            raise NotImplementedError
        self.show(self)

    def _repr_html_(self) -> str | None:
        return self.display_html(self) if self.display_html is not None else None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out how it is shown: that belongs to the kernel it was made in."""
        return {**self.__dict__, "display_html": None, "show": None}

    def __repr__(self) -> str:
        short = reprlib.Repr()
        short.maxdict, short.maxlist, short.maxlevel, short.maxstring, short.maxother = 24, 6, 5, 80, 80
        text = short.repr(dict(self))
        text = text if len(text) <= _REPR_CHARS else f"{text[: _REPR_CHARS - 1]}…"
        return f"Result({text})"


def _copy_beside(source: Path, target: Path) -> Path:
    """Copy to the first name that is free; what another program creates meanwhile is never written over."""
    number = 0
    while True:
        candidate = free_path(target, number)
        try:
            with candidate.open("xb") as written:
                _copy_into(source, written, candidate)
        except FileExistsError:
            number += 1
        else:
            return candidate


def _copy_into(source: Path, written: BinaryIO, candidate: Path) -> None:
    try:
        with source.open("rb") as file:
            shutil.copyfileobj(file, written, _CHUNK)
    except BaseException:
        candidate.unlink(missing_ok=True)
        raise
