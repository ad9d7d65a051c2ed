"""Which calls look like an earlier one, and that pictures are looked at once."""

import io

import pytest
from PIL import Image

from fal_nb.errors import HistoryError
from fal_nb.scoring import look_alikes

FLUX = "fal-ai/flux/schnell"


@pytest.fixture
def alike(api):
    """Five calls: 1, 3 and 4 give the same picture, 2 another, 5 nothing."""
    fox = {"prompt": "a fox", "seed": 1, "image_size": "square"}
    other = {"prompt": "a lighthouse at night", "seed": 8, "image_size": "square"}
    jobs = [api.submit(FLUX, arguments) for arguments in (fox, other, fox, fox)]
    api.wait([*jobs, api.submit("simulator/sleep", {"seconds": 0})], timeout=60)
    return api.history()


@pytest.fixture
def looks(monkeypatch):
    """How many pictures were looked at."""
    seen = []
    made = look_alikes.fingerprint
    monkeypatch.setattr(look_alikes, "fingerprint", lambda thumbnail: seen.append(len(thumbnail)) or made(thumbnail))
    return seen


def test_each_call_is_said_of_the_earliest_that_looks_so_whatever_the_order_of_the_rows(alike):
    found = alike.iloc[::-1].fal.duplicates(bits=0)
    assert found["duplicate_of"].dropna().to_dict() == {4: 1, 3: 1}
    assert found["group"].dropna().to_dict() == {1: 1, 2: 2, 3: 1, 4: 1}
    assert found["bits"].dropna().to_dict() == {4: 0, 3: 0}
    assert list(found.index) == list(alike.index[::-1])
    assert found.dtypes[["duplicate_of", "bits", "group"]].astype(str).tolist() == ["Int64"] * 3


def test_what_has_no_picture_is_like_nothing_and_in_no_group(alike):
    found = alike.fal.duplicates()
    assert found.loc[5, ["duplicate_of", "bits", "group"]].isna().all()
    assert "duplicate_of" not in alike.columns


def test_a_picture_is_looked_at_once_also_by_the_next_kernel(alike, api, looks):
    first = alike.fal.duplicates()
    count = len(looks)
    assert count == 2
    api.close()
    again = api.history().fal.duplicates()
    assert len(looks) == count
    assert again["group"].tolist() == first["group"].tolist()


def test_fingerprints_of_another_version_are_made_anew(alike, looks, monkeypatch):
    alike.fal.duplicates()
    count = len(looks)
    monkeypatch.setattr(look_alikes.Fingerprint, "VERSION", 2)
    alike.fal.duplicates()
    assert len(looks) == 2 * count


def test_a_sweep_uses_what_a_frame_has_looked_at(api, looks):
    sweep = api.sweep(FLUX, {"prompt": "a fox", "image_size": "square"}, axes={"seed": [1, 2]}).run().wait(60)
    api.history().fal.duplicates()
    count = len(looks)
    sweep.near_duplicates()
    assert len(looks) == count == 2


def test_what_was_made_before_an_interrupt_is_kept(api, monkeypatch):
    store = api.session().history
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(buffer, "WEBP")
    made = look_alikes.fingerprint
    count = 0

    def stopped(thumbnail):
        nonlocal count
        count += 1
        if count > 300:
            raise KeyboardInterrupt
        return made(thumbnail)

    monkeypatch.setattr(look_alikes, "fingerprint", stopped)
    digests = [f"{number:064x}" for number in range(400)]
    with pytest.raises(KeyboardInterrupt):
        look_alikes.fingerprints_of(digests, lambda some: dict.fromkeys(some, buffer.getvalue()), store)
    assert len(store.fingerprints(digests, look_alikes.Fingerprint.VERSION)) == 200


def test_a_damaged_thumbnail_is_like_nothing():
    assert look_alikes.fingerprints_of(["a"], lambda some: dict.fromkeys(some, b"RIFF no picture")) == {}


@pytest.mark.parametrize("bits", [-1, 21, True, "4", 2.5])
def test_bits_that_are_none_are_refused(alike, bits):
    with pytest.raises(HistoryError, match="0 to 20 of 64 bits"):
        alike.fal.duplicates(bits=bits)


def test_an_empty_frame_has_no_duplicates(api):
    assert api.history().fal.duplicates().empty
