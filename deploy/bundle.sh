#!/bin/sh
# Puts Pyruse with all that it needs into an environment of its own, for packages of distributions
# and for `make install`:
#
#   deploy/bundle.sh ROOT PLACE PLUGINS
#
#   ROOT      the folder that stands for / while a package is made; "" is this machine itself
#   PLACE     where the environment will be, such as /usr/lib/pyruse
#   PLUGINS   the environment that `pyruse install` will make for plugins beside it, which no
#             upgrade touches, such as /usr/local/lib/pyruse-plugins
#
#   PYTHON    the interpreter that runs it, on the machine where it will be installed, too
#             (default: /usr/bin/python3)
#   WHEEL     a wheel of Pyruse (default: it is made from this tree)
#   MORE      more wheels or folders that come along, such as compiled parts; they need nothing else
#
# Downloads what requirements.txt pins, as pip is configured; nothing is fetched when the package is
# installed. systemd-python is compiled: that needs a C compiler, and Python's and libsystemd's headers.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
root=$1 place=$2 plugins=$3
python=${PYTHON:-/usr/bin/python3}
target=$root$place.new

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "$python: is no Python 3.11 or newer (expected one: PYTHON=/path/to/python)" >&2
  exit 1
}
rm -rf "$target"
# Debian's Python installs into "local" otherwise, where an environment of its own has no such folder.
unset DEB_PYTHON_INSTALL_LAYOUT
# Modules are compiled where they are installed, for the Python that is there.
export PYTHONDONTWRITEBYTECODE=1
"$python" -m venv "$target"
pip() { "$target/bin/python" -m pip --disable-pip-version-check --quiet --no-input "$@"; }
pip install --no-compile --use-pep517 --require-hashes --requirement "$top/deploy/requirements.txt"
pip install --no-compile --no-deps "${WHEEL:-$top}"
# shellcheck disable=SC2086  # a list of words
[ -z "${MORE:-}" ] || pip install --no-compile --no-deps $MORE
# It was for pip alone, and packages for another Python might still be found by it.
pip uninstall --yes setuptools 2>/dev/null

# No script but Pyruse's own. It and pyvenv.cfg name the place where they will be.
find "$target/bin" -mindepth 1 ! -name 'python*' ! -name pyruse -delete
rm -rf "$target/include" "$target/share" "$target/.gitignore"
find "$target" -path '*/pip/_vendor/*' -name '*.exe' -delete
sed -i "1s|$target|$place|" "$target/bin/pyruse"
sed -i "s|$target|$place|; /^command = /d" "$target/pyvenv.cfg"
packages=$(cd "$target" && echo lib/python3.*/site-packages)
# Where it was built is nobody's concern; what is in place belongs to the package, not to pip.
rm -f "$target/$packages"/pyruse-*.dist-info/direct_url.json
# Python looks there, too, when it is there: what Pyruse brings with it comes first (site(7)).
echo "$plugins/$packages" >"$target/$packages/pyruse-plugins.pth"

# What is there works until the new one is whole.
find "$target" -name __pycache__ -type d -prune -exec rm -rf {} +
rm -rf "$root$place"
mv "$target" "$root$place"
[ -n "$root" ] || PYTHONDONTWRITEBYTECODE='' "$place/bin/python" -m compileall -q "$place/lib" >/dev/null || true
