// Every command. Adding a verb is one file and one line here.

import type { Command } from '../command.ts';
import { attach } from './container/attach.ts';
import { commit } from './container/commit.ts';
import { cp } from './container/cp.ts';
import { create } from './container/create.ts';
import { diff } from './container/diff.ts';
import { exec } from './container/exec.ts';
import { exportContainer } from './container/export.ts';
import { kill } from './container/kill.ts';
import { logs } from './container/logs.ts';
import { pause, unpause } from './container/pause.ts';
import { port } from './container/port.ts';
import { pruneContainers } from './container/prune.ts';
import { ps } from './container/ps.ts';
import { rename } from './container/rename.ts';
import { rm } from './container/rm.ts';
import { run } from './container/run.ts';
import { start } from './container/start.ts';
import { stats } from './container/stats.ts';
import { restart, stop } from './container/stop.ts';
import { top } from './container/top.ts';
import { update } from './container/update.ts';
import { wait } from './container/wait.ts';
import { createContext, updateContext } from './context/create.ts';
import { exportContext, importContext } from './context/export.ts';
import { inspectContext, listContextsCommand, showContext } from './context/ls.ts';
import { removeContexts, useContext } from './context/use.ts';
import { bootstrap } from './image/bootstrap.ts';
import { history } from './image/history.ts';
import { importImage } from './image/import.ts';
import { load } from './image/load.ts';
import { images } from './image/ls.ts';
import { pruneImages } from './image/prune.ts';
import { pull } from './image/pull.ts';
import { push } from './image/push.ts';
import { rmi } from './image/rm.ts';
import { save } from './image/save.ts';
import { tag } from './image/tag.ts';
import { containerInspect, imageInspect, inspect } from './inspect.ts';
import { connect, disconnect } from './network/connect.ts';
import { createNetwork } from './network/create.ts';
import { networkInspect } from './network/inspect.ts';
import { networks } from './network/ls.ts';
import { pruneNetworks, removeNetwork } from './network/rm.ts';
import { plugins } from './plugin.ts';
import { login } from './registry/login.ts';
import { logout } from './registry/logout.ts';
import { search } from './registry/search.ts';
import { completion } from './system/completion.ts';
import { df } from './system/df.ts';
import { events } from './system/events.ts';
import { explain } from './system/explain.ts';
import { info } from './system/info.ts';
import { pruneSystem } from './system/prune.ts';
import { version } from './system/version.ts';
import { unsupported } from './unsupported.ts';
import { createVolume } from './volume/create.ts';
import { volumeInspect } from './volume/inspect.ts';
import { volumes } from './volume/ls.ts';
import { pruneVolumes, removeVolume } from './volume/rm.ts';
import { updateVolume } from './volume/update.ts';

const container = [
  attach,
  commit,
  containerInspect,
  cp,
  create,
  diff,
  exec,
  exportContainer,
  kill,
  logs,
  pause,
  port,
  pruneContainers,
  ps,
  rename,
  restart,
  rm,
  run,
  start,
  stats,
  stop,
  top,
  unpause,
  update,
  wait,
];
const image = [bootstrap, history, imageInspect, images, importImage, load, pruneImages, pull, push, rmi, save, tag];
const context = [
  createContext,
  exportContext,
  importContext,
  inspectContext,
  listContextsCommand,
  removeContexts,
  showContext,
  updateContext,
  useContext,
];
const registry = [login, logout, search];
const network = [connect, createNetwork, disconnect, networkInspect, networks, pruneNetworks, removeNetwork];
const system = [...completion, df, events, explain, info, inspect, plugins, pruneSystem, version];

const volume = [createVolume, pruneVolumes, removeVolume, updateVolume, volumeInspect, volumes];

export const allCommands: readonly Command[] = [
  ...container,
  ...context,
  ...image,
  ...network,
  ...registry,
  ...volume,
  ...system,
  ...unsupported,
];
