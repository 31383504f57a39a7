"""``pyruse completion``."""

from __future__ import annotations

from pathlib import Path

import click

from pyruse.cli.stdout import echo

_BASH = r"""# Completion of pyruse for bash, made by: pyruse completion bash
_pyruse() {
    local line="${COMP_LINE:0:COMP_POINT}" word="${COMP_WORDS[COMP_CWORD]}" typed before reply value
    local IFS=$'\n'
    # For bash, ":" and "=" end a word: what of the word stands before them is not to be repeated.
    [[ $word == [:=] ]] && word=""
    typed="${line##*[[:space:]]}"
    before="${typed%"$word"}"
    COMPREPLY=()
    for reply in $("$1" completion --line "$line" 2>/dev/null); do
        value="${reply%%$'\t'*}"
        case "$value" in
            :files) compopt -o default ;;
            :folders) compopt -o dirnames ;;
            *)
                [[ $value == *= ]] && compopt -o nospace
                printf -v value %q "$value"
                COMPREPLY+=("${value#"$before"}")
                ;;
        esac
    done
}
complete -F _pyruse pyruse
"""

_ZSH = r"""#compdef pyruse
# Completion of pyruse for zsh, made by: pyruse completion zsh
_pyruse() {
    local line="${(j: :)words[1,CURRENT-1]} $PREFIX" reply value
    local -a values texts fields
    for reply in "${(@f)$(command $words[1] completion --line "$line" 2>/dev/null)}"; do
        value="${reply%%$'\t'*}"
        case "$value" in
            '') ;;
            :files) _files ;;
            :folders) _files -/ ;;
            *=) fields+=("$value") ;;
            *)
                values+=("$value")
                if [[ "$reply" == *$'\t'* ]]; then
                    texts+=("${(r:24:)value}  ${reply#*$'\t'}")
                else
                    texts+=("$value")
                fi
                ;;
        esac
    done
    (( $#fields )) && compadd -S '' -a fields
    (( $#values )) && compadd -l -d texts -a values
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _pyruse "$@"
else
    compdef _pyruse pyruse
fi
"""

_FISH = r"""# Completion of pyruse for fish, made by: pyruse completion fish
function __pyruse_complete
    for reply in (pyruse completion --line (commandline -cp | string collect) 2>/dev/null)
        switch $reply
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':folders'
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $reply
        end
    end
end
complete --no-files --command pyruse --arguments '(__pyruse_complete)'
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
_LONGEST = 60


@click.command("completion")
@click.argument("shell", required=False, type=click.Choice(list(_SCRIPTS)))
@click.option("--line", hidden=True, help="Complete a command line: for the scripts.")
def command(shell: str | None, line: str | None) -> None:
    """Print the script by which a shell completes pyruse's commands.

    Values are completed, too: banned addresses, labels, days, kinds, plugins, rules, units, fields.
    Packages install the scripts; else:

    \b
    pyruse completion bash > /etc/bash_completion.d/pyruse
    pyruse completion zsh > /usr/local/share/zsh/site-functions/_pyruse
    pyruse completion fish > /etc/fish/completions/pyruse.fish
    """  # noqa: D301 -- click takes this one character for "as it stands"
    if line is not None:
        _complete(line)
    elif shell is not None:
        echo(_SCRIPTS[shell], nl=False)
    else:
        raise click.UsageError("expected a shell: bash, zsh or fish")


def _complete(line: str) -> None:
    """Print what may stand at the end of a line: a value, and its help behind a tab."""
    from click.shell_completion import ShellComplete, split_arg_string

    from pyruse.cli import program
    from pyruse.text import one_line

    words = split_arg_string(line)
    while words and Path(words[0]).name != "pyruse":  # sudo, or a variable
        words.pop(0)
    incomplete = "" if line[-1:].isspace() or len(words) < 2 else words.pop()
    try:
        items = ShellComplete(program(), {}, "pyruse", "").get_completions(words[1:], incomplete)
    except Exception:  # noqa: BLE001 -- somebody is typing
        return
    for item in items:
        if item.type in ("file", "dir"):
            echo(":files" if item.type == "file" else ":folders")
        else:
            text = one_line(item.help or "")
            text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
            echo(f"{item.value}\t{text}" if text else str(item.value))
