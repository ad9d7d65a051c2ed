/** three.js by itself: what `viewer` is made with, sent only when a solid is opened. */

export * from "three";
