"""Near-duplicates among a sweep's outputs: which cell looks like an earlier one, which endpoint ignores its seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fal_nb.scoring.likeness import Fingerprint
from fal_nb.scoring.look_alikes import KeptPrints, fingerprints_of
from fal_nb.sweeps.values import canonical

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.sweeps.cell_view import CellView

__all__ = ["fingerprints", "ignored_seeds"]

_SEED = "seed"
_SEEN_KINDS = ("image", "video")


def fingerprints(
    views: Iterable[CellView], known: dict[str, Fingerprint], kept: KeptPrints | None = None
) -> dict[str, Fingerprint]:
    """Return the fingerprint of each cell whose first file is a picture or a film; made from thumbnails, each once.

    Parameters
    ----------
    known
        Digest → fingerprint, of earlier; it is added to.
    kept
        Where those of other kernels are, and where new ones go.
    """
    files = {view.cell.key: view.artifacts[0] for view in views if view.state == "SUCCEEDED" and view.artifacts}
    files = {key: file for key, file in files.items() if file.kind in _SEEN_KINDS and file.thumbnail}
    new = {_name(file): file.thumbnail or b"" for file in files.values() if _name(file) not in known}
    stored = {file.digest for file in files.values()}
    for names, where in (([name for name in new if name in stored], kept), ([*new.keys() - stored], None)):
        known.update(fingerprints_of(names, lambda some: {name: new[name] for name in some}, where))
    return {key: known[_name(file)] for key, file in files.items() if _name(file) in known}


def _name(file: Artifact) -> str:
    return file.digest or f"{file.url} {len(file.thumbnail or b'')}"


def ignored_seeds(views: Sequence[CellView], prints: Mapping[str, Fingerprint], bits: int) -> tuple[str, ...]:
    """Return the endpoints whose outputs do not change with the seed: wherever only it differs, they look the same."""
    groups: dict[tuple[str, str], list[Fingerprint]] = {}
    for view in views:
        own = prints.get(view.cell.key)
        if own is not None and _SEED in view.cell.coordinates:
            rest = {name: value for name, value in view.cell.coordinates.items() if name != _SEED}
            groups.setdefault((view.cell.endpoint, canonical(rest)), []).append(own)
    varies: dict[str, bool] = {}
    for (endpoint, _), members in groups.items():
        if len(members) > 1:
            differs = any(members[0].distance(other) > bits for other in members[1:])
            varies[endpoint] = varies.get(endpoint, False) or differs
    return tuple(endpoint for endpoint, differs in varies.items() if not differs)
