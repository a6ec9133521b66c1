// Sizes for tables: see base/size.ts.

export { bytesSize, humanSize } from '../../base/size.ts';
