// hoist images: a row for each name of each image.

import { humanDuration } from '../../../base/duration.ts';
import { fail } from '../../../base/errors.ts';
import { goType } from '../../../base/template/values.ts';
import type { ImageSummary } from '../../../spec/docker/image.ts';
import type { Command, FlagValues } from '../../command.ts';
import { clientConfig } from '../../config.ts';
import { filters } from '../../filters.ts';
import { flagTable } from '../../flags.ts';
import { listFormatFlag } from '../../formatflag.ts';
import { renderListing } from '../../render/listing.ts';
import { humanSize } from '../../render/size.ts';
import { shortId } from '../../render/text.ts';
import { localTime } from '../../render/time.ts';

const created = '{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}';
const tableFormat = `table {{.Repository}}\\t{{.Tag}}\\t{{.ID}}\\t${created}\\t{{.Size}}`;
const digestFormat = `table {{.Repository}}\\t{{.Tag}}\\t{{.Digest}}\\t{{.ID}}\\t${created}\\t{{.Size}}`;

const headers = {
  ID: 'IMAGE ID',
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  VirtualSize: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
};

export const images: Command = {
  names: [['images'], ['image', 'ls'], ['image', 'list']],
  summary: 'List images',
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  args: { min: 0, max: 1 },
  flags: flagTable(
    `
  -a, --all             Show all images (default hides intermediate images)
      --digests         Show digests
  -f, --filter filter   Filter output based on conditions provided
${listFormatFlag}
      --no-trunc        Don't truncate output
  -q, --quiet           Only show image IDs
      --tree            List multi-platform images as a tree (EXPERIMENTAL)`,
    { refused: { tree: 'an image here is of one platform' } },
  ),
  completes: 'image',
  async run({ io, flags, args, engine }) {
    const asked = filters(flags.list('filter'));
    const [pattern] = args;
    if (pattern === '') fail('invalid', 'cli.reference', 'invalid reference format');
    const reference = pattern === undefined ? {} : { reference: [...(asked['reference'] ?? []), pattern] };
    const list = await engine.images.list({ all: flags.bool('all'), filters: { ...asked, ...reference } });
    const format = quietFormat(flags) || (await clientConfig(io)).imagesFormat;
    const digests = flags.bool('digests') || format.includes('{{.Digest}}');
    const now = Date.now() / 1000;
    const truncate = !flags.bool('no-trunc');
    await io.stdout.write(
      renderListing({
        format,
        tableFormat: flags.bool('digests') ? digestFormat : tableFormat,
        rawFormat: rawFormat(flags.bool('digests')),
        complaints: ['template parsing error', 'template parsing error'],
        headers,
        rows: list.flatMap((image) =>
          namesOf(image, { digests, shown: flags.bool('digests') }).map((name) =>
            imageRow(image, name, { now, truncate }),
          ),
        ),
      }),
    );
    return 0;
  },
};

/** -q stands for a template of its own, unless there is one already. */
function quietFormat(flags: FlagValues): string {
  const format = flags.string('format');
  if (!flags.bool('quiet')) return format;
  if (format === 'raw') return 'image_id: {{.ID}}';
  return format === '' || format === 'table' ? '{{.ID}}' : format;
}

function rawFormat(digests: boolean): string {
  return `repository: {{ .Repository }}
tag: {{.Tag}}
${digests ? 'digest: {{.Digest}}\n' : ''}image_id: {{.ID}}
created_at: {{.CreatedAt}}
virtual_size: {{.Size}}
`;
}

interface Name {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/** `shown`: the digest has a column of its own. A row for each tag; with digests, one for each digest of the tag's repository; names without a tag come last. */
function namesOf(
  image: ImageSummary,
  { digests, shown }: { readonly digests: boolean; readonly shown: boolean },
): readonly Name[] {
  const none = '<none>';
  const tags = image.RepoTags.filter((tag) => tag !== '<none>:<none>').map((name) => cut(name, name.lastIndexOf(':')));
  const known = image.RepoDigests.filter((name) => !name.startsWith(none)).map((name) => cut(name, name.indexOf('@')));
  const rows = tags.flatMap(([repository, tag]): readonly Name[] => {
    const own = digests ? known.filter(([name]) => name === repository) : [];
    if (own.length === 0) return [{ repository, tag, digest: none }];
    return own.map(([, digest]) => ({ repository, tag, digest }));
  });
  const untagged = known.filter(([name]) => !tags.some(([repository]) => repository === name));
  const rest = untagged.map(([repository, digest]) => ({ repository, tag: none, digest: shown ? digest : '' }));
  const all = [...rows, ...rest];
  return all.length > 0 ? all : [{ repository: none, tag: none, digest: none }];
}

function cut(text: string, at: number): readonly [string, string] {
  return [text.slice(0, at), text.slice(at + 1)];
}

export function imageRow(
  image: ImageSummary,
  { repository, tag, digest }: Name,
  { now, truncate }: { readonly now: number; readonly truncate: boolean },
): Readonly<Record<string, unknown>> {
  const size = humanSize(image.Size, 3);
  const shared = image.SharedSize < 0 ? 'N/A' : humanSize(image.SharedSize, 4);
  return {
    [goType]: '*formatter.imageContext',
    Containers: image.Containers < 0 ? 'N/A' : String(image.Containers),
    CreatedAt: localTime(image.Created),
    CreatedSince: image.Created <= 0 ? '' : `${humanDuration(now - image.Created)} ago`,
    Digest: digest,
    ID: truncate ? shortId(image.Id) : image.Id,
    Repository: repository,
    SharedSize: shared,
    Size: size,
    Tag: tag,
    UniqueSize: image.SharedSize < 0 ? 'N/A' : humanSize(image.Size - image.SharedSize, 4),
    VirtualSize: humanSize(image.Size),
  };
}
