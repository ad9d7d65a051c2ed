"""The module's functions about a call as text: what it would send, and how it is written elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.api import job_of, session
from fal_nb.client.options import CallOptions

if TYPE_CHECKING:
    from fal_nb.engine.dry_run import How
    from fal_nb.engine.job import Job
    from fal_nb.magics.copy_forms import Form
    from fal_nb.magics.dry_run import DryRun

__all__ = ["copy_as", "dry_run"]


def dry_run(
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    how: How = "subscribe",
    check: bool = True,
    fal_tags: Mapping[str, str] | None = None,
    **options: Any,
) -> DryRun:
    """Return a call as it would be sent, with its price; it is checked like any other, and nothing is sent.

    Parameters
    ----------
    how
        The function that would make the call: ``subscribe``, ``submit``, ``run`` or ``stream``.
    check
        Whether arguments that do not fit the endpoint's schema are refused.
    options
        How the call is to be made, as for ``submit``: ``priority``, ``start_timeout``, ``headers`` and so on.

    Raises
    ------
    EndpointError, ArgumentsError, FileError, ConfigError
        As the call itself would.
    TypeError
        Where an option is none.
    """
    from fal_nb.engine.dry_run import prepare  # noqa: PLC0415 - loaded when first asked for
    from fal_nb.magics.dry_run import DryRun  # noqa: PLC0415

    if how == "stream":
        options.setdefault("path", "/stream")
    chosen = CallOptions(**options, tags=fal_tags or {})
    call = prepare(session(), application, arguments, how, chosen, check=check)
    return DryRun(call, session().preflight.known_schema(call.endpoint) if check else None)


def copy_as(call: str | int | Job | DryRun | None, form: Form) -> str:
    """Return a call as source to be pasted: ``magic``, ``python``, ``javascript`` or ``curl``; none holds a key.

    Parameters
    ----------
    call
        A job, a record's number, a request id, what ``dry_run`` returned, or None for the last job.

    Raises
    ------
    JobError
        Where there is no such job, or it was made elsewhere.
    ConfigError
        Where there is no such form.
    GrammarError
        Where no line can hold its arguments.
    """
    from fal_nb.engine.dry_run import prepared_from  # noqa: PLC0415 - loaded when first asked for
    from fal_nb.magics.copy_forms import copy_form  # noqa: PLC0415
    from fal_nb.magics.dry_run import DryRun  # noqa: PLC0415

    if isinstance(call, DryRun):
        return call.copy_as(form)
    prepared = prepared_from(session(), session().job(None) if call is None else job_of(call))
    return copy_form(prepared, form, session().preflight.known_schema(prepared.endpoint))
