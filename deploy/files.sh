#!/bin/sh
# Puts in place what is not Python: the command, the unit with its user and folders, man pages,
# completions, documentation.
#
#   deploy/files.sh ROOT PREFIX            puts it in place
#   deploy/files.sh ROOT PREFIX --remove   takes it away again
#
#   ROOT      the folder that stands for / while a package is made; "" is this machine itself
#   PREFIX    /usr in packages, /usr/local without one; PREFIX/lib/pyruse is there already
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
root=$1 prefix=$2 mode=${3:-}
export PYTHONDONTWRITEBYTECODE=1
share=$root$prefix/share
units=$root$prefix/lib/systemd/system

put() { # FILE TARGET
  if [ "$mode" = --remove ]; then
    rm -f "$2"
  else
    mkdir -p "$(dirname "$2")"
    install -m 644 "$1" "$2"
  fi
}

complete() { # SHELL TARGET
  if [ "$mode" = --remove ]; then
    rm -f "$2"
  else
    mkdir -p "$(dirname "$2")"
    # Where a package is made, Pyruse is not yet where its script says that it is.
    "$root$prefix/lib/pyruse/bin/python" -m pyruse completion "$1" >"$2"
  fi
}

put "$top/deploy/pyruse.service" "$units/pyruse.service"
put "$top/deploy/pyruse.sysusers" "$root$prefix/lib/sysusers.d/pyruse.conf"
put "$top/deploy/pyruse.tmpfiles" "$root$prefix/lib/tmpfiles.d/pyruse.conf"
for page in "$top"/deploy/man/*.[1-8]; do
  put "$page" "$share/man/man${page##*.}/${page##*/}"
done
for page in "$top"/README.md "$top"/docs/*.md "$top"/docs/rules/*.md; do
  put "$page" "$share/doc/pyruse/${page#"$top/"}"
done
put "$top/deploy/sbom.cdx.json" "$share/doc/pyruse/sbom.cdx.json"
for example in "$top"/deploy/examples/*.toml "$top"/deploy/sendmail.conf "$top"/deploy/ipset.conf; do
  put "$example" "$share/doc/pyruse/examples/${example##*/}"
done
complete bash "$share/bash-completion/completions/pyruse"
# Debian keeps those of packages apart.
zsh=site-functions
[ "$prefix" != /usr ] || zsh=vendor-completions
complete zsh "$share/zsh/$zsh/_pyruse"
complete fish "$share/fish/vendor_completions.d/pyruse.fish"

mkdir -p "$root$prefix/bin"
if [ "$mode" = --remove ]; then
  rm -f "$root$prefix/bin/pyruse"
  rm -rf "$share/doc/pyruse"
else
  sed -i "s|/usr/bin/pyruse|$prefix/bin/pyruse|" "$units/pyruse.service"
  ln -sf ../lib/pyruse/bin/pyruse "$root$prefix/bin/pyruse"
fi
