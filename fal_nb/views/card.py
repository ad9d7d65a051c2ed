"""The job card: snapshots in, cancel out."""

from __future__ import annotations

import asyncio
import contextlib
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from fal_nb.errors import FalError
from fal_nb.plain import plain_text
from fal_nb.views.call_line import call_line, kept_for_line
from fal_nb.views.fitting import last_lines, trim
from fal_nb.views.format import (
    STATE_WORDS,
    cancel_words,
    equal_words,
    prompt_of,
    stalled_state,
    stalled_words,
    summary,
    waiting,
)
from fal_nb.views.media import send_media, send_thumbnail
from fal_nb.views.twin import MOST_OUTPUTS, TEXT_CHARS, BlobPath, card_html, result_text
from fal_nb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from fal_nb.artifacts import Artifact
    from fal_nb.engine.snapshot import JobSnapshot
    from fal_nb.runtime import Runtime

__all__ = ["CardView", "Followed", "trim"]

_LIVE_TEXT_CHARS = 20_000
_WORDS_CHARS = 1_000
_OUTPUT_TEXT_CHARS = 20_000
_COPY_CHARS = 200_000
_FORMS = frozenset({"magic", "python", "javascript", "curl"})
_PARTIAL_INDEX = -1
"""The place under which the page asks for the newest picture of a stream."""


class Followed(Protocol):
    """What a card needs of a job."""

    @property
    def snapshot(self) -> JobSnapshot:
        """The newest snapshot."""

    def observe(self, observer: Callable[[JobSnapshot], None]) -> None:
        """Call the observer with each new snapshot, on the loop's thread."""

    def unobserve(self, observer: Callable[[JobSnapshot], None]) -> None:
        """Stop calling the observer."""

    def request_cancel(self) -> None:
        """Ask fal to stop the request and return at once."""

    def keep_waiting(self) -> None:
        """Say for a while no more that it has stalled, and return at once."""


class CardView(View):
    """One job as it is seen in a cell.

    Parameters
    ----------
    blob_path
        Where the bytes of a digest are, for originals shown on demand.
    embed
        Whether the twin holds the media themselves; only for exports.
    recall
        Brings back the job of a record number. With it the card lets a job go that has ended, so that a notebook
        full of cards does not keep every result in memory; without it the card holds its job.
    copied
        Returns the call as source in one of the forms of `fal_nb.copy_as`; blocks, and is called in a worker thread.
    runtime
        Whose loop is not to wait for that: there a card whose job is not in memory is drawn without its outputs, and
        again with them once the job is back.

    Attributes
    ----------
    is_text_told
        Whether the words of its result stand above it already, so that its plain text leaves them out.
    """

    name: ClassVar[str] = "card"

    def __init__(
        self,
        job: Followed,
        blob_path: BlobPath,
        *,
        embed: bool = False,
        recall: Callable[[int], Followed] | None = None,
        runtime: Runtime | None = None,
        copied: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__()
        self._held: Followed | None = job
        self._job_reference = weakref.ref(job)
        self._recall = recall
        self._runtime = runtime
        self._copied = copied
        self._brought: Followed | None = None
        self._blob_path = blob_path
        self._embed = blob_path if embed else None
        self._outline = job.snapshot
        self._state = job.snapshot.state, job.snapshot.stalled is None
        self.is_text_told = False
        job.observe(self._observe)
        self._let_go(job.snapshot)

    @property
    def is_settled(self) -> bool:
        """Whether the job has ended."""
        job = self._held
        return job is None or job.snapshot.is_final

    @property
    def _job(self) -> Followed | None:
        """The job, from the ledger where nobody holds it any more; None where it cannot be had."""
        job = self._held or self._job_reference()
        if job is None and self._recall is not None:
            with contextlib.suppress(FalError):
                job = self._take_back(self._recall(self._outline.record_id))
        return job

    def _take_back(self, job: Followed) -> Followed:
        self._job_reference = weakref.ref(job)
        job.observe(self._observe)
        return job

    def _snapshot_or(self, later: Callable[[JobSnapshot], None]) -> JobSnapshot | None:
        """Return the snapshot, or None on the loop where the ledger has to be asked; `later` is then called with it."""
        runtime = self._runtime
        if self._held or self._job_reference() or self._recall is None or not (runtime and runtime.is_loop_thread):
            return self._snapshot
        runtime.start_soon(self._bring_back(self._recall, later))
        return None

    async def _bring_back(self, recall: Callable[[int], Followed], later: Callable[[JobSnapshot], None]) -> None:
        try:
            job = await asyncio.to_thread(recall, self._outline.record_id)
        except FalError:
            later(self._outline)
            return
        later(self._take_back(job).snapshot)

    def _draw_again(self, snapshot: JobSnapshot) -> None:
        """Have the whole card sent, its job held until it is drawn."""
        if snapshot is not self._outline:
            self._brought = self._job_reference()
            self._changed()

    @property
    def _snapshot(self) -> JobSnapshot:
        job = self._job
        return self._outline if job is None else job.snapshot

    def close(self) -> None:
        """Stop following the job."""
        super().close()
        job = self._held or self._job_reference()
        if job is not None:
            job.unobserve(self._observe)

    def state(self) -> dict[str, Any]:
        """Return what the page needs to draw the card, without image bytes."""
        snapshot = self._snapshot_or(self._draw_again) or self._outline
        self._brought = None
        text = _shown_text(snapshot)
        is_from_history = snapshot.equal is not None and snapshot.equal.is_answer
        return {
            "view": self.id,
            "record_id": snapshot.record_id,
            "endpoint": snapshot.endpoint,
            "backend": snapshot.backend,
            "kind": snapshot.kind,
            "state": snapshot.state,
            "request_id": snapshot.request_id,
            "prompt": plain_text(prompt_of(snapshot), _LIVE_TEXT_CHARS) or None,
            "line": plain_text(call_line(snapshot.arguments)) or None,
            "arguments": trim(snapshot.arguments),
            "queue_position": snapshot.queue_position,
            "progress": snapshot.progress,
            "expected_s": snapshot.expected_s,
            "steps": list(snapshot.steps) if snapshot.steps else None,
            "logs": last_lines(snapshot.logs),
            "log_count": snapshot.log_count,
            "created": snapshot.created,
            "submitted": snapshot.submitted,
            "started": snapshot.started,
            "ended": snapshot.ended,
            "queue_s": snapshot.queue_s,
            "inference_s": snapshot.inference_s,
            "cost": None if is_from_history else snapshot.cost,
            "estimate": None if is_from_history else snapshot.estimate,
            "currency": snapshot.currency,
            "error": _words(snapshot.error),
            "error_type": _words(snapshot.error_type),
            "next_step": _words(snapshot.next_step),
            "equal": equal_words(snapshot) or None,
            "stalled": stalled_state(snapshot.stalled),
            "cancel": snapshot.cancel,
            "can_copy": self._copied is not None and self._runtime is not None,
            "can_cancel": not snapshot.is_final and snapshot.cancel is None,
            "outputs": _outputs(snapshot.artifacts),
            "text": text,
            "partial": _partial(snapshot),
        }

    def twin(self) -> str:
        """Return the card as static HTML."""
        return card_html(self._snapshot, self._embed)

    def text(self) -> str:
        """Return the card as one line and its outputs by name."""
        snapshot = self._snapshot
        facts = " · ".join([STATE_WORDS[snapshot.state], *summary(snapshot)])
        lines = [f"{snapshot.endpoint}  {facts}"]
        stalled = stalled_words(snapshot.stalled, time.time())
        said = (equal_words(snapshot), waiting(snapshot), stalled, snapshot.error, snapshot.next_step)
        lines += [part[:_WORDS_CHARS] for part in said if part]
        if snapshot.cancel:
            lines.append(cancel_words(snapshot.cancel))
        for artifact in snapshot.artifacts[:MOST_OUTPUTS]:
            where = str(self._blob_path(artifact.digest)) if artifact.digest else artifact.error or "not stored"
            lines.append(f"  {artifact.kind}: {artifact.file_name}  {where}")
        if len(snapshot.artifacts) > MOST_OUTPUTS:
            lines.append(f"  and {len(snapshot.artifacts) - MOST_OUTPUTS} more files")
        words = _shown_text(snapshot)
        if words and not self.is_text_told:
            lines.append(plain_text(words, TEXT_CHARS))
        return plain_text("\n".join(lines))

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in a click or a request for media; anything else is ignored."""
        kind = content.get("kind")
        if kind == "cancel" and self._held is not None:
            self._held.request_cancel()
        elif kind == "keep-waiting" and self._held is not None:
            self._held.keep_waiting()
        elif kind == "copy" and self._copied is not None and self._runtime is not None:
            self._runtime.start_soon(self._copy(self._copied, content.get("form")))
        elif kind == "media":
            snapshot = self._snapshot_or(lambda back: self._send_media(back, content))
            if snapshot is not None:
                self._send_media(snapshot, content)

    async def _copy(self, copied: Callable[[str], str], form: object) -> None:
        """Send the call as source, or why it cannot be had."""
        known = form if isinstance(form, str) and form in _FORMS else None
        answer = {"kind": "copied", "form": known}
        try:
            text = await asyncio.to_thread(copied, form if isinstance(form, str) else "")
        except FalError as error:
            self._post({**answer, "error": plain_text(str(error), _WORDS_CHARS)}, None)
            return
        if len(text) > _COPY_CHARS:
            self._post({**answer, "error": f"{len(text):,} characters are too many here: fal.copy_as has them"}, None)
        else:
            self._post({**answer, "text": text}, None)

    def _send_media(self, snapshot: JobSnapshot, content: Mapping[str, Any]) -> None:
        if content.get("index") == _PARTIAL_INDEX:
            partial = snapshot.partial
            picture = () if partial is None or partial.picture is None else (partial.picture,)
            send_thumbnail(picture, 0, {"index": _PARTIAL_INDEX}, self._post)
        else:
            send_media(snapshot.artifacts, content, self._blob_path, self._post)

    def _observe(self, snapshot: JobSnapshot) -> None:
        settled = (snapshot.state, snapshot.stalled is None) != self._state
        self._state = snapshot.state, snapshot.stalled is None
        self._let_go(snapshot)
        self._changed(settled=settled or snapshot.is_final)

    def _let_go(self, snapshot: JobSnapshot) -> None:
        """Hold a job that has ended no longer, only what is worth showing should the ledger not give it back."""
        if snapshot.is_final and self._recall is not None:
            words = kept_for_line(snapshot.arguments)
            self._outline = replace(snapshot, arguments=words, result=None, artifacts=(), logs=())
            self._held = None


def _shown_text(snapshot: JobSnapshot) -> str | None:
    """Return the result's text, or as much of a stream's as has come, of a long one the end."""
    text = result_text(snapshot.result)
    if text:
        return plain_text(text, _LIVE_TEXT_CHARS)
    so_far = snapshot.partial.text if snapshot.partial else ""
    if len(so_far) > _LIVE_TEXT_CHARS:
        so_far = "…" + so_far[1 - _LIVE_TEXT_CHARS :]
    return plain_text(so_far) or None


def _partial(snapshot: JobSnapshot) -> dict[str, Any] | None:
    """Return how far a stream has come and its newest picture, named by its event so that a newer one is another."""
    partial = snapshot.partial
    if partial is None:
        return None
    picture = None
    if partial.picture is not None:
        name = f"event {partial.picture.index}"
        picture = {**_output(partial.picture), "index": _PARTIAL_INDEX, "file_name": name, "text": None}
    return {"count": partial.count, "picture": picture}


def _words(text: str | None) -> str | None:
    return None if text is None else plain_text(text, _WORDS_CHARS)


def _outputs(artifacts: Sequence[Artifact]) -> list[dict[str, Any]]:
    """Return what is shown of the files; of the texts as much as one message may hold."""
    left = _OUTPUT_TEXT_CHARS
    shown = []
    for artifact in artifacts[:MOST_OUTPUTS]:
        text = plain_text(artifact.text)[: max(0, left)] if artifact.text else None
        left -= len(text or "")
        shown.append({**_output(artifact), "text": text or None})
    return shown


def _output(artifact: Artifact) -> dict[str, Any]:
    return {
        "index": artifact.index,
        "kind": artifact.kind,
        "content_type": artifact.content_type,
        "file_name": artifact.file_name,
        "size_bytes": artifact.size_bytes,
        "width": artifact.width,
        "height": artifact.height,
        "duration_s": artifact.duration_s,
        "has_thumbnail": artifact.thumbnail is not None,
        "stored": artifact.digest is not None,
        "error": _words(artifact.error),
    }
