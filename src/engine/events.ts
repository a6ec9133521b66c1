// What happened, for `events` and everyone who waits for it: the last of them, and whoever listens now.

import { fail } from '../base/errors.ts';
import type { EventMessage, EventType } from '../spec/docker/system.ts';
import type { EventsOptions, Filters } from './engine.ts';
import { hasLabel } from './filters.ts';

/** Nanoseconds since 1970 in a double are some hundred too many or too few. */
const exactness = 1000;
/** As many as Docker remembers. */
const remembered = 256;
/** A listener that is this far behind is let go: it must not hold the engine's memory. */
const backlogLimit = 10_000;

export interface Events {
  /** `attributes`: Docker's, by type: containers `image name` and labels (`exitCode`, `signal`… by action), images and networks `name`… */
  emit(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>>): void;
  /** Ends with the signal, or when `until` has come. Fails with `filter.unknown`. */
  stream(options: EventsOptions): AsyncIterable<EventMessage>;
  /** Called at once, in order, for each; returns how to stop. For the engine's own parts. */
  subscribe(listener: (event: EventMessage) => void): () => void;
  /** Of open streams, for `info`. */
  readonly listeners: number;
}

export function createEvents(): Events {
  const recent: EventMessage[] = [];
  const listeners = new Set<(event: EventMessage) => void>();
  let last = 0n;
  let streams = 0;

  const emit: Events['emit'] = (type, action, id, attributes) => {
    const clock = BigInt(Date.now()) * 1_000_000n; // never ahead of the clock: `--until` now has it
    last = clock > last ? clock : last + 1n; // no two at one time, and never back
    const event: EventMessage = {
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Number(last / 1_000_000_000n),
      timeNano: Number(last),
      ...(type === 'container' || type === 'image' ? { status: action, id } : {}),
      ...(type === 'container' && attributes['image'] !== undefined ? { from: attributes['image'] } : {}),
    };
    recent.push(event);
    if (recent.length > remembered) recent.shift();
    for (const listener of listeners) listener(event);
  };

  return {
    emit,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get listeners() {
      return streams;
    },
    async *stream({ since, until, filters, signal }) {
      const test = testOf(filters);
      const queue: EventMessage[] = [];
      let wake = (): void => {};
      let lost = false;
      const listener = (event: EventMessage): void => {
        if (!test(event)) return;
        if (queue.length >= backlogLimit) lost = true;
        else queue.push(event);
        wake();
      };
      if (since !== undefined)
        queue.push(...recent.filter((event) => event.timeNano >= since * 1e9 - exactness && test(event)));
      listeners.add(listener);
      streams++;
      const poke = (): void => wake();
      signal.addEventListener('abort', poke);
      const end = until === undefined ? undefined : setTimeout(poke, Math.min(2 ** 31 - 1, until * 1000 - Date.now()));
      try {
        for (;;) {
          for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
            if (until !== undefined && event.timeNano > until * 1e9 + exactness) return;
            yield event;
          }
          if (signal.aborted || lost || (until !== undefined && Date.now() >= until * 1000)) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        clearTimeout(end);
        streams--;
        listeners.delete(listener);
        signal.removeEventListener('abort', poke);
      }
    },
  };
}

type Test = (event: EventMessage) => boolean;

const types: readonly string[] = [
  'builder',
  'config',
  'container',
  'daemon',
  'image',
  'network',
  'node',
  'plugin',
  'secret',
  'service',
  'volume',
];

function testOf(filters: Filters): Test {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]): Test => {
      if (key === 'event')
        return ({ Action }) =>
          values.some(
            (value) => Action === value || Action.startsWith(`${value}: `) || Action.split(': ')[0] === value,
          );
      if (key === 'type') return ({ Type }) => values.includes(Type);
      if (key === 'scope') return ({ scope }) => values.includes(scope);
      if (key === 'label') return ({ Actor }) => values.every((value) => hasLabel(Actor.Attributes, value));
      if (key === 'image') return imageTest(values);
      if (types.includes(key))
        return ({ Type, Actor }) =>
          Type === key && values.some((value) => Actor.ID.startsWith(value) || Actor.Attributes['name'] === value);
      return fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
    });
  return (event) => tests.every((test) => test(event));
}

/** An image by id or name, with or without its tag; also the containers that are made from it. */
function imageTest(values: readonly string[]): Test {
  return ({ Type, Actor }) => {
    const name = Actor.Attributes[Type === 'image' ? 'name' : 'image'];
    const names = [name, name?.replace(/:[^:/]*$/, ''), ...(Type === 'image' ? [Actor.ID] : [])];
    return (Type === 'image' || Type === 'container') && values.some((value) => names.includes(value));
  };
}
