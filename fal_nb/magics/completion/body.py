"""What is offered in the body of ``%%fal``: names and values of arguments, axes and rules of a plan, variables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from fal_nb.magics.completion.line import endpoint_in, field_offers
from fal_nb.magics.completion.offers import NOTHING, Found, Offer, fitting
from fal_nb.magics.completion.values import Values, field_at, files, values_of
from fal_nb.magics.options import SUBCOMMANDS
from fal_nb.magics.tokens import tokenize
from fal_nb.protocol.status import JSON
from fal_nb.schemas.words import show_value

if TYPE_CHECKING:
    from fal_nb.magics.completion.known import Known
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["body_offers"]

_RULES = ("zip", "rows", "skip")
_KEY = re.compile(r"([^\W\d][\w.-]*)?\Z")
_VALUE = re.compile(r"""(["']?)([^\W\d][\w.-]*)\1:[ \t]+(?:\[(?:[^\[\],]*,[ \t]*)*+)?([^\s\[\],]*)\Z""")
_JSON_KEY = re.compile(r'(?:\A|[{,])\s*"([^"\\]*)\Z')
_JSON_VALUE = re.compile(r'"([^"\\]+)"\s*:\s*("?[^"\\,{}\[\]\s]*)\Z')
_GIVEN = re.compile(r"""^["']?([^\W\d][\w.-]*)["']?:(?:\s|\Z)""", re.MULTILINE)
_JSON_GIVEN = re.compile(r'"([^"\\]+)"\s*:')
_PLAIN_YAML = re.compile(r"[A-Za-z][A-Za-z0-9_./+-]*")


def body_offers(line: str, body: str, known: Known, variables: Mapping[str, Any], following: str = "") -> Found:
    """Return what is offered at the end of a body.

    Parameters
    ----------
    line
        The magic's line.
    body
        Up to the cursor.
    """
    tokens = list(tokenize(line).tokens)
    spec = SUBCOMMANDS.get(tokens[0].raw) if tokens else None
    if spec is None or not (spec.takes_inputs or spec.takes_body):
        return NOTHING
    names = {token.name for token in tokens}
    form: Literal["json", "yaml", "plan", "text"] = "text"
    if spec.takes_body:
        form = "plan"
    elif "json" in names or "yaml" in names:
        form = "json" if "json" in names else "yaml"
    schema = _schema(known, tokens, body)
    current = body.rpartition("\n")[2]
    if form == "json":
        return NOTHING if schema is None else _in_json(body, schema)
    if form == "text":
        return Values(variables, following).in_text(body)
    offers = _in_lines(body, current, schema, known, is_plan=form == "plan")
    if offers is not None:
        return offers
    axes = dict.fromkeys(_GIVEN.findall(body), "axis") if form == "plan" else {}
    return Values({**variables, **axes}, following).in_text(current)


def _schema(known: Known, tokens: list[Any], body: str) -> EndpointSchema | None:
    endpoint = endpoint_in(tokens, known.aliases)
    if endpoint is None:
        found = re.search(r"^endpoint:[ \t]*([^\s\[\],]+)", body, re.MULTILINE)
        endpoint = found[1] if found else None
    return None if endpoint is None else known.schema(endpoint)


def _in_lines(body: str, current: str, schema: EndpointSchema | None, known: Known, *, is_plan: bool) -> Found | None:
    """Return what is offered in ``name: value`` lines; None where the cursor is inside a text."""
    if _KEY.match(current):
        given = set(_GIVEN.findall(body))
        offers = [] if schema is None else field_offers(schema, given, current, ": ")
        if is_plan:
            rules = (*(() if schema else ("endpoint",)), *_RULES)
            offers += [Offer(f"{rule}: ", "of the plan") for rule in rules if rule not in given]
        return fitting(current, offers)
    value = _VALUE.match(current)
    if value is None:
        return None
    name, written = value[2], value[3]
    if written[:1] == "@":
        return files(written)
    if is_plan and name == "endpoint" and not value[1]:
        return fitting(written, (Offer(endpoint, "endpoint") for endpoint in known.endpoints()))
    field = field_at(schema, name)
    if field is None or "{" in written:
        return None
    return fitting(written, (Offer(_yaml(choice), "value") for choice in values_of(field)))


def _in_json(body: str, schema: EndpointSchema) -> Found:
    key = _JSON_KEY.search(body)
    if key:
        offers = field_offers(schema, set(_JSON_GIVEN.findall(body)), key[1], '": ')
        return fitting(key[1], offers)
    value = _JSON_VALUE.search(body)
    field = field_at(schema, value[1]) if value else None
    if value is None or field is None:
        return NOTHING
    return fitting(value[2], (Offer(json.dumps(choice), "value") for choice in values_of(field)))


def _yaml(value: JSON) -> str:
    """Return a value as a plan or YAML holds it."""
    if isinstance(value, str) and _PLAIN_YAML.fullmatch(value) and value.lower() not in {"true", "false", "null"}:
        return value
    return json.dumps(value) if isinstance(value, str) else show_value(value)
