"""The hostile corpus: one row a case, the way it comes in and what comes in.

In every text and every byte ``{bait}`` stands for a server that nobody may ask anything, ``{media}`` for the case's own
files.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from . import media as m
from . import words as w
from .media import Media

FOX = {"prompt": "a red fox"}
PICTURE = {"images": [{"url": "{media}/0", "content_type": "image/png"}]}
GOOD = {"0": Media(m.picture())}


@dataclass(frozen=True)
class Case:
    """One case; its name is the alias of the endpoint that serves it.

    Attributes
    ----------
    way
        How it comes in.
    submit
        Put into the answer to the submission, or a whole answer (status, headers, body).
    error
        The result's answer: status, headers, body.
    result
        JSON, or its text as bytes.
    documents
        The endpoint's OpenAPI document; JSON or its text as bytes.
    price
        Its entry in the price list.
    state
        Where the job has to end; ``FOLLOWED`` where it must not, because nobody could say yet how it ended.
    """

    name: str
    way: str
    arguments: dict[str, Any] = field(default_factory=lambda: FOX)
    logs: tuple[Any, ...] = ()
    submit: Any = None
    error: tuple[int, dict[str, str], bytes] | None = None
    result: Any = field(default_factory=lambda: PICTURE)
    media: dict[str, Media] = field(default_factory=lambda: GOOD)
    documents: Any = None
    price: Any = None
    metrics: Any = None
    queue_position: Any = 0
    state: str = "SUCCEEDED"
    check: bool = False

    @property
    def endpoint(self) -> str:
        return f"hostile/{self.name}"

    def given(self, bait_url: str) -> dict[str, Any]:
        """Return the arguments with the bait in its place."""
        return json.loads(json.dumps(self.arguments).replace("{bait}", bait_url))


def _words() -> list[Case]:
    cases = [
        Case(f"prompt-{_slug(name)}", "prompt", {"prompt": text}, state=_sent(text))
        for name, text in w.EVERYTHING.items()
    ]
    cases += [
        Case("prompt-megabyte", "prompt", {"prompt": w.LONG}),
        Case(
            "argument-names", "arguments", {text[:300]: 1 for text in w.EVERYTHING.values() if text != w.HALVES} | FOX
        ),
        Case(
            "argument-values",
            "arguments",
            {f"v{n}": text for n, text in enumerate(w.EVERYTHING.values()) if text != w.HALVES} | FOX,
        ),
        Case("argument-proto", "arguments", FOX | {"__proto__": {"x": 1}, "constructor": {"prototype": 2}}),
        Case("argument-no-prompt", "arguments", {"__proto__": w.HTML, "toString": w.TERMINAL, "_html_": [w.HTML]}),
        Case("argument-many", "arguments", FOX | {f"name {n} {w.HTML}": w.LONG_WORDS[:5000] for n in range(400)}),
        Case("argument-tree", "arguments", FOX | {"tree": _tree(5, 6, w.HTML[:60])}),
        Case("argument-nested", "arguments", FOX | {"nested": _nested(300)}, state="REFUSED"),
        Case("argument-nested-a-little", "arguments", FOX | {"nested": _nested(45)}),
        Case("argument-wide", "arguments", FOX | {"wide": "𝔘" * 200_000, "more": {"deep": ["𝔘" * 5_000] * 50}}),
    ]
    return cases


def _logs() -> list[Case]:
    every = tuple(w.EVERYTHING.values())
    return [
        Case("logs-every-kind", "logs", logs=every),
        Case("logs-terminal", "logs", logs=(w.TERMINAL, "10%\r20%\r\x1b[31m100%|████| 3/3\x1b[0m", "\r\r\r", "\x1b", "\x1b[")),
        Case("logs-html", "logs", logs=(w.HTML, w.SCRIPT_END, w.MARKDOWN)),
        Case("logs-megabyte-line", "logs", logs=(w.LONG, w.LONG_WORDS, "step " + " " * 1_000_000 + "x")),
        Case("logs-step-of-spaces", "logs", logs=("step 1" + " " * 200_000, "step" + " " * 200_000 + ":", "1%|" * 100_000)),
        Case("logs-many", "logs", logs=tuple(f"line {n} {w.TERMINAL}" for n in range(3_000))),
        Case("logs-wide", "logs", logs=tuple("\x01𝔘" * 1_000 for _ in range(200))),
        Case("logs-wrong-shapes", "logs", logs=({"message": 5}, {"message": None}, 7, None, [], {"message": w.HTML, "timestamp": [1]})),
        Case("logs-steps", "logs", logs=("999999999/0", "step 5/3", "100%|##########| 0/0", "1%|#| 999999999/999999999")),
    ]  # fmt: skip


def _control() -> list[Case]:
    elsewhere = {name: "{bait}/" + name for name in ("status_url", "response_url", "cancel_url")}
    odd = {"status_url": "file:///etc/passwd", "response_url": "javascript:alert(7)", "cancel_url": ["{bait}"]}
    return [
        Case("urls-elsewhere", "control URLs", submit=elsewhere),
        Case("urls-odd", "control URLs", submit=odd),
        Case("urls-userinfo", "control URLs", submit={"status_url": "http://127.0.0.1:1@{bait}/x", "cancel_url": "\\\\x"}),
        Case("request-id-terminal", "request id", submit={"request_id": w.TERMINAL}, state="UNKNOWN"),
        Case("request-id-html", "request id", submit={"request_id": w.HTML}, state="UNKNOWN"),
        Case("request-id-path", "request id", submit={"request_id": "../../../fal-ai/x"}, state="UNKNOWN"),
        Case("request-id-dots", "request id", submit={"request_id": ".."}, state="UNKNOWN"),
        Case("request-id-megabyte", "request id", submit={"request_id": w.LONG}, state="UNKNOWN"),
        Case("request-id-list", "request id", submit={"request_id": ["x"]}, state="UNKNOWN"),
        Case("submit-nested", "submission", submit=(200, {}, b"[" * 100_000), state="UNKNOWN"),
        Case("submit-page", "submission", submit=(200, {"content-type": "text/html"}, m.PAGE), state="UNKNOWN"),
        Case("submit-redirect", "submission", submit=(307, {"location": "{bait}/redirect"}, b""), state="FAILED"),
        Case("status-numbers", "status", queue_position=10**300, metrics={"inference_time": float("inf")}),
        Case("status-nan", "status", queue_position=float("nan"), metrics={"inference_time": float("nan")}),
        Case("status-words", "status", queue_position=w.HTML, metrics={"inference_time": w.HTML}),
    ]  # fmt: skip


def _errors() -> list[Case]:
    def failing(name: str, status: int, body: Any, state: str = "FAILED", **headers: str) -> Case:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {"content-type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
        return Case(name, "error body", error=(status, names, data), state=state)

    field = [
        {
            "loc": ["body", w.HTML, w.TERMINAL],
            "msg": w.TERMINAL,
            "type": w.HTML,
            "input": w.LONG,
            "ctx": {w.HTML: w.TERMINAL},
        }
    ]
    return [
        failing("error-html", 422, m.PAGE, "FOLLOWED", content_type="text/html"),
        failing("error-html-fals", 422, m.PAGE, content_type="text/html", x_fal_request_id="0123"),
        Case("result-html", "error body", error=(200, {"content-type": "text/html"}, m.PAGE), state="FOLLOWED"),
        Case("result-html-fals", "error body", error=(200, {"content-type": "text/html", "x-fal-request-id": "0123"}, m.PAGE), state="UNKNOWN"),
        failing("error-detail-html", 422, {"detail": w.HTML + w.MARKDOWN}),
        failing("error-terminal", 422, {"detail": w.TERMINAL, "error_type": w.TERMINAL}),
        failing("error-bidi", 422, {"detail": w.BIDI + w.HALVES, "error_type": w.BIDI + w.HALVES}),
        failing("error-fields", 422, {"detail": field * 8}),
        failing("error-too-long", 422, {"detail": field * 20}, "UNKNOWN"),
        failing("error-nested", 422, b'{"detail": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
        failing("error-nested-a-little", 422, {"detail": _nested(400)}),
        failing("error-megabytes", 500, {"detail": w.LONG * 8, "error_type": w.LONG}),
        failing("error-not-text", 422, b"\xff\xfe\x00\x9b31m" * 1000, content_type="application/json"),
        failing("error-headers", 500, {"detail": "x"}, x_fal_error_type=w.ATTRIBUTE, x_fal_billable_units="nan"),
        failing("error-numbers", 422, {"detail": {"a": float("nan"), "b": 10**4000}}, x_fal_billable_units="1e999"),
        failing("error-proto", 422, {"detail": {"__proto__": w.HTML, "toString": w.HTML}, "error": {"message": [w.HTML], "type": [1]}}),
        Case("status-error", "error body", metrics={}, error=(404, {}, json.dumps({"detail": w.EVERYTHING}).encode()), state="FAILED"),
    ]  # fmt: skip


def _results() -> list[Case]:
    return [
        Case("result-keys", "result", result={"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 2}}, w.HTML: w.HTML, w.TERMINAL: 1}),
        Case("result-text-html", "result", result={"output": w.HTML + w.SCRIPT_END, "logs": w.HTML}),
        Case("result-text-terminal", "result", result={"text": w.TERMINAL + w.CONTROL}),
        Case("result-text-bidi", "result", result={"output": w.BIDI + w.HALVES + w.COMBINING}),
        Case("result-text-megabytes", "result", result={"output": w.LONG_WORDS * 4}),
        Case("result-text-wide", "result", result={"output": "𝔘\x01" * 60_000}),
        Case("result-nested", "result", result=b'{"output": ' + b"[" * 400 + b"]" * 400 + b"}"),
        Case("result-nested-deeper", "result", result=b'{"a":' * 900 + b"1" + b"}" * 900),
        Case("result-nested-beyond", "result", result=b"[" * 200_000, state="UNKNOWN"),
        Case("result-endless", "result", result=b"ENDLESS", state="UNKNOWN"),
        Case("result-scalar", "result", result=w.HTML),
        Case("result-numbers", "result", result=b'{"seed": %s, "x": NaN, "y": -Infinity, "images": [{"url": "{media}/0", "file_size": 1e999, "width": 1e308, "height": -1e999}]}' % (b"9" * 4000)),
        Case("result-many-files", "result", result={"images": [{"url": "{media}/0"}] * 5_000}),
        Case("result-many-keys", "result", result={f"k{n}{w.HTML[:40]}": [n] for n in range(20_000)}),
        Case("url-javascript", "URLs", result={"images": [{"url": "javascript:window.hostile = 30"}, {"url": "JaVaScRiPt:alert(8)"}], "image_url": "javascript:alert(9)", "url": "vbscript:x"}),
        Case("url-file", "URLs", result={"images": [{"url": "file:///etc/passwd"}, {"url": "ftp://127.0.0.1/x"}], "video_url": "file:///etc/hostname", "audio_url": "/etc/passwd"}),
        Case("url-data-page", "URLs", result={"images": [{"url": "data:text/html,<script>parent.hostile = 31</script>"}, {"url": "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}]}),
        Case("url-data-svg", "URLs", result={"images": [{"url": "data:image/svg+xml," + m.SCRIPT_SVG.decode().replace("#", "%23")}]}),
        Case("url-data-broken", "URLs", result={"images": [{"url": "data:image/png;base64,####"}, {"url": "data:"}, {"url": "data:;base64"}, {"url": "data:,"}]}),
        Case("url-bait", "URLs", result={"images": [{"url": "{bait}/picture.png"}], "video": {"url": "{bait}/film.mp4"}, "page_url": "{bait}/page"}),
        Case("url-userinfo", "URLs", result={"images": [{"url": "http://good@{host}/x.png"}, {"url": "https://fal.media\\@{host}/"}, {"url": "http://[::1"}, {"url": "http://"}, {"url": "http://\x00/"}, {"url": "https://\ud800/"}]}),
        Case("url-megabyte", "URLs", result={"images": [{"url": "{media}/0?" + w.LONG}]}),
    ]  # fmt: skip


def _names() -> list[Case]:
    bad = [
        "../../../../etc/cron.d/x", "..\\..\\windows\\x.png", "/etc/passwd", "C:\\x.png", "\\\\server\\share", "nul.png", "CON",
        "com1.txt", "a\x00b.png", "a\nb.png", ".bashrc", "-rf", "~/.ssh/authorized_keys", "x" * 5000 + ".png",
        "x" * 40 + "." + "y" * 99, "photo\u202egnp.exe", '<img src=x onerror="window.hostile = 40">.png', "a.png.html", "trail. . .",
        "", ".", "..", " ", "\ud800.png", "%2e%2e%2fx.png", "a:b|c?d*e.png", "𝔘" * 300 + ".png", w.TERMINAL, "$(id).png", "lpt9",
    ]  # fmt: skip
    files = [{"url": "{media}/0", "file_name": name, "content_type": "image/png"} for name in bad]
    paths = [
        "..%2f..%2fx.png",
        "%00.png",
        "%3Cimg%20src=x%20onerror=alert(10)%3E.png",
        "con.png",
        "%E2%80%AEgnp.exe",
        "%1b%5b31m",
    ]
    keys = {f"{name[:80]}_image_url": "{media}/0" for name in bad}
    return [
        Case("names-file", "file names", result={"images": files}),
        Case("names-url", "file names", result={"images": [{"url": "{media}/0/" + path} for path in paths]}),
        Case("names-key", "file names", result=keys),
        Case("names-type", "content types", result={"images": [{"url": "{media}/0", "content_type": kind} for kind in (w.HTML, w.TERMINAL, "image/../../x", "image/png\r\nx: y", "", w.LONG[:5000], "IMAGE/PNG; charset=<b>")]}),
    ]  # fmt: skip


def _media() -> list[Case]:
    def file(
        name: str,
        body: Any,
        content_type: str | None = "image/png",
        *,
        claimed: str | None = "image/png",
        state: str = "SUCCEEDED",
        **more: Any,
    ) -> Case:
        result = {"images": [{"url": "{media}/0"} | ({"content_type": claimed} if claimed else {})]}
        return Case(name, "media", result=result, media={"0": Media(body, content_type, **more)}, state=state)

    half = m.picture()[: len(m.picture()) // 2]
    return [
        file("media-svg", m.SCRIPT_SVG, "image/svg+xml", claimed="image/svg+xml"),
        file("media-svg-as-png", m.SCRIPT_SVG),
        file("media-svg-bomb", m.XML_BOMB, "image/svg+xml", claimed=None),
        file("media-page-as-png", m.PAGE),
        file("media-page-as-page", m.PAGE, "text/html", claimed="text/html"),
        file("media-page-as-film", m.PAGE, "video/mp4", claimed="video/mp4"),
        file("media-polyglot-gif", b"GIF89a/*" + bytes(64) + b"*/=1;window.hostile = 50;</script>" + m.PAGE, "image/gif"),
        file("media-polyglot-png", m.picture() + m.PAGE + m.SCRIPT_SVG, "text/html", claimed="text/html"),
        file("media-polyglot-jpeg", m.picture("JPEG")[:-2] + m.PAGE, "application/javascript", claimed=None),
        file("media-polyglot-pdf", b"%PDF-1.7\n" + m.PAGE, "application/pdf", claimed="image/png"),
        file("media-png-words", partial(m.png_with_text, w.HTML.encode())),
        file("media-png-huge", m.png_claiming(60_000, 60_000)),
        file("media-png-bomb", partial(m.png_bomb, 20_000)),
        file("media-png-line", m.png_claiming(1, 2**31 - 1)),
        file("media-webp-huge", m.webp_claiming(2**24, 2**24), "image/webp", claimed="image/webp"),
        file("media-gif-huge", m.gif_claiming(65535, 65535), "image/gif", claimed="image/gif"),
        file("media-gzip-bomb", m.gzip_bomb, headers={"content-encoding": "gzip"}),
        file("media-gzip-bombs", partial(m.gzip_bomb, 2), headers={"content-encoding": "gzip, gzip"}),
        file("media-encoding-odd", m.picture(), headers={"content-encoding": "br, compress, x-<b>"}),
        file("media-gzip-file", m.gzip_bomb, "application/gzip", claimed=None),
        file("media-zip", m.zip_bomb, "application/zip", claimed="application/zip"),
        file("media-wav-hours", m.wav_claiming_hours(), "audio/wav", claimed="audio/wav"),
        file("media-playlist", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{bait}/segment.ts\n", "application/vnd.apple.mpegurl", claimed="video/mp4"),
        file("media-concat", b"ffconcat version 1.0\nfile '/etc/passwd'\nfile '{bait}/x'\n", "video/mp4", claimed="video/mp4"),
        file("media-wrong-type", m.picture("JPEG"), "video/mp4", claimed="audio/mpeg"),
        file("media-type-words", m.picture(), "image/png; <script>alert(11)</script>", claimed=w.HTML[:200]),
        file("media-truncated", half),
        file("media-cut-off", half, length=len(m.picture())),
        file("media-empty", b""),
        file("media-endless", m.endless),
        file("media-endless-picture", m.endless_picture),
        file("media-redirect-bait", b"", status=302, headers={"location": "{bait}/redirected"}),
        file("media-redirect-file", b"", status=302, headers={"location": "file:///etc/passwd"}),
        file("media-redirect-script", b"", status=302, headers={"location": "javascript:alert(12)"}),
        file("media-redirect-circle", b"", status=302, headers={"location": "{media}/0"}),
        file("media-refused", m.PAGE, "text/html", status=403),
        file("media-text", (w.HTML + w.TERMINAL + w.BIDI).encode("utf-8", "replace"), "text/plain", claimed="text/plain"),
        file("media-headers", m.picture(), headers={"content-disposition": 'attachment; filename="../../x.html"', "set-cookie": "a=b", "refresh": "0;url={bait}/r", "link": "<{bait}/l>; rel=preload"}),
    ]  # fmt: skip


def _documents() -> list[Case]:
    def document(properties: Any, schemas: Any = None, **info: Any) -> Any:
        body = {"type": "object", "properties": properties, "required": ["prompt"]}
        content = {"content": {"application/json": {"schema": body}}}
        post = {"post": {"requestBody": content}}
        return {"info": info, "paths": {"/x": post}, "components": {"schemas": schemas or {}}}

    words = {
        "title": w.HTML,
        "description": w.TERMINAL + w.HTML,
        "default": w.HTML,
        "examples": [w.HTML],
        "enum": list(w.EVERYTHING.values()),
    }
    ref = {"$ref": "#/components/schemas/A"}
    circle = {
        "A": {"type": "object", "properties": {f"p{n}": ref for n in range(50)} | {"self": {"anyOf": [ref, ref]}}}
    }
    return [
        Case("schema-words", "OpenAPI", documents=document({"prompt": {"type": "string"}, w.HTML: words, w.TERMINAL: words, "v": words}, description=w.HTML, title=w.HTML, **{"x-fal-metadata": {"category": w.HTML, "documentationUrl": "javascript:alert(13)"}})),
        Case("schema-circle", "OpenAPI", documents=document({"prompt": {"type": "string"}, "a": ref}, circle)),
        Case("schema-many", "OpenAPI", documents=document({"prompt": {"type": "string"}} | {f"p{n}": {"type": ["string", "null"] * 5} for n in range(5_000)})),
        Case("schema-nested", "OpenAPI", documents=b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
        Case("schema-nested-a-little", "OpenAPI", documents=document({"prompt": {"type": "string", "default": _nested(300)}, "x": _deep_type(200)})),
        Case("schema-megabytes", "OpenAPI", documents=document({"prompt": {"type": "string", "description": w.LONG * 9}})),
        Case("schema-regexp", "OpenAPI", {"prompt": "a" * 40 + "!"}, documents=document({"prompt": {"type": "string", "pattern": "^(a+)+$"}}), check=True),
        Case("schema-refuses", "OpenAPI", {"promt": w.HTML, w.TERMINAL: w.TERMINAL, "v": w.HTML}, documents=document({"prompt": {"type": "string"}, "v": {"enum": [w.HTML, w.TERMINAL, w.BIDI]}}), check=True, state="REFUSED"),
        Case("schema-wrong-shapes", "OpenAPI", documents={"paths": [1], "components": {"schemas": {"Input": {"type": "object", "properties": {"prompt": [1], "x": {"type": [{}], "enum": {}, "minimum": "x", "multipleOf": 0, "allOf": [], "anyOf": "x"}}}}}}),
        Case("price-words", "price list", price={"unit": w.HTML + w.TERMINAL, "unit_price": 0.5, "currency": w.HTML + w.TERMINAL}),
        Case("price-numbers", "price list", price={"unit": "9e9999 images", "unit_price": 1e308, "currency": "USD"}),
    ]  # fmt: skip


def _sent(text: str) -> str:
    """Halves of characters are no JSON text that a server would take."""
    return "FAILED" if text == w.HALVES else "SUCCEEDED"


def _nested(depth: int) -> Any:
    value: Any = w.HTML
    for _ in range(depth):
        value = {"in": [value]}
    return value


def _tree(depth: int, width: int, leaf: str) -> Any:
    return leaf if depth == 0 else {f"{leaf[:20]}{n}": _tree(depth - 1, width, leaf) for n in range(width)}


def _deep_type(depth: int) -> Any:
    value: Any = {"type": "string"}
    for _ in range(depth):
        value = {"type": "array", "items": value}
    return value


def _slug(name: str) -> str:
    return name.replace(" ", "-")


_ROWS: tuple[Callable[[], list[Case]], ...] = (
    _words, _logs, _control, _errors, _results, _names, _media, _documents,
)  # fmt: skip
CASES: tuple[Case, ...] = tuple(case for rows in _ROWS for case in rows())
IS_WHOLE = os.environ.get("FAL_NB_TEST_SIZE") == "full"
_ALWAYS = frozenset({"media-png-bomb", "media-gzip-bombs", "media-svg", "logs-step-of-spaces", "request-id-html"})
SAMPLE: tuple[Case, ...] = (
    CASES if IS_WHOLE else tuple(case for number, case in enumerate(CASES) if number % 4 == 0 or case.name in _ALWAYS)
)
"""What `make test` tries of the corpus in the slow ways; `make test-all` tries all of it."""
ENDING = tuple(case for case in SAMPLE if case.state != "FOLLOWED")
"""Those of it that can be waited for."""
