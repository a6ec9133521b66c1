// The OCI commands without an engine: the native client starts this (native/start.c), with its end of a socket as fd 3,
// and talks to it as to an engine.

import { Socket } from 'node:net';
import type { LocalTrees } from '../cli/io.ts';
import { seccompCompiler } from '../plan/seccomp-profile.ts';
import { measureFacts } from '../sys/facts.ts';
import { serveClient } from './hosted.ts';
import { runOci } from './oci.ts';

const facts = measureFacts();
const compileSeccomp = seccompCompiler(facts.arch);
const socket = new Socket({ fd: 3 });
const noTrees = {} as LocalTrees; // `cp` alone has use for them
serveClient(
  socket,
  ({ hello, io, carryOut }) => runOci(hello.argv.slice(1), io, { facts, compileSeccomp, carryOut }),
  () => socket.destroy(),
  noTrees,
);
