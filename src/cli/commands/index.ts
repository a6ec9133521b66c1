// Every command. Adding a verb is one file and one line here.

import type { Command } from '../command.ts';
import { attach } from './container/attach.ts';
import { create } from './container/create.ts';
import { exec } from './container/exec.ts';
import { kill } from './container/kill.ts';
import { logs } from './container/logs.ts';
import { ps } from './container/ps.ts';
import { rm } from './container/rm.ts';
import { run } from './container/run.ts';
import { start } from './container/start.ts';
import { restart, stop } from './container/stop.ts';
import { wait } from './container/wait.ts';
import { bootstrap } from './image/bootstrap.ts';
import { importImage } from './image/import.ts';
import { images } from './image/ls.ts';
import { pull } from './image/pull.ts';
import { rmi } from './image/rm.ts';
import { containerInspect, imageInspect, inspect } from './inspect.ts';
import { completion } from './system/completion.ts';
import { explain } from './system/explain.ts';
import { info } from './system/info.ts';
import { version } from './system/version.ts';

const container = [attach, containerInspect, create, exec, kill, logs, ps, restart, rm, run, start, stop, wait];
const image = [bootstrap, imageInspect, images, importImage, pull, rmi];

const system = [...completion, explain, info, inspect, version];

export const allCommands: readonly Command[] = [...container, ...image, ...system];
