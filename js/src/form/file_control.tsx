/** A file: its URL or path is typed, or it is picked or dropped and goes to the kernel. */

import { useEffect, useState } from "preact/hooks";
import type { ControlProps } from "./controls";
import type { Upload } from "./uploads";
import { unlessDefault } from "./values";

const ACCEPT: Record<string, string> = { image: "image/*", video: "video/*", audio: "audio/*" };

export function FileControl({ form, field, value, change, ties }: ControlProps) {
  const [upload, setUpload] = useState<Upload>();
  const [isOver, setOver] = useState(false);
  const text = typeof value === "string" ? value : "";
  const take = (file: File | null | undefined) => {
    if (file) setUpload(form.pick(file, (stored) => change(stored)));
  };
  const isLocal = text.startsWith("@");
  useEffect(() => {
    if (!isLocal || field.file === "audio" || field.file === "video") return;
    const timer = setTimeout(() => form.askPreview(text), 400);
    return () => clearTimeout(timer);
  }, [text, isLocal, field.file, form]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is beside the button, which does the same
    <div
      class="fal-nb-ffile"
      data-over={isOver ? "true" : undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        take(event.dataTransfer?.files[0]);
      }}
    >
      <div class="fal-nb-fcontrol">
        <input
          {...ties}
          type="text"
          value={text}
          placeholder={field.default_words ?? "URL or @path"}
          spellcheck={false}
          onInput={(event) => change(unlessDefault(field, event.currentTarget.value || undefined))}
        />
        <label class="fal-nb-button fal-nb-fpick">
          Choose file
          <input
            type="file"
            class="fal-nb-spoken"
            accept={field.file ? ACCEPT[field.file] : undefined}
            aria-label={`${field.label ?? field.name}, choose a file`}
            onChange={(event) => {
              take(event.currentTarget.files?.[0]);
              event.currentTarget.value = "";
            }}
          />
        </label>
      </div>
      {upload && <Progress upload={upload} />}
      {isLocal && (
        <Preview known={form.previews.value.get(text)} name={text.slice(1).split(/[/\\]/).pop() ?? text} />
      )}
    </div>
  );
}

function Progress({ upload }: { upload: Upload }) {
  if (upload.error.value) {
    return (
      <div class="fal-nb-fwrong" role="alert">
        {upload.name} was not taken: {upload.error.value}
      </div>
    );
  }
  if (upload.progress.value >= 1) return null;
  return <progress value={upload.progress.value} max={1} aria-label={`${upload.name} goes to the kernel`} />;
}

/** Only types that browsers show and never run get here; the URL is a Blob's of this page. */
function Preview({ known, name }: { known: string | null | undefined; name: string }) {
  if (!known) return null;
  const space = known.indexOf(" ");
  const type = known.slice(0, space);
  const url = known.slice(space + 1);
  if (type.startsWith("video/")) {
    // biome-ignore lint/a11y/useMediaCaption: a person's own file has no captions
    return <video class="fal-nb-fpreview" src={url} controls={true} preload="metadata" aria-label={name} />;
  }
  if (type.startsWith("audio/")) {
    // biome-ignore lint/a11y/useMediaCaption: a person's own file has no captions
    return <audio class="fal-nb-fpreview" src={url} controls={true} preload="metadata" aria-label={name} />;
  }
  return <img class="fal-nb-fpreview" src={url} alt={name} />;
}
