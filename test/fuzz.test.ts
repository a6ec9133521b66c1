// The fuzzers of `npm run fuzz`, for a moment: that they run, and reach what they are for.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { parseOciConfig } from '../src/spec/oci/config.ts';
import { fullConfig } from './fuzz/full-config.ts';
import { fuzzOciConfig } from './fuzz/oci-config.ts';
import { fuzzDecoder } from './fuzz/run.ts';
import { whyNot } from './machine.ts';

test('the fuzzer of OCI configurations starts from one with every member; some of what it makes is taken, most is not', () => {
  parseOciConfig(JSON.stringify(fullConfig));
  const { tried, taken } = fuzzOciConfig([fullConfig], { seconds: 2, seed: 4 });
  assert.ok(taken > 0 && taken < tried, `${taken} of ${tried}`);
});

test('the fuzzer of the plan decoder', { skip: whyNot('cc') ?? false }, () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'fuzz-'));
  try {
    assert.match(fuzzDecoder(directory, { seconds: 2, seed: 4 }), /\d{3,}/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
