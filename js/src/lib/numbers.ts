/** Numbers out of the buffers that messages bring. */

type Numbers = Uint32Array | Uint16Array | Uint8Array | Float64Array;
type NumbersOf<Kind extends Numbers> = {
  new (buffer: ArrayBuffer): Kind;
  BYTES_PER_ELEMENT: number;
};

/** Numbers out of a buffer from some byte on; a copy, since what arrives need not lie on a number's border. */
export function numbersOf<Kind extends Numbers>(
  buffer: DataView | ArrayBuffer | undefined,
  from: number,
  Kind: NumbersOf<Kind>,
  count?: number,
): Kind {
  if (!buffer) return new Kind(new ArrayBuffer(0));
  const isView = !(buffer instanceof ArrayBuffer);
  const [bytes, offset] = isView ? [buffer.buffer as ArrayBuffer, buffer.byteOffset] : [buffer, 0];
  const all = Math.max(0, buffer.byteLength - from);
  const most = count === undefined ? Math.floor(all / Kind.BYTES_PER_ELEMENT) : count;
  const length = Math.min(most * Kind.BYTES_PER_ELEMENT, all - (all % Kind.BYTES_PER_ELEMENT));
  return new Kind(bytes.slice(offset + from, offset + from + length));
}
