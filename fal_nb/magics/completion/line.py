"""What is offered in a line: subcommands, endpoints, names, options and jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.errors import EndpointError
from fal_nb.magics.completion.offers import NOTHING, Found, Offer, fitting
from fal_nb.magics.completion.values import Values, field_at, has_choices, kind_of
from fal_nb.magics.options import SUBCOMMANDS, SWEEP_ACTIONS, SWEEP_OPTIONS, OptionSpec, SubcommandSpec, find_option
from fal_nb.magics.tokens import NAME, Token, tokenize
from fal_nb.magics.words import JOB_WORD, TOPICS
from fal_nb.plain import one_line
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.schemas.bare import text_input_of
from fal_nb.schemas.types import ObjectOf, options_of
from fal_nb.states import OPEN_STATES

if TYPE_CHECKING:
    from fal_nb.ledger.names import KnownJob
    from fal_nb.magics.completion.known import Known
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["LineOffers", "endpoint_in", "field_offers"]

_NAME = re.compile(NAME)
_LIVES = ("immediate", "1h", "1d", "7d", "30d", "1y")


class LineOffers:
    """What is offered at the end of one line, up to the cursor."""

    def __init__(self, text: str, known: Known, variables: Mapping[str, Any], following: str = "") -> None:
        self._text = text
        self._known = known
        self._values = Values(variables, following)
        line = tokenize(text)
        self._tokens = list(line.tokens)
        self._is_over = line.silenced or line.comment_column is not None
        self._is_hash = line.comment_column is not None and text[line.comment_column :] == "#"

    def found(self) -> Found:
        """Return what is offered."""
        tokens = self._tokens
        if self._is_over and not self._is_hash:
            return NOTHING
        current = tokens.pop() if tokens and tokens[-1].end == len(self._text) and not self._is_hash else None
        if not tokens:
            written = current.raw if current else ""
            return fitting(written, (Offer(spec.name, "subcommand") for spec in SUBCOMMANDS.values()))
        spec = SUBCOMMANDS.get(tokens[0].raw)
        if spec is None:
            return NOTHING
        if self._is_hash:
            return fitting("#", self._jobs(spec, "#")) if spec.words in {"job", "jobs", "choices"} else NOTHING
        if current is None or current.kind == "word":
            value = self._value_after(spec, tokens[-1], current)
            if value is not None:
                return value
        return self._item(spec, current)

    def _value_after(self, spec: SubcommandSpec, previous: Token, current: Token | None) -> Found | None:
        """Return what is offered as the value of the option before, or None where none belongs here."""
        if previous.kind != "option" or previous.operator:
            return None
        written = current.raw if current else ""
        ours = find_option(spec, previous.name)
        if ours is not None:
            return None if ours.kind == "flag" else self._option_value(spec, ours, written)
        field = field_at(self._schema(), previous.name.replace("-", "_"))
        return self._values.of(field, written) if field is not None and has_choices(field) else None

    def _item(self, spec: SubcommandSpec, current: Token | None) -> Found:
        written = current.raw if current else ""
        if current is not None and current.kind != "word" and current.operator:
            value = current.chunk.raw if current.chunk else ""
            is_ours = current.kind == "option" or (spec.assigns_options and current.operator == "=")
            ours = find_option(spec, current.name) if is_ours else None
            if ours is not None:
                return self._option_value(spec, ours, value)
            field = field_at(self._schema(), current.name.replace("-", "_"))
            return self._values.of(field, value, is_json=current.operator == ":=")
        if written.startswith("-"):
            return fitting(written, self._options(spec))
        if current is not None and written[0] in "\"'“”":
            return self._values.in_text(written)
        words = [token for token in self._tokens[1:] if token.kind == "word"]
        offers = [*self._words(spec, words, written)]
        if not written:
            offers += self._options(spec)
        return fitting(written, offers)

    def _words(self, spec: SubcommandSpec, words: list[Token], written: str) -> Iterator[Offer]:
        """Yield what a word can be here, and for a call the names of its inputs."""
        first = not words
        if spec.words == "endpoint" or spec.name in {"attach", "sweep"}:
            if spec.name == "sweep":
                yield from self._sweep_words(words)
            elif first:
                if spec.words == "endpoint":
                    yield from (Offer(name, one_line(line, 60)) for name, line in self._known.aliases.items())
                yield from self._endpoints()
            elif spec.name == "attach":
                yield from (Offer(job.request_id, _told(job)) for job in self._history_jobs() if job.request_id)
            elif spec.takes_inputs:
                yield from self._names()
        elif spec.words == "jobs" or (first and spec.words in {"job", "choices"}):
            yield from self._jobs(spec, written)
        elif spec.assigns_options:
            yield from (Offer(f"{option.name}=", option.help) for option in spec.options if option.kind != "flag")
        elif first and spec.words in {"action", "topic"}:
            yield from (Offer(choice, spec.words) for choice in spec.choices or TOPICS)

    def _sweep_words(self, words: list[Token]) -> Iterator[Offer]:
        if not words:
            yield from (Offer(action, "action") for action in SWEEP_ACTIONS)
            yield from self._endpoints()
        elif words[0].raw in SWEEP_ACTIONS and words[0].raw != "list" and len(words) == 1:
            yield from (Offer(name, "sweep") for name in self._known.history().sweeps if " " not in name)
        if words and words[0].raw == "score":
            from fal_nb.scoring.built_in import BUILT_IN  # noqa: PLC0415 - rarely needed

            yield from (Offer(name, "scorer") for name in (*BUILT_IN, "duplicates"))

    def _endpoints(self) -> Iterator[Offer]:
        return (Offer(name, "endpoint") for name in self._known.endpoints())

    def _options(self, spec: SubcommandSpec) -> Iterator[Offer]:
        """Yield the options that are not on the line already."""
        given = {found.name for token in self._tokens if (found := find_option(spec, token.name)) and not found.many}
        takes = {option.name for option in spec.options}
        if spec.name == "sweep":
            words = [token.raw for token in self._tokens]
            action = next((word for word in words if word in SWEEP_ACTIONS), "plan")
            takes = set(SWEEP_OPTIONS.get(action, ("var",)))
        for option in spec.options:
            if option.name in takes and option.name not in given:
                yield Offer(option.spelling, f"option {option.metavar}".rstrip())

    def _option_value(self, spec: SubcommandSpec, option: OptionSpec, written: str) -> Found:
        offers: list[Offer] = []
        match option.kind:
            case "choice":
                offers = [Offer(choice, option.spelling) for choice in option.choices]
            case "life":
                offers = [Offer(life, option.spelling) for life in _LIVES]
            case "input" if option.name in {"with", "save"}:
                offers = [Offer(name, "kept arguments") for name in self._known.kept]
            case "input" if option.name == "remove":
                offers = [Offer(name, one_line(line, 60)) for name, line in self._known.aliases.items()]
            case "input":
                schema = self._schema()
                names = schema.names if schema else []
                offers = [Offer(name, "input") for name in names if _NAME.fullmatch(name)]
            case "job":
                offers = [*self._jobs(spec, written)]
            case "text" if option.name == "category":
                offers = [Offer(name, "category") for name in self._known.models().categories]
            case "text" if option.name == "tag" and spec.assigns_options:
                offers = [Offer(name, "tag") for name in self._known.models().tags if " " not in name]
            case "text" if option.name == "endpoint":
                offers = [*self._endpoints()]
        return fitting(written, offers)

    def _names(self) -> Iterator[Offer]:
        """Yield the inputs that have no value yet, those that must have one first."""
        schema = self._schema()
        if schema is None:
            return
        given = {token.name.replace("-", "_") for token in self._tokens if token.name}
        if any(token.kind == "word" and token.raw[0] in "\"'“”" for token in self._tokens):
            given.add(text_input_of(schema) or "")
        current = re.search(r"\S*\Z", self._text)
        yield from field_offers(schema, given, current[0] if current else "", "=")

    def _schema(self) -> EndpointSchema | None:
        endpoint = endpoint_in(self._tokens, self._known.aliases)
        return None if endpoint is None else self._known.schema(endpoint)

    def _history_jobs(self) -> list[KnownJob]:
        jobs = self._known.history().jobs
        return [job for job in jobs if not job.request_id or JOB_WORD.fullmatch(job.request_id)]

    def _jobs(self, spec: SubcommandSpec, written: str) -> Iterator[Offer]:
        """Yield numbers of jobs, or what begins as `written` does; those first that the subcommand is about."""
        meant = {"cancel": OPEN_STATES, "wait": OPEN_STATES, "reconcile": ("UNKNOWN",)}.get(spec.name, ())
        jobs = sorted(self._history_jobs(), key=lambda job: job.state not in meant)
        if spec.name == "reconcile":
            jobs = [job for job in jobs if job.state in meant]
        mark = "=" if spec.words == "choices" and self._tokens[-1].kind != "option" else ""
        for job in jobs:
            names = [f"#{job.record_id}{mark}"]
            if written[:1] not in {"", "#"}:
                names = [f"{job.record_id}{mark}", *([job.request_id] if job.request_id and not mark else [])]
            yield from (Offer(name, _told(job)) for name in names if name.startswith(written))


def field_offers(schema: EndpointSchema, given: set[str], written: str, mark: str) -> list[Offer]:
    """Return the names of inputs, or of the parts of one where `written` is dotted; what is required comes first.

    Parameters
    ----------
    given
        Names that have a value already.
    mark
        What follows a name: ``=`` or ``: ``.
    """
    fields, head = list(schema), ""
    if "." in written:
        head = written.rpartition(".")[0]
        inside = field_at(schema, head)
        objects = [option for option in options_of(inside.type) if isinstance(option, ObjectOf)] if inside else []
        fields, head = [field for option in objects for field in option.fields], f"{head}."
    left = [field for field in fields if f"{head}{field.name}" not in given and _NAME.fullmatch(field.name)]
    left.sort(key=lambda field: (not field.required, field.is_hidden))
    return [Offer(f"{head}{field.name}{mark}", kind_of(field)) for field in left]


def endpoint_in(tokens: list[Token], aliases: Mapping[str, str]) -> str | None:
    """Return the endpoint of a line, or None where it has none that can be read."""
    word = next((token.raw for token in tokens[1:] if token.kind == "word"), None)
    try:
        return None if word is None else str(EndpointId.parse(aliases.get(word, word).partition(" ")[0]))
    except EndpointError:
        return None


def _told(job: KnownJob) -> str:
    return f"{job.state.lower()} {job.endpoint}"
