"""Run hosted generative models on fal.ai from a notebook: lose nothing, pay for nothing twice.

Importing this costs next to nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fal_nb.frames.registration import register_when_loaded

if TYPE_CHECKING:
    from fal_nb.api import (
        cancel,
        card,
        check,
        close,
        logs,
        price,
        result,
        run,
        schema,
        session,
        spending,
        status,
        stream,
        submit,
        subscribe,
        unlock,
    )
    from fal_nb.api_async import (
        cancel_async,
        result_async,
        run_async,
        status_async,
        stream_async,
        submit_async,
        subscribe_async,
        upload_async,
        upload_file_async,
        upload_image_async,
    )
    from fal_nb.api_canvas import canvas
    from fal_nb.api_catalogue import docs, find_models, models, recommend
    from fal_nb.api_copy import copy_as, dry_run
    from fal_nb.api_forms import form
    from fal_nb.api_gallery import gallery
    from fal_nb.api_history import history, note, rate, replay, tag, untag
    from fal_nb.api_jobs import attach, jobs, reconcile, resume, send_again, wait
    from fal_nb.api_realtime import realtime, realtime_async, ws_connect, ws_connect_async
    from fal_nb.api_sweeps import find_sweep, list_sweeps, sweep
    from fal_nb.api_uploads import upload, upload_file, upload_image
    from fal_nb.api_usage import balance, usage
    from fal_nb.client.async_client import AsyncClient
    from fal_nb.client.handle import AsyncRequestHandle
    from fal_nb.client.lifecycle import (
        ObjectExpiration,
        StorageACL,
        StorageACLDecision,
        StorageACLRule,
        StorageSettings,
    )
    from fal_nb.client.pictures import encode, encode_file, encode_image
    from fal_nb.client.realtime import AsyncRealtimeConnection
    from fal_nb.client.sync_client import SyncClient, SyncRequestHandle
    from fal_nb.client.sync_realtime import RealtimeConnection
    from fal_nb.engine.job import Job
    from fal_nb.engine.live_picture import CanvasFrame
    from fal_nb.engine.session import Session
    from fal_nb.engine.snapshot import JobSnapshot
    from fal_nb.errors import (
        AccountLockedError,
        ArgumentsError,
        AuthenticationError,
        BudgetError,
        ConfigError,
        EndpointError,
        FalClientError,
        FalClientHTTPError,
        FalClientTimeoutError,
        FalError,
        FileError,
        GrammarError,
        HistoryError,
        JobError,
        MissingCredentialsError,
        NotFoundError,
        NotSent,
        PermissionDeniedError,
        ProtocolError,
        RateLimitedError,
        RealtimeError,
        RequestCancelledError,
        ServerError,
        SubmissionUnknown,
        TransferError,
        ValidationError,
        WebhookError,
        WrongThreadError,
    )
    from fal_nb.filled_form import Form
    from fal_nb.live_canvas import Canvas, CanvasStats
    from fal_nb.magics import load_ipython_extension, unload_ipython_extension
    from fal_nb.protocol.status import Completed, InProgress, Queued, Status
    from fal_nb.results import Result, ResultFile

_HOMES = {
    "fal_nb.api": (
        "cancel", "card", "check", "close", "logs", "price", "result", "run", "schema", "session", "spending", "status",
        "stream", "submit", "subscribe", "unlock",
    ),
    "fal_nb.api_async": (
        "cancel_async", "result_async", "run_async", "status_async", "stream_async", "submit_async",
        "subscribe_async", "upload_async", "upload_file_async", "upload_image_async",
    ),
    "fal_nb.api_canvas": ("canvas",),
    "fal_nb.api_forms": ("form",),
    "fal_nb.api_catalogue": ("docs", "find_models", "models", "recommend"),
    "fal_nb.api_copy": ("copy_as", "dry_run"),
    "fal_nb.api_gallery": ("gallery",),
    "fal_nb.api_history": ("history", "note", "rate", "replay", "tag", "untag"),
    "fal_nb.api_jobs": ("attach", "jobs", "reconcile", "resume", "send_again", "wait"),
    "fal_nb.api_realtime": ("realtime", "realtime_async", "ws_connect", "ws_connect_async"),
    "fal_nb.api_sweeps": ("find_sweep", "list_sweeps", "sweep"),
    "fal_nb.api_usage": ("balance", "usage"),
    "fal_nb.api_uploads": ("upload", "upload_file", "upload_image"),
    "fal_nb.client.async_client": ("AsyncClient",),
    "fal_nb.client.handle": ("AsyncRequestHandle",),
    "fal_nb.client.lifecycle": (
        "ObjectExpiration", "StorageACL", "StorageACLDecision", "StorageACLRule", "StorageSettings",
    ),
    "fal_nb.client.pictures": ("encode", "encode_file", "encode_image"),
    "fal_nb.client.realtime": ("AsyncRealtimeConnection",),
    "fal_nb.client.sync_realtime": ("RealtimeConnection",),
    "fal_nb.client.sync_client": ("SyncClient", "SyncRequestHandle"),
    "fal_nb.errors": (
        "AccountLockedError", "ArgumentsError", "AuthenticationError", "BudgetError", "ConfigError", "EndpointError",
        "FalClientError", "FalClientHTTPError", "FalClientTimeoutError", "FalError", "FileError",
        "GrammarError", "HistoryError", "JobError", "MissingCredentialsError", "NotFoundError", "NotSent",
        "PermissionDeniedError", "ProtocolError", "RateLimitedError", "RealtimeError", "RequestCancelledError",
        "ServerError", "SubmissionUnknown", "TransferError", "ValidationError", "WebhookError", "WrongThreadError",
    ),
    "fal_nb.engine.job": ("Job",),
    "fal_nb.engine.session": ("Session",),
    "fal_nb.engine.snapshot": ("JobSnapshot",),
    "fal_nb.filled_form": ("Form",),
    "fal_nb.live_canvas": ("Canvas", "CanvasStats"),
    "fal_nb.engine.live_picture": ("CanvasFrame",),
    "fal_nb.magics": ("load_ipython_extension", "unload_ipython_extension"),
    "fal_nb.protocol.status": ("Completed", "InProgress", "Queued", "Status"),
    "fal_nb.results": ("Result", "ResultFile"),
}  # fmt: skip
_WHERE = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AccountLockedError",
    "ArgumentsError",
    "AsyncClient",
    "AsyncRealtimeConnection",
    "AsyncRequestHandle",
    "AuthenticationError",
    "BudgetError",
    "Canvas",
    "CanvasFrame",
    "CanvasStats",
    "Completed",
    "ConfigError",
    "EndpointError",
    "FalClientError",
    "FalClientHTTPError",
    "FalClientTimeoutError",
    "FalError",
    "FileError",
    "Form",
    "GrammarError",
    "HistoryError",
    "InProgress",
    "Job",
    "JobError",
    "JobSnapshot",
    "MissingCredentialsError",
    "NotFoundError",
    "NotSent",
    "ObjectExpiration",
    "PermissionDeniedError",
    "ProtocolError",
    "Queued",
    "RateLimitedError",
    "RealtimeConnection",
    "RealtimeError",
    "RequestCancelledError",
    "Result",
    "ResultFile",
    "ServerError",
    "Session",
    "Status",
    "StorageACL",
    "StorageACLDecision",
    "StorageACLRule",
    "StorageSettings",
    "SubmissionUnknown",
    "SyncClient",
    "SyncRequestHandle",
    "TransferError",
    "ValidationError",
    "WebhookError",
    "WrongThreadError",
    "attach",
    "balance",
    "cancel",
    "cancel_async",
    "canvas",
    "card",
    "check",
    "close",
    "copy_as",
    "docs",
    "dry_run",
    "encode",
    "encode_file",
    "encode_image",
    "find_models",
    "find_sweep",
    "form",
    "gallery",
    "history",
    "jobs",
    "list_sweeps",
    "load_ipython_extension",
    "logs",
    "models",
    "note",
    "price",
    "rate",
    "realtime",
    "realtime_async",
    "recommend",
    "reconcile",
    "replay",
    "result",
    "result_async",
    "resume",
    "run",
    "run_async",
    "schema",
    "send_again",
    "session",
    "spending",
    "status",
    "status_async",
    "stream",
    "stream_async",
    "submit",
    "submit_async",
    "subscribe",
    "subscribe_async",
    "sweep",
    "tag",
    "unload_ipython_extension",
    "unlock",
    "untag",
    "upload",
    "upload_async",
    "upload_file",
    "upload_file_async",
    "upload_image",
    "upload_image_async",
    "usage",
    "wait",
    "ws_connect",
    "ws_connect_async",
]


register_when_loaded()


def __getattr__(name: str) -> Any:
    """Load a public name at its first use."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    """Return the public names, so that Tab shows them before they are loaded."""
    return sorted({*globals(), *__all__})
