"""What only a process of our own may do to its memory allocator; never called in somebody's kernel."""

from __future__ import annotations

import contextlib
import ctypes

__all__ = ["keep_memory"]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Names of glibc's mallopt(3), from its malloc.h."""


def keep_memory() -> None:
    """Let glibc keep the memory of one picture for the next; other allocators are left as they are.

    It would give it back after each large array, and a third of a picture's time would go into getting it again.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        allocator = ctypes.CDLL(None)
        allocator.mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)
        allocator.mallopt(_M_TRIM_THRESHOLD, 256 * 2**20)
