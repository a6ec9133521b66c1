// hoist completion SHELL prints a script; the script asks the hidden `hoist __complete -- WORD…` for every word.
// The answer is one candidate a line, `word<TAB>help`, and a last line `:files` or `:end`: whether file names may follow.

import type { Command } from '../../command.ts';
import { completions } from '../../complete.ts';
import { flagTable } from '../../flags.ts';

const bash = `# bash completion for hoist: source <(hoist completion bash)
_hoist() {
  local words=() word glue="" line last="" cur head candidates=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do # bash cuts words at : and =
    if [[ \${#words[@]} -gt 0 && ( $word == [:=]* || -n $glue ) ]]; then words[-1]+=$word; else words+=("$word"); fi
    if [[ $word == *[:=] ]]; then glue=1; else glue=""; fi
  done
  cur="\${words[-1]}"
  head="\${cur%"\${cur##*[:=]}"}"
  while IFS= read -r line; do
    if [[ $line == :* ]]; then last=$line; else candidates+=("\${line%%$'\\t'*}"); fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)
  COMPREPLY=("\${candidates[@]#"$head"}")
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[:=] ]]; then compopt -o nospace 2>/dev/null; fi
  if [[ $last == :files && \${#COMPREPLY[@]} -eq 0 ]]; then compopt -o default 2>/dev/null; fi
}
complete -F _hoist hoist
`;

const zsh = `#compdef hoist
# zsh completion for hoist: hoist completion zsh > "\${fpath[1]}/_hoist"
_hoist() {
  local line last="" candidates=()
  while IFS= read -r line; do
    if [[ $line == :* ]]; then last=$line
    elif [[ $line == *$'\\t'* ]]; then candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    else candidates+=("\${line//:/\\\\:}"); fi
  done < <(hoist __complete -- "\${(@)words[2,$CURRENT]}" 2>/dev/null)
  (( \${#candidates} )) && _describe 'hoist' candidates && return
  [[ $last == :files ]] && _files
}
compdef _hoist hoist
`;

const fish = `# fish completion for hoist: hoist completion fish > ~/.config/fish/completions/hoist.fish
function __hoist_complete
  set -l words (commandline -opc) (commandline -ct)
  hoist __complete -- $words[2..-1] 2>/dev/null | string match -v ':*'
end
function __hoist_files
  set -l words (commandline -opc) (commandline -ct)
  test (hoist __complete -- $words[2..-1] 2>/dev/null | string match ':files')
end
complete -c hoist -f -a '(__hoist_complete)'
complete -c hoist -F -n '__hoist_files'
`;

function script(shell: string, text: string): Command {
  return {
    names: [['completion', shell]],
    summary: `Generate the autocompletion script for ${shell}`,
    description: `Generate the autocompletion script for the ${shell} shell.`,
    usage: '',
    args: { min: 0, max: 0 },
    flags: flagTable(`
      --no-descriptions   disable completion descriptions`),
    async run({ io, flags }) {
      const plain = flags.bool('no-descriptions');
      await io.stdout.write(plain ? text.replaceAll('__complete --', '__complete --no-descriptions --') : text);
      return 0;
    },
  };
}

const complete: Command = {
  names: [['__complete']],
  summary: 'Answer a completion script',
  usage: '[WORD...]',
  args: { min: 0 },
  flags: flagTable(`
      --no-descriptions   disable completion descriptions`),
  stopAtFirstArg: true,
  hidden: true,
  async run({ io, args, flags, commands, engine }) {
    const lines = await completions(args, commands, { engine, io });
    const shown = flags.bool('no-descriptions') ? lines.map((line) => line.split('\t', 1)[0]) : lines;
    await io.stdout.write(shown.map((line) => `${line}\n`).join(''));
    return 0;
  },
};

export const completion: readonly Command[] = [
  script('bash', bash),
  script('fish', fish),
  script('zsh', zsh),
  complete,
];
