"""Line and cell → one frozen value per subcommand, and from it the arguments for the endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal, NoReturn, TypeAlias, cast

from fal_nb.errors import EndpointError
from fal_nb.magics.aliases import check_alias, with_alias
from fal_nb.magics.body import parse_body
from fal_nb.magics.catalogue_commands import (
    CATALOGUE_READERS,
    AdviceArguments,
    ModelsArguments,
    SchemaArguments,
    UsageArguments,
)
from fal_nb.magics.commands import (
    AliasArguments,
    Arguments,
    AttachArguments,
    CallArguments,
    CanvasArguments,
    ConfigArguments,
    FormArguments,
    GalleryArguments,
    HelpArguments,
    HistoryArguments,
    JobArguments,
    JobsArguments,
    PriceArguments,
    ReconcileArguments,
    ReplayArguments,
    ResumeArguments,
    RunArguments,
    SimulatorArguments,
    StreamArguments,
    SubmitArguments,
    SweepArguments,
    WaitArguments,
)
from fal_nb.magics.convert import option_fields
from fal_nb.magics.grammar import parse_line, parses
from fal_nb.magics.help import help_text
from fal_nb.magics.items import Assign, Input, ParsedLine, Word
from fal_nb.magics.options import QUEUE_OPTIONS, SWEEP_ACTIONS, SWEEP_OPTIONS
from fal_nb.magics.quoting import raw_offset
from fal_nb.magics.resolve import place, resolve
from fal_nb.magics.values import Bare, Coerce, Text, coerce_bare
from fal_nb.magics.words import CHOICE_WORD, JOB_WORD
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.templates.mistakes import Edit, Mistake, explain, shorten
from fal_nb.templates.template import expand

__all__ = [
    "AdviceArguments",
    "AliasArguments",
    "Arguments",
    "AttachArguments",
    "CallArguments",
    "CanvasArguments",
    "ConfigArguments",
    "FormArguments",
    "GalleryArguments",
    "HelpArguments",
    "HistoryArguments",
    "JobArguments",
    "JobsArguments",
    "ModelsArguments",
    "PriceArguments",
    "ReconcileArguments",
    "ReplayArguments",
    "ResumeArguments",
    "RunArguments",
    "SchemaArguments",
    "SimulatorArguments",
    "StreamArguments",
    "SubmitArguments",
    "SweepArguments",
    "UsageArguments",
    "WaitArguments",
    "build_arguments",
    "help_text",
    "read_arguments",
]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_CALLS: Mapping[
    str, type[RunArguments | StreamArguments | SubmitArguments | FormArguments | PriceArguments | CanvasArguments]
] = MappingProxyType(
    {
        "run": RunArguments,
        "stream": StreamArguments,
        "submit": SubmitArguments,
        "form": FormArguments,
        "price": PriceArguments,
        "canvas": CanvasArguments,
    }
)


def read_arguments(
    line: str,
    cell: str | None = None,
    namespace: Mapping[str, Any] = _NOTHING,
    aliases: Mapping[str, str] = _NOTHING,
) -> Arguments:
    """Return what a magic was asked to do.

    Parameters
    ----------
    line
        What stands after ``%fal`` or ``%%fal``.
    cell
        The body below ``%%fal``; None for ``%fal``.
    namespace
        The notebook's variables, for an endpoint or job written as ``{name}``.
    aliases
        Short names of endpoints → what they stand for.

    Raises
    ------
    GrammarError
        Where the line, or what it says of the body, has a mistake.
    """
    magic = "%fal" if cell is None else "%%fal"
    try:
        line, alias, short_name = with_alias(line, aliases)
    except Mistake as mistake:
        raise explain(mistake, line, magic, parses) from None
    parsed = parse_line(line, magic)
    try:
        if parsed.subcommand in _CALLS:
            call = _read_call(parsed, cell if cell and cell.strip() else None, namespace, alias)
            return cast("Arguments", replace(call, short_name=short_name))
        if parsed.spec.takes_body:
            return _read_sweep(parsed, cell if cell and cell.strip() else None, namespace)
        if cell and cell.strip():
            _refuse(f"{parsed.subcommand} takes no body: write it with one %, and the rest in another cell", 0)
        return _READERS[parsed.subcommand](parsed, namespace)
    except Mistake as mistake:
        raise explain(mistake, parsed.text, parsed.magic, parses) from mistake.__cause__


def build_arguments(
    call: CallArguments,
    namespace: Mapping[str, Any],
    coerce: Coerce = coerce_bare,
    *,
    text_input: str = "prompt",
) -> dict[str, Any]:
    """Return the arguments for the endpoint: body, text and inputs together.

    Files after ``@`` are ``pathlib.Path`` values, variables alone in braces are the objects themselves.

    Parameters
    ----------
    text_input
        The input that takes the text or the body where the line names none.

    Raises
    ------
    GrammarError
        Where a variable does not exist or may not be used, a body cannot be read, or a name occurs twice.
    FileError
        Where a file cannot be read.
    """
    name = tuple((call.text_input or text_input).split("."))
    items: list[Input] = list(call.inputs)
    given: dict[str, Any] = {}
    if call.text is not None:
        text = Text(call.text.text, template=True)
        items.insert(0, Assign(call.text.column, call.text.raw, name, text, call.text.column))
    if call.body is not None:
        parsed = parse_body(call.body, call.body_mode, namespace)
        if isinstance(parsed, dict):
            given = parsed
        else:
            place(given, name, parsed)
    return resolve(items, namespace, coerce, given=given, line=call.line, magic=call.magic)


def _refuse(what: str, column: int, *edits: Edit) -> NoReturn:
    raise Mistake(what, column, *edits)


def _read_call(parsed: ParsedLine, body: str | None, namespace: Mapping[str, Any], alias: str) -> CallArguments:
    fields = option_fields(parsed)
    is_json, is_yaml = fields.pop("json", False), fields.pop("yaml", False)
    text = parsed.words[1] if len(parsed.words) > 1 else None
    _check_body(parsed, body, text)
    if fields.get("direct"):
        _check_direct(parsed)
    if fields.get("memo") and fields.get("no_memo"):
        second = next(item for item in reversed(parsed.options) if item.name[0] in {"memo", "no_memo"})
        cut = Edit(second.column, second.column + len(second.raw), "")
        _refuse("--memo and --no-memo exclude each other", second.column, cut)
    fields |= {
        "endpoint": _endpoint(parsed.words[0], namespace),
        "inputs": parsed.inputs,
        "text": text,
        "body": body,
        "body_mode": "json" if is_json else "yaml" if is_yaml else "text",
        "alias": alias,
        "line": parsed.text,
        "magic": parsed.magic,
        "silenced": parsed.silenced,
    }
    return _CALLS[parsed.subcommand](**fields)


def _read_job(parsed: ParsedLine, namespace: Mapping[str, Any]) -> Arguments:
    subcommand = cast('Literal["status", "result", "logs", "cancel"]', parsed.subcommand)
    job = _job(parsed.words[0], namespace) if parsed.words else None
    return JobArguments(subcommand=subcommand, job=job, silenced=parsed.silenced)


def _read_wait(parsed: ParsedLine, namespace: Mapping[str, Any]) -> Arguments:
    fields = option_fields(parsed)
    if parsed.words and fields.get("all_open"):
        _refuse("--all means every open job: name none beside it", parsed.words[0].column)
    jobs = tuple(_job(word, namespace) for word in parsed.words)
    return WaitArguments(jobs=jobs, silenced=parsed.silenced, **fields)


def _read_jobs(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> Arguments:
    return JobsArguments(silenced=parsed.silenced, **option_fields(parsed))


def _read_resume(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> Arguments:
    return ResumeArguments(silenced=parsed.silenced)


def _read_attach(parsed: ParsedLine, namespace: Mapping[str, Any]) -> Arguments:
    if len(parsed.words) != 2:
        column = parsed.words[2].column if len(parsed.words) > 2 else len(parsed.text)
        _refuse("attach takes an endpoint and a request id", column)
    request_id = _job(parsed.words[1], namespace)
    if isinstance(request_id, int):
        _refuse(f"{request_id} is a job's number, which `%fal status` takes: give a request id", parsed.words[1].column)
    return AttachArguments(
        endpoint=_endpoint(parsed.words[0], namespace), request_id=request_id, silenced=parsed.silenced
    )


def _read_reconcile(parsed: ParsedLine, namespace: Mapping[str, Any]) -> Arguments:
    fields = option_fields(parsed)
    if "send_again" in fields and parsed.words:
        _refuse("--send-again sends one call: choose requests in a line of its own", parsed.words[0].column)
    choices: dict[int, str] = {}
    for word in parsed.words:
        found = CHOICE_WORD.fullmatch(_expanded(word, namespace))
        if found is None:
            _refuse(f"{shorten(word.text)!r} is no JOB=REQUEST_ID", word.column)
        if int(found[1]) in choices:
            _refuse(f"#{found[1]} is chosen twice", word.column)
        choices[int(found[1])] = found[2]
    return ReconcileArguments(choices=tuple(choices.items()), silenced=parsed.silenced, **fields)


_SweepAction: TypeAlias = Literal[
    "plan", "list", "refine", "resume", "retry", "pause", "cancel", "show", "export", "score", "effects"
]
_MOST_SCORERS = 20
_VARIABLE_ALONE = frozenset({"var"})


def _read_sweep(parsed: ParsedLine, body: str | None, namespace: Mapping[str, Any]) -> Arguments:
    fields = option_fields(parsed)
    word = parsed.words[0] if parsed.words else None
    action = word.text if word is not None and word.text in SWEEP_ACTIONS else "plan"
    most = {"plan": 1, "list": 1, "export": 3, "score": _MOST_SCORERS}.get(action, 2)
    if len(parsed.words) > most:
        extra = parsed.words[most]
        cut = Edit(extra.column, extra.column + len(extra.raw), "")
        _refuse(f"sweep knows no {shorten(extra.text)!r} here", extra.column, cut)
    for option in parsed.options:
        if option.ours and option.name[0] not in SWEEP_OPTIONS.get(action, _VARIABLE_ALONE):
            # Said rather than ignored: a --dry-run that means nothing would be a call.
            cut = Edit(option.column, option.column + len(option.raw), "")
            _refuse(f"sweep {action} takes no {option.raw.split(maxsplit=1)[0]}", option.column, cut)
    if action == "plan":
        if body is None:
            column = word.column if word is not None else len(parsed.text)
            _refuse("a sweep's plan is the cell below: write it with two %, or name what to do: resume, show", column)
        target = None if word is None else _endpoint(word, namespace)
    else:
        if (body is None) is (action == "refine"):
            needs = "needs new values in the cell below: %%" if body is None else "takes no body"
            _refuse(f"sweep {action} {needs}", word.column if word is not None else 0)
        target = parsed.words[1].text if len(parsed.words) > 1 else None
    if action == "export":
        if len(parsed.words) < 2:
            _refuse("sweep export: name the file or folder to write, such as x.png", len(parsed.text))
        fields["path"] = parsed.words[-1].text
        target = parsed.words[1].text if len(parsed.words) == 3 else None
    behind = tuple(one.text for one in parsed.words[1:])
    chosen = cast("_SweepAction", action)
    return SweepArguments(action=chosen, target=target, words=behind, body=body, silenced=parsed.silenced, **fields)


def _read_history(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> Arguments:
    words = tuple(word.text for word in parsed.words)
    return HistoryArguments(words=words, silenced=parsed.silenced, **option_fields(parsed))


def _read_gallery(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> Arguments:
    words = tuple(word.text for word in parsed.words)
    return GalleryArguments(words=words, silenced=parsed.silenced, **option_fields(parsed))


def _read_replay(parsed: ParsedLine, namespace: Mapping[str, Any]) -> Arguments:
    job = _job(parsed.words[0], namespace) if parsed.words else None
    return ReplayArguments(job=job, silenced=parsed.silenced, **option_fields(parsed))


def _read_alias(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> Arguments:
    fields = option_fields(parsed)
    first = parsed.inputs[0] if parsed.inputs else None
    if first is None or "remove" in fields:
        if first is not None:
            _refuse("--remove forgets a name: give none another meaning beside it", first.column)
        return AliasArguments(silenced=parsed.silenced, **fields)
    if not isinstance(first, Assign) or not isinstance(first.value, (Text, Bare)) or len(first.name) > 1:
        _refuse("a short name comes first: NAME=ENDPOINT", first.column)
    inputs = parsed.text[first.column + len(first.raw) :].strip().rstrip(";").strip()
    stands_for = f"{first.value.value if isinstance(first.value, Text) else first.value.text} {inputs}".strip()
    check_alias(first.name[0], stands_for)
    return AliasArguments(name=first.name[0], line=stands_for, silenced=parsed.silenced)


def _read_config(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> Arguments:
    return ConfigArguments(silenced=parsed.silenced)


def _read_simulator(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> Arguments:
    action = parsed.words[0].text if parsed.words else "status"
    return SimulatorArguments(action=cast('Literal["start", "stop", "status"]', action), silenced=parsed.silenced)


def _read_help(parsed: ParsedLine, _namespace: Mapping[str, Any]) -> Arguments:
    return HelpArguments(topic=parsed.words[0].text if parsed.words else None, silenced=parsed.silenced)


def _check_body(parsed: ParsedLine, body: str | None, text: Word | None) -> None:
    """Refuse a line and a body that do not go together."""
    options = {option.name[0]: option for option in parsed.options}
    formats = [options[name] for name in ("json", "yaml") if name in options]
    if len(formats) > 1:
        _refuse("a body is --json or --yaml, not both", formats[1].column)
    if formats and body is None:
        _refuse(f"{formats[0].raw} speaks of the cell below %%fal, and there is none", formats[0].column)
    if text and body is not None:
        cut = Edit(text.column, text.column + len(text.raw), "")
        _refuse(f"the cell's body is the text already, beside {shorten(text.text, 40)!r}", text.column, cut)
    named = options.get("body")
    if named and (formats or (text is None and body is None)):
        why = f"{formats[0].raw} has none" if formats else "there is none"
        cut = Edit(named.column, named.column + len(named.raw), "")
        _refuse(f"--body names the input of a text, and {why}", named.column, cut)


def _check_direct(parsed: ParsedLine) -> None:
    """Refuse what only a queue can do beside --direct."""
    for option in parsed.options:
        if option.name[0] in QUEUE_OPTIONS:
            spelling = "--" + option.name[0].replace("_", "-")
            cut = Edit(option.column, option.column + len(option.raw), "")
            _refuse(f"{spelling} is for the queue, and --direct has none", option.column, cut)


def _endpoint(word: Word, namespace: Mapping[str, Any]) -> str:
    text = _expanded(word, namespace)
    try:
        return str(EndpointId.parse(text))
    except EndpointError as error:
        raise Mistake(str(error).rstrip("."), word.column) from None


def _job(word: Word, namespace: Mapping[str, Any]) -> int | str:
    text = _expanded(word, namespace)
    found = JOB_WORD.fullmatch(text)
    if found is None:
        _refuse(f"{shorten(text)!r} is no job's number or request id", word.column)
    return int(found[1]) if found[1] else text


def _expanded(word: Word, namespace: Mapping[str, Any]) -> str:
    """Return a first word; ``{name}`` in it is a notebook variable, as in any text."""
    try:
        return expand(word.text, namespace)
    except Mistake as mistake:
        raise mistake.moved(word.column + raw_offset(word.raw, mistake.at)) from mistake.__cause__


_Reader: TypeAlias = Callable[[ParsedLine, Mapping[str, Any]], Arguments]
_READERS: Mapping[str, _Reader] = MappingProxyType(
    {
        "status": _read_job,
        "result": _read_job,
        "logs": _read_job,
        "cancel": _read_job,
        "wait": _read_wait,
        "jobs": _read_jobs,
        "resume": _read_resume,
        "attach": _read_attach,
        "reconcile": _read_reconcile,
        "history": _read_history,
        "gallery": _read_gallery,
        "replay": _read_replay,
        "alias": _read_alias,
        "config": _read_config,
        "simulator": _read_simulator,
        "help": _read_help,
        **CATALOGUE_READERS,
    }
)
