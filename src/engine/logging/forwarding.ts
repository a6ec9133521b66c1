// The forwarders of all containers whose log driver is not only a file. A container without one costs nothing here.

import path from 'node:path';
import { fail } from '../../base/errors.ts';
import { type ContainerPaths, type ContainerRecord, pathsOf } from '../containers/record.ts';
import { fluentdSink } from './fluentd.ts';
import { parseFluentd } from './fluentd-options.ts';
import { type Forwarder, type ForwardOptions, forward } from './forward.ts';
import { gelfSink } from './gelf.ts';
import { parseGelf } from './gelf-options.ts';
import { journaldSink } from './journald.ts';
import { subjectOf } from './message.ts';
import { isForwarded } from './options.ts';
import type { SendDatagrams, Sink, SinkOptions } from './sink.ts';
import { syslogSink } from './syslog.ts';
import { goSize, refuseStart } from './values.ts';

export interface LogForwarding {
  /** Before a start: opens the way to the target. Fails with `logging.start` where Docker's start would. */
  begin(record: ContainerRecord): Promise<void>;
  /** The container runs: its lines go. */
  started(record: ContainerRecord): void;
  /** It has ended, or never started: resolves when its last lines are gone, or after a moment. */
  end(record: ContainerRecord): Promise<void>;
  /** Goes on where an engine before this one was; `end` says that no more will come. */
  resume(record: ContainerRecord): void;
  /** The container is removed. */
  drop(id: string): void;
  /** The engine leaves: the next one goes on. */
  close(): void;
}

export interface ForwardingDeps {
  readonly paths: ContainerPaths;
  readonly sendDatagrams: SendDatagrams;
  readonly journal: string;
  readonly warn: (message: string) => void;
}

/** How long the end of a container waits for a target that does not take its last lines. */
const drainMs = 2000;

interface Under {
  readonly sink: Sink;
  alive: boolean;
  forwarder: Forwarder | undefined;
}

export function createForwarding(deps: ForwardingDeps): LogForwarding {
  const all = new Map<string, Under>();

  const run = (record: ContainerRecord, under: Under): void => {
    const files = pathsOf(deps.paths, record.id);
    const forwarder = forward({
      file: files.log,
      placeFile: path.join(files.data, 'log-sent.json'),
      sink: under.sink,
      isAlive: () => under.alive,
      ...patience(record),
      batch: batchOf(record),
      warn: deps.warn,
    });
    under.forwarder = forwarder;
    void forwarder.ended.then(() => {
      if (all.get(record.id) === under) all.delete(record.id);
    });
  };

  const resume = (record: ContainerRecord): void => {
    if (!isForwarded(record.hostConfig.LogConfig) || all.has(record.id)) return;
    const under: Under = { sink: laterSink(() => openSink(deps, record, false)), alive: true, forwarder: undefined };
    all.set(record.id, under);
    run(record, under);
  };

  return {
    resume,
    async begin(record) {
      if (!isForwarded(record.hostConfig.LogConfig)) return;
      const sink = await openSink(deps, record, true);
      const before = all.get(record.id);
      before?.forwarder?.stop();
      await before?.forwarder?.ended;
      all.set(record.id, { sink, alive: true, forwarder: undefined });
    },
    started(record) {
      const under = all.get(record.id);
      if (under !== undefined && under.forwarder === undefined) run(record, under);
    },
    async end(record) {
      const under = all.get(record.id);
      if (under === undefined) return;
      under.alive = false;
      if (under.forwarder === undefined) {
        under.sink.close();
        all.delete(record.id);
        return;
      }
      under.forwarder.wake();
      await Promise.race([under.forwarder.ended, moment(drainMs)]);
    },
    drop(id) {
      all.get(id)?.forwarder?.stop();
    },
    close() {
      for (const { forwarder } of all.values()) forwarder?.stop();
    },
  };
}

/** Opened when there is something to send. */
function laterSink(open: () => Promise<Sink>): Sink {
  let sink: Sink | undefined;
  return {
    async send(messages) {
      sink ??= await open();
      await sink.send(messages);
    },
    close: () => sink?.close(),
  };
}

function moment(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

type Patience = Pick<ForwardOptions, 'retryMs' | 'maxRetries' | 'maxRetryMs'>;

const forEver: Patience = { retryMs: 100, maxRetries: Number.POSITIVE_INFINITY, maxRetryMs: 10_000 };

/** Options of fluentd and of gelf's TCP say how patient they are. */
function patience({ hostConfig }: ContainerRecord): Patience {
  const { Type, Config } = hostConfig.LogConfig;
  if (Type === 'gelf') {
    const { retryMs, maxRetries = forEver.maxRetries } = parseGelf(Config, refuseStart);
    return retryMs === undefined ? { ...forEver, maxRetries } : { retryMs, maxRetries, maxRetryMs: retryMs };
  }
  if (Type !== 'fluentd') return forEver;
  const { retryWaitMs, maxRetries } = parseFluentd(Config, refuseStart);
  return { ...forEver, retryMs: retryWaitMs, maxRetries };
}

/** The buffers that options limit: what is read from the log and not sent yet. The rest waits on disk. */
function batchOf({ hostConfig }: ContainerRecord): ForwardOptions['batch'] {
  const { 'fluentd-buffer-limit': messages, 'max-buffer-size': bytes } = hostConfig.LogConfig.Config;
  const limit = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : Math.max(1, Math.min(otherwise, goSize(text, refuseStart)));
  return { messages: limit(messages, 500), bytes: limit(bytes, 1 << 18) };
}

function openSink(deps: ForwardingDeps, record: ContainerRecord, starting: boolean): Promise<Sink> {
  const { Type, Config } = record.hostConfig.LogConfig;
  const options: SinkOptions = {
    subject: subjectOf(record, refuseStart),
    starting,
    sendDatagrams: deps.sendDatagrams,
    journal: deps.journal,
  };
  switch (Type) {
    case 'syslog':
      return syslogSink(Config, options);
    case 'gelf':
      return gelfSink(Config, options);
    case 'fluentd':
      return fluentdSink(Config, options);
    case 'journald':
      return journaldSink(options);
    default:
      return fail('unsupported', 'logging.driver', `there is no log driver ${Type}`);
  }
}
