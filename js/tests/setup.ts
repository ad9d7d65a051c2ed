import { options } from "preact";
import { afterAll } from "vitest";

// Preact runs effects after the next frame, with a timer beside it in case no frame comes. A timer of the last test
// of a file would go off once the page is gone ("cancelAnimationFrame is not defined"), so effects are put on the
// next turn of the loop here, and every file waits for that turn before its page is taken away.
// The real clock, whatever a test puts in its place.
const later = globalThis.setTimeout;
options.requestAnimationFrame = (flush) => later(flush, 0);

afterAll(() => new Promise((resolve) => later(resolve, 1)));
