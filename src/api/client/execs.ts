// Further processes in containers of another engine.

import { fail } from '../../base/errors.ts';
import type { Execs, StartOptions } from '../../engine/engine.ts';
import type { ProcessStream } from '../../runtime/keeper-stream.ts';
import type { Caller } from './call.ts';
import { hijackedStream } from './streams.ts';

/** An exec's stream ends a moment before its end is known. */
const askAgainMs = 50;

export function remoteExecs(caller: Caller): Execs {
  const { call } = caller;
  const params = (id: string) => ({ params: { id } });
  const start = async (id: string, { onAttachable, onStep }: StartOptions): Promise<void> => {
    if (onStep) fail('unsupported', 'cli.explain', 'explain works on the engine of this machine alone');
    if (onAttachable === undefined) {
      await call('ExecStart', { ...params(id), body: { Detach: true, Tty: false } });
      return;
    }
    const { ProcessConfig, OpenStdin } = await call('ExecInspect', params(id));
    const { tty } = ProcessConfig;
    let joined: Promise<ProcessStream> | undefined;
    onAttachable({
      socket: '',
      tty,
      stdin: OpenStdin,
      open(request) {
        const body = { Detach: false, Tty: tty };
        joined = caller
          .hijack('ExecStart', { ...params(id), body })
          .then((hijacked) => hijackedStream(hijacked, tty, request));
        return joined;
      },
    });
    await joined;
  };
  return {
    create: async (container, request) => (await call('ContainerExec', { ...params(container), body: request })).Id,
    start,
    inspect: (id) => call('ExecInspect', params(id)),
    resize: (id, { rows, columns }) => call('ExecResize', { ...params(id), query: { h: rows, w: columns } }),
    async wait(id) {
      for (;;) {
        const { Running, ExitCode } = await call('ExecInspect', params(id));
        if (!Running) return ExitCode ?? 0;
        await new Promise((resolve) => setTimeout(resolve, askAgainMs));
      }
    },
    explain: async () => fail('unsupported', 'cli.explain', 'explain works on the engine of this machine alone'),
  };
}
