// version and info.

import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { hoistVersion } from '../base/version.ts';
import type { SystemInfo } from '../spec/docker/image.ts';
import type { ContainerPool } from './containers/deps.ts';
import type { System } from './engine.ts';
import type { Events } from './events.ts';
import { countImages } from './images/catalog.ts';
import { unbuilt } from './unbuilt.ts';

export function createSystem(pool: ContainerPool, buildId: string, events: Events): System {
  const architecture = pool.deps.facts.arch;
  return {
    async version() {
      return {
        Platform: { Name: 'Hoist' },
        Version: hoistVersion,
        ApiVersion: '1.51',
        MinAPIVersion: '1.24',
        GitCommit: buildId,
        NodeVersion: process.version,
        Os: 'linux',
        Arch: pool.deps.host.architecture,
        KernelVersion: pool.deps.facts.kernelRelease,
        BuildTime: '',
      };
    },
    events: (options) => events.stream(options),
    diskUsage: async () => unbuilt('system df'),
    login: async () => unbuilt('login'),
    async info(): Promise<SystemInfo> {
      const states = [...pool.live.values()].map(({ record }) => record.state.status);
      const count = (status: string): number => states.filter((one) => one === status).length;
      const { cgroup, memory, cpus } = pool.deps.facts;
      const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
      return {
        ID: '',
        Name: os.hostname(),
        Containers: states.length,
        ContainersRunning: count('running'),
        ContainersPaused: count('paused'),
        ContainersStopped: states.length - count('running') - count('paused'),
        Images: await countImages(pool.deps.store),
        Driver: pool.deps.store.layers.driver,
        DriverStatus: [['Layer mounts', pool.deps.facts.erofs]],
        LoggingDriver: 'json-file',
        CgroupDriver: 'cgroupfs',
        CgroupVersion: String(cgroup.version),
        KernelVersion: pool.deps.facts.kernelRelease,
        OperatingSystem: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? 'Linux',
        OSType: 'linux',
        Architecture: architecture,
        NCPU: cpus,
        MemTotal: memory,
        DockerRootDir: pool.deps.paths.root,
        ServerVersion: hoistVersion,
        SecurityOptions: ['name=seccomp,profile=builtin', ...(cgroup.version === 2 ? ['name=cgroupns'] : [])],
        Warnings:
          cgroup.version === 2 && !cgroup.controllers.includes('memory') ? ['WARNING: No memory limit support'] : [],
      };
    },
  };
}
