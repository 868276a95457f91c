#!/usr/bin/env bash
# The tutorial's monitor: pod status, responses, and a line when both versions answered.
# Ctrl+C stops it at any time.
#
#   scripts/test-rolling-update.sh CONTEXT [more options of: rollout-lab monitor]
set -euo pipefail

if [ $# -lt 1 ]; then
  echo "usage: $0 CONTEXT [options]   (kubectl config get-contexts lists the contexts)" >&2
  exit 2
fi
context=$1
shift

if command -v rollout-lab >/dev/null 2>&1; then
  exec rollout-lab monitor --context "$context" "$@"
fi
cd "$(dirname "$0")/.."
exec cargo run --quiet -- monitor --context "$context" "$@"
