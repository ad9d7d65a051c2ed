import html
import re
import subprocess
import sys

import pandas as pd
import pytest

from fal_nb.errors import HistoryError
from fal_nb.frames.shown_records import ShownRecords

FLUX = "fal-ai/flux/schnell"


@pytest.fixture
def shown(api):
    def show(frame, *by):
        return ShownRecords(api.session(), frame, by)

    return show


class TestRegistration:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        "imports",
        [
            "import pandas as pd, fal_nb",
            "import fal_nb; import pandas as pd",
            "import fal_nb; from pandas import DataFrame",
        ],
        ids=["pandas first", "fal_nb first", "only a class"],
    )
    def test_every_frame_has_it_whatever_was_imported_first(self, imports):
        code = (
            f"{imports}\nimport sys, pandas, importlib.resources\n"
            "frame = pandas.DataFrame({'record': [1]})\n"
            "print(type(frame.fal).__name__, 'numpy' in sys.modules, pandas.__spec__.loader is pandas.__loader__)\n"
            "print([type(finder).__name__ for finder in sys.meta_path if 'Awaited' in type(finder).__name__])\n"
            "print(type(pandas.__loader__).__name__, importlib.resources.files('pandas').is_dir())"
        )
        done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == ["FalAccessor True True", "[]", "SourceFileLoader True"]

    def test_importing_the_package_again_registers_nothing_twice(self):
        from fal_nb.frames.registration import register_when_loaded

        before = list(sys.meta_path)
        register_when_loaded()
        assert sys.meta_path == before
        assert type(pd.DataFrame().fal).__name__ == "FalAccessor"


class TestCompare:
    def test_the_columns_become_axes_and_each_call_lies_where_its_values_are(self, calls, shown):
        board = shown(calls, "prompt", "seed")
        assert [(axis.name, axis.labels) for axis in board.axes] == [
            ("prompt", ("a fox", "an owl")),
            ("seed", ("9", "10")),
        ]
        places = {
            look.arguments["prompt"] + str(look.arguments["seed"]): look.coordinates for look in board.cells.values()
        }
        assert places == {"a fox9": (0, 0), "a fox10": (0, 1), "an owl9": (1, 0), "an owl10": (1, 1)}
        assert all(look.artifact.digest for look in board.cells.values())
        assert board.totals.counts == {"SUCCEEDED": 4}

    def test_numbers_lie_in_order_of_size_and_other_values_in_order_of_appearance(self, calls, shown):
        board = shown(calls.iloc[::-1], "prompt", "seed")
        assert [axis.labels for axis in board.axes] == [("an owl", "a fox"), ("9", "10")]

    def test_calls_that_agree_in_all_columns_stand_apart_on_one_more_axis(self, calls, shown):
        board = shown(calls, "prompt")
        assert [(axis.name, len(axis.labels)) for axis in board.axes] == [("prompt", 2), ("repeat", 2)]
        assert sorted(look.coordinates for look in board.cells.values()) == [(0, 0), (0, 1), (1, 0), (1, 1)]

    def test_without_columns_it_takes_the_arguments_that_vary(self, calls, api):
        view = calls.fal.compare()
        assert [axis["name"] for axis in view.state()["axes"]] == ["prompt", "seed"]
        assert view.state()["count"] == 4

    def test_the_twin_holds_each_picture_and_no_html_of_a_prompt(self, api):
        job = api.submit(FLUX, {"prompt": "<b onclick=x>bold</b>", "seed": 1, "image_size": "square"})
        job.get(60)
        twin = api.history().fal.compare(by="prompt").twin()
        assert twin.count("data:image/webp;base64,") == 1
        assert "<b onclick" not in twin
        assert html.escape("<b onclick=x>bold</b>") in twin

    def test_a_rating_given_on_the_board_is_kept_and_shown(self, calls, api, shown):
        import time

        board = shown(calls, "seed", "prompt")
        told = []
        board.observe(told.append)
        key = next(iter(board.cells))
        board.rate(key, 4)
        deadline = time.monotonic() + 20
        while not told:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert told == [{key}]
        assert board.cells[key].rating == 4
        assert list(api.history(where={"rating": 4}).index) == [board.cells[key].record_id]

    def test_a_frame_of_a_sweep_compares_too_and_rows_without_a_record_are_left_out(self, api, shown):
        sweep = api.sweep(FLUX, {"prompt": "a {animal}", "image_size": "square"}, axes={"animal": ["fox", "owl"]})
        sweep.run().wait(60)
        frame = sweep.frame()
        frame.loc[frame.index[0], "record"] = pd.NA
        board = shown(frame, "animal")
        assert [axis.labels for axis in board.axes] == [("owl",)]

    @pytest.mark.parametrize(
        ("frame", "by", "line"),
        [
            (pd.DataFrame({"a": [1]}), "a", "no record numbers, neither as index nor as a column called record"),
            (
                pd.DataFrame({"seed": [1], "record": [77]}),
                "sed",
                "There is no column sed in this frame: did you mean seed?",
            ),
            (pd.DataFrame({"seed": [1], "record": [77]}), "seed", "None of these calls is in this history and over."),
            (pd.DataFrame({"seed": [1], "record": ["x"]}), "seed", "record holds something else than record numbers."),
            (pd.DataFrame({"record": range(10_001)}), (), "10,001 calls are too many to be compared at once"),
        ],
    )
    def test_what_cannot_be_compared_is_said_in_one_line(self, api, frame, by, line):
        with pytest.raises(HistoryError) as caught:
            frame.fal.compare(by=by)
        assert line in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


class TestAxesOfSweeps:
    @pytest.fixture
    def styled(self, api):
        """A sweep whose style stands in a text only, and one call of no sweep."""
        axes = {"style": ["ukiyo-e", "bauhaus"], "seed": [1, 2]}
        sweep = api.sweep(FLUX, {"prompt": "a fox, {style}", "image_size": "square"}, axes=axes, name="styles")
        sweep.run().wait(60)
        api.submit(FLUX, {"prompt": "an owl", "seed": 1, "image_size": "square"}).get(60)
        return api.history()

    def test_a_variable_inside_a_prompt_is_an_axis(self, styled):
        board = styled.fal.compare(by=["style", "seed"]).state()
        assert [(axis["name"], axis["labels"]) for axis in board["axes"]] == [
            ("style", ["ukiyo-e", "bauhaus", "–"]),
            ("seed", ["1", "2"]),
        ]
        assert "style" not in styled.columns

    def test_it_is_one_in_another_kernel_and_of_a_pivot(self, styled, api):
        api.close()
        frame = api.history().fal.pivot("style", "seed", "cost", how="count")  # noqa: PD010 - it is ours
        assert frame.loc["bauhaus"].tolist() == [1, 1]

    def test_a_call_that_answered_a_cell_from_the_history_lies_where_the_cell_does(self, api, shown):
        api.submit(FLUX, {"prompt": "a fox, bauhaus", "seed": 1, "image_size": "square"}).get(60)
        axes = {"style": ["bauhaus", "pencil"]}
        sweep = api.sweep(FLUX, {"prompt": "a fox, {style}", "seed": 1, "image_size": "square"}, axes=axes)
        sweep.run().wait(60)
        board = api.history().fal.compare(by="style").state()
        assert board["axes"][0]["labels"] == ["bauhaus", "pencil"]

    def test_a_name_that_no_sweep_knows_is_refused_with_those_there_are(self, styled):
        with pytest.raises(
            HistoryError, match=r"no column stile .* Nor is it an axis .* which have: style, seed\.$"
        ) as no:
            styled.fal.compare(by="stile")
        assert len(str(no.value).splitlines()) == 1

    def test_a_sweep_that_cannot_be_read_is_named(self, styled, api):
        from fal_nb.sweeps import sweep as sweeps

        sweeps._open.clear()
        with api.session().history.database.writing() as connection:
            connection.execute("UPDATE sweeps SET text = 'endpoint: [broken'")
        with pytest.raises(HistoryError, match="no column style in this frame, and the sweep styles"):
            styled.fal.compare(by="style")


class TestDiff:
    def test_only_what_differs_is_listed_nested_paths_with_it(self, api):
        sizes = ({"width": 64, "height": 64}, {"width": 64, "height": 96})
        jobs = [api.submit(FLUX, {"prompt": "a fox", "seed": 1, "image_size": size}) for size in sizes]
        api.wait(jobs, timeout=60)
        frame = api.history().fal.diff()
        assert list(frame.columns) == ["#1", "#2"]
        assert frame.loc["image_size.height"].tolist() == [64, 96]
        assert not {"prompt", "seed", "image_size.width", "endpoint"} & set(frame.index)

    def test_an_argument_that_only_one_has_is_none_at_the_other(self, api):
        jobs = [api.submit(FLUX, {"prompt": "a fox"} | more) for more in ({}, {"seed": 5})]
        api.wait(jobs, timeout=60)
        assert api.history().fal.diff(1, 2).loc["seed"].tolist() == [None, 5]

    @pytest.mark.parametrize(
        ("second", "told"), [(2, "equal arguments; what differs is what came of it: "), (1, "itself")]
    )
    def test_two_calls_with_equal_arguments_are_said_to_be_so(self, api, capsys, monkeypatch, second, told):
        monkeypatch.setattr("fal_nb.views.display.choose_rendering", lambda shell: ("terminal", "a test"))
        jobs = [api.submit(FLUX, {"prompt": "a fox", "seed": 1, "image_size": "square"}) for _ in range(2)]
        api.wait(jobs, timeout=60)
        capsys.readouterr()
        frame = api.history().fal.diff(1, second)
        assert told in capsys.readouterr().out
        assert set(frame.index) <= {"total_s"}
        api.submit(FLUX, {"prompt": "a fox", "seed": 2, "image_size": "square"}).get(60)
        capsys.readouterr()
        assert api.history().fal.diff(1, 3).loc["seed"].tolist() == [1, 2]
        assert "equal" not in capsys.readouterr().out

    def test_calls_are_named_by_what_the_index_gives(self, calls):
        assert calls.fal.diff(calls.index[0], calls.index[1]).loc["seed"].tolist() == [9, 10]
        with pytest.raises(HistoryError, match="named by its record number"):
            calls.fal.diff("fox", 2)

    def test_one_row_alone_differs_from_nothing(self, calls):
        with pytest.raises(HistoryError, match="no two calls here"):
            calls.head(1).fal.diff()


def test_replay_makes_each_call_once_more(calls, api, simulator):
    before = len(simulator.ledger())
    jobs = calls.head(2).fal.replay()
    api.wait(jobs, timeout=60)
    assert [job.arguments for job in jobs] == [api.session().history.get(n).arguments for n in calls.index[:2]]
    assert len(simulator.ledger()) == before + 2


class TestThumbnails:
    def test_each_row_has_its_picture_and_every_other_text_is_escaped(self, api):
        api.submit(FLUX, {"prompt": "<script>alert(1)</script>", "seed": 1, "image_size": "square"}).get(60)
        page = api.history().fal.thumbnails().to_html()
        assert page.count("data:image/webp;base64,") == 1
        assert "<script>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert re.search(r">\s*1\s*</td>", page)

    def test_films_sounds_texts_and_failures_say_what_they_are(self, api):
        called = [
            ("fal-ai/kling-video/v3/pro/text-to-video", {"prompt": "a fox", "duration": "3"}),
            ("fal-ai/elevenlabs/tts/turbo-v2.5", {"text": "hello"}),
            ("fal-ai/any-llm", {"prompt": "<b>why</b>"}),
            ("simulator/sleep", {"seconds": 0}),
            ("simulator/fail", {}),
        ]
        jobs = [api.submit(endpoint, arguments, check=False) for endpoint, arguments in called]
        api.wait(jobs, timeout=90)
        cells = api.history().fal._pictures()
        assert re.search(r"^<img .*>▶ [\d.]+ s<", cells[0])
        assert re.search(r"^<img .*>♪ [\d.]+ s<", cells[1])
        assert html.escape(api.result(3).text[:40]) in cells[2]
        assert "<b>" not in cells[2]
        assert cells[3] == "–"
        assert "failed: " in cells[4]

    def test_a_file_that_is_gone_is_said_and_its_small_picture_stays(self, api):
        job = api.submit(FLUX, {"prompt": "a fox", "seed": 1, "image_size": "square"})
        api.session().artifacts.path(job.get(60).files[0].artifact.digest).unlink()
        assert re.search("^<img .*file not here", api.history().fal._pictures()[0])

    def test_a_row_whose_record_is_gone_says_so(self, api):
        assert "not in this history" in pd.DataFrame({"record": [77]}).fal._pictures()[0]

    def test_too_many_are_refused_with_the_way_out(self):
        with pytest.raises(HistoryError, match=r"df\.head\(100\)\.fal\.thumbnails\(\)"):
            pd.DataFrame({"record": range(101)}).fal.thumbnails()
