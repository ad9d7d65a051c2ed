"""What can be made of one output, as a cell to be run: the same call, varied, elsewhere, or with the output put in.

Nothing here sends anything: a person reads the cell and runs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from fal_nb.artifacts.artifact import Artifact
from fal_nb.errors import EndpointError, HistoryError
from fal_nb.magics.format import format_line
from fal_nb.plain import one_line
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.files import extension_for
from fal_nb.schemas.check import check_arguments
from fal_nb.schemas.types import ListOf, file_kinds
from fal_nb.sweeps.values import double_braces
from fal_nb.views.gallery_look import Written

if TYPE_CHECKING:
    from fal_nb.engine.session import Session
    from fal_nb.ledger.records import Record
    from fal_nb.schemas.endpoint_schema import EndpointSchema
    from fal_nb.schemas.types import Field

__all__ = ["Endpoints", "TileCode"]

_MOST_OFFERED = 200
_MOST_NOTES = 6
_IMPORT = "import fal_nb as fal\n"
_PROMPTS = ("prompt", "text")


class Endpoints(Protocol):
    """What this machine knows of endpoints without asking anybody."""

    def endpoints(self) -> list[str]:
        """Return ids, those called last first."""

    def schema(self, endpoint: str) -> EndpointSchema | None:
        """Return what an endpoint takes, if it was ever fetched."""


class TileCode:
    """Writes cells about outputs; every method reads the disk, and `elsewhere` may ask for a schema."""

    def __init__(self, session: Session, known: Endpoints) -> None:
        self._session = session
        self._known = known

    def again(self, record: Record) -> Written:
        """Return the same call once more."""
        return Written(format_line("run", record.endpoint, _arguments(record)))

    def vary(self, record: Record) -> Written:
        """Return a sweep over its seed."""
        arguments = {name: _doubled(value) for name, value in _arguments(record).items() if name != "seed"}
        return Written(f"{_IMPORT}fal.sweep({record.endpoint!r}, {arguments!r}, axes={{'seed': 'random 8'}}).run()")

    def path(self, artifact: Artifact | None) -> Written:
        """Return where its file is, under a name with an extension.

        Raises
        ------
        HistoryError
            Where it is not here.
        """
        if artifact is None or artifact.digest is None or not self._session.artifacts.has(artifact.digest):
            raise HistoryError("The file of this output is not on this machine.")
        extension = extension_for(artifact.content_type)
        return Written(str(self._session.artifacts.path(artifact.digest, "" if extension == ".bin" else extension)))

    def elsewhere(self, record: Record, endpoint: str) -> Written:
        """Return the same arguments, with the same seed, for another endpoint; what it lacks is left out and named.

        Raises
        ------
        EndpointError, FalError
            Where there is no such endpoint, or nobody can say what it takes.
        """
        schema = self._schema(endpoint)
        endpoint, given = schema.endpoint, _arguments(record)
        if record.seed is not None and "seed" in schema:
            given.setdefault("seed", record.seed)
        kept = {name: value for name, value in given.items() if name in schema}
        notes = [f"{endpoint} takes no {name}" for name in given if name not in kept]
        for problem in check_arguments(schema, kept).problems:
            name = str(problem.path[0]) if problem.path else ""
            if name in kept:
                del kept[name]
                notes.append(f"left out: {one_line(str(problem), 200)}")
        notes += [f"still to be given: {name}" for name in schema.required if name not in kept]
        return _noted(format_line("run", endpoint, kept, schema), notes)

    def input(self, record: Record, position: int, kind: str, endpoint: str) -> Written:
        """Return a call of another endpoint with this output as its input, and the prompt where it takes one.

        Raises
        ------
        EndpointError, FalError
            Where there is no such endpoint, nobody can say what it takes, or it takes no such file.
        """
        schema = self._schema(endpoint)
        endpoint = schema.endpoint
        field = _taking(schema, kind)
        if field is None:
            raise HistoryError(f"{endpoint} takes no {kind}: {', '.join(schema.names[:8])}.")
        prompt = {name: record.prompt for name in _PROMPTS if name in schema and record.prompt}
        words = "".join(f", {name!r}: {text!r}" for name, text in prompt.items())
        source = "[source]" if isinstance(field.type, ListOf) else "source"
        lacking = [name for name in schema.required if name not in prompt and name != field.name]
        text = (
            f"{_IMPORT}source = fal.result({record.id}).files[{position}]\n"
            f"fal.subscribe({endpoint!r}, {{{field.name!r}: {source}{words}}})"
        )
        return _noted(text, [f"still to be given: {name}" for name in lacking])

    def offered(self, record: Record, what: str, kind: str) -> list[str]:
        """Return endpoints for `elsewhere` or `input`: those known to fit, else all that are known."""
        names = [name for name in self._known.endpoints() if what == "input" or name != record.endpoint]
        names = names[:_MOST_OFFERED]
        schemas = {name: self._known.schema(name) for name in names}
        if what == "input":
            fitting = [name for name, schema in schemas.items() if schema and _taking(schema, kind)]
            return fitting or names
        given = _arguments(record).keys()
        shared = {name: len(given & set(schema.names)) if schema else 0 for name, schema in schemas.items()}
        return sorted(names, key=lambda name: -shared[name])

    def _schema(self, endpoint: str) -> EndpointSchema:
        parsed = str(EndpointId.parse(endpoint.strip()))
        known = self._known.schema(parsed)
        try:
            return known or self._session.preflight.schema(parsed)
        except TimeoutError as error:
            raise EndpointError(f"What {parsed} takes cannot be had now: {error}") from error


def _arguments(record: Record) -> dict[str, Any]:
    return dict(record.arguments) if isinstance(record.arguments, dict) else {}


def _taking(schema: EndpointSchema, kind: str) -> Field | None:
    """Return the input that takes such a file: a required one before others."""
    fields = [field for field in schema if kind in file_kinds(field.type)]
    return next((field for field in fields if field.required), fields[0] if fields else None)


def _noted(text: str, notes: Iterable[str]) -> Written:
    """Return a cell with its notes above it; a cell that is one magic from its first line on has none inside."""
    told = tuple(notes)
    shown = [*told[:_MOST_NOTES], *([f"and {len(told) - _MOST_NOTES} more"] if len(told) > _MOST_NOTES else [])]
    if not text.startswith("%%"):
        text = "".join(f"# {one_line(note, 300)}\n" for note in shown) + text
    return Written(text, tuple(shown))


def _doubled(value: Any) -> Any:
    """Return arguments as a plan takes them, where a brace begins a variable."""
    if isinstance(value, str):
        return double_braces(value)
    if isinstance(value, list):
        return [_doubled(inner) for inner in value]
    if isinstance(value, Mapping):
        return {name: _doubled(inner) for name, inner in value.items()}
    return value
