// A reporter for node --test: the counts on the first line, then one line per failure and per skipped test with its reason.
// tools/test.sh reads it back for its closing lines.
// biome-ignore lint/style/noDefaultExport: what --test-reporter asks for
export default async function* summary(events) {
  const count = { pass: 0, fail: 0, skip: 0 };
  const lines = [];
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const suite = data.details?.type === 'suite';
    const skipped = data.skip !== undefined && data.skip !== false;
    // a suite counts by its tests; one that was skipped as a whole, or failed by itself, is all that there is to say
    const failedItself = type === 'test:fail' && data.details?.error?.failureType !== 'subtestsFailed';
    if (suite && !skipped && !failedItself) continue;
    const where = data.file ? `${data.name} (${data.file.replace(`${process.cwd()}/`, '')})` : data.name;
    if (skipped) {
      count.skip++;
      lines.push(`skipped\t${typeof data.skip === 'string' ? data.skip : 'no reason given'}\t${where}`);
    } else if (type === 'test:pass') count.pass++;
    else if (failedItself) {
      count.fail++;
      lines.push(
        `failed\t${String(data.details?.error?.cause?.message ?? data.details?.error?.message ?? '').split('\n')[0]}\t${where}`,
      );
    }
  }
  yield `${count.pass}\t${count.fail}\t${count.skip}\n`;
  for (const line of lines) yield `${line}\n`;
}
