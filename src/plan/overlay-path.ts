// How overlayfs reads paths among its options.

/** Escapes what overlayfs reads as a separator in a path. */
export function overlayPath(path: string): string {
  return path.replace(/[\\:,]/g, '\\$&');
}
