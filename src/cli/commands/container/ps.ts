// hoist ps: containers as rows.

import { humanDuration } from '../../../base/duration.ts';
import { quoted } from '../../../base/template/strings.ts';
import { goType } from '../../../base/template/values.ts';
import type { ContainerSummary } from '../../../spec/docker/container.ts';
import type { Command } from '../../command.ts';
import { clientConfig } from '../../config.ts';
import { filters } from '../../filters.ts';
import { flagTable } from '../../flags.ts';
import { listFormatFlag } from '../../formatflag.ts';
import { renderListing } from '../../render/listing.ts';
import { displayPorts } from '../../render/ports.ts';
import { humanSize } from '../../render/size.ts';
import { ellipsis, shortId } from '../../render/text.ts';
import { localTime } from '../../render/time.ts';
import { parseInt64 } from '../../values.ts';

const tableFormat =
  'table {{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}';

const rawFormat = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{.State}}
status: {{.Status}}
names: {{.Names}}
labels:{{pad .Labels 1 0}}
ports:{{pad .Ports 1 0}}
`;

const headers = {
  ID: 'CONTAINER ID',
  Names: 'NAMES',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Ports: 'PORTS',
  State: 'STATE',
  Status: 'STATUS',
  Size: 'SIZE',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Platform: 'PLATFORM',
};

export const ps: Command = {
  names: [['ps'], ['container', 'ls'], ['container', 'list'], ['container', 'ps']],
  summary: 'List containers',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
  -a, --all             Show all containers (default shows just running)
  -f, --filter filter   Filter output based on conditions provided
${listFormatFlag}
  -n, --last int        Show n last created containers (includes all states) (default -1)
  -l, --latest          Show the latest created container (includes all states)
      --no-trunc        Don't truncate output
  -q, --quiet           Only display container IDs
  -s, --size            Display total file sizes`),
  async run({ io, flags, engine }) {
    const quiet = flags.bool('quiet');
    if (quiet && flags.has('format')) {
      await io.stderr.write('WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
    }
    const format = quiet ? '{{.ID}}' : flags.string('format') || (await clientConfig(io)).psFormat;
    const last = flags.bool('latest') ? 1 : parseInt64(flags.string('last'));
    const size = flags.bool('size') || /\.Size\b/.test(format);
    const containers = await engine.containers.list({
      all: flags.bool('all') || last > 0,
      limit: Math.max(0, last),
      size,
      filters: filters(flags.list('filter')),
    });
    const now = Date.now() / 1000;
    const truncate = !flags.bool('no-trunc');
    await io.stdout.write(
      renderListing({
        format,
        rawFormat: `${rawFormat}${flags.bool('size') ? 'size: {{.Size}}\n' : ''}`,
        tableFormat: flags.bool('size') ? `${tableFormat}\\t{{.Size}}` : tableFormat,
        complaints: ['failed to parse template', 'failed to execute template'],
        headers,
        rows: containers.map((container) => containerRow(container, { now, truncate })),
      }),
    );
    return 0;
  },
};

export function containerRow(
  container: ContainerSummary,
  { now, truncate }: { readonly now: number; readonly truncate: boolean },
): Readonly<Record<string, unknown>> {
  const { Labels, Mounts } = container;
  // Getters: a list of a thousand containers computes only what its format shows.
  return {
    [goType]: '*formatter.ContainerContext',
    get Command() {
      return quoted(truncate ? ellipsis(container.Command, 20) : container.Command);
    },
    get CreatedAt() {
      return localTime(container.Created);
    },
    ID: truncate ? shortId(container.Id) : container.Id,
    get Image() {
      return truncate ? shortImage(container) : container.Image || '<no image>';
    },
    Label: (name: unknown) => Labels[String(name)] ?? '',
    get Labels() {
      const pairs = Object.entries(Labels).map(([key, value]) => `${key}=${value}`);
      return pairs.sort().join(',');
    },
    get LocalVolumes() {
      return String(Mounts.filter((mount) => mount.Driver === 'local').length);
    },
    get Mounts() {
      const names = Mounts.map((mount) => mount.Name ?? mount.Source);
      return names.map((name) => (truncate ? ellipsis(name, 15) : name)).join(',');
    },
    get Names() {
      const names = container.Names.map((name) => name.replace(/^\//, ''));
      return (truncate ? names.filter((name) => !name.includes('/')) : names).join(',');
    },
    get Networks() {
      return Object.keys(container.NetworkSettings.Networks).join(',');
    },
    Platform: null,
    get Ports() {
      return displayPorts(container.Ports);
    },
    get RunningFor() {
      return `${humanDuration(now - container.Created)} ago`;
    },
    get Size() {
      return sizes(container);
    },
    State: container.State,
    Status: container.Status,
  };
}

/** An id is shown short, and a digest is not shown beside a tag. */
function shortImage({ Image, ImageID }: ContainerSummary): string {
  if (Image === '') return '<no image>';
  if (shortId(Image) === shortId(ImageID)) return shortId(ImageID);
  return Image.replace(/^(.*:[\w.-]+)@sha256:[0-9a-f]+$/, '$1');
}

function sizes({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const own = humanSize(SizeRw, 3);
  return SizeRootFs > 0 ? `${own} (virtual ${humanSize(SizeRootFs, 3)})` : own;
}
