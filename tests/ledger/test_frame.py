import datetime as dt

import pandas as pd
import pytest

from fal_nb.artifacts import Artifact
from fal_nb.errors import HistoryError
from fal_nb.ledger.frame import FIXED_COLUMNS, frame

DESIGNED = [
    *("request_id", "endpoint", "state", "created", "queue_s", "inference_s", "total_s", "cost", "estimate"),
    *("currency", "prompt", "seed", "artifacts", "sweep", "rating", "tags", "note", "error_type", "error"),
    *("backend", "notebook", "cell"),
]


def stored(index, digest):
    return Artifact(
        index=index, where=(index,), url="", kind="image", content_type="image/png", file_name="x.png", digest=digest
    )


def test_an_empty_history_gives_an_empty_frame_with_the_fixed_columns(store):
    table = frame(store)
    assert list(table.columns) == DESIGNED
    assert list(FIXED_COLUMNS) == DESIGNED
    assert len(table) == 0
    assert table.index.name == "record"


def test_columns_have_the_same_types_empty_and_full(store, new):
    empty = frame(store).dtypes
    record_id = store.add(new(arguments={"prompt": "x", "seed": 5}, tags=["t"], rating=3))
    store.update(
        record_id,
        state="SUCCEEDED",
        request_id="r",
        ended=1_790_000_009.0,
        queue_s=1,
        inference_s=2,
        cost=0.5,
        estimate_high=1,
        currency="USD",
        sweep="s",
        note="n",
        error="e",
        error_type="t",
        notebook="a",
        cell="b",
    )
    store.set_artifacts(record_id, [stored(0, "a" * 64)])
    full = frame(store)
    changed = {name for name in DESIGNED if empty[name] != full.dtypes[name]}
    assert changed <= {"seed"}
    assert pd.api.types.is_integer_dtype(full["seed"])
    assert pd.api.types.is_integer_dtype(empty["seed"])
    assert pd.api.types.is_integer_dtype(full.index)
    assert pd.api.types.is_float_dtype(full["cost"])
    assert pd.api.types.is_string_dtype(full["endpoint"])


def test_created_is_utc_with_microseconds(store, new):
    store.add(new(created=1_790_000_000.123456))
    created = frame(store)["created"]
    assert isinstance(created.dtype, pd.DatetimeTZDtype)
    assert created.iloc[0] == pd.Timestamp(1_790_000_000_123_456, unit="us", tz="UTC")
    assert created.iloc[0].tzinfo is not None


def test_a_row_says_what_the_record_says(store, new):
    record_id = store.add(
        new(endpoint="a/b", tags=["x", "y"], rating=2, note="n", estimate_low=0.1, estimate_high=0.3, currency="USD")
    )
    store.update(
        record_id,
        state="FAILED",
        request_id="req",
        ended=1_790_000_003.25,
        queue_s=0.5,
        cost=0.2,
        error="bad",
        error_type="t",
    )
    row = frame(store).loc[record_id]
    assert (row["endpoint"], row["state"], row["request_id"]) == ("a/b", "FAILED", "req")
    assert (row["total_s"], row["queue_s"], row["cost"], row["estimate"]) == (3.0, 0.5, 0.2, 0.3)
    assert (row["tags"], row["rating"], row["note"], row["error"]) == (("x", "y"), 2, "n", "bad")
    assert row["prompt"] == "a red fox"
    assert pd.isna(row["inference_s"])
    assert pd.isna(row["sweep"])


def test_each_argument_that_occurs_has_a_column(store, new):
    store.add(new(arguments={"prompt": "a", "steps": 4, "safe": True, "size": {"width": 1}}))
    store.add(new(arguments={"prompt": "b", "scale": 2.5, "steps": 8}))
    store.add(new(endpoint="other/one", arguments={"text": "c", "loras": [1]}))
    table = frame(store)
    assert list(table.columns[len(DESIGNED) :]) == ["steps", "safe", "size", "scale", "text", "loras"]
    assert table["steps"].tolist()[:2] == [4, 8]
    assert pd.api.types.is_integer_dtype(table["steps"])
    assert pd.isna(table["steps"].iloc[2])
    assert pd.api.types.is_float_dtype(table["scale"])
    assert pd.api.types.is_bool_dtype(table["safe"])
    assert table["size"].iloc[0] == {"width": 1}
    assert table["loras"].iloc[2] == [1]
    assert table["prompt"].tolist() == ["a", "b", "c"]
    assert list(frame(store, endpoint="other/one").columns[len(DESIGNED) :]) == ["text", "loras"]


def test_whole_numbers_and_truth_values_without_gaps_are_plain(store, new):
    store.add(new(arguments={"n": 1, "safe": True, "word": "x"}))
    table = frame(store)
    assert table["n"].dtype == "int64"
    assert table["safe"].dtype == "bool"
    assert table["word"].tolist() == ["x"]


def test_an_argument_with_a_name_of_ours_is_set_apart(store, new):
    store.add(new(arguments={"state": "NY", "cost": 3, "prompt": "p"}))
    store.add(new(arguments={"arg_state": "literal", "state": "CA"}))
    table = frame(store)
    assert table["state"].tolist() == ["PREPARED", "PREPARED"]
    assert table["arg_cost"].iloc[0] == 3
    assert sorted(name for name in table.columns if "state" in name) == ["arg_arg_state", "arg_state", "state"]
    assert table["arg_arg_state"].tolist() == ["NY", "CA"]
    assert table["arg_state"].iloc[1] == "literal"
    assert "arg_prompt" not in table.columns


def test_the_seed_is_the_one_asked_for_else_the_one_the_result_names(store, new):
    asked, named, neither = store.add_many([new(arguments={"seed": 7}), new(), new()])
    store.update(asked, result={"seed": 8})
    store.update(named, result={"seed": 9})
    seeds = frame(store)["seed"]
    assert seeds.loc[asked] == 7
    assert seeds.loc[named] == 9
    assert pd.isna(seeds.loc[neither])
    assert pd.api.types.is_integer_dtype(seeds)


@pytest.mark.parametrize("seed", [2**63, 2**64 - 1, 2**90])
def test_seeds_beyond_64_bits_stay_exact(store, new, seed):
    store.add(new(arguments={"seed": seed, "other": seed}))
    named = store.add(new())
    store.update(named, result={"seed": seed})
    table = frame(store)
    assert table["seed"].tolist() == [seed, seed]
    assert table["other"].iloc[0] == seed


def test_arguments_that_are_no_object_or_odd_texts_do_no_harm(store, new):
    store.add(new(arguments=["a"]))
    store.add(new(arguments={"prompt": ["a", "b"], "seed": "random", "": 1, "x\ud800": "y\ud800"}))
    table = frame(store)
    assert table["prompt"].tolist()[1] == ["a", "b"]
    assert table["seed"].tolist()[1] == "random"
    assert table[""].iloc[1] == 1
    assert table["x\ufffd"].iloc[1] == "y\ufffd"


def test_artifacts_are_the_stored_digests_or_what_is_made_of_them(store, new):
    first, second = store.add_many([new(), new()])
    store.set_artifacts(second, [stored(1, "b" * 64), stored(0, "a" * 64), stored(2, None)])
    assert frame(store)["artifacts"].tolist() == [(), ("a" * 64, "b" * 64)]
    shown = frame(store, path_of=lambda digest: digest[:2] + ".png")["artifacts"]
    assert shown.loc[second] == ("aa.png", "bb.png")
    assert frame(store, where={"record": first})["artifacts"].tolist() == [()]


def test_filters_are_those_of_the_store(store, new):
    ids = store.add_many([new(created=float(number), rating=number % 2) for number in range(10)])
    table = frame(store, {"rating": 1}, since=3.0, limit=2)
    assert table.index.tolist() == [ids[7], ids[9]]
    assert frame(store, state="FAILED").empty
    assert list(frame(store, state="FAILED").columns) == DESIGNED
    with pytest.raises(HistoryError, match="raiting"):
        frame(store, {"raiting": 1})


def test_more_records_than_are_decoded_at_once_keep_their_order(store, new):
    store.add_many(new(arguments={"n": number, "prompt": f'{number}, ["]}}'}) for number in range(1234))
    table = frame(store)
    assert table["n"].tolist() == list(range(1234))
    assert table["prompt"].iloc[1000] == '1000, ["]}'


def test_a_frame_can_be_grouped_sorted_and_written(store, new, tmp_path):
    for number in range(6):
        record_id = store.add(new(arguments={"steps": number % 3, "prompt": "p"}))
        store.update(record_id, cost=float(number))
    table = frame(store)
    assert table.groupby("steps")["cost"].sum().tolist() == [3.0, 5.0, 7.0]
    assert table.sort_values("cost", ascending=False).index.tolist() == sorted(table.index, reverse=True)
    assert (table["created"] > dt.datetime(2020, 1, 1, tzinfo=dt.UTC)).all()
    table.to_csv(tmp_path / "history.csv")
    assert len(pd.read_csv(tmp_path / "history.csv", index_col="record")) == 6
    assert '"steps"' in table.to_json(orient="records", date_format="iso")
