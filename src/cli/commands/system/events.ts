// hoist events: what happens, as it happens.

import { fail, isHoistError } from '../../../base/errors.ts';
import { parseTemplate } from '../../../base/template/template.ts';
import { goJson, goJsonAs, goType } from '../../../base/template/values.ts';
import type { EventMessage } from '../../../spec/docker/system.ts';
import type { Command } from '../../command.ts';
import { filters } from '../../filters.ts';
import { flagTable } from '../../flags.ts';
import { documentFormatFlag } from '../../formatflag.ts';
import { parseMoment } from '../../moment.ts';
import { localNano } from '../../render/time.ts';

export const events: Command = {
  names: [['events'], ['system', 'events']],
  summary: 'Get real time events from the server',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
  -f, --filter filter   Filter output based on conditions provided
${documentFormatFlag.replace('  -f, --format', '      --format')}
      --since string    Show all events created since timestamp
      --until string    Stream events until this timestamp`),
  async run({ io, flags, engine }) {
    const show = shower(flags.string('format'));
    const now = Date.now();
    const since = flags.string('since');
    const until = flags.string('until');
    const stream = engine.system.events({
      ...(since === '' ? {} : { since: moment(since, now) }),
      ...(until === '' ? {} : { until: moment(until, now) }),
      filters: filters(flags.list('filter')),
      signal: io.signal,
    });
    for await (const event of stream) await io.stdout.write(`${show(event)}\n`);
    return 0;
  },
};

function moment(text: string, now: number): number {
  try {
    return parseMoment('', text, now);
  } catch (error) {
    if (!isHoistError(error, 'cli.time')) throw error;
    return fail('invalid', 'cli.time', error.message.replace(/^invalid value for "": /, ''));
  }
}

function shower(format: string): (event: EventMessage) => string {
  if (format === '') return line;
  if (format === 'json') return (event) => goJson(asGo(event));
  try {
    const template = parseTemplate(format, { name: '' });
    template.execute(asGo(nothing)); // a field that no event has is a mistake in the template: told at once
    return (event) => template.execute(asGo(event));
  } catch (error) {
    if (!isHoistError(error, 'cli.template')) throw error;
    return fail('invalid', 'cli.bad_template', `Error parsing format: ${error.message}`);
  }
}

const nothing: EventMessage = {
  Type: 'container',
  Action: '',
  Actor: { ID: '', Attributes: {} },
  scope: 'local',
  time: 0,
  timeNano: 0,
};

/** `2026-01-02T03:04:05.000000006Z container start ID (image=x, name=y)` */
function line({ Type, Action, Actor, timeNano }: EventMessage): string {
  const pairs = Object.entries(Actor.Attributes).map(([key, value]) => `${key}=${value}`);
  const attributes = pairs.length === 0 ? '' : ` (${pairs.sort().join(', ')})`;
  return `${localNano(timeNano)} ${Type} ${Action} ${Actor.ID}${attributes}`;
}

/** Go's struct: its JSON has other names than its fields. */
function asGo(event: EventMessage): Readonly<Record<string, unknown>> {
  const { status, id, from, Type, Action, Actor, scope, time, timeNano } = event;
  const attributes = new Map(Object.entries(Actor.Attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
  const actor = { ID: Actor.ID, Attributes: attributes };
  const fields = {
    Status: status ?? '',
    ID: id ?? '',
    From: from ?? '',
    Type,
    Action,
    Actor: actor,
    Scope: scope,
    Time: time,
    TimeNano: timeNano,
  };
  const json = {
    ...(status === undefined ? {} : { status }),
    ...(id === undefined ? {} : { id }),
    ...(from === undefined ? {} : { from }),
    Type,
    Action,
    Actor: { ID: Actor.ID, Attributes: Object.fromEntries(attributes) },
    scope,
    time,
    timeNano,
  };
  return { [goType]: '*events.Message', [goJsonAs]: json, ...fields };
}
