import copy
import dataclasses
import io
import json
import pickle
import stat

import numpy as np
import pytest
from PIL import Image

from fal_nb.artifacts import Artifact
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.errors import FileError
from fal_nb.results import Result

URL = "https://v3.fal.media/files/fox.png"


@pytest.fixture
def call(store, described):
    """A maker of results whose files are in the store."""

    def make(*contents, data=None, names=None, **changes):
        artifacts = []
        for index, content in enumerate(contents):
            digest = store.put_bytes(content)
            name = names[index] if names else None
            artifacts.append(dataclasses.replace(described(content, URL, None, name, index=index), digest=digest))
        facts = {
            "record_id": 12,
            "endpoint": "fal-ai/flux/dev",
            "backend": "simulator",
            "kind": "queue",
            "state": "SUCCEEDED",
            "arguments": {"prompt": "a red/fox", "num_images": 2},
            "created": 1.0,
            "request_id": "req-1",
            "cost": 0.025,
            "currency": "USD",
            "artifacts": tuple(artifacts),
        }
        data = {"images": [{"url": URL}], "seed": 42} if data is None else data
        return Result(data, snapshot=JobSnapshot(**(facts | changes)), store=store)

    return make


class TestDict:
    def test_it_is_a_plain_dict_to_code(self, call, picture):
        result = call(picture())
        assert result == {"images": [{"url": URL}], "seed": 42}
        assert result["seed"] == 42
        assert json.loads(json.dumps(result)) == result
        assert list(result) == ["images", "seed"]
        assert {**result}["seed"] == 42
        assert type(dict(result)) is dict

    @pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda result: pickle.loads(pickle.dumps(result))])
    def test_copies_and_pickles_keep_the_data_and_the_files(self, call, picture, again):
        result = call(picture())
        result.display_html = lambda _: "<b>x</b>"
        result.show = print
        other = again(result)
        assert other == result
        assert other.record_id == 12
        assert other.files[0].bytes() == picture()
        assert other._repr_html_() is None

    def test_an_endpoint_that_returns_no_object_has_it_under_output(self):
        assert Result([1, 2]) == {"output": [1, 2]}
        assert Result("hello").text == "hello"
        assert Result(None) == {}

    def test_a_result_by_itself_has_no_call(self):
        result = Result({"a": 1})
        assert (result.record_id, result.request_id, result.cost, result.endpoint) == (None, None, None, None)
        assert result.files == []
        assert result.save("nowhere") == []


def test_what_is_known_of_the_call(call, picture):
    result = call(picture())
    assert (result.record_id, result.request_id, result.endpoint) == (12, "req-1", "fal-ai/flux/dev")
    assert (result.cost, result.currency, result.prompt, result.seed) == (0.025, "USD", "a red/fox", 42)
    assert call(arguments={"text": "say", "seed": 7}).prompt == "say"
    assert call(arguments={"text": "say", "seed": 7}).seed == 7


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"text": "b", "output": "a"}, "a"),
        ({"description": "d", "results": "r"}, "r"),
        ({"output": {"x": 1}, "text": "b"}, "b"),
        ({"generated_text": ""}, ""),
        ({"images": []}, None),
    ],
)
def test_text_is_the_first_of_the_known_places(data, text):
    assert Result(data).text == text


class TestRepr:
    def test_it_is_short_whatever_is_inside(self):
        uri = "data:image/png;base64," + "A" * 5_000_000
        result = Result({"images": [{"url": uri}] * 500, "text": "x" * 10_000, "deep": [[[[[[[1]]]]]]]})
        assert len(repr(result)) <= 1_300
        assert repr(result).startswith("Result({'")
        assert len(repr(Result({str(number): number for number in range(10_000)}))) <= 1_300

    def test_a_small_one_is_shown_whole(self):
        assert repr(Result({"seed": 1, "ok": True})) == "Result({'ok': True, 'seed': 1})"

    def test_a_file_says_what_it_is(self, call, picture):
        assert repr(call(picture(size=(64, 48))).files[0]) == "<ResultFile fox.png image 64×48>"


class TestDisplay:
    def test_html_comes_from_the_hook(self, call):
        result = call()
        assert result._repr_html_() is None
        result.display_html = lambda shown: f"<b>{shown.record_id}</b>"
        assert result._repr_html_() == "<b>12</b>"

    def test_showing_by_itself_goes_before_and_is_off_by_default(self, call):
        result, shown = call(), []
        with pytest.raises(NotImplementedError):
            result._ipython_display_()
        result.show = shown.append
        result._ipython_display_()
        assert shown == [result]


class TestFile:
    def test_it_gives_its_facts_and_bytes(self, call, picture, store):
        file = call(picture()).files[0]
        assert (file.kind, file.content_type, file.file_name, file.url) == ("image", "image/png", "fox.png", URL)
        assert file.bytes() == picture()
        assert file.path.read_bytes() == picture()
        assert file.path.suffix == ".png"
        assert store.has(file.digest)
        assert file.path.stat().st_mode & stat.S_IWUSR == 0

    def test_pictures_open_in_pillow_and_numpy(self, call, picture):
        file = call(picture(size=(30, 20))).files[0]
        assert file.pil().size == (30, 20)
        assert file.array().shape == (20, 30, 3)
        assert file.array().dtype == np.uint8
        assert file.array()[5, 2].tolist() == [255, 0, 0]

    def test_a_palette_becomes_colours_in_an_array(self, call):
        buffer = io.BytesIO()
        Image.new("RGB", (4, 3), (0, 255, 0)).convert("P").save(buffer, "GIF")
        assert call(buffer.getvalue()).files[0].array()[0, 0].tolist() == [0, 255, 0]

    def test_what_is_no_picture_says_what_it_is(self, call, film):
        file = call(film()).files[0]
        with pytest.raises(FileError, match="video"):
            file.pil()
        with pytest.raises(FileError, match="video"):
            file.array()

    def test_a_damaged_picture_is_named(self, call, picture, store):
        file = call(picture("JPEG", noise=True)).files[0]
        store.path(file.digest).chmod(0o644)
        store.path(file.digest).write_bytes(picture("JPEG", noise=True)[:500])
        with pytest.raises(FileError, match="decoded"):
            file.pil()

    def test_a_file_that_could_not_be_fetched_says_why(self, store):
        artifact = Artifact(
            index=0, where=(), url=URL, kind="image", content_type="image/png", file_name="fox.png", error="HTTP 404"
        )
        snapshot = JobSnapshot(
            record_id=1, endpoint="a/b", backend="fal", kind="queue", state="SUCCEEDED", arguments={}, created=0,
            artifacts=(artifact,),
        )  # fmt: skip
        file = Result({}, snapshot=snapshot, store=store).files[0]
        for use in (lambda: file.path, file.bytes, file.pil, lambda: file.save("x")):
            with pytest.raises(FileError, match=r"fox\.png.*HTTP 404"):
                use()
        assert "HTTP 404" in repr(file)

    def test_a_file_missing_from_the_store_is_named(self, call, picture, store):
        file = call(picture()).files[0]
        store.path(file.digest).unlink()
        with pytest.raises(FileError, match=r"fox\.png"):
            file.bytes()


class TestSave:
    @pytest.fixture(autouse=True)
    def _inside(self, tmp_path, monkeypatch):
        (tmp_path / "work").mkdir()
        monkeypatch.chdir(tmp_path / "work")
        self.root = tmp_path

    def written(self):
        return sorted(path.relative_to(self.root / "work").as_posix() for path in (self.root / "work").rglob("*.*"))

    @pytest.mark.parametrize(
        ("to", "where"),
        [
            ("out/", "out/fox.png"),
            ("out", "out/fox.png"),
            ("out/deep", "out/deep/fox.png"),
            ("mine.png", "mine.png"),
            ("a/b/mine.jpg", "a/b/mine.jpg"),
            ("out/{seed}.png", "out/42.png"),
            ("out/{seed}", "out/42.png"),
            ("out/{seed}-{index:03}.{ext}", "out/42-000.png"),
            ("{endpoint}/{record}-{name}.png", "fal-ai-flux-dev/12-fox.png"),
            ("{prompt}/", "a red-fox/fox.png"),
            ("{prompt}/pictures", "a red-fox/pictures/fox.png"),
            ("{request}-{num_images}.png", "req-1-2.png"),
        ],
    )
    def test_to_a_folder_a_file_or_a_pattern(self, call, picture, to, where):
        path = call(picture()).files[0].save(to)
        assert path.as_posix() == where
        assert path.read_bytes() == picture()
        assert self.written() == [where]

    def test_into_a_folder_whose_name_has_a_dot(self, call, picture):
        (self.root / "work" / "v1.5").mkdir()
        assert call(picture()).files[0].save("v1.5").as_posix() == "v1.5/fox.png"

    def test_a_copy_can_be_written_to(self, call, picture):
        path = call(picture()).files[0].save("out/")
        assert path.stat().st_mode & stat.S_IWUSR

    def test_nothing_is_ever_written_over(self, call, picture):
        result = call(picture())
        (self.root / "work" / "mine.png").write_bytes(b"precious")
        paths = [result.files[0].save("mine.png").name for _ in range(3)]
        assert paths == ["mine-1.png", "mine-2.png", "mine-3.png"]
        assert (self.root / "work" / "mine.png").read_bytes() == b"precious"

    def test_all_files_of_a_result_get_names_of_their_own(self, call, picture):
        result = call(picture(), picture("JPEG"), picture(size=(9, 9)))
        assert [path.as_posix() for path in result.save("out/{seed}.png")] == [
            "out/42.png",
            "out/42-1.png",
            "out/42-2.png",
        ]
        assert [path.name for path in result.save("more/")] == ["fox.png", "fox.jpg", "fox-1.png"]

    @pytest.mark.parametrize("value", ["../../up", "/etc/x", "~", "~root", "..", "a/../../b", "C:\\x", "\0", "x\n", ""])
    def test_values_cannot_lead_out_of_the_folder(self, call, picture, value):
        result = call(picture(), arguments={"prompt": value}, names=["../../" + value + ".png"])
        for to in ("out/{prompt}.png", "out/{prompt}/x.png", "{prompt}/x.png", "{prompt}", "out/", "out/{name}.png"):
            path = result.files[0].save(to)
            assert path.resolve().is_relative_to(self.root / "work")
            assert len(path.parts) <= 3
        assert {path.name for path in self.root.iterdir()} <= {"work", "home"} | {
            path.name for path in self.root.iterdir() if len(path.name) == 64
        }

    def test_the_home_folder_is_understood_in_what_a_person_writes(self, call, picture, monkeypatch):
        monkeypatch.setenv("HOME", str(self.root / "work"))
        call(picture()).files[0].save("~/pictures/{seed}.png")
        assert self.written() == ["pictures/42.png"]

    def test_an_unknown_name_is_an_error_and_nothing_is_written(self, call, picture):
        with pytest.raises(FileError, match="sead"):
            call(picture()).files[0].save("out/{sead}.png")
        with pytest.raises(FileError, match="seed"):
            call(picture(), data={"images": []}).files[0].save("out/{seed}.png")
        for broken in ("out/x}.png", "out/{x.png"):
            with pytest.raises(FileError, match="pattern"):
                call(picture()).files[0].save(broken)
        assert self.written() == []

    def test_a_folder_that_cannot_be_made_is_named(self, call, picture):
        (self.root / "work" / "file").write_text("x")
        with pytest.raises(FileError, match="file/deep"):
            call(picture()).files[0].save("file/deep/x.png")

    def test_a_disk_that_fills_up_leaves_no_half_file(self, call, picture, monkeypatch):
        from fal_nb import results as module

        def fill_up(source, target, size):
            target.write(source.read(10))
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(module.shutil, "copyfileobj", fill_up)
        with pytest.raises(FileError, match="No space left"):
            call(picture()).files[0].save("out/x.png")
        assert self.written() == []
