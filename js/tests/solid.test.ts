import { beforeEach, expect, test, vi } from "vitest";
import { displayType } from "../src/lib/media";
import { Modules, VIEWER_MODULES } from "../src/lib/modules";
import { problemOf } from "../src/lib/solid";
import { bytes } from "./blobs";

const SHARED = Symbol.for("fal_nb.modules");

function glb(document: unknown): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(document));
  const file = new ArrayBuffer(20 + text.length);
  const view = new DataView(file);
  for (const [at, value] of [0x46546c67, 2, file.byteLength, text.length, 0x4e4f534a].entries()) {
    view.setUint32(4 * at, value, true);
  }
  new Uint8Array(file).set(text, 20);
  return file;
}

beforeEach(() => {
  delete (globalThis as unknown as Record<symbol, unknown>)[SHARED];
});

function part(name: string, number = 0, parts = 1, digest = "d") {
  return { kind: "module" as const, name, digest, part: number, parts };
}

test("a file that would make the viewer fetch something is not opened, wherever the address stands", () => {
  const inside = { buffers: [{ byteLength: 3 }], images: [{ uri: "data:image/png;base64,AAAA" }] };
  expect(problemOf(glb(inside))).toBeUndefined();
  for (const uri of ["https://example.com/steal", "//example.com/x", "next.bin", "", 7, { a: 1 }]) {
    expect(problemOf(glb({ ...inside, buffers: [{ uri }] }))).toMatch(/elsewhere/);
    expect(problemOf(glb({ extensions: { X: { deep: [{ uri }] } } }))).toMatch(/elsewhere/);
  }
});

test("a file that needs a decoder from elsewhere, or is none, is not opened, and it says why", () => {
  const draco = glb({ extensionsRequired: ["KHR_draco_mesh_compression"] });
  expect(problemOf(draco)).toMatch(/Draco/);
  expect(problemOf(glb({ extensionsRequired: ["constructor", "KHR_materials_unlit"] }))).toBeUndefined();
  expect(problemOf(new ArrayBuffer(3))).toMatch(/no binary glTF/);
  expect(problemOf(glb({}).slice(0, 21))).toMatch(/damaged/);
});

test("a mesh becomes a Blob of the one type that no browser runs", () => {
  expect(displayType("model/gltf-binary", "mesh")).toBe("model/gltf-binary");
  for (const type of ["text/html", "image/svg+xml", "model/gltf+json", "model/vnd.usdz+zip"]) {
    expect(displayType(type, "mesh")).toBeUndefined();
  }
  expect(displayType("model/gltf-binary", "image")).toBeUndefined();
});

test("modules are asked for once, put together from parts in any order, and shared by the page", async () => {
  const asked: string[] = [];
  const texts: string[] = [];
  const modules = new Modules(
    (name) => asked.push(name) > 0,
    async (sources) => {
      for (const name of VIEWER_MODULES) texts.push(String(sources.get(name)?.size));
      return "the viewer";
    },
  );
  const [first, second] = [modules.load(), modules.load()];
  expect(asked).toEqual(["three", "viewer"]);
  modules.receive(part("viewer"), bytes("VIEW"));
  modules.receive(part("evil"), bytes("?"));
  modules.receive(part("three", 1, 2), bytes("EE"));
  modules.receive(part("three", 1, 2), bytes("EE"));
  modules.receive(part("three", 0, 2), bytes("THR"));
  expect(await first).toBe("the viewer");
  expect(await second).toBe("the viewer");
  expect(texts).toEqual(["5", "4"]);
  const other = new Modules(() => {
    throw new Error("what is here is not asked for");
  });
  expect(await other.load()).toBe("the viewer");
});

test("where no module comes it says so after a while, and may be tried again", async () => {
  vi.useFakeTimers();
  let asked = 0;
  const modules = new Modules(
    () => {
      asked += 1;
      return true;
    },
    async () => "late",
  );
  const lost = expect(modules.load()).rejects.toThrow(/did not come/);
  await vi.advanceTimersByTimeAsync(60_000);
  await lost;
  const again = modules.load();
  expect(asked).toBe(4);
  for (const name of VIEWER_MODULES) modules.receive(part(name), bytes("x"));
  expect(await again).toBe("late");
  const unheard = new Modules(() => false);
  delete (globalThis as unknown as Record<symbol, unknown>)[SHARED];
  await expect(unheard.load()).rejects.toThrow(/no kernel/);
  vi.useRealTimers();
});
