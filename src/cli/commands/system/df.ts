// hoist system df: what images, containers and volumes take of the disk, and what of it could be had back.

import { goJson, goType } from '../../../base/template/values.ts';
import type { ImageSummary } from '../../../spec/docker/image.ts';
import type { DiskUsage } from '../../../spec/docker/system.ts';
import type { Volume } from '../../../spec/docker/volume.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { listFormatFlag } from '../../formatflag.ts';
import { parseFormat, templateFailure } from '../../render/document.ts';
import { type Listing, renderListing } from '../../render/listing.ts';
import { humanSize } from '../../render/size.ts';
import { containerRow } from '../container/ps.ts';
import { imageRow } from '../image/ls.ts';

type Row = Readonly<Record<string, unknown>>;

export const df: Command = {
  names: [['system', 'df']],
  summary: 'Show hoist disk usage',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
${listFormatFlag}
  -v, --verbose         Show detailed information on space usage`),
  async run({ io, flags, engine }) {
    const usage = await engine.system.diskUsage([]);
    const format = flags.string('format');
    if (!flags.bool('verbose')) {
      await io.stdout.write(summaryText(usage, format));
      return 0;
    }
    if (format === '' || format === 'table') {
      await io.stdout.write(verboseText(usage));
      return 0;
    }
    const document = { ...verboseRows(usage, false) };
    if (format === 'json') {
      await io.stdout.write(goJson(document));
      return 0;
    }
    const template = parseFormat(format.replace(/^table */, ''), '');
    try {
      await io.stdout.write(template.execute(document));
    } catch (error) {
      await io.stderr.write(`${templateFailure(error)}\n`);
      return 1;
    }
    return 0;
  },
};

function summaryText(usage: DiskUsage, format: string): string {
  return renderListing({
    ...plain,
    format,
    tableFormat: 'table {{.Type}}\\t{{.TotalCount}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}',
    rawFormat:
      'type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\nreclaimable: {{.Reclaimable}}\n',
    headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
    rows: summaryRows(usage),
  });
}

const plain: Pick<Listing, 'complaints' | 'format' | 'rawFormat'> = {
  complaints: ['template parsing error', 'template parsing error'],
  format: '',
  rawFormat: '',
};

function summaryRows(usage: DiskUsage): readonly Row[] {
  const images = usage.Images ?? [];
  const containers = usage.Containers ?? [];
  const volumes = (usage.Volumes ?? []).map((volume) => volume.UsageData ?? { Size: -1, RefCount: -1 });
  const inUse = images.filter(({ Containers }) => Containers > 0);
  const alive = new Set(['running', 'paused', 'restarting']);
  const used = sum(inUse.map(({ Size, SharedSize }) => (Size < 0 || SharedSize < 0 ? 0 : Size - SharedSize)));
  const counted = volumes.filter(({ Size }) => Size >= 0);
  return [
    summaryRow('Images', images.length, inUse.length, usage.LayersSize, usage.LayersSize - used),
    summaryRow(
      'Containers',
      containers.length,
      containers.filter(({ State }) => alive.has(State)).length,
      sum(containers.map(({ SizeRw = 0 }) => SizeRw)),
      sum(containers.filter(({ State }) => !alive.has(State)).map(({ SizeRw = 0 }) => SizeRw)),
    ),
    summaryRow(
      'Local Volumes',
      volumes.length,
      volumes.filter(({ RefCount }) => RefCount > 0).length,
      sum(counted.map(({ Size }) => Size)),
      sum(counted.filter(({ RefCount }) => RefCount === 0).map(({ Size }) => Size)),
    ),
    summaryRow('Build Cache', usage.BuildCache?.length ?? 0, 0, 0, 0),
  ];
}

function summaryRow(type: string, total: number, active: number, size: number, reclaimable: number): Row {
  const part = size > 0 ? ` (${Math.trunc((reclaimable * 100) / size)}%)` : '';
  return {
    [goType]: `*formatter.diskUsage${type.replace('Local ', '').replace('Build Cache', 'Builder')}Context`,
    Active: String(active),
    Reclaimable: `${humanSize(reclaimable)}${part}`,
    Size: humanSize(size),
    TotalCount: String(total),
    Type: type,
  };
}

function verboseRows(usage: DiskUsage, truncate: boolean): Readonly<Record<string, readonly Row[]>> {
  const now = Date.now() / 1000;
  return {
    Images: (usage.Images ?? []).map((image) => imageRow(image, nameOf(image), { now, truncate })),
    Containers: (usage.Containers ?? []).map(({ SizeRootFs: _whole, ...container }) =>
      containerRow(container, { now, truncate }),
    ),
    Volumes: (usage.Volumes ?? []).map(volumeRow),
    BuildCache: [],
  };
}

function nameOf({ RepoTags }: ImageSummary): {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
} {
  const [name = '<none>:<none>'] = RepoTags ?? [];
  const colon = name.lastIndexOf(':');
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1), digest: '' };
}

function volumeRow({ Name, Driver, Scope, Mountpoint, Labels, UsageData }: Volume): Row {
  const pairs = Object.entries(Labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return {
    [goType]: '*formatter.volumeContext',
    Availability: 'N/A',
    Driver,
    Group: 'N/A',
    Labels: pairs.sort().join(','),
    Links: UsageData === undefined ? 'N/A' : String(UsageData.RefCount),
    Mountpoint,
    Name,
    Scope,
    Size: UsageData === undefined ? 'N/A' : humanSize(UsageData.Size),
    Status: 'N/A',
  };
}

function verboseText(usage: DiskUsage): string {
  const rows = verboseRows(usage, true);
  const table = (name: string, columns: Readonly<Record<string, string>>): string =>
    renderListing({
      ...plain,
      tableFormat: `table ${Object.keys(columns)
        .map((field) => `{{.${field}}}`)
        .join('\\t')}`,
      headers: columns,
      rows: rows[name] ?? [],
    });
  return [
    `Images space usage:\n\n${table('Images', {
      Repository: 'REPOSITORY',
      Tag: 'TAG',
      ID: 'IMAGE ID',
      CreatedSince: 'CREATED',
      Size: 'SIZE',
      SharedSize: 'SHARED SIZE',
      UniqueSize: 'UNIQUE SIZE',
      Containers: 'CONTAINERS',
    })}`,
    `Containers space usage:\n\n${table('Containers', {
      ID: 'CONTAINER ID',
      Image: 'IMAGE',
      Command: 'COMMAND',
      LocalVolumes: 'LOCAL VOLUMES',
      Size: 'SIZE',
      RunningFor: 'CREATED',
      Status: 'STATUS',
      Names: 'NAMES',
    })}`,
    `Local Volumes space usage:\n\n${table('Volumes', { Name: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE' })}`,
    `Build cache usage: 0B\n\n${table('BuildCache', {
      ID: 'CACHE ID',
      CacheType: 'CACHE TYPE',
      Size: 'SIZE',
      CreatedSince: 'CREATED',
      LastUsedSince: 'LAST USED',
      UsageCount: 'USAGE',
      Shared: 'SHARED',
    })}`,
  ].join('\n');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
