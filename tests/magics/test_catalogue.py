"""``%fal models``, ``schema`` and ``price`` in a real shell, and what Tab knows of the catalogue."""

import pytest
from IPython.core.completer import provisionalcompleter

import fal_nb
from fal_nb.client.kept import list_file
from fal_nb.protocol.urls import Hosts
from fal_nb.workbench import current

DEV = "fal-ai/flux/dev"


def test_models_are_found_by_words_and_by_name_and_value(run):
    _, done = run("%fal models flux category=text-to-image")
    assert DEV in done.result
    assert {model.category for model in done.result} == {"text-to-image"}
    assert run("%fal models flux --category text-to-image")[1].result.endpoints == done.result.endpoints
    assert run("%fal models category=text-to-image category=llm --limit 30")[1].result.facets["category"].keys() == {
        "text-to-image",
        "llm",
    }
    assert run("x = %fal models flux --limit 2\nlen(x)")[1].result == 2
    assert run("%fal models flux -o kept;\nkept['fal-ai/flux/dev'].name")[1].result == "FLUX.1 [dev]"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("models category=text-to-imge", "No model has the category 'text-to-imge'; did you mean text-to-image?"),
        ("models tag=nonsense-tag", "No model has the tag"),
        ("models catgory=x", "models knows no 'catgory'; did you mean category? Write: %fal models category=x"),
        ("models limit=none", "--limit takes a whole number from 1, not 'none'"),
        ("models sort=x", "--sort takes best or newest"),
        ("models limit=1 limit=2", "--limit is given twice"),
        ("schema", "the endpoint is missing"),
        (f"schema {DEV} prompt=x", "schema takes no name=value"),
        (f'schema {DEV} "x"', "schema takes one endpoint, not '\"x\"'. Write: %fal schema fal-ai/flux/dev"),
        ("schema fal-ai/nope", "fal-ai/nope"),
        (f"price {DEV} num_imges=2 prompt={{nobody}}", "nobody"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_write(line, told, run, simulator):
    printed, done = run(f"%fal {line}")
    assert not done.success
    assert told in printed
    assert len(printed.strip().splitlines()) <= 2


def test_schema_and_price_return_what_the_functions_do(run):
    assert run(f"%fal schema {DEV}")[1].result["prompt"].required
    price = run(f"%fal price {DEV} prompt=x num_images=4")[1].result
    assert price == fal_nb.price(DEV, {"prompt": "x", "num_images": 4})
    assert run(f"%%fal price {DEV} num_images=2\na fox")[1].result.high == pytest.approx(0.05)
    assert run(f"%fal price {DEV};")[1].result is None


def test_what_is_kept_serves_without_a_network_and_says_so(run, simulator, monkeypatch):
    whole = fal_nb.models(status="any")
    kept = list_file(current().session.home, Hosts.under(simulator.base_url).api, "models")
    nowhere = "http://127.0.0.1:9"
    kept.rename(list_file(current().session.home, Hosts.under(nowhere).api, "models"))
    current().close()
    current.forget()
    monkeypatch.setenv("FAL_NB_BASE_URL", nowhere)
    monkeypatch.setattr("fal_nb.client.http.backoff_s", lambda *_, **__: 0.0)
    printed, done = run("%fal models flux --refresh")
    assert done.success, printed
    assert "fal could not be asked for a newer list" in done.result.note
    assert done.result.note in printed
    assert fal_nb.models(status="any").endpoints == whole.endpoints


def test_tab_knows_the_catalogue_its_categories_and_its_tags(shell, run):
    def texts(code):
        with provisionalcompleter():
            return [one.text for one in shell.Completer.completions(code, len(code)) if one._origin == "fal_nb"]

    shell.Completer.use_jedi = False
    fal_nb.models()
    fal_nb.schema(DEV)
    current().close()
    current.forget()
    assert "category=" in texts("%fal models ")
    assert "text-to-image" in " ".join(texts("%fal models category=text-to-i"))
    assert "streaming" in " ".join(texts("%fal models --tag stre"))
    assert any(DEV in text for text in texts("%fal schema flux/d"))
    assert texts(f"%fal schema {DEV} pro") == []
    assert "prompt=" in texts(f"%fal price {DEV} pro")


def test_find_models_expands_what_it_is_asked_to(shell):
    found = fal_nb.find_models(DEV, "fal-ai/nope", expand=("openapi", "price", "enterprise"))
    assert found.endpoints == [DEV]
    assert found[0].price.unit == "megapixels"
    assert found[0].schema["prompt"].required
    with pytest.raises(fal_nb.ConfigError, match="openapi, enterprise, price"):
        fal_nb.find_models(DEV, expand="pictures")


def test_a_list_is_a_sequence_and_a_frame(shell):
    found = fal_nb.models("flux")
    assert list(found.frame["endpoint"]) == found.endpoints
    assert found[:2].endpoints == found.endpoints[:2]
    assert found[DEV] in found
    with pytest.raises(KeyError):
        found["fal-ai/nope"]
    assert fal_nb.models("nothing of this kind").frame.empty
    assert "FLUX.1 [dev]" in found._repr_html_()


@pytest.mark.parametrize(
    "given", [{"status": "x"}, {"sort": "x"}, {"limit": 0}, {"category": 7}, {"tags": [1]}, {"kind": object()}]
)
def test_a_filter_that_cannot_be_one_is_refused(shell, given):
    with pytest.raises(fal_nb.ConfigError):
        fal_nb.models(**given)
