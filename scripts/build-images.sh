#!/usr/bin/env bash
# The sample services of the labs as container images, built without a container engine: compiles a
# static rollout-lab, which then packs itself.
set -euo pipefail

usage() {
  cat <<USAGE
usage: $0 [--output FILE]

Builds the labs' images into one archive, target/rollout-lab/images.tar of this repository unless
--output names another. The first time it compiles for some minutes.

Needs Linux, cargo, and a C library to link statically (Debian: libc6-dev, Fedora: glibc-static).
USAGE
}

root=$(cd "$(dirname "$0")/.." && pwd)
output=$root/target/rollout-lab/images.tar
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --output=?*) output=${1#*=} ;;
    --output)
      [ -n "${2:-}" ] || { usage >&2; exit 2; }
      output=$2
      shift
      ;;
    *)
      echo "$0: unknown argument: $1" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done

if [ "$(uname -s)" != Linux ]; then
  echo "$0: images hold programs for Linux, and this is $(uname -s); run it on Linux, such as in a" \
    "virtual machine or in a container with Rust" >&2
  exit 1
fi
if ! command -v cargo >/dev/null 2>&1; then
  echo "$0: cargo is not on PATH; get Rust from https://rustup.rs/" >&2
  exit 1
fi

target=$(rustc -vV | sed -n 's/^host: //p')
[ "$output" != "$root/target/rollout-lab/images.tar" ] || mkdir -p "$(dirname "$output")"
# With a target, the flags are for the program alone and not for what builds it.
RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static" exec cargo run --profile image \
  --target "$target" --manifest-path "$root/Cargo.toml" --bin rollout-lab -- \
  images build --output "$output"
