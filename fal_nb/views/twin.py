"""Static twins: escaped HTML with inline styles only, which is what a saved notebook holds.

A stranger's notebook loses ``<style>``, ``<svg>`` and ``<script>``; what is used here survives.
"""

from __future__ import annotations

import base64
import html
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from fal_nb.artifacts import Artifact
from fal_nb.engine.partial import Partial
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.plain import one_line, plain_text
from fal_nb.views.call_line import call_line
from fal_nb.views.format import (
    STATE_COLOURS,
    STATE_WORDS,
    cancel_words,
    equal_words,
    marked,
    prompt_of,
    seconds,
    size,
    stalled_words,
    summary,
    waiting,
)

__all__ = ["BlobPath", "artifacts_html", "card_html", "frame_html", "text_html"]

MOST_OUTPUTS = 100
TEXT_CHARS = 2000
BlobPath: TypeAlias = Callable[[str], Path]
"""Where the bytes of a content digest are."""
_LINE = "rgba(128,128,128,.32)"
_CARD = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;max-width:760px;"
    "box-sizing:border-box;font-size:13px;line-height:1.5"
)
_QUIET = "opacity:.68"
_CLIP = "white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
_MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px"
_MEDIA = "max-width:100%;border-radius:6px;display:block;margin:0"
_EMBED_BYTES = 24 * 1024 * 1024
_EMBEDDABLE = frozenset({
    "image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "video/mp4", "video/webm",
    "audio/mpeg", "audio/wav", "audio/ogg", "audio/mp4", "audio/flac",
})  # fmt: skip
"""Types that browsers show or play and never run."""
_UNKNOWN = (
    "It was sent and the answer was lost, so it may have been charged. It is never sent again by itself: "
    "`%fal reconcile` finds out what became of it."
)


def frame_html(inner: str, element_id: str | None, name: str = "card") -> str:
    """Return `inner` in the element that the hub finds by its id; with None it stays static for good.

    Parameters
    ----------
    name
        The view's bundle.
    """
    if element_id is None:
        return f"<div>{inner}</div>"
    return f'<div id="{escape(element_id)}" data-fal-view="{escape(name)}">{inner}</div>'


def card_html(snapshot: JobSnapshot, embed: BlobPath | None = None) -> str:
    """Return the static rendering of a job: head line, prompt, progress or error, outputs.

    Parameters
    ----------
    embed
        Where the bytes of a digest are, if the media themselves shall be inside; None for thumbnails only.
    """
    parts = [_head(snapshot), _prompt(snapshot), _equal(snapshot), _progress(snapshot), _trouble(snapshot)]
    parts.append(artifacts_html(snapshot.artifacts, prompt_of(snapshot), embed))
    if snapshot.result is not None:
        parts.append(text_html(result_text(snapshot.result)))
    elif snapshot.partial is not None:
        parts.append(_partial(snapshot.partial, prompt_of(snapshot)))
    return f'<div style="{_CARD}">{"".join(parts)}</div>'


def artifacts_html(artifacts: Sequence[Artifact], alt: str = "", embed: BlobPath | None = None) -> str:
    """Return the thumbnails of artifacts side by side; files without one as named lines."""
    known = list(artifacts)
    shown = [_figure(artifact, alt, embed) for artifact in known[:MOST_OUTPUTS]]
    if not shown:
        return ""
    if len(known) > MOST_OUTPUTS:
        shown.append(f'<div style="{_QUIET}">and {len(known) - MOST_OUTPUTS} more files</div>')
    return f'<div style="margin-top:8px">{"".join(shown)}</div>'


def text_html(text: str | None) -> str:
    """Return a block of plain text, at most 2,000 characters of it; empty for None."""
    if not text:
        return ""
    words = html.escape(plain_text(text, TEXT_CHARS))
    return f'<div style="margin-top:8px;white-space:pre-wrap;overflow-wrap:anywhere">{words}</div>'


def result_text(result: object) -> str | None:
    """Return the main text of a result: the first of output, text, generated_text, results, description."""
    if not isinstance(result, dict):
        return None
    for name in ("output", "text", "generated_text", "results", "description"):
        value = result.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def escape(text: str, limit: int = TEXT_CHARS) -> str:
    """Return text of anybody as one line of HTML, fit for attributes, too."""
    return html.escape(one_line(text, limit), quote=True)


def _head(snapshot: JobSnapshot) -> str:
    colour = STATE_COLOURS[snapshot.state]
    facts = " · ".join(summary(snapshot))
    return (
        f'<div style="{_CLIP}"><span style="color:{colour}">●</span> '
        f"<b>{STATE_WORDS[snapshot.state]}</b>&ensp;"
        f'<b>{escape(snapshot.endpoint)}</b>&ensp;<span style="{_QUIET}">{escape(facts)}</span></div>'
    )


def _prompt(snapshot: JobSnapshot) -> str:
    text = prompt_of(snapshot)
    if not text.strip():
        text = call_line(snapshot.arguments)
    if not text.strip():
        return ""
    return f'<div style="{_CLIP}" title="{escape(text, 500)}">{escape(text, 300)}</div>'


def _equal(snapshot: JobSnapshot) -> str:
    words = equal_words(snapshot)
    return f'<div style="{_QUIET}">{escape(words)}</div>' if words else ""


def _progress(snapshot: JobSnapshot) -> str:
    if snapshot.is_final:
        return ""
    # No kernel may be left to bring it up to date, and a saved "running" would be believed for ever.
    drawn = time.strftime("%H:%M", time.localtime())
    how = f"as of {drawn}; %fal status #{snapshot.record_id} tells how it is now"
    words = escape(" · ".join(filter(None, (waiting(snapshot), how))))
    bar = ""
    if snapshot.progress is not None:
        share = f"{min(max(snapshot.progress, 0.0), 1.0):.3f}"
        bar = f'<progress value="{share}" max="1" style="width:220px;vertical-align:middle"></progress>&ensp;'
    stalled = stalled_words(snapshot.stalled, time.time())
    if stalled:
        words += f'{"&ensp;" if words else ""}<span style="{marked("UNKNOWN")}">{escape(stalled)}</span>'
    last = escape(snapshot.logs[-1], 200) if snapshot.logs else ""
    line = f'<div style="{_MONO};{_QUIET};{_CLIP}">{last}</div>' if last else ""
    return f'<div style="margin-top:4px">{bar}<span style="{_QUIET}">{words}</span></div>{line}'


def _trouble(snapshot: JobSnapshot) -> str:
    lines = []
    if snapshot.error:
        kind = f' <span style="{_QUIET}">({escape(snapshot.error_type, 100)})</span>' if snapshot.error_type else ""
        style = f"{marked('FAILED')};overflow-wrap:anywhere"
        lines.append(f'<div style="{style}">{escape(snapshot.error, 600)}{kind}</div>')
    if snapshot.state == "UNKNOWN":
        lines.append(f"<div>{_UNKNOWN}</div>")
    if snapshot.next_step:
        lines.append(f"<div>{escape(snapshot.next_step, 600)}</div>")
    said = cancel_words(snapshot.cancel)
    if said:
        lines.append(f'<div style="{_QUIET}">{escape(said)}</div>')
    return "".join(lines)


def _partial(partial: Partial, alt: str) -> str:
    picture = () if partial.picture is None else (partial.picture,)
    return artifacts_html(picture, alt) + text_html(partial.text[-TEXT_CHARS:])


def _figure(artifact: Artifact, alt: str, embed: BlobPath | None) -> str:
    facts = [artifact.file_name]
    if artifact.width and artifact.height:
        facts.append(f"{artifact.width}×{artifact.height}")
    facts += [part for part in (seconds(artifact.duration_s), size(artifact.size_bytes)) if part]
    caption = escape(" · ".join(facts))
    words = escape(alt, 200) or escape(artifact.file_name)
    player = _player(artifact, words, embed) if embed is not None else ""
    if not player and artifact.thumbnail is None:
        problem = f" — {escape(artifact.error)}" if artifact.error else ""
        return f'<div style="{_CLIP}">{caption}{problem}</div>{text_html(artifact.text)}'
    if not player:
        player = f'<img src="{_thumbnail(artifact)}" alt="{words}" style="{_MEDIA}">'
    mark = {"video": "▶ ", "audio": "♪ ", "mesh": "⬢ "}.get(artifact.kind, "")
    return (
        f'<figure style="display:inline-block;margin:0 10px 6px 0;max-width:100%">{player}'
        f'<figcaption style="font-size:11px;{_QUIET}">{mark}{caption}</figcaption></figure>'
    )


def _player(artifact: Artifact, words: str, embed: BlobPath) -> str:
    """Return the media itself as a data URI; empty where its type is not one that only shows or plays."""
    if artifact.digest is None or artifact.error is not None or artifact.content_type not in _EMBEDDABLE:
        return ""
    try:
        path = embed(artifact.digest)
        if path.stat().st_size > _EMBED_BYTES:
            return ""
        data = base64.b64encode(path.read_bytes()).decode("ascii")
    except OSError:
        return ""
    source = f"data:{artifact.content_type};base64,{data}"
    if artifact.kind == "video":
        poster = _thumbnail(artifact)
        return f'<video controls preload="metadata" poster="{poster}" src="{source}" style="{_MEDIA}"></video>'
    if artifact.kind == "audio":
        wave = f'<img src="{_thumbnail(artifact)}" alt="waveform" style="{_MEDIA}">' if artifact.thumbnail else ""
        return f'{wave}<audio controls src="{source}" style="display:block;width:320px;max-width:100%"></audio>'
    return f'<img src="{source}" alt="{words}" style="{_MEDIA};max-height:420px">'


def _thumbnail(artifact: Artifact) -> str:
    return "data:image/webp;base64," + base64.b64encode(artifact.thumbnail or b"").decode("ascii")
