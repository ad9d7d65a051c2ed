import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Card } from "./card_fixture";

const writeText = vi.fn();
let card: Card;

beforeEach(() => {
  vi.useFakeTimers();
  writeText.mockReset().mockResolvedValue(undefined);
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
});

afterEach(() => {
  card.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const toggle = () => card.find(".fal-nb-copyas") as HTMLButtonElement;
const forms = () => card.findAll(".fal-nb-forms button") as HTMLButtonElement[];

function open(): void {
  card = new Card({ can_copy: true });
  act(() => toggle().click());
}

async function answer(content: object): Promise<void> {
  await act(async () => {
    card.model.deliver(content);
    await Promise.resolve();
    await Promise.resolve();
  });
}

test("the kernel writes the call in the form that is chosen, and the page puts it on the clipboard", async () => {
  open();
  expect(forms().map((button) => button.textContent)).toEqual(["magic", "Python", "JavaScript", "curl"]);
  expect(document.activeElement).toBe(forms()[0]);
  act(() => forms()[1]?.click());
  expect(card.model.sent.at(-1)).toEqual({ kind: "copy", form: "python" });
  expect(forms()).toEqual([]);
  expect(toggle().textContent).toBe("waiting");
  expect(document.activeElement).toBe(toggle());
  await answer({ kind: "copied", form: "python", text: "import fal_nb" });
  expect(writeText).toHaveBeenCalledWith("import fal_nb");
  expect(toggle().textContent).toBe("copied");
  act(() => void vi.advanceTimersByTime(3_000));
  expect(toggle().textContent).toBe("copy as");
});

test("Escape closes the choice and gives the focus back", () => {
  open();
  act(() => void forms()[2]?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })));
  expect(forms()).toEqual([]);
  expect(document.activeElement).toBe(toggle());
  expect(card.model.sent.filter((message) => (message as { kind: string }).kind === "copy")).toEqual([]);
});

test("why a call cannot be copied is said as a text", async () => {
  open();
  act(() => forms()[3]?.click());
  await answer({ kind: "copied", form: "curl", error: "<b>made elsewhere</b>" });
  expect(toggle().textContent).toBe("not copied");
  expect(toggle().title).toBe("<b>made elsewhere</b>");
  expect(card.findAll("b")).toEqual([]);
  expect(writeText).not.toHaveBeenCalled();
});

test("where browsers offer no clipboard the text is selected and copied", async () => {
  vi.stubGlobal("navigator", {});
  document.execCommand = vi.fn(() => true);
  open();
  act(() => forms()[0]?.click());
  await answer({ kind: "copied", form: "magic", text: "%fal run x/y" });
  expect(document.execCommand).toHaveBeenCalledWith("copy");
  expect(toggle().textContent).toBe("copied");
});

test("a card whose kernel writes no source offers none", () => {
  card = new Card();
  expect(card.findAll(".fal-nb-copyas")).toEqual([]);
});
