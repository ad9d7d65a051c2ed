"""One call in the four forms that people paste elsewhere: a magic, Python, JavaScript, a curl line. None holds a key.

Everything in them was written by strangers (models, colleagues' prompts, file names): each form quotes by the rules of
the language that reads it, and what a terminal or an editor would take for a command is escaped. Files that are not
uploaded yet go by themselves in the first three; curl has a placeholder for their URL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from fal_nb.client.lifecycle import StorageSettings, lifecycle_body
from fal_nb.client.options import json_body
from fal_nb.engine.dry_run import PreparedCall
from fal_nb.engine.inputs import LocalFile, describe_inputs
from fal_nb.errors import ConfigError
from fal_nb.magics.format import format_line
from fal_nb.magics.quoting import quote_text
from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["FORMS", "Form", "copy_form"]

Form: TypeAlias = Literal["magic", "python", "javascript", "curl"]

_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
"""What is invisible, or moves what stands around it; JSON and JavaScript have escapes for each."""
_INDENT = "  "
_MAGIC = {"subscribe": "run", "run": "run", "submit": "submit", "stream": "stream"}
_JS_CALLS = {"subscribe": "fal.subscribe", "submit": "fal.queue.submit", "run": "fal.run", "stream": "fal.stream"}
_BARE = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./-]*")
_JS_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_OF_THE_CLIENT = frozenset({"accept-encoding", "user-agent"})
_LEFT_OUT = "cannot be said here and are left out"


def copy_form(call: PreparedCall, form: Form, schema: EndpointSchema | None = None) -> str:
    """Return a call as source to be pasted.

    Parameters
    ----------
    schema
        By which a magic's line will be read, where it is known.

    Raises
    ------
    ConfigError
        Where there is no such form.
    GrammarError
        Where no line can hold the arguments.
    """
    if form not in FORMS:
        raise ConfigError(f"A call is copied as {', '.join(FORMS)}, not as {str(form)[:40]!r}.")
    return _magic(call, schema) if form == "magic" else FORMS[form](call)


# -- magic -----------------------------------------------------------------------------------------------------


def _magic(call: PreparedCall, schema: EndpointSchema | None = None) -> str:
    options, lost = _magic_options(call)
    arguments = _with_files(call.inputs, lambda file: file.path or f"<{file.name}>")
    head = " ".join([call.endpoint, *options])
    source = format_line(_MAGIC[call.how], head, arguments, schema)
    return f"# {', '.join(lost)}: {_LEFT_OUT}\n{source}" if lost and source.startswith("%fal") else source


def _magic_options(call: PreparedCall) -> tuple[list[str], list[str]]:
    """Return the options of the line, and the names of those that a line has no words for."""
    options = call.options
    found = ["--direct"] if call.how == "run" else []
    lost = ["headers"] if options.headers else []
    texts = {
        "start-timeout": None if options.start_timeout is None else f"{options.start_timeout:g}",
        "priority": options.priority,
        "hint": options.hint,
        "store-io": None if options.store_io is None else "yes" if options.store_io else "no",
        "fal-tags": ",".join(f"{key}={value}" for key, value in options.tags.items()) or None,
        "max-queue-length": None if options.max_queue_length is None else str(options.max_queue_length),
        "webhook-url": options.webhook_url,
    }
    life = options.lifecycle
    if life is not None:
        if isinstance(life, StorageSettings) and life.expires_in is not None and life.initial_acl is None:
            texts["lifecycle"] = str(life.expires_in)
        else:
            lost.append("lifecycle")
    path = options.path.strip("/")
    if call.how == "stream" and path != "stream":
        texts["path"] = f"/{path}"
    elif call.how != "stream" and path:
        lost.append("path")
    found += [
        f"--{name} {text if _BARE.fullmatch(text) else quote_text(text)}"
        for name, text in texts.items()
        if text is not None
    ]
    flags = {
        "no-retry": options.no_retry,
        "disable-fallback": options.disable_fallback,
        "unchecked": call.is_unchecked,
    }
    return found + [f"--{name}" for name, is_set in flags.items() if is_set], lost


# -- Python ----------------------------------------------------------------------------------------------------


def _python(call: PreparedCall) -> str:
    arguments = _with_files(call.inputs, lambda file: file.path or f"<{file.name}>")
    rows = "".join(f"        {_py(name)}: {_py(value)},\n" for name, value in arguments.items())
    given = f"    {{\n{rows}    }},\n" if rows else ""
    options = "".join(f"    {name}={_py(value)},\n" for name, value in _python_options(call).items())
    imports = "from pathlib import Path\n\n" if _has_paths(call) else ""
    name = {"submit": "job", "stream": "events"}.get(call.how, "result")
    made = f"{name} = fal.{call.how}(\n    {_py(call.endpoint)},\n{given}{options})\n"
    loop = "for event in events:\n    print(event)\n" if call.how == "stream" else ""
    return f"{imports}import fal_nb as fal\n\n{made}{loop}"


def _python_options(call: PreparedCall) -> dict[str, Any]:
    options = call.options
    life = lifecycle_body(options.lifecycle)
    usual_paths = {"", "stream"} if call.how == "stream" else {""}
    found = {
        "path": None if options.path.strip("/") in usual_paths else options.path,
        "start_timeout": options.start_timeout,
        "priority": options.priority,
        "hint": options.hint,
        "headers": dict(options.headers) or None,
        "lifecycle": life,
        "store_io": options.store_io,
        "no_retry": options.no_retry or None,
        "disable_fallback": options.disable_fallback or None,
        "fal_tags": dict(options.tags) or None,
        "max_queue_length": options.max_queue_length,
        "webhook_url": options.webhook_url,
    }
    return {name: value for name, value in found.items() if value is not None}


def _py(value: Any) -> str:
    """Return a Python expression on one line; what does not print is escaped."""
    if isinstance(value, Path):
        return f"Path({_py(str(value))})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_py(key)}: {_py(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_py, value)) + "]"
    if isinstance(value, str) and not value.isprintable():
        return ascii(value)
    return repr(value)


# -- JavaScript ------------------------------------------------------------------------------------------------


def _javascript(call: PreparedCall) -> str:
    options, lost = _js_options(call)
    rows = "".join(f"{_INDENT}{name}: {value},\n" for name, value in options.items())
    imports = ['import { fal } from "@fal-ai/client";']
    if _has_paths(call):
        imports.insert(0, 'import { readFile } from "node:fs/promises";')
    note = f"// {', '.join(lost)}: {_LEFT_OUT}\n" if lost else ""
    name = {"submit": "submitted", "stream": "stream"}.get(call.how, "result")
    made = f"const {name} = await {_JS_CALLS[call.how]}({_json(call.endpoint)}, {{\n{rows}}});\n"
    loop = "for await (const event of stream) console.log(event);\n" if call.how == "stream" else ""
    return "\n".join(imports) + f"\n\n{note}{made}{loop}"


def _js_options(call: PreparedCall) -> tuple[dict[str, str], list[str]]:
    """Return the options as source, and the names of those that the client has no place for."""
    options = call.options
    is_queue = call.how in {"subscribe", "submit"}
    found = {"input": _js(call.inputs, 1)}
    headers = {
        name: value
        for name, value in options.wire_headers().items()
        if name not in {"accept", "x-fal-queue-priority", "x-fal-request-start-timeout", "x-fal-request-timeout"}
    }
    wanted: dict[str, Any] = {
        "startTimeout": options.start_timeout if call.how != "stream" else None,
        "priority": options.priority if is_queue else None,
        "webhookUrl": options.webhook_url if is_queue else None,
        "headers": headers if is_queue and headers else None,
    }
    found |= {name: _js(value, 1) for name, value in wanted.items() if value is not None}
    lost = [] if is_queue else [name.removeprefix("x-fal-") for name in headers]
    if options.max_queue_length is not None:
        lost.append("max_queue_length")
    path = options.path.strip("/")
    if path not in {"", "stream"} or (path == "stream" and call.how != "stream"):
        lost.append("path")
    if call.how == "stream" and path not in {"", "stream"}:
        lost.remove("path")
        found["url"] = _json(call.url)
    return found, lost


def _js(value: Any, depth: int) -> str:
    """Return a JavaScript expression; ``__proto__`` as a name would set an object's ancestor, so it is computed."""
    if isinstance(value, LocalFile):
        if value.path is None:
            return _json(f"<{value.name}>")
        kind = _json(value.content_type)
        return f"new File([await readFile({_json(str(value.path))})], {_json(value.name)}, {{ type: {kind} }})"
    pad, end = _INDENT * (depth + 1), _INDENT * depth
    if isinstance(value, Mapping):
        rows = "".join(f"{pad}{_js_key(str(key))}: {_js(inner, depth + 1)},\n" for key, inner in value.items())
        return f"{{\n{rows}{end}}}" if rows else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_js(inner, depth + 1) for inner in value) + "]"
    return _json(value)


def _js_key(key: str) -> str:
    if key == "__proto__":
        return '["__proto__"]'
    return key if _JS_NAME.fullmatch(key) else _json(key)


# -- curl ------------------------------------------------------------------------------------------------------


def _curl(call: PreparedCall) -> str:
    body = json_body(describe_inputs(dict(call.inputs)), call.endpoint).decode()
    lines = [f"curl -sS {'-N ' if call.how == 'stream' else ''}-X {call.method} {_sh(call.url)}"]
    for name, value in call.headers.items():
        if name in _OF_THE_CLIENT or (name == "accept" and call.how != "stream"):
            continue
        # In double quotes, and written by us alone: the shell puts the key in.
        lines.append('-H "Authorization: Key $FAL_KEY"' if name == "authorization" else f"-H {_sh(f'{name}: {value}')}")
    lines.append(f"--data-raw {_sh(_escaped(body))}")
    note = "# each <file> below has to be uploaded first; its URL takes the place of its name\n" if call.files else ""
    return note + " \\\n  ".join(lines) + "\n"


def _sh(text: str) -> str:
    """Return one word for a POSIX shell: nothing is special between single quotes but they themselves."""
    return "'" + text.replace("'", "'\\''") + "'"


# -- all of them -----------------------------------------------------------------------------------------------


def _json(value: Any) -> str:
    return _escaped(json.dumps(value, ensure_ascii=False, allow_nan=False))


def _escaped(text: str) -> str:
    r"""Return JSON on one line with what does not show written as ``\u…``."""
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _has_paths(call: PreparedCall) -> bool:
    return any(file.path is not None for file in call.files)


def _with_files(value: Any, write: Callable[[LocalFile], Any]) -> Any:
    if isinstance(value, LocalFile):
        return write(value)
    if isinstance(value, Mapping):
        return {key: _with_files(inner, write) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_files(inner, write) for inner in value]
    return value


FORMS: Mapping[Form, Callable[[PreparedCall], str]] = MappingProxyType(
    {"magic": _magic, "python": _python, "javascript": _javascript, "curl": _curl}
)
"""Form → what writes it, in the order in which they are offered."""
