/** Puts a view's style sheet once into the document or shadow root that shows it. */

const MARK = "falNbStyle";

/** Makes sure that `css` applies to `el`, also where `el` is put into the page only after this call. */
export function addStyle(el: HTMLElement, name: string, css: string): void {
  insert(el, name, css);
  if (!el.isConnected) setTimeout(() => insert(el, name, css));
}

function insert(el: HTMLElement, name: string, css: string): void {
  const root = el.getRootNode();
  const home = root instanceof ShadowRoot ? root : el.ownerDocument.head;
  let style = [...home.querySelectorAll("style")].find((one) => one.dataset[MARK] === name);
  if (!style) {
    style = el.ownerDocument.createElement("style");
    style.dataset[MARK] = name;
    home.append(style);
  }
  if (style.textContent !== css) style.textContent = css;
}
