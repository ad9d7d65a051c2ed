// The official JavaScript client, unmodified: reads one call as JSON from stdin, writes what came of it to stdout.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../js/package.json", import.meta.url));
const { createFalClient } = require("@fal-ai/client");

const PLACES = { "queue.fal.run": "queue", "fal.run": "run", "rest.fal.ai": "rest", "v3.fal.media": "cdn" };

let text = "";
for await (const chunk of process.stdin) text += chunk;
const call = JSON.parse(text);
const requests = [];

async function ledFetch(input, init) {
  const url = new URL(typeof input === "string" ? input : input.url);
  const headers = Object.fromEntries(new Headers(init?.headers).entries());
  requests.push({ method: (init?.method ?? "GET").toUpperCase(), url: url.toString(), headers });
  const prefix = PLACES[url.host];
  const target = prefix ? `${call.base}/${prefix}${url.pathname}${url.search}` : url;
  return fetch(target, init);
}

// Node has one from 22 on, Node 20 with a flag, which only the realtime calls are given.
const SystemWebSocket = globalThis.WebSocket;
if (SystemWebSocket) {
  globalThis.WebSocket = class extends SystemWebSocket {
    constructor(address) {
      const url = new URL(address);
      const prefix = PLACES[url.host];
      super(prefix ? `${call.base.replace("http", "ws")}/${prefix}${url.pathname}${url.search}` : address);
      this.binaryType = "blob";
    }
  };
}

function plain(value) {
  if (value instanceof Uint8Array) {
    return `${value.length} bytes ${Buffer.from(value.subarray(0, 3)).toString("hex")}`;
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

const fal = createFalClient({ credentials: call.key, fetch: ledFetch, suppressLocalCredentialsWarning: true });
const options = { input: call.arguments, headers: call.headers, ...call.js };
const kinds = [];
const messages = [];
const id = call.endpoint;

function note(status) {
  if (kinds.at(-1) !== status.status) kinds.push(status.status);
  for (const log of status.logs ?? []) messages.push(log.message);
}

const operations = {
  run: async () => (await fal.run(id, options)).data,
  subscribe: async () => {
    let enqueued = null;
    const found = await fal.subscribe(id, {
      ...options,
      logs: true,
      pollInterval: 20,
      onEnqueue: (requestId) => {
        enqueued = requestId;
      },
      onQueueUpdate: note,
    });
    return { result: found.data, enqueued };
  },
  submit: async () => {
    const { request_id: requestId } = await fal.queue.submit(id, options);
    for (let turn = 0; turn < 2000; turn++) {
      const status = await fal.queue.status(id, { requestId, logs: true });
      note(status);
      if (status.status === "COMPLETED") break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return { result: (await fal.queue.result(id, { requestId })).data, request_id: requestId };
  },
  events: async () => {
    const { request_id: requestId } = await fal.queue.submit(id, options);
    const stream = await fal.queue.streamStatus(id, { requestId, logs: true });
    for await (const status of stream) note(status);
    return { result: (await fal.queue.result(id, { requestId })).data, request_id: requestId };
  },
  cancel: async () => {
    const { request_id: requestId } = await fal.queue.submit(id, options);
    await fal.queue.cancel(id, { requestId });
    for (let turn = 0; turn < 2000; turn++) {
      const status = await fal.queue.status(id, { requestId });
      if (status.status === "COMPLETED") break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return (await fal.queue.result(id, { requestId })).data;
  },
  cancel_done: async () => {
    const { request_id: requestId } = await fal.queue.submit(id, options);
    await fal.queue.subscribeToStatus(id, { requestId, pollInterval: 20 });
    await fal.queue.cancel(id, { requestId });
  },
  cancel_unknown: async () => fal.queue.cancel(id, { requestId: call.request_id }),
  stream: async () => {
    const stream = await fal.stream(id, options);
    const events = [];
    for await (const event of stream) events.push(event);
    return { events, last: await stream.done() };
  },
  realtime: () =>
    new Promise((resolve) => {
      const outputs = [];
      const inputs = call.inputs.map((each) =>
        call.bytes ? { ...each, [call.bytes]: Buffer.from(each[call.bytes], "base64") } : each,
      );
      // It says nothing at an end in good order: whoever wants one waits until nothing more comes.
      let quiet;
      const finish = (ended) => {
        clearTimeout(quiet);
        connection.close();
        resolve({ outputs, ended });
      };
      const wait = () => {
        clearTimeout(quiet);
        const patience = outputs.length && !call.outputs ? 700 : (call.patience ?? 20000);
        quiet = setTimeout(() => finish("in good order"), patience);
      };
      const connection = fal.realtime.connect(id, {
        throttleInterval: 0,
        ...call.js,
        onResult: (result) => {
          outputs.push(plain(result));
          if (outputs.length === call.outputs) return finish(null);
          wait();
          if (call.in_turn && outputs.length < inputs.length) connection.send(inputs[outputs.length]);
        },
        onError: (error) => finish(error.body?.error ?? String(error)),
      });
      wait();
      for (const each of call.in_turn ? inputs.slice(0, 1) : inputs) connection.send(each);
    }),
  upload: async () => {
    const bytes = Buffer.alloc(call.size, call.fill ?? 7);
    const blob = call.name
      ? new File([bytes], call.name, { type: call.content_type })
      : new Blob([bytes], { type: call.content_type });
    const url = await fal.storage.upload(blob, call.lifecycle ? { lifecycle: { expiresIn: call.lifecycle } } : {});
    return { url, digest: createHash("sha256").update(bytes).digest("hex") };
  },
};

const outcome = { ok: true, value: null, error: null };

function fail(error) {
  outcome.ok = false;
  outcome.error = { status: error.status ?? null, body: error.body ?? null, name: error.name, text: String(error) };
}

function finish() {
  process.stdout.write(JSON.stringify({ ...outcome, kinds, messages, requests }), () => process.exit(0));
}

// A stream that is refused throws where nobody can catch it.
process.on("unhandledRejection", (error) => {
  fail(error);
  finish();
});

try {
  outcome.value = (await operations[call.operation]()) ?? null;
} catch (error) {
  fail(error);
}
finish();
