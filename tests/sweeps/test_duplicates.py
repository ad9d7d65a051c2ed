"""Which outputs look like an earlier one, and which endpoint ignores its seed, told by fingerprints of thumbnails."""

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fal_nb.artifacts import Artifact
from fal_nb.scoring.likeness import Fingerprint
from fal_nb.scoring.look_alikes import find_like
from fal_nb.sweeps.cell_view import CellView
from fal_nb.sweeps.cells import Cell
from fal_nb.sweeps.duplicates import fingerprints, ignored_seeds


def picture(number):
    image = Image.new("RGB", (96, 96), "#888")
    pen, numbers = ImageDraw.Draw(image), random.Random(number)
    for _ in range(6):
        x, y, side = (numbers.randrange(70) for _ in range(3))
        pen.rectangle(
            (x, y, x + side, y + side), fill=f"hsl({numbers.randrange(360)}, 70%, {numbers.randrange(20, 90)}%)"
        )
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def view(number, *, kind="image", endpoint="some/thing", state="SUCCEEDED", **coordinates):
    cell = Cell(0, f"k{sorted(coordinates.items())} {endpoint}", coordinates, endpoint, {})
    artifact = Artifact(
        index=0, where=(), url="", kind=kind, content_type="image/png", file_name="a.png", digest=f"{number:064x}",
        thumbnail=picture(number),
    )  # fmt: skip
    return CellView(cell, state, artifacts=(artifact,))


def found(*views, bits=4):
    prints = fingerprints(views, {})
    names = [one.cell.key for one in views]
    return {names.index(key): names.index(other) for key, (other, _) in find_like(prints, bits).items()}


def test_each_copy_is_said_of_the_first_that_looks_so():
    views = [view(number, at=at) for at, number in enumerate([1, 2, 1, 3, 2, 1])]
    assert found(*views) == {2: 0, 4: 1, 5: 0}


def test_films_are_seen_by_their_posters_and_what_has_no_picture_is_like_nothing():
    assert found(view(1, at=0), view(1, at=1, kind="video")) == {1: 0}
    assert found(view(1, at=0), view(1, at=1, kind="audio"), view(1, at=2, state="FAILED")) == {}


@pytest.mark.parametrize("bits", [0, 3, 10])
@pytest.mark.parametrize("counts", ["by numpy", "by a table"])
def test_the_fast_search_finds_what_comparing_every_pair_finds(bits, counts, monkeypatch):
    if counts == "by a table":
        monkeypatch.delattr(np, "bitwise_count", raising=False)
    numbers = random.Random(7)
    bases = [(numbers.getrandbits(64), tuple(numbers.randbytes(48))) for _ in range(6)]
    prints = {}
    for at in range(120):
        own, colours = numbers.choice(bases)
        for _ in range(numbers.randrange(6)):
            own ^= 1 << numbers.randrange(64)
        shift = numbers.choice([0, 0, 12, 30])
        prints[str(at)] = Fingerprint(own, tuple(min(255, part + shift) for part in colours))
    slow, kept = {}, []
    for key, own in prints.items():
        nearest = min(((own.distance(prints[other]), place, other) for place, other in enumerate(kept)), default=None)
        if nearest is not None and nearest[0] <= bits:
            slow[key] = (nearest[2], nearest[0])
        else:
            kept.append(key)
    assert find_like(prints, bits) == slow
    assert bits == 0 or slow


def of_seeds(numbers, prompts=("a", "b"), **more):
    return [
        view(number + at * 10, prompt=prompt, seed=seed, **more)
        for at, prompt in enumerate(prompts)
        for seed, number in enumerate(numbers)
    ]


@pytest.mark.parametrize(
    ("views", "ignored"),
    [
        (of_seeds([1, 1, 1]), ("some/thing",)),
        (of_seeds([1, 2, 1]), ()),
        (of_seeds([1]), ()),
        ([*of_seeds([1, 1], prompts="a"), *of_seeds([2, 3], prompts="b")], ()),
        ([*of_seeds([2, 3], prompts="a"), *of_seeds([1, 1], prompts="b")], ()),
        ([view(1, steps=1), view(1, steps=2)], ()),
        ([*of_seeds([1, 1]), *of_seeds([4, 5], endpoint="an/other")], ("some/thing",)),
    ],
    ids=[
        "all the same",
        "one differs",
        "one seed",
        "one prompt differs",
        "the first prompt differs",
        "no seed",
        "one endpoint of two",
    ],
)
def test_a_seed_is_ignored_where_nothing_but_the_seed_differs_and_all_look_the_same(views, ignored):
    assert ignored_seeds(views, fingerprints(views, {}), 4) == ignored


def test_a_thumbnail_is_looked_at_once():
    known = {}
    prints = fingerprints([view(1, at=0), view(1, at=1)], known)
    assert len(known) == 1
    known[f"{1:064x}"] = Fingerprint(0, (0,) * 48)
    assert set(fingerprints([view(1, at=0)], known).values()) == {known[f"{1:064x}"]} != set(prints.values())
