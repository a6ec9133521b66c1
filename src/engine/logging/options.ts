// The log drivers and their options: what `create` refuses, in Docker's words, and how the container's own log is kept.

import { fail } from '../../base/errors.ts';
import type { HostConfig } from '../../spec/docker/container.ts';
import { parseFluentd } from './fluentd-options.ts';
import { parseGelf } from './gelf-options.ts';
import { parseSyslog } from './syslog-options.ts';
import { goBool, goInt, goSize, type LogOptions, type Refuse, refuseOption, refuseStart } from './values.ts';

export type LogConfig = HostConfig['LogConfig'];

const attributes = ['env', 'env-regex', 'labels', 'labels-regex', 'tag'];

interface Driver {
  readonly options: readonly string[];
  /** What is wrong with the values. */
  readonly check?: (options: LogOptions, refuse: Refuse) => unknown;
}

const drivers: Readonly<Record<string, Driver>> = {
  'json-file': { options: [...attributes, 'compress', 'max-file', 'max-size'] },
  local: { options: ['compress', 'max-file', 'max-size'] },
  none: { options: [] },
  journald: { options: attributes },
  syslog: {
    options: [
      ...attributes,
      'syslog-address',
      'syslog-facility',
      'syslog-format',
      'syslog-tls-ca-cert',
      'syslog-tls-cert',
      'syslog-tls-key',
      'syslog-tls-skip-verify',
    ],
    check: parseSyslog,
  },
  gelf: {
    options: [
      ...attributes,
      'gelf-address',
      'gelf-compression-level',
      'gelf-compression-type',
      'gelf-tcp-max-reconnect',
      'gelf-tcp-reconnect-delay',
    ],
    check: parseGelf,
  },
  fluentd: {
    options: [
      ...attributes,
      'fluentd-address',
      'fluentd-async',
      'fluentd-async-reconnect-interval',
      'fluentd-buffer-limit',
      'fluentd-max-retries',
      'fluentd-request-ack',
      'fluentd-retry-wait',
      'fluentd-sub-second-precision',
      'fluentd-write-timeout',
    ],
    check: parseFluentd,
  },
};

/** Every driver takes these. */
const general = ['cache-compress', 'cache-disabled', 'cache-max-file', 'cache-max-size', 'max-buffer-size', 'mode'];

/** What `create` refuses. */
export function checkLogConfig({ Type, Config }: LogConfig): void {
  const driver = Object.hasOwn(drivers, Type) ? drivers[Type] : undefined;
  if (driver === undefined) {
    fail('invalid', 'logging.driver', `error looking up logging plugin ${Type}: plugin "${Type}" not found`, {
      hint: `no log driver named '${Type}' is registered: there are ${Object.keys(drivers).join(', ')}`,
    });
  }
  checkGeneral(Config);
  if (Type === 'none') return; // its options mean nothing
  for (const name of Object.keys(Config)) {
    if (driver.options.includes(name) || general.includes(name)) continue;
    refuseOption(
      Type === 'local'
        ? `unknown log opt '${name}' for log driver local`
        : `unknown log opt '${name}' for ${Type} log driver`,
    );
  }
  driver.check?.(Config, refuseOption);
}

/** Nothing ever blocks a container here, so that the modes differ in name only. */
function checkGeneral(options: LogOptions): void {
  const { mode, 'max-buffer-size': buffer, 'cache-disabled': disabled } = options;
  if (mode !== undefined && mode !== 'blocking' && mode !== 'non-blocking')
    refuseOption(`logger: logging mode not supported: ${mode}`);
  if (buffer !== undefined) {
    if (mode !== 'non-blocking')
      refuseOption("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    goSize(buffer, (why) => refuseOption(`error parsing option max-buffer-size: ${why}`));
  }
  if (disabled !== undefined)
    goBool(disabled, () => refuseOption(`invalid value for option cache-disabled: ${disabled}`));
}

/** What is taken, so that files made for Docker work, and not done. */
export function logWarnings(config: LogConfig): readonly string[] {
  try {
    logFilesOf(config);
  } catch {
    return []; // the start says what is wrong
  }
  return ['compress', 'cache-compress']
    .filter((name) => /^(1|t|true)$/i.test(config.Config[name] ?? ''))
    .map((name) => `log option ${name} is discarded: rotated log files are kept as they are`);
}

/** Whether lines go somewhere else as well. */
export function isForwarded({ Type }: LogConfig): boolean {
  return Type !== 'json-file' && Type !== 'local' && Type !== 'none';
}

/** Whether `logs` shows anything. */
export function isReadable({ Type, Config }: LogConfig): boolean {
  if (Type === 'none') return false;
  return !isForwarded({ Type, Config }) || !isTrue(Config['cache-disabled']);
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && goBool(text, () => refuseOption(''));
}

export interface LogFiles {
  /** Bytes; 0: no limit. */
  readonly maxSize: number;
  readonly maxFiles: number;
}

const localDefaults: LogFiles = { maxSize: 20 * 1024 * 1024, maxFiles: 5 };

/** How much of the log is kept on this machine. Fails as Docker's start does. */
export function logFilesOf({ Type, Config }: LogConfig): LogFiles {
  if (Type === 'none') return { maxSize: 0, maxFiles: 1 };
  if (Type === 'json-file') return jsonFiles(Config);
  if (Type === 'local') {
    const named =
      (name: string): Refuse =>
      (why) =>
        refuseStart(`invalid value for ${name}: ${Config[name]}: ${why}`);
    if (Config['compress'] !== undefined) goBool(Config['compress'], named('compress'));
    return {
      maxSize: size(Config['max-size'], named('max-size')) ?? localDefaults.maxSize,
      maxFiles: count(Config['max-file'], named('max-file')) ?? localDefaults.maxFiles,
    };
  }
  // What is wrong with the copy's limits does not stop a container whose log is elsewhere.
  const ignored: Refuse = () => fail('invalid', 'logging.cache', '');
  const or = <T>(parse: () => T | undefined, otherwise: T): T => {
    try {
      return parse() ?? otherwise;
    } catch {
      return otherwise;
    }
  };
  return {
    maxSize: or(() => size(Config['cache-max-size'], ignored), localDefaults.maxSize),
    maxFiles: or(() => count(Config['cache-max-file'], ignored), localDefaults.maxFiles),
  };
}

function jsonFiles(options: LogOptions): LogFiles {
  const maxSize = size(options['max-size'], refuseStart);
  const maxFiles = count(options['max-file'], refuseStart) ?? 1;
  const compress = options['compress'];
  if (compress !== undefined && goBool(compress, refuseStart) && (maxFiles < 2 || maxSize === undefined))
    refuseStart('compress cannot be true when max-file is less than 2 or max-size is not set');
  return { maxSize: maxSize ?? 0, maxFiles };
}

function size(text: string | undefined, refuse: Refuse): number | undefined {
  return text === undefined ? undefined : goSize(text, refuse);
}

function count(text: string | undefined, refuse: Refuse): number | undefined {
  if (text === undefined) return undefined;
  const number = goInt(text, refuse);
  return number < 1 ? refuse('max-file cannot be less than 1') : number;
}
