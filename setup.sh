#!/usr/bin/env bash
# Makes a checkout ready to run: system packages (Debian, as root), npm packages, the kernel-side object.
# usage: ./setup.sh [--tests]    --tests adds what only the tests need (curl, TLS clients, Python SDKs in .cache/venv)
# Does only what is missing, and says what it does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
tests=false
for argument in "$@"; do
  case $argument in
  --tests) tests=true ;;
  *) sed -n 2,4p "$0"; exit 2 ;;
  esac
done

say() { echo "setup: $*"; }
stop() { echo "setup: $1" >&2; echo "setup: $2" >&2; exit 1; }

[[ $(uname -s) = Linux ]] || stop "Undersight watches Linux kernels only; this is $(uname -s)." "Run it on Linux 5.17 or newer."
command -v npm >/dev/null || stop "npm is missing." "Install Node.js with npm: apt-get install nodejs npm"

# --- system packages: each test names a fact, not a package, so that other distributions pass too
packages=()
has_library() { [[ -n $(find /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib -maxdepth 2 -name "$1" -print -quit 2>/dev/null) ]]; }
command -v clang >/dev/null || packages+=(clang)
[[ -e /usr/include/bpf/bpf_helpers.h ]] || packages+=(libbpf-dev)
[[ -e /usr/include/linux/bpf.h ]] || packages+=(linux-libc-dev)
has_library 'libbpf.so.1' || packages+=(libbpf1)
has_library 'libelf.so.1' || packages+=(libelf1)
command -v openssl >/dev/null || packages+=(openssl)
if $tests; then
  command -v curl >/dev/null || packages+=(curl)
  command -v gnutls-cli >/dev/null || packages+=(gnutls-bin)
  command -v tstclnt >/dev/null || packages+=(libnss3-tools)
  python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
fi
if ((${#packages[@]} > 0)); then
  command -v apt-get >/dev/null || stop "missing: ${packages[*]} (Debian's names)." "Install them with this system's package manager, then run this again."
  [[ $(id -u) = 0 ]] || stop "missing system packages: ${packages[*]}" "Run: sudo apt-get install --no-install-recommends ${packages[*]}"
  say "installing ${packages[*]}"
  log=$(mktemp)
  install_packages() { DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" </dev/null >"$log" 2>&1; }
  install_packages || { apt-get update -qq </dev/null >"$log" 2>&1 && install_packages; } || { tail -20 "$log" >&2; rm -f "$log"; exit 1; }
  rm -f "$log"
fi

# --- npm packages (`npm ci` is no choice: it fails where a registry lacks another platform's optional package)
mkdir -p .cache
lock=$(sha256sum package.json package-lock.json | sha256sum)
if [[ ! -x node_modules/.bin/node || $(cat .cache/npm.sha256 2>/dev/null) != "$lock" ]]; then
  say "installing npm packages"
  npm install --no-save --no-audit --no-fund --no-update-notifier --loglevel=error </dev/null
  echo "$lock" >.cache/npm.sha256
fi
node=$PWD/node_modules/.bin/node
"$node" --version >/dev/null 2>&1 || stop "the Node.js in node_modules does not run on this machine." "Remove node_modules and run this again."

# --- the kernel side
[[ -e bpf/undersight.bpf.o ]] || say "building the kernel side"
"$node" bpf/build.ts </dev/null

# --- Python SDKs for the end-to-end tests
if $tests; then
  pins=$(sha256sum test/e2e/agents/requirements.txt)
  if [[ $(cat .cache/venv/pins.sha256 2>/dev/null) != "$pins" ]]; then
    say "installing the Python SDKs into .cache/venv"
    python3 -m venv --clear .cache/venv
    .cache/venv/bin/pip install --quiet --disable-pip-version-check -r test/e2e/agents/requirements.txt </dev/null
    echo "$pins" >.cache/venv/pins.sha256
  fi
fi
say "ready"
