"""Progress bars as diffusion endpoints print them into their logs, and the times at which they do."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["bar_line", "printed_steps"]

_WIDTH = 10
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_PRINT_INTERVAL_S = 0.1


def bar_line(done: int, total: int, elapsed_s: float) -> str:
    """Return one line of a step bar, such as ``" 46%|████▋     | 13/28 [00:01<00:01, 12.30it/s]"``."""
    fraction = done / total
    full, part = divmod(int(fraction * _WIDTH * 8), 8)
    bar = _EIGHTHS[8] * full
    if full < _WIDTH:
        bar += _EIGHTHS[part] + " " * (_WIDTH - full - 1)
    if done and elapsed_s > 0:
        rate = done / elapsed_s
        left = _clock((total - done) / rate)
        pace = f"{rate:5.2f}it/s" if rate >= 1 else f"{1 / rate:5.2f}s/it"
    else:
        left, pace = "?", "?it/s"
    return f"{fraction * 100:3.0f}%|{bar}| {done}/{total} [{_clock(elapsed_s)}<{left}, {pace}]"


def printed_steps(total: int, step_s: float) -> Iterator[int]:
    """Yield the steps, after the one of 0, at which a line is printed: at most one in 0.1 s, and always the last.

    Parameters
    ----------
    total
        Steps in all.
    step_s
        Seconds a step takes.
    """
    stride = max(1, -(-_PRINT_INTERVAL_S // step_s)) if step_s > 0 else total
    last = 0
    while last < total:
        last = min(total, last + int(stride))
        yield last


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
