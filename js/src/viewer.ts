/** Shows solids (binary glTF) with model-viewer: turned by the pointer and by keys. Sent only when one is opened. */

import { AnimationMixin } from "@google/model-viewer/lib/features/animation.js";
import { ControlsMixin } from "@google/model-viewer/lib/features/controls.js";
import { EnvironmentMixin } from "@google/model-viewer/lib/features/environment.js";
import { LoadingMixin } from "@google/model-viewer/lib/features/loading.js";
import { SceneGraphMixin } from "@google/model-viewer/lib/features/scene-graph.js";
import { StagingMixin } from "@google/model-viewer/lib/features/staging.js";
import ModelViewerElementBase from "@google/model-viewer/lib/model-viewer-base.js";
import type { SolidView, Viewer } from "./lib/solid";

/** A name of ours: a page may have a model-viewer of its own, and an element can be defined but once. */
const TAG = "fal-nb-solid";

/** Without augmented reality and notes in space; its scene reads what the scene graph's part declares. */
class Solid extends SceneGraphMixin(
  StagingMixin(EnvironmentMixin(ControlsMixin(LoadingMixin(AnimationMixin(ModelViewerElementBase))))),
) {
  /** The keys are heard by a part of it only. */
  override focus(options?: FocusOptions): void {
    this.shadowRoot?.querySelector<HTMLElement>(".userInput")?.focus(options);
  }
}

function show(host: HTMLElement, { url, alt, shown, failed }: SolidView): () => void {
  if (!customElements.get(TAG)) customElements.define(TAG, Solid);
  const element = document.createElement(TAG) as Solid;
  const attributes = {
    alt,
    "camera-controls": "",
    "touch-action": "pan-y",
    "interaction-prompt": "none",
    loading: "eager",
    "shadow-intensity": "0.6",
    "tone-mapping": "neutral",
    autoplay: "",
  };
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.style.cssText =
    "display:block;width:100%;height:100%;--poster-color:transparent;--progress-bar-height:0";
  element.addEventListener("load", () => shown());
  element.addEventListener("error", (event) => failed(reasonOf(event)));
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") element.zoom(1);
    else if (event.key === "-") element.zoom(-1);
    else if (event.key === "0") reset(element);
    else return;
    event.preventDefault();
  });
  element.src = url;
  host.append(element);
  return () => element.remove();
}

function reset(element: Solid): void {
  element.cameraOrbit = "auto auto auto";
  element.fieldOfView = "auto";
  element.resetTurntableRotation(0);
}

function reasonOf(event: Event): string {
  const { detail } = event as CustomEvent<{ type?: string; sourceError?: Error }>;
  return detail?.sourceError?.message || detail?.type || "the file cannot be read";
}

export default { show } satisfies Viewer;
