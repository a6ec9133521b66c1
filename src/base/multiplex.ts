// Two streams in one, as Docker's API and the keeper (native/keeper.h) have them: frames of a type byte, three zeros, the
// length as four bytes (big endian), and so many bytes.

const headerBytes = 8;

export function multiplexed(type: number, bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + bytes.byteLength);
  frame.writeUInt32BE(type * 2 ** 24, 0);
  frame.writeUInt32BE(bytes.byteLength, 4);
  frame.set(bytes, headerBytes);
  return frame;
}

/**
 * Takes the bytes of such a stream, in any pieces, and passes payloads on as they come: a long frame in several parts,
 * none of them copied. `left`: what is still missing of the frame.
 */
export function demultiplexer(
  onPart: (type: number, bytes: Buffer, left: number) => void,
): (chunk: Uint8Array) => void {
  const header = Buffer.alloc(headerBytes);
  let have = 0;
  let left = 0;
  return (chunk) => {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; ) {
      if (have < headerBytes) {
        const count = bytes.copy(header, have, at, at + headerBytes - have);
        have += count;
        at += count;
        if (have < headerBytes) return;
        left = header.readUInt32BE(4);
      } else {
        const part = bytes.subarray(at, at + left);
        at += part.length;
        left -= part.length;
        onPart(header[0] ?? 0, part, left);
      }
      if (left === 0) have = 0;
    }
  };
}
