import pytest

from fal_nb.protocol.logs import LogMerger, read_progress


def entry(message, stamp="2026-01-01T00:00:01"):
    return {"message": message, "timestamp": stamp} if stamp else {"message": message}


def messages(merger):
    return [line["message"] for line in merger.lines]


def test_cumulative_lists_show_each_line_once():
    merger = LogMerger()
    merger.add([entry("a")])
    assert [line["message"] for line in merger.add([entry("a"), entry("b")])] == ["b"]
    assert messages(merger) == ["a", "b"]


def test_partial_lists_are_appended():
    merger = LogMerger()
    merger.add([entry("a", "1")])
    merger.add([entry("b", "2")])
    merger.add([entry("a", "3")])
    assert messages(merger) == ["a", "b", "a"]


def test_a_genuine_repeat_within_one_list_stays():
    merger = LogMerger()
    merger.add([entry("same"), entry("same")])
    merger.add([entry("same"), entry("same"), entry("same")])
    assert messages(merger) == ["same", "same", "same"]


def test_a_late_shorter_list_adds_nothing():
    merger = LogMerger()
    merger.add([entry("a"), entry("b")])
    assert merger.add([entry("a")]) == []


def test_lines_that_come_late_stand_where_they_belong():
    merger = LogMerger()
    merger.add([entry("second", "2")])
    merger.add([entry("first", "1")])
    assert messages(merger) == ["first", "second"]


def test_lines_without_a_time_stamp_are_told_apart_by_what_came_before():
    merger = LogMerger()
    merger.add([entry("a", None)])
    merger.add([entry("a", None), entry("b", None)])
    merger.add([entry("c", None)])
    assert messages(merger) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        (" 46%|████▌     | 13/28 [00:01<00:01, 12.3it/s]", (13, 28)),
        ("  0%|          | 0/4 [00:00<?, ?it/s]", (0, 4)),
        ("\r 50%|#####     | 2/4\r100%|##########| 4/4", (4, 4)),
        ("Step 3/28", (3, 28)),
        ("step: 3 of 28", (3, 28)),
        ("loaded 3/28 files", None),
        ("130%|#| 40/28", None),
        ("step 0/0", None),
        ("hello", None),
    ],
)
def test_progress_is_read_from_step_bars(line, progress):
    assert read_progress(line) == progress
