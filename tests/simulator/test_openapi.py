import pytest

from fal_nb.simulator.endpoints.registry import Registry
from fal_nb.simulator.openapi import openapi_document

BASE = "http://127.0.0.1:1"
DOCUMENTS = {endpoint.endpoint_id: openapi_document(endpoint, BASE) for endpoint in Registry()}
ORDER = {
    "fal-ai/flux/schnell": "num_inference_steps prompt image_size seed guidance_scale sync_mode num_images "
    "enable_safety_checker output_format acceleration",
    "fal-ai/flux/dev": "prompt image_size num_inference_steps seed guidance_scale sync_mode num_images "
    "enable_safety_checker output_format acceleration",
    "fal-ai/flux/dev/image-to-image": "image_url strength num_inference_steps prompt seed guidance_scale sync_mode "
    "num_images enable_safety_checker output_format acceleration",
    "fal-ai/flux-lora": "prompt image_size num_inference_steps seed loras guidance_scale sync_mode num_images "
    "enable_safety_checker output_format acceleration",
    "fal-ai/fast-sdxl/image-to-image": "image_url prompt negative_prompt image_size num_inference_steps guidance_scale "
    "strength seed sync_mode num_images loras embeddings enable_safety_checker safety_checker_version expand_prompt "
    "format request_id preserve_aspect_ratio crop_output",
    "fal-ai/esrgan": "image_url scale tile face model output_format",
    "fal-ai/clarity-upscaler": "image_url prompt upscale_factor negative_prompt creativity resemblance guidance_scale "
    "num_inference_steps seed enable_safety_checker",
    "fal-ai/flux-pro/v1.1": "prompt image_size seed sync_mode num_images output_format safety_tolerance enhance_prompt",
    "fal-ai/flux-pro/v1.1-ultra": "prompt seed sync_mode num_images output_format safety_tolerance enhance_prompt "
    "image_url image_prompt_strength aspect_ratio raw",
    "fal-ai/fast-sdxl": "prompt negative_prompt image_size num_inference_steps seed guidance_scale sync_mode "
    "num_images loras embeddings enable_safety_checker safety_checker_version expand_prompt format request_id",
    "fal-ai/kling-video/v3/pro/text-to-video": "prompt duration multi_prompt generate_audio shot_type aspect_ratio "
    "negative_prompt cfg_scale",
    "fal-ai/elevenlabs/tts/turbo-v2.5": "text voice stability similarity_boost style speed timestamps previous_text "
    "next_text language_code apply_text_normalization",
    "fal-ai/lcm-sd15-i2i": "prompt image_url strength negative_prompt seed guidance_scale num_inference_steps sync_mode "
    "num_images enable_safety_checks request_id mask_url",
    "fal-ai/fast-lcm-diffusion": "model_name prompt negative_prompt image_size num_inference_steps seed guidance_scale "
    "sync_mode num_images enable_safety_checker safety_checker_version expand_prompt format guidance_rescale request_id",
    "fal-ai/recraft/v3/text-to-image": "prompt image_size style colors style_id enable_safety_checker",
    "fal-ai/recraft/v4/text-to-image": "prompt image_size colors background_color enable_safety_checker",
    "fal-ai/kling-video/v3/pro/image-to-video": "prompt multi_prompt start_image_url duration generate_audio "
    "end_image_url elements shot_type negative_prompt cfg_scale",
    "fal-ai/minimax/speech-2.8-hd": "prompt voice_setting audio_setting language_boost output_format "
    "pronunciation_dict normalization_setting voice_modify",
    "fal-ai/wizper": "audio_url task language chunk_level max_segment_len merge_chunks version",
    "openrouter/router": "prompt system_prompt model reasoning temperature max_tokens",
    "fal-ai/any-llm": "prompt system_prompt reasoning priority temperature max_tokens model",
    "fal-ai/birefnet": "model operating_resolution output_mask refine_foreground sync_mode image_url output_format",
    "fal-ai/birefnet/v2": "model operating_resolution output_mask refine_foreground sync_mode image_url output_format "
    "mask_only",
    "fal-ai/trellis": "image_url seed ss_guidance_strength ss_sampling_steps slat_guidance_strength "
    "slat_sampling_steps mesh_simplify texture_size",
    "fal-ai/hunyuan3d/v2": "input_image_url seed num_inference_steps guidance_scale octree_resolution textured_mesh",
    "fal-ai/stable-audio": "prompt seconds_start seconds_total steps",
    "fal-ai/whisper": "audio_url task language diarize chunk_level batch_size prompt num_speakers",
}


def schema(endpoint, suffix="Input"):
    name = next(name for name in DOCUMENTS[endpoint]["components"]["schemas"] if name.endswith(suffix))
    return DOCUMENTS[endpoint]["components"]["schemas"][name]


@pytest.mark.parametrize("endpoint", sorted(ORDER))
def test_inputs_stand_in_the_order_the_service_shows_them(endpoint):
    assert schema(endpoint)["x-fal-order-properties"] == ORDER[endpoint].split()


@pytest.mark.parametrize("endpoint", sorted(DOCUMENTS))
def test_a_document_has_the_parts_of_those_fal_publishes(endpoint):
    document = DOCUMENTS[endpoint]
    base = f"/{endpoint}"
    assert document["openapi"] == "3.0.4"
    assert document["info"]["title"] == f"Queue OpenAPI for {endpoint}"
    assert document["info"]["x-fal-metadata"]["endpointId"] == endpoint
    assert document["servers"] == [{"url": f"{BASE}/queue"}]
    assert document["components"]["securitySchemes"]["apiKeyAuth"]["name"] == "Authorization"
    assert list(document["paths"]) == [
        f"{base}/requests/{{request_id}}/status",
        f"{base}/requests/{{request_id}}/cancel",
        base,
        f"{base}/requests/{{request_id}}",
    ]
    names = list(document["components"]["schemas"])
    assert names[0] == "QueueStatus"
    assert names[1].endswith("Input")
    assert names[2] == names[1].removesuffix("Input") + "Output"
    body = document["paths"][base]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": f"#/components/schemas/{names[1]}"}


@pytest.mark.parametrize("endpoint", sorted(DOCUMENTS))
def test_every_reference_leads_somewhere_and_every_object_has_an_order(endpoint):
    schemas = DOCUMENTS[endpoint]["components"]["schemas"]

    def walk(value):
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].rpartition("/")[2] in schemas
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(schemas)
    for name, found in schemas.items():
        assert "$defs" not in found
        if name != "QueueStatus":
            assert found["x-fal-order-properties"] == list(found["properties"])


def test_defaults_ranges_and_choices_are_those_of_the_service():
    dev = schema("fal-ai/flux/dev")
    steps = dev["properties"]["num_inference_steps"]
    assert (steps["default"], steps["minimum"], steps["maximum"], steps["type"]) == (28, 1, 50, "integer")
    assert dev["properties"]["output_format"]["enum"] == ["jpeg", "png"]
    assert dev["required"] == ["prompt"]
    schnell = schema("fal-ai/flux/schnell")["properties"]["num_inference_steps"]
    assert (schnell["default"], schnell["maximum"]) == (4, 12)
    kling = schema("fal-ai/kling-video/v3/pro/text-to-video")
    assert "required" not in kling
    assert kling["properties"]["duration"]["enum"] == [str(number) for number in range(3, 16)]


def test_a_size_is_an_object_or_a_preset():
    document = DOCUMENTS["fal-ai/flux/dev"]
    size = schema("fal-ai/flux/dev")["properties"]["image_size"]
    assert {"$ref": "#/components/schemas/ImageSize"} in size["anyOf"]
    assert size["default"] == "landscape_4_3"
    width = document["components"]["schemas"]["ImageSize"]["properties"]["width"]
    assert (width["default"], width["exclusiveMinimum"], width["maximum"]) == (512, 0, 14142)
    assert document["components"]["schemas"]["ImageSize"]["x-fal-order-properties"] == ["width", "height"]


def test_what_may_be_absent_has_no_default_and_what_may_be_null_says_so():
    seed = schema("fal-ai/flux/dev")["properties"]["seed"]
    assert seed["type"] == "integer"
    assert "default" not in seed
    assert "anyOf" not in seed
    language = schema("fal-ai/whisper")["properties"]["language"]
    assert {"type": "null"} in language["anyOf"]
    assert language["default"] is None


def test_media_inputs_are_marked_for_forms():
    assert schema("fal-ai/flux/dev/image-to-image")["properties"]["image_url"]["ui"] == {"field": "image"}
    assert schema("fal-ai/whisper")["properties"]["audio_url"]["ui"] == {"field": "audio"}


def test_the_document_is_served_by_endpoint_id_without_a_key(serve):
    caller = serve(require_key="good:key")
    path = "/api/openapi/queue/openapi.json"
    answer = caller.http.get(path, params={"endpoint_id": "fal-ai/flux/dev"})
    assert answer.json()["info"]["x-fal-metadata"]["endpointId"] == "fal-ai/flux/dev"
    assert answer.json()["servers"] == [{"url": f"{caller.server.base_url}/queue"}]
    assert caller.http.get(path, params={"endpoint_id": "fal-ai/none"}).status_code == 404
    assert caller.http.get(path).status_code == 404
