"""What no rendering may hold, whatever came in."""

import base64
import contextlib
import json
import re
import resource
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters but tab and newline, those that turn the direction of text, halves of characters."""
STATUS = Path("/proc/self/status")
TAGS = frozenset({
    "div", "span", "b", "br", "img", "figure", "figcaption", "progress", "video", "audio", "details", "summary",
    "table", "caption", "thead", "tbody", "tr", "th", "td",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "style", "title", "colspan", "rowspan", "alt", "src", "value", "max", "controls", "preload", "poster", "id", "data-fal-view",
})  # fmt: skip
TEXT_CHARS = 60_000
HTML_CHARS = 400_000
STATE_BYTES = 480_000
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]{0,120}\Z")
_SOURCE = re.compile(r"data:image/webp;base64,[A-Za-z0-9+/=]*\Z")
_DRAWING = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)\Z")
_DRAWN = {
    "svg": {"viewBox", "width", "height"},
    "path": {"d", "fill", "stroke", "stroke-opacity", "stroke-width", "stroke-linecap"},
    "circle": {"cx", "cy", "r", "fill"},
    "text": {"x", "y", "text-anchor", "transform", "fill", "font-family", "font-size"},
}


def assert_plain(text, most=TEXT_CHARS):
    """No terminal takes it for anything but text."""
    found = UNFIT.search(text)
    assert found is None, (
        f"{found[0]!r} at {found.start()} of {text[max(0, found.start() - 60) : found.start() + 60]!r}"
    )
    assert len(text) <= most, f"{len(text)} characters: {text[:200]!r}"
    text.encode("utf-8")


class _Checker(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.problems = []

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS:
            self.problems.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.problems.append(f"<{tag} {name}={value!r}>")
            if tag == "img" and name == "src" and (drawing := _DRAWING.match(value or "")):
                self.problems += _problems_of_drawing(drawing[1])
            elif name in {"src", "poster"} and not _SOURCE.match(value or ""):
                self.problems.append(f"<{tag} {name}={value[:80]!r}>")
            if name == "style" and ("url" in value or "expression" in value):
                self.problems.append(f"<{tag} style={value!r}>")

    def handle_comment(self, data):
        self.problems.append(f"<!--{data}")

    def handle_decl(self, decl):
        self.problems.append(f"<!{decl}")

    def handle_pi(self, data):
        self.problems.append(f"<?{data}")


def _problems_of_drawing(data):
    """Return what is in an SVG beside shapes and texts: in an `<img>` it could run nothing, and it has nothing to run."""
    source = base64.b64decode(data)
    if b"<!" in source or b"<?" in source:
        return [f"declarations in {source[:80]!r}"]
    found = []
    for element in ET.fromstring(source).iter():
        tag = element.tag.removeprefix("{http://www.w3.org/2000/svg}")
        found += [] if tag in _DRAWN else [f"<{tag}> in a drawing"]
        found += [f"<{tag} {name}> in a drawing" for name in element.attrib if name not in _DRAWN.get(tag, ())]
        found += [f"{value!r} in a drawing" for value in element.attrib.values() if "url" in value or ":" in value]
        assert_plain(element.text or "")
    return found


def assert_inert(html, most=HTML_CHARS):
    """Only our own elements and attributes, nothing that is fetched or run."""
    assert len(html) <= most, f"{len(html)} characters of HTML"
    found = UNFIT.search(html)
    assert found is None, f"{found[0]!r} in {html[max(0, found.start() - 60) : found.start() + 60]!r}"
    checker = _Checker()
    checker.feed(html)
    checker.close()
    assert not checker.problems, checker.problems[:5]
    html.encode("utf-8")


def assert_sendable(state, most=STATE_BYTES):
    """It is JSON of bearable size, as a front end wants it."""
    data = json.dumps(state, ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert len(data) <= most, {key: len(json.dumps(value, ensure_ascii=False)) for key, value in state.items()}
    for text in _texts(state):
        found = UNFIT.search(text)
        assert found is None, f"{found[0]!r} in {text[max(0, found.start() - 60) : found.start() + 60]!r}"


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def tree(folder: Path):
    """Every path under a folder, with the size of files and where links lead."""
    return {
        path.relative_to(folder).as_posix(): path.readlink().as_posix()
        if path.is_symlink()
        else path.stat().st_size
        if path.is_file()
        else None
        for path in folder.rglob("*")
    }


def peak_kib(*, reset=False):
    """Return the most memory this process has had since the last reset, in KiB."""
    if reset:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if not STATUS.exists()
        else int(re.search(r"VmHWM:\s+(\d+)", STATUS.read_text())[1])
    )
