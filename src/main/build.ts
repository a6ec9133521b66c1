// What this bundle was built as. tools/build.mjs puts the names in; client and engine of one build agree on `buildId`.

declare const HOIST_BUILD: string | undefined;

export const buildId: string = typeof HOIST_BUILD === 'string' ? HOIST_BUILD : 'dev';
