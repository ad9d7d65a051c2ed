"""Entries of a catalogue become models, or nothing; and models are found."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fal_nb.catalogue.model import Model, as_json, read_model
from fal_nb.catalogue.search import ANY, FACETS, SORTS, ModelQuery, facets_of, find_models
from fal_nb.plain import is_plain
from fal_nb.protocol.endpoint import EndpointId

# Source: fal Platform API document, the example of ``GET /models``.
EXAMPLE = {
    "endpoint_id": "fal-ai/flux/dev",
    "metadata": {
        "display_name": "FLUX.1 [dev]", "category": "text-to-image", "description": "Fast text-to-image generation",
        "status": "active", "tags": ["fast", "pro"], "updated_at": "2025-01-15T12:00:00Z", "is_favorited": False,
        "thumbnail_url": "https://fal.media/files/example.jpg", "model_url": "https://fal.run/fal-ai/flux/dev",
        "date": "2024-08-01T00:00:00Z", "highlighted": False, "pinned": False,
    },
}  # fmt: skip
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
NAMES = [
    *EXAMPLE["metadata"],
    "group",
    "kind",
    "license_type",
    "stream_url",
    "duration_estimate",
    "training_endpoint_ids",
]
METADATA = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSONS))
ENTRIES = st.builds(
    lambda endpoint, metadata, more: {"endpoint_id": endpoint, "metadata": metadata, **more},
    st.sampled_from(["fal-ai/flux/dev", "a/b", "workflows/a/b"]) | st.text(max_size=20),
    METADATA | JSONS,
    st.fixed_dictionaries({}, optional={"openapi": JSONS, "enterprise_status": JSONS}),
)


def model(endpoint, name="", category="text-to-image", **more):
    return Model(endpoint=endpoint, name=name, category=category, **more)


def test_the_documents_own_example_is_read_whole():
    read = read_model(EXAMPLE)
    assert (read.endpoint, read.name, read.category, read.tags) == (
        "fal-ai/flux/dev", "FLUX.1 [dev]", "text-to-image", ("fast", "pro"),
    )  # fmt: skip
    assert read.updated == 1736942400.0
    assert read.thumbnail_url.endswith("example.jpg")
    assert read.run_line == "%fal run fal-ai/flux/dev "


def test_an_entry_without_metadata_is_a_model_and_a_failed_expansion_is_no_document():
    failed = {"endpoint_id": "a/b", "openapi": {"error": {"code": "expansion_failed", "message": "x"}}}
    assert read_model({"endpoint_id": "a/b"}) == read_model(failed) == Model(endpoint="a/b")
    assert read_model(failed).schema is None


@settings(max_examples=60)
@given(ENTRIES | JSONS)
def test_whatever_a_server_writes_is_a_model_of_plain_text_or_nothing_and_survives_the_disk(entry):
    read = read_model(entry)
    if read is None:
        return
    assert str(EndpointId.parse(read.endpoint)) == read.endpoint
    texts = [read.name, read.category, read.description, read.status, read.kind, read.license, read.group, *read.tags]
    assert all(is_plain(text) and "\n" not in text and len(text) <= 600 for text in texts)
    assert len(read.tags) <= 24
    again = read_model(json.loads(json.dumps(as_json(read))))
    for name in (
        "endpoint",
        "name",
        "category",
        "description",
        "status",
        "tags",
        "streams",
        "enterprise",
        "duration_min",
    ):
        assert getattr(again, name) == getattr(read, name), name


MODELS = [
    model("fal-ai/flux/dev", "FLUX.1 [dev]", tags=("fast",), status="active", created=2.0),
    model("fal-ai/flux/schnell", "FLUX.1 [schnell]", tags=("fast", "pro"), status="active", created=3.0),
    model("fal-ai/old", "Old", status="deprecated", created=1.0),
    model("fal-ai/kling", "Kling", "text-to-video", description="videos with flux of time"),
]


@pytest.mark.parametrize(
    ("query", "endpoints"),
    [
        (ModelQuery(words=("flux",)), ["fal-ai/flux/dev", "fal-ai/flux/schnell", "fal-ai/kling"]),
        (ModelQuery(words=("FLUX", "schnell")), ["fal-ai/flux/schnell"]),
        (ModelQuery(words=("flux", "nothing")), []),
        (ModelQuery(words=("time",)), ["fal-ai/kling"]),
        (ModelQuery(filters={"category": ("text-to-video",)}), ["fal-ai/kling"]),
        (ModelQuery(filters={"tags": ("fast", "pro")}), ["fal-ai/flux/schnell"]),
        (ModelQuery(status="deprecated"), ["fal-ai/old"]),
        (ModelQuery(status=ANY, sort="newest"), ["fal-ai/flux/schnell", "fal-ai/flux/dev", "fal-ai/old", "fal-ai/kling"]),
        (ModelQuery(status=ANY, sort="newest", is_descending=True), ["fal-ai/old", "fal-ai/flux/dev", "fal-ai/flux/schnell", "fal-ai/kling"]),
        (ModelQuery(sort="name"), ["fal-ai/flux/dev", "fal-ai/flux/schnell", "fal-ai/kling"]),
    ],
)  # fmt: skip
def test_words_filters_and_orders_find_what_they_mean(query, endpoints):
    assert [MODELS[place].endpoint for place in find_models(MODELS, query)] == endpoints


@settings(max_examples=20)
@given(
    st.lists(ENTRIES.map(read_model).filter(bool), max_size=8),
    st.sampled_from(SORTS),
    st.booleans(),
    st.text(max_size=5),
)
def test_every_order_holds_each_model_once_and_a_filter_only_takes_away(models, sort, is_descending, word):
    everything = find_models(models, ModelQuery(status=ANY, sort=sort, is_descending=is_descending))
    assert sorted(everything) == list(range(len(models)))
    fewer = find_models(models, ModelQuery(words=tuple(word.split()), status=ANY, sort=sort))
    assert set(fewer) <= set(everything)


def test_facets_count_each_value_most_frequent_first():
    facets = facets_of(MODELS)
    assert facets["category"] == [("text-to-image", 3), ("text-to-video", 1)]
    assert facets["tags"] == [("fast", 2), ("pro", 1)]
    assert set(facets) <= set(FACETS)
