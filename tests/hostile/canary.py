"""A key that can be told wherever any piece of it turns up."""

import base64
import random
import string
from pathlib import Path

PIECE = 6
_LETTERS = string.ascii_letters + string.digits
_draw = random.Random()  # of letters of both cases: six of them do not come together by chance, as hex digits do
KEY_ID = "".join(_draw.choices(_LETTERS, k=36))
KEY_SECRET = "".join(_draw.choices(_LETTERS, k=48))
KEY = f"{KEY_ID}:{KEY_SECRET}"
PASSWORD = "".join(_draw.choices(_LETTERS, k=24))
"""Of a proxy."""
PIECES = sorted(
    {secret[at : at + PIECE] for secret in (KEY_ID, KEY_SECRET, PASSWORD) for at in range(len(secret) - PIECE + 1)}
)
_BYTES = [piece.encode() for piece in PIECES]
_PACKED = [base64.b64encode(secret.encode())[:-4] for secret in (KEY, KEY_ID, KEY_SECRET)]


def found_in(what: object) -> list[str]:
    """Return the pieces of the key that occur in a text or bytes."""
    data = what if isinstance(what, bytes) else str(what).encode("utf-8", "replace")
    return [piece.decode() for piece in (*_BYTES, *_PACKED) if piece in data]


def assert_unseen(what: object, about: str = "") -> None:
    """No piece of the key is in it."""
    pieces = found_in(what)
    if pieces:
        text = what if isinstance(what, str) else repr(what)
        at = text.find(pieces[0])
        raise AssertionError(
            f"{about}: {len(pieces)} pieces of the key, the first in {text[max(0, at - 200) : at + 60]!r}"
        )


def assert_unseen_on_disk(folder: Path) -> int:
    """No piece of the key is in any file under a folder, nor in a name; returns how many files there are."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        assert_unseen(path.name, "a file's name")
        assert_unseen(path.read_bytes(), str(path))
    return len(files)
