# Sourced by tests/run.sh and apps/demo.sh: what a bare Debian 12 lacks is installed, and the
# project is configured and built. Nothing here runs by being sourced.
# shellcheck shell=bash

# What each purpose needs; apt is only asked for what dpkg does not have yet.
TSM_BUILD_PACKAGES=(g++ cmake ninja-build ccache libcurl4-openssl-dev libssl-dev nlohmann-json3-dev
  libcli11-dev libspdlog-dev libsqlite3-dev libpugixml-dev libcpp-httplib-dev zlib1g-dev)
TSM_TEST_PACKAGES=(libgtest-dev libgmock-dev openssl python3 python3-venv chromium)
TSM_LINT_PACKAGES=(clang-format clang-tidy)
TSM_DEMO_PACKAGES=(curl jq)

say() { printf '\n== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -E "$@"; fi
}

# install_missing PACKAGE...: installs those that dpkg does not know as installed.
install_missing() {
  local package missing=()
  for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      missing+=("$package")
    fi
  done
  [ "${#missing[@]}" -eq 0 ] && return 0
  command -v apt-get >/dev/null || die "missing ${missing[*]}, and there is no apt-get to install them"
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || die "missing ${missing[*]}: run as root or install sudo"
  say "Installing: ${missing[*]}"
  # A list of packages that is absent or too old is the usual reason for a failure: update, once more.
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
    -o Dpkg::Use-Pty=0 "${missing[@]}")
  local log
  log=$(mktemp)
  if ! as_root "${install[@]}" >"$log" 2>&1; then
    if ! { as_root apt-get update -qq && as_root "${install[@]}"; } >"$log" 2>&1; then
      cat "$log" >&2
      rm -f "$log"
      die "apt-get could not install: ${missing[*]}"
    fi
  fi
  rm -f "$log"
}

# configure_and_build PRESET [cmake -D...] [-- TARGET...]: into build/<preset>, Ninja and ccache.
configure_and_build() {
  local preset=$1 definitions=() log
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    definitions+=("$1")
    shift
  done
  [ $# -gt 0 ] && shift
  mkdir -p build
  # Paths below the checkout count as relative, so that another clone finds what this one compiled.
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  log=build/configure-$preset.log
  if ! cmake --preset "$preset" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "${definitions[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    die "cmake could not configure build/$preset"
  fi
  cmake --build "build/$preset" ${*:+--target "$@"}
}

# The caller's own AWS settings must not steer a run against the local stand-in.
forget_caller_aws() {
  local name
  for name in $(compgen -e | grep '^AWS_' || true); do unset "$name"; done
  export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
}
