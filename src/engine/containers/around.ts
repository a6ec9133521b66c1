// What a container's flags ask of the engine, and not of the kernel: the lines of `explain` before and after the plan. Pure.

import type { ContainerRecord } from './record.ts';

const ns = 1e9;

export function aroundThePlan({
  config,
  hostConfig: host,
  volumes = [],
  connections,
  name,
}: ContainerRecord): string[] {
  const { Test: probe = [], Interval, Retries, StartPeriod, Timeout } = config.Healthcheck ?? {};
  const { Name: policy, MaximumRetryCount } = host.RestartPolicy;
  const seconds = (value: number | undefined, none: number): string => `${value ? value / ns : none} s`;
  return [
    ...volumes.map(
      ({ name: volume, destination, copy, anonymous }) =>
        `before: volume ${anonymous ? 'of its own' : volume}, made where it is missing${copy ? `, and filled with what the image has at ${destination} where it is empty` : ''}`,
    ),
    ...connections
      .filter(({ name: network }) => !['bridge', 'host', 'none'].includes(network) && !network.startsWith('container:'))
      .map(({ name: network, request }) => {
        const names = [name, ...(request.Aliases ?? [])].filter((one) => one !== '');
        return `before: network ${network}: its name server answers for ${names.join(', ')}`;
      }),
    ...(probe.length > 1 && probe[0] !== 'NONE'
      ? [
          `while it runs: every ${seconds(Interval, 30)} ${JSON.stringify(probe.slice(1).join(' '))} in it, for ${seconds(Timeout, 30)} at most; unhealthy after ${Retries || 3} failures${StartPeriod ? `, none of them in its first ${seconds(StartPeriod, 0)}` : ''} (--health-cmd)`,
        ]
      : []),
    ...(config.StopSignal || config.StopTimeout !== undefined
      ? [
          `stop: ${config.StopSignal || 'SIGTERM'}, and SIGKILL after ${config.StopTimeout ?? 10} s (--stop-signal, --stop-timeout)`,
        ]
      : []),
    ...(['json-file', 'none'].includes(host.LogConfig.Type)
      ? []
      : [`while it runs: its log goes on to ${host.LogConfig.Type} (--log-driver)`]),
    ...(policy && policy !== 'no'
      ? [
          `after its end: started again, ${policy}${MaximumRetryCount ? `, ${MaximumRetryCount} times at most` : ''} (--restart)`,
        ]
      : []),
    ...(host.AutoRemove ? ['after its end: removed, with the volumes that nobody named (--rm)'] : []),
  ];
}
