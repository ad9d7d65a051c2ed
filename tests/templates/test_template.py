import json
import os
import types

import pytest

from fal_nb.protocol.urls import Hosts
from fal_nb.settings import Settings
from fal_nb.templates.mistakes import Mistake
from fal_nb.templates.template import Attribute, Key, Reference, compile_template, expand, look_up, parse_reference

KEY = "11111111-2222-3333-4444-555555555555:0123456789abcdef"


class Thing:
    name = "box"

    def __init__(self):
        self.inner = {"a": [10, {"b c": "deep"}], "0": "zero"}

    @property
    def broken(self):
        raise RuntimeError("no luck")

    def __str__(self):
        return "a {name} thing"


def settings(home):
    return Settings("fal", Hosts(), home, "a key was given", KEY)


def mistake_of(text, namespace):
    with pytest.raises(Mistake) as caught:
        expand(text, namespace)
    return caught.value


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("x", Reference("x")),
        ("größe", Reference("größe")),
        ("x.y.z", Reference("x", (Attribute("y"), Attribute("z")))),
        ("x[0][-1]", Reference("x", (Key(0), Key(-1)))),
        ("x[k][ a b ]", Reference("x", (Key("k"), Key(" a b ")))),
        ("x['0'][\"a]\"]", Reference("x", (Key("0"), Key("a]")))),
        ("x[0].y", Reference("x", (Key(0), Attribute("y")))),
        ("x[_k]", Reference("x", (Key("_k"),))),
        ("x[9999999999999999999]", Reference("x", (Key("9999999999999999999"),))),
    ],
)
def test_a_reference_is_a_name_then_attributes_and_keys(text, reference):
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text", ["", " x", "1x", "_x", "x._y", "x.y()", "x+1", "x.", "x[", "x[]", "x:.2f", "x!r", "x.1", "f(x)", "x['a]"]
)
def test_anything_more_is_not_a_reference(text):
    assert parse_reference(text) is None


def test_a_template_is_literal_pieces_and_references_with_their_places():
    assert compile_template("a {x} {{b}} {y[0]}") == [
        "a ",
        (2, Reference("x")),
        " ",
        "{",
        "b",
        "}",
        " ",
        (12, Reference("y", (Key(0),))),
    ]


def test_values_are_put_in_once_and_never_expanded_again():
    assert expand("{thing} {text}", {"thing": Thing(), "text": "{thing} {{x}}"}) == "a {name} thing {thing} {{x}}"


def test_references_reach_into_objects_lists_and_dicts():
    text = "{t.name} {t.inner[a][0]} {t.inner['a'][-1]['b c']} {t.inner['0']} {f} {none}"
    assert expand(text, {"t": Thing(), "f": 1.5, "none": None}) == "box 10 deep zero 1.5 None"


def test_names_are_compared_as_python_compares_them():
    namespace = {}
    exec("ﬁne = 1", namespace)
    assert expand("{ﬁne}", namespace) == "1"


@pytest.mark.parametrize(
    ("text", "at", "what"),
    [
        ("ab {nam}", 3, "there is no variable nam in the notebook; did you mean {name}?"),
        ("{Name}", 0, "there is no variable Name in the notebook; did you mean {name}?"),
        ("{t.nam}", 0, "{t.nam} cannot be read (AttributeError: 'Thing' object has no attribute 'nam')"),
        ("{t.broken}", 0, "{t.broken} cannot be read (RuntimeError: no luck)"),
        ("{t.inner[x]}", 0, "{t.inner['x']} cannot be read (no such key)"),
        ("{t.inner[a][7]}", 0, "{t.inner['a'][7]} cannot be read (IndexError: list index out of range)"),
        ("{name[k]}", 0, "{name['k']} cannot be read (TypeError: string indices must be integers, not 'str')"),
    ],
)
def test_what_cannot_be_read_is_named(text, at, what):
    mistake = mistake_of(text, {"t": Thing(), "name": "x", "_nam": 1, "namx": types})
    assert (mistake.at, mistake.what) == (at, what)


def test_a_value_whose_str_fails_is_named():
    class Mute:
        def __str__(self):
            raise ValueError("silence")

    assert mistake_of("{m}", {"m": Mute()}).what == "{m} cannot be read (ValueError: silence)"


@pytest.mark.parametrize("path", ["os", "os.environ", "box.os", "box.os.path"])
def test_modules_are_refused_at_every_step(path):
    box = types.SimpleNamespace(os=os)
    assert mistake_of(f"{{{path}}}", {"os": os, "box": box}).what.endswith(
        "is a module, which never goes into an argument"
    )


@pytest.mark.parametrize("path", ["env", "env[FAL_KEY]", "box[0][PATH]", "copy", "copy[FAL_KEY]"])
def test_the_environment_is_refused_also_as_a_copy_with_the_key_in_it(path, monkeypatch):
    monkeypatch.setenv("FAL_KEY", KEY)
    namespace = {"env": os.environ, "box": [os.environ], "copy": dict(os.environ)}
    for refused in (lambda: expand(f"{{{path}}}", namespace), lambda: look_up(parse_reference(path), namespace)):
        with pytest.raises(Mistake, match="never goes into an argument") as caught:
            refused()
        assert KEY not in str(caught.value)


@pytest.mark.parametrize("path", ["s", "s.key", "box[0].key", "child.key"])
def test_our_settings_are_refused_and_the_key_is_in_no_message(path, tmp_path):
    class Child(Settings):
        pass

    child = Child("fal", Hosts(), tmp_path, "", KEY)
    namespace = {"s": settings(tmp_path), "box": [settings(tmp_path)], "child": child}
    mistake = mistake_of(f"{{{path}}}", namespace)
    assert mistake.what.endswith("is a Settings of fal_nb, which never goes into an argument")
    assert KEY not in str(mistake)


def test_our_hosts_and_plain_dicts_are_data():
    assert expand("{h.queue} {d[a]}", {"h": Hosts(), "d": {"a": 1}}) == "https://queue.fal.run 1"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (b"x", "{v} is a bytes, not a text"),
        (len, "{v} is a builtin_function_or_method, not a text"),
        (dict, "{v} is a type, not a text"),
        (
            object(),
            "{v} has no text of its own (object); to send the object itself write NAME={v} without quotes",
        ),
        (
            (n for n in ()),
            "{v} has no text of its own (generator); to send the object itself write NAME={v} without quotes",
        ),
    ],
    ids=["bytes", "function", "class", "object", "generator"],
)
def test_objects_without_a_text_are_not_put_into_one(value, what):
    assert mistake_of("{v}", {"v": value}).what == what


def test_a_text_may_look_like_an_objects_address():
    assert expand("{v}", {"v": "<x at 0x12>"}) == "<x at 0x12>"


def test_the_object_itself_is_looked_up_without_a_copy():
    value = {"a": [1]}
    assert look_up(parse_reference("v[a]"), {"v": value}) is value["a"]
    assert json.dumps(look_up(parse_reference("v"), {"v": value})) == '{"a": [1]}'
