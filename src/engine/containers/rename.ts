// rename: another name, taken at once or not at all.

import { fail } from '../../base/errors.ts';
import { checkName } from './create.ts';
import { type ContainerPool, inTurn, type Live } from './deps.ts';
import { saveRecord } from './record.ts';
import { tell } from './tell.ts';

export function renameContainer(pool: ContainerPool, live: Live, asked: string): Promise<void> {
  return inTurn(live, async () => {
    const name = asked.replace(/^\//, '');
    const { record } = live;
    if (name === '') fail('invalid', 'container.name_empty', 'Neither old nor new names may be empty');
    if (name === record.name)
      fail('invalid', 'container.name_same', 'Renaming a container with the same name as its current name');
    checkName(pool, name, 'Error when allocating new name: ');
    pool.names.set(name, record.id);
    const renamed = { ...record, name };
    try {
      saveRecord(pool.deps.paths, renamed);
    } catch (error) {
      pool.names.delete(name);
      throw error;
    }
    live.record = renamed;
    pool.names.delete(record.name);
    tell(pool, renamed, 'rename', { oldName: `/${record.name}` });
  });
}
