// Every command. Adding a verb is one file and one line here.

import type { Command } from '../command.ts';
import { create } from './container/create.ts';
import { run } from './container/run.ts';

export const allCommands: readonly Command[] = [create, run];
