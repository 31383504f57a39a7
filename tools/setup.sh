#!/bin/sh
# Installs what is missing, and nothing else, to run Pyruse out of this tree:
#
#   tools/setup.sh run     system packages that the build needs; .venv with Pyruse in it (editable)
#   tools/setup.sh test    also tox, and the daemons and tools that the tests run for real
#   tools/setup.sh dev     also pytest, ruff, mypy, … in .venv, for editors and for quick runs by hand
#
# What is there is found by trying it, not by asking a package manager: so this works on every
# distribution, and only the installation itself needs apt-get (Debian, Ubuntu). It may be called again
# at any time.
#
#   PYTHON=/path/to/python   the interpreter to use, instead of the first one from 3.11 on that is found
#   PYRUSE_REAL_PARTS=optional   do without the daemons for the tests where they cannot be installed
set -eu

cd "$(dirname "$0")/.."
level=${1:-run}
venv=.venv

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Administrators' tools (nft, ipset, ip) are not on everybody's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

case $level in
  run | test | dev) ;;
  *) die "unknown level \"$level\" (expected run, test or dev)" ;;
esac

# --- What is missing? Each is a Debian package, a test whether we have it, and its name in plain words.

missing=''    # Debian packages
in_words=''   # the same for people with another distribution

need() { # PACKAGE WORDS TEST...
  package=$1 words=$2
  shift 2
  "$@" >/dev/null 2>&1 && return
  missing="$missing $package"
  in_words="$in_words
  - $words"
}

find_python() {
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    # The interpreter's own path: a version manager's stand-in may answer otherwise next time.
    found=$("$candidate" -c 'import sys
print(sys.executable)
sys.exit(sys.version_info < (3, 11))') && return
  done
  found=''
  return 1
}

has_headers() {
  "$found" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
}

find_missing_for_run() {
  missing='' in_words=''
  need python3 "Python 3.11 or newer" find_python
  need python3-venv "Python's modules venv and ensurepip" "${found:-false}" -c 'import venv, ensurepip'
  need python3-dev "Python's C headers" has_headers
  need gcc "a C compiler by the name of gcc" has gcc
  need libc6-dev "the headers of the C library" test -e /usr/include/stdio.h
  need pkg-config "pkg-config" has pkg-config
  need libsystemd-dev "libsystemd with its headers (elsewhere: systemd-devel, systemd-libs)" \
    pkg-config --exists libsystemd
}

systemd_has() { test -x "/usr/lib/systemd/$1" || test -x "/lib/systemd/$1"; }

has_postgresql() { has postgres || ls /usr/lib/postgresql/*/bin/postgres; }

has_browser() { has chromium || has chromium-browser || has google-chrome || has google-chrome-stable; }

find_missing_for_test() {
  missing='' in_words=''
  need systemd "systemd's journald and journalctl" systemd_has systemd-journald
  need systemd-journal-remote "systemd-journal-remote, which writes journal files" \
    systemd_has systemd-journal-remote
  need nftables "nftables (nft)" has nft
  need ipset "ipset" has ipset
  need iptables "iptables, which asks the sets of ipset" has iptables
  need iproute2 "iproute2 (ip)" has ip
  need util-linux "util-linux (unshare, nsenter)" has unshare
  need "openssh-server openssh-client" "OpenSSH's server and client" has sshd
  need sudo "sudo" has sudo
  need curl "curl" has curl
  need gpg "GnuPG (gpg)" has gpg
  need gpg-agent "its agent, for the keys of tests" has gpg-agent
  need procps "procps (sysctl)" has sysctl
  need "chromium fonts-dejavu-core" "Chromium, which shows the report, and a font" has_browser
  need fail2ban "fail2ban, whose bans can be taken over" has fail2ban-server
  # Debian's fail2ban only recommends it, and reads no journal without.
  need python3-systemd "the module systemd for the Python that fail2ban runs with" \
    /usr/bin/python3 -c 'import systemd.journal'
  need postgresql "PostgreSQL, over which a fleet shares its bans" has_postgresql
  need valgrind "valgrind, which counts what the part in C costs" has valgrind
  need groff-base "groff, which shows man pages" has groff
  need tzdata "the time zone database" test -e /usr/share/zoneinfo/Europe/Paris
}

# Servers are unpacked beside the machine's own programs: installed, those of mail would take the
# others' place, and each would be at work.
unpacked='postfix dovecot-imapd exim4-daemon-light nginx-light apache2 bind9 haproxy lighttpd caddy
  dropbear-bin vsftpd proftpd-core pure-ftpd mariadb-server-core postgresql redis-server squid openvpn
  slapd samba unbound rsync'

# --- Installing it.

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt() {
  # No recommended packages: a machine for tests needs no more than it was asked for.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

known_to_apt() {
  for package; do
    apt-cache show "$package" >/dev/null 2>&1 || return 1
  done
}

cannot_install() { # WHY [HOW]
  say "$1. Please install${2:+ ($2)}:$in_words"
  return 1
}

install_missing() {
  [ -n "$missing" ] || return 0
  has apt-get || { cannot_install "this system has no apt-get"; return; }
  [ "$(id -u)" = 0 ] || has sudo || {
    cannot_install "installing needs root, and there is no sudo" "as root: apt-get install$missing"
    return
  }
  say "installing with apt-get:$missing"
  # shellcheck disable=SC2086  # $missing is a list of words
  {
    # Package lists may be absent (a new container) or older than the mirror.
    known_to_apt $missing || apt -qq update
    apt -qq install $missing || { apt -qq update && apt -qq install $missing; }
    # Tests want its programs. Nothing is to begin to ban on a developer's machine.
    case " $missing " in *" fail2ban "*)
      as_root systemctl disable --now fail2ban 2>/dev/null || true ;;
    esac
    # The same of the database server that Debian makes; tests make their own.
    case " $missing " in *" postgresql "*)
      as_root systemctl disable --now postgresql 2>/dev/null || true ;;
    esac
  } </dev/null >&2
}

unpack() { # PACKAGE
  [ ! -e "$venv/unpacked/$1" ] || return 0
  has apt-get || { say "this system has no apt-get: $1 is not unpacked"; return 1; }
  say "unpacking $1"
  archives=$(mktemp -d)
  chmod 755 "$archives"  # apt fetches as a user of its own
  mkdir "$archives/partial"
  fetch="-o Dir::Cache::archives=$archives --reinstall --download-only install $1"
  # shellcheck disable=SC2086  # a list of words
  {
    known_to_apt "$1" || apt -qq update
    apt -qq $fetch || { apt -qq update && apt -qq $fetch; }
  } </dev/null >&2 || { rm -rf "$archives"; return 1; }
  rm -rf "$venv/unpacked/.new"
  mkdir -p "$venv/unpacked/.new"
  for archive in "$archives"/*.deb; do
    dpkg-deb -x "$archive" "$venv/unpacked/.new" || return 1
  done
  rm -rf "$archives"
  # Some still have files in /lib, which is in /usr by now.
  for folder in bin lib sbin; do
    [ ! -d "$venv/unpacked/.new/$folder" ] || {
      mkdir -p "$venv/unpacked/.new/usr/$folder"
      cp -a "$venv/unpacked/.new/$folder/." "$venv/unpacked/.new/usr/$folder/"
      rm -rf "$venv/unpacked/.new/${folder:?}"
    }
  done
  mv "$venv/unpacked/.new" "$venv/unpacked/$1"
}

[ -z "${PYTHON:-}" ] || find_python 2>/dev/null || die "PYTHON=$PYTHON is no Python 3.11 or newer"
find_missing_for_run
install_missing || exit 1
find_missing_for_run
[ -z "$missing" ] || die "still missing${found:+ for $found}:$in_words
If you have another Python (3.11 or newer), name it: PYTHON=/path/to/python make …"

if [ "$level" != run ]; then
  find_missing_for_test
  if ! install_missing; then
    [ "${PYRUSE_REAL_PARTS:-}" = optional ] || die "(PYRUSE_REAL_PARTS=optional does without)"
    say "going on without: tests that need them will be skipped"
  fi
fi

# --- The virtual environment.

# A distribution's upgrade of Python may have taken the old one's interpreter away.
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  say "creating $venv with $found ($("$found" -V))"
  rm -rf "$venv"
  "$found" -m venv "$venv"
fi

pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

case $level in
  run) set -- ;;
  test) set -- --group tox ;;
  dev) set -- --group dev ;;
esac
if [ "$level" = dev ]; then project=".[testing]"; else project=.; fi

say "installing Pyruse in $venv ($level)"
# Dependency groups came with pip 25.1.
pip install --upgrade "pip>=25.1"
pip install --editable "$project" "$@"

if [ "$level" != run ]; then
  for package in $unpacked; do
    unpack "$package" || {
      say "$package could not be unpacked"
      [ "${PYRUSE_REAL_PARTS:-}" = optional ] || die "(PYRUSE_REAL_PARTS=optional does without)"
    }
  done
fi

# The Makefile compares these with what they depend on; `dev` and `test` include `run`.
touch "$venv/.ready-run"
[ "$level" = run ] || touch "$venv/.ready-test"
[ "$level" != dev ] || touch "$venv/.ready-dev"
