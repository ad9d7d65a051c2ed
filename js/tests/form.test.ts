import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { emptyOf, optionFor, readNumber } from "../src/form/values";
import type { Field } from "../src/lib/form_messages";
import { Form } from "./form_fixture";
import { PATIENCE } from "./patience";

const EVIL = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 1</script>&lt;b&gt;';
const PROMPT: Field = {
  name: "prompt",
  kind: "long text",
  label: "Prompt",
  required: true,
  description: "What to draw.",
};
const STEPS: Field = {
  name: "steps",
  kind: "slider",
  label: "Steps",
  integer: true,
  low: 1,
  high: 50,
  step: 1,
  default: 28,
  default_words: "28",
};
const SEED: Field = { name: "seed", kind: "seed", label: "Seed", integer: true };
const FORMAT: Field = {
  name: "format",
  kind: "choice",
  label: "Format",
  choices: ["jpeg", "png", 1],
  choice_labels: ["jpeg", "png", "1"],
  default: "jpeg",
  default_words: "jpeg",
};
const SAFE: Field = { name: "safe", kind: "flag", label: "Safe", default: true, default_words: "true" };
const SIZE: Field = {
  name: "size",
  kind: "size",
  label: "Size",
  choices: ["square", "wide"],
  choice_labels: ["square", "wide"],
  fields: [
    { name: "width", kind: "number" },
    { name: "height", kind: "number" },
  ],
};
const LORA: Field = {
  name: "",
  kind: "group",
  fields: [
    { name: "path", kind: "text", label: "Path", required: true },
    { name: "scale", kind: "number", label: "Scale", default: 1, default_words: "1" },
  ],
};
const LORAS: Field = { name: "loras", kind: "list", label: "Loras", item: LORA, max_items: 2 };
const DURATION: Field = {
  name: "duration",
  kind: "union",
  label: "Duration",
  options: [
    { name: "", kind: "number", label: "number" },
    { name: "", kind: "choice", label: "choice", choices: ["auto"], choice_labels: ["auto"] },
  ],
};
const IMAGE: Field = { name: "image_url", kind: "file", label: "Image", file: "image" };
const EXTRA: Field = { name: "extra", kind: "json", label: "Extra" };

let form: Form;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  form?.close();
  vi.useRealTimers();
});

function settle(): void {
  act(() => void vi.advanceTimersByTime(300));
}

test("only what is filled in is sent, once, a moment after the last letter", () => {
  form = new Form([PROMPT, STEPS]);
  form.type(form.control("prompt", "textarea"), "a");
  form.type(form.control("prompt", "textarea"), "a fox");
  expect(form.model.sentOf("edit")).toEqual([]);
  settle();
  expect(form.model.sentOf("edit")).toHaveLength(1);
  expect(form.sent()).toEqual({ prompt: "a fox" });
  form.type(form.control("prompt", "textarea"), "");
  settle();
  expect(form.sent()).toEqual({});
});

test("a slider and the number beside it are one value, and the default is left out", () => {
  form = new Form([STEPS]);
  const [slider, number] = [form.control("steps", "[type=range]"), form.control("steps", ".fal-nb-fnumber")];
  expect([slider.value, number.value, number.placeholder]).toEqual(["28", "", "28"]);
  expect([slider.min, slider.max, slider.step]).toEqual(["1", "50", "1"]);
  form.type(slider, "12");
  expect(number.value).toBe("12");
  form.type(number, "30");
  expect(slider.value).toBe("30");
  settle();
  expect(form.sent()).toEqual({ steps: 30 });
  form.type(slider, "28");
  settle();
  expect(form.sent()).toEqual({});
});

test("a number out of its range is told of at once, and what is none is left to the kernel", () => {
  form = new Form([STEPS]);
  const number = form.control("steps", ".fal-nb-fnumber");
  form.type(number, "51");
  expect(form.field("steps").textContent).toContain("at most 50");
  expect(number.getAttribute("aria-invalid")).toBe("true");
  const wrong = form.el.querySelector(".fal-nb-fwrong") as HTMLElement;
  expect(number.getAttribute("aria-describedby")?.split(" ")).toContain(wrong.id);
  form.type(number, "1.5");
  expect(form.field("steps").textContent).toContain("a whole number");
  form.type(number, "many");
  settle();
  expect(form.sent()).toEqual({ steps: "many" });
});

test.each([
  ["7", 7],
  [" 0.5 ", 0.5],
  ["1e3", 1000],
  ["", undefined],
  ["x", "x"],
  ["18446744073709551615", "18446744073709551615"],
])("the number %s reads as %s", (text, value) => {
  expect(readNumber(text)).toBe(value);
});

test("a seed by chance is kept", () => {
  form = new Form([SEED]);
  form.click("New seed");
  settle();
  expect(Number.isSafeInteger(form.sent().seed)).toBe(true);
  expect(form.control("seed", ".fal-nb-fnumber").value).toBe(String(form.sent().seed));
});

test("choices keep their types, and the default is named", () => {
  form = new Form([FORMAT]);
  const select = form.control<HTMLSelectElement>("format", "select");
  expect([...select.options].map((option) => option.text)).toEqual(["jpeg (default)", "jpeg", "png", "1"]);
  form.type(select, "2");
  settle();
  expect(form.sent()).toEqual({ format: 1 });
  form.type(select, "0");
  settle();
  expect(form.sent()).toEqual({});
});

test("a switch that is off where on is the default is sent", () => {
  form = new Form([SAFE]);
  const box = form.control("safe", "[type=checkbox]");
  expect(box.checked).toBe(true);
  form.check(box, false);
  settle();
  expect(form.sent()).toEqual({ safe: false });
});

test("a size is one of its names or width and height", () => {
  form = new Form([SIZE]);
  form.type(form.control("size", "select"), "1");
  settle();
  expect(form.sent()).toEqual({ size: "wide" });
  form.type(form.control("size", "select"), "own");
  form.type(form.control("size", '[aria-label="Size, height"]'), "640");
  settle();
  expect(form.sent()).toEqual({ size: { width: 1024, height: 640 } });
});

test("items of a list repeat, each with its parts and its problems", () => {
  form = new Form([LORAS]);
  form.click("Add", form.field("loras"));
  form.type(form.control("path", "input"), "a/b");
  form.click("Add another", form.field("loras"));
  expect((form.field("loras").querySelector(".fal-nb-button") as HTMLButtonElement).disabled).toBe(true);
  settle();
  expect(form.sent()).toEqual({ loras: [{ path: "a/b" }, {}] });
  form.patch({ problems: [{ path: ["loras", 1, "path"], message: "required; give a text" }] });
  form.click("Run");
  const items = form.el.querySelectorAll(".fal-nb-fitem");
  expect(items[0]?.textContent).not.toContain("give a text");
  expect(items[1]?.textContent).toContain("required; give a text");
  form.click("remove", items[1] as Element);
  settle();
  expect(form.sent()).toEqual({ loras: [{ path: "a/b" }] });
});

test("of a union one option is chosen, and a value that is there says which", () => {
  form = new Form([DURATION], { duration: "auto" });
  const kind = form.control<HTMLSelectElement>("duration", 'select[aria-label="Duration, kind"]');
  expect(kind.value).toBe("1");
  form.type(kind, "0");
  form.type(form.control("duration", ".fal-nb-fnumber"), "5");
  settle();
  expect(form.sent()).toEqual({ duration: 5 });
  form.type(kind, "-1");
  settle();
  expect(form.sent()).toEqual({});
  expect(optionFor(DURATION.options ?? [], 3)).toBe(0);
  expect(emptyOf(DURATION)).toBe(0);
});

test("JSON that is none is told of, is not sent, and keeps Run from sending", () => {
  form = new Form([EXTRA]);
  form.type(form.control("extra", "textarea"), '{"a": ');
  settle();
  expect(form.field("extra").textContent).toContain("not JSON");
  form.click("Run");
  expect(form.model.sentOf("run")).toEqual([]);
  form.type(form.control("extra", "textarea"), '{"a": null}');
  form.click("Run");
  expect(form.sent("run")).toEqual({ extra: { a: null } });
});

test("null is a box of its own where it means something", () => {
  form = new Form([{ ...FORMAT, nullable: true }]);
  form.check(form.control("format", '[aria-label="Format: none"]'), true);
  settle();
  expect(form.sent()).toEqual({ format: null });
});

test("what is missing is not wrong before somebody wants to run it", () => {
  form = new Form([PROMPT]);
  form.patch({ problems: [{ path: ["prompt"], message: "required; give a text" }] });
  expect(form.field("prompt").textContent).not.toContain("give a text");
  form.click("Run");
  expect(form.field("prompt").textContent).toContain("required; give a text");
  expect(form.control("prompt", "textarea").getAttribute("aria-required")).toBe("true");
});

test("what was wanted to run stays so in the mount that takes this one's place", () => {
  form = new Form([PROMPT]);
  form.click("Run");
  const { model } = form;
  form.close();
  form = new Form([PROMPT], {}, undefined, model);
  form.patch({ problems: [{ path: ["prompt"], message: "required; give a text" }] });
  expect(form.field("prompt").textContent).toContain("required; give a text");
});

test("every control has a label that names it", () => {
  form = new Form([PROMPT, STEPS, SEED, FORMAT, SAFE, SIZE, IMAGE, EXTRA, DURATION, LORAS]);
  for (const control of form.el.querySelectorAll("input, select, textarea")) {
    const label =
      control.getAttribute("aria-label") ?? (control as HTMLInputElement).labels?.[0]?.textContent;
    expect(label, control.outerHTML).toBeTruthy();
  }
});

test("a file goes to the kernel in parts, a few ahead of what has arrived, and its value comes back", async () => {
  vi.useRealTimers();
  form = new Form([IMAGE]);
  const file = new File([new Uint8Array(360_000 * 6)], "cat.bin", { type: "application/octet-stream" });
  const input = form.el.querySelector("input[type=file]") as HTMLInputElement;
  Object.defineProperty(input, "files", { value: [file] });
  Object.defineProperty(input, "value", { value: "", writable: true });
  act(() => void input.dispatchEvent(new Event("change", { bubbles: true })));
  await vi.waitFor(() => expect(form.model.sentOf("file")).toHaveLength(4), PATIENCE);
  const first = form.model.sentOf("file")[0] as Record<string, unknown>;
  expect([first.part, first.name, first.size, String(first.data).length]).toEqual([
    0,
    "cat.bin",
    2_160_000,
    480_000,
  ]);
  form.deliver({ kind: "file-part", upload: first.upload, received: 360_000 });
  await vi.waitFor(() => expect(form.model.sentOf("file")).toHaveLength(5), PATIENCE);
  expect(form.el.querySelector("progress")?.value).toBeCloseTo(1 / 6);
  form.deliver({ kind: "file-stored", upload: first.upload, value: "@/home/inputs/cat.bin" });
  await vi.waitFor(() => expect(form.sent()).toEqual({ image_url: "@/home/inputs/cat.bin" }), PATIENCE);
});

test("a file that is refused says why", async () => {
  form = new Form([IMAGE]);
  const input = form.el.querySelector("input[type=file]") as HTMLInputElement;
  Object.defineProperty(input, "files", { value: [new File(["x"], "cat.png")] });
  Object.defineProperty(input, "value", { value: "", writable: true });
  act(() => void input.dispatchEvent(new Event("change", { bubbles: true })));
  await vi.waitFor(() => expect(form.model.sentOf("file")).toHaveLength(1), PATIENCE);
  const { upload } = form.model.sentOf("file")[0] as unknown as { upload: string };
  form.deliver({ kind: "file-error", upload, error: "over 256 MiB" });
  expect(form.field("image_url").textContent).toContain("cat.png was not taken: over 256 MiB");
});

test("a local picture is asked for once and shown from its bytes", () => {
  form = new Form([IMAGE], { image_url: "@cat.png" });
  act(() => void vi.advanceTimersByTime(500));
  expect(form.model.sentOf("preview")).toEqual([{ kind: "preview", value: "@cat.png" }]);
  form.deliver({ kind: "preview", value: "@cat.png", found: true }, [new ArrayBuffer(8)]);
  expect(form.el.querySelector("img")?.src).toMatch(/^blob:/);
  expect(form.el.querySelector("img")?.alt).toBe("cat.png");
});

test("values of another page, or of the notebook, take the place of what stands here", () => {
  form = new Form([PROMPT, STEPS], { prompt: "one" });
  form.patch({ values: JSON.stringify({ prompt: "two", steps: 9 }), edit: ["", 1] });
  expect(form.control("prompt", "textarea").value).toBe("two");
  expect(form.control("steps", ".fal-nb-fnumber").value).toBe("9");
  form.type(form.control("prompt", "textarea"), "three");
  settle();
  const { page, edit } = form.model.sentOf("edit")[0] as unknown as { page: string; edit: number };
  expect(edit).toBe(2);
  form.patch({ values: JSON.stringify({ prompt: "late" }), edit: [page, 2] });
  expect(form.control("prompt", "textarea").value).toBe("three");
});

test("what was typed outlives the mount, also what the kernel has not told of yet", () => {
  form = new Form([PROMPT]);
  form.type(form.control("prompt", "textarea"), "half a wo");
  const { model } = form;
  form.close();
  expect(form.sent()).toEqual({ prompt: "half a wo" });
  form = new Form([PROMPT], {}, undefined, model);
  expect(form.control("prompt", "textarea").value).toBe("half a wo");
  form.type(form.control("prompt", "textarea"), "half a word");
  settle();
  expect(form.sent()).toEqual({ prompt: "half a word" });
});

test("what was typed before the kernel has told of the last edit outlives a mount that begins before the other ends", () => {
  form = new Form([PROMPT, STEPS]);
  form.click("Run");
  const { page, edit } = form.model.sentOf("run")[0] as unknown as { page: string; edit: number };
  form.patch({ edit: [page, edit] });
  form.type(form.control("prompt", "textarea"), "a red fox");
  const next = new Form([PROMPT, STEPS], {}, undefined, form.model);
  form.close();
  form = next;
  expect(form.control("prompt", "textarea").value).toBe("a red fox");
  form.type(form.control("steps", ".fal-nb-fnumber"), "20");
  form.patch({ values: JSON.stringify({ prompt: "a red fox" }), edit: [page, edit + 1] });
  expect(form.control("steps", ".fal-nb-fnumber").value).toBe("20");
  settle();
  expect(form.sent()).toEqual({ prompt: "a red fox", steps: 20 });
});

test("what was typed while the connection was lost is told by the mount after it", () => {
  form = new Form([PROMPT]);
  form.type(form.control("prompt", "textarea"), "a red fox");
  const { model } = form;
  form.close();
  const heard = model.sentOf("edit").length;
  form = new Form([PROMPT], {}, undefined, model);
  settle();
  expect(model.sentOf("edit")).toHaveLength(heard + 1);
  expect(form.sent()).toEqual({ prompt: "a red fox" });
  const { page, edit } = model.sentOf("edit").at(-1) as unknown as { page: string; edit: number };
  form.patch({ values: JSON.stringify({ prompt: "a red fox" }), edit: [page, edit] });
  form.close();
  form = new Form([PROMPT], {}, undefined, model);
  settle();
  expect(model.sentOf("edit")).toHaveLength(heard + 1);
});

test("the cell is written below where the host lets a page do so, else it can be copied", () => {
  const inserted: unknown[][] = [];
  const shared = {
    cells: [
      { toJSON: () => ({ outputs: [] }) },
      { toJSON: () => ({ outputs: [{ data: { "text/html": "…" } }] }) },
    ],
    insertCell: (...given: unknown[]) => inserted.push(given),
  };
  form = new Form([PROMPT], {}, { context: { model: { sharedModel: shared } } });
  const { view } = form.model.get("state") as { view: string };
  form.click("Write cell");
  expect(inserted).toEqual([]);
  shared.cells[1] = { toJSON: () => ({ outputs: [{ data: { "text/html": `<div id="falnb-${view}">` } }] }) };
  form.click("Write cell");
  expect(inserted).toEqual([
    [2, { cell_type: "code", source: "%fal run fal-ai/flux/dev", metadata: {}, outputs: [] }],
  ]);
  form.close();
  form = new Form([PROMPT]);
  expect(form.el.textContent).not.toContain("Write cell");
  expect(form.el.textContent).toContain("Copy cell");
});

test("a cell that would be refused cannot be taken along", () => {
  form = new Form([PROMPT]);
  const copy = () => [...form.el.querySelectorAll("button")].find((each) => each.textContent === "Copy cell");
  expect(copy()?.disabled).toBe(false);
  form.patch({ problems: [{ path: ["prompt"], message: "required; give a text" }] });
  expect(copy()?.disabled).toBe(true);
  expect(copy()?.title).toBe("mend the inputs first");
});

test("the card of a call is below the form, and its clicks and files go through the form", () => {
  form = new Form([PROMPT]);
  form.patch({
    cards: ["c1"],
    "card:c1": {
      view: "c1",
      record_id: 4,
      endpoint: "e/f",
      backend: "fal",
      state: "RUNNING",
      can_cancel: true,
    },
  });
  expect(form.el.querySelector(".fal-nb-card")?.textContent).toContain("running");
  form.click("Cancel");
  expect(form.model.sentOf("card")).toEqual([{ kind: "card", card: "c1", content: { kind: "cancel" } }]);
  form.patch({
    "card:c1": { view: "c1", record_id: 4, endpoint: "e/f", backend: "fal", state: "CANCELLED" },
  });
  expect(form.el.querySelector(".fal-nb-card")?.textContent).toContain("cancelled");
});

test("Ctrl+Enter runs, and what is advanced is folded away until it is wrong", () => {
  form = new Form([PROMPT, { ...STEPS, advanced: true }]);
  const details = form.el.querySelector("details") as HTMLDetailsElement;
  expect(details.open).toBe(false);
  expect(details.textContent).toContain("1 more input");
  form.patch({ problems: [{ path: ["steps"], message: "too high" }] });
  expect(details.open).toBe(true);
  const event = new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true });
  act(() => void form.control("prompt", "textarea").dispatchEvent(event));
  expect(form.model.sentOf("run")).toHaveLength(1);
});

test("words of the endpoint are text, never HTML", () => {
  const words = { label: EVIL, description: EVIL, default_words: EVIL, type: EVIL };
  const choices = { choices: [EVIL], choice_labels: [EVIL] };
  form = new Form(
    [
      { name: EVIL, kind: "choice", ...choices, ...words },
      { name: "u", kind: "union", options: [{ name: "", kind: "text", ...words }], ...words },
      { name: "s", kind: "size", ...choices, ...words },
      { name: "f", kind: "file", ...words },
    ],
    { f: `@${EVIL}`, u: EVIL },
  );
  form.patch({
    problems: [{ path: ["u"], message: EVIL }],
    error: EVIL,
    price: EVIL,
    endpoint: EVIL,
    cell: JSON.stringify(EVIL),
  });
  expect(form.el.querySelectorAll("img, script, b")).toHaveLength(0);
  expect((globalThis as { hacked?: number }).hacked).toBeUndefined();
});
