// The help of --format, which several commands share word for word.

const column = ' '.repeat(24);
const tail = `${column}'TEMPLATE':         Print output using the given Go template.
${column}Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates`;

/** For commands that print lists. */
export const listFormatFlag = `      --format string   Format output using a custom template:
${column}'table':            Print output in table format with column headers (default)
${column}'table TEMPLATE':   Print output in table format using the given Go template
${column}'json':             Print in JSON format
${tail}`;

/** For commands that print one document. */
export const documentFormatFlag = `  -f, --format string   Format output using a custom template:
${column}'json':             Print in JSON format
${tail}`;
