#!/bin/sh
# One worker, as `python worker.py` was; all options of `message-broker-worker worker` can be given:
#   scripts/launchers/start_worker.sh --worker-id worker-1 --metrics-port 9100
# Settings of ../.env count where neither a flag nor the environment says otherwise.
set -eu
cd "$(dirname "$0")/../.."
if [ ! -f dist/supervisor/cli.js ]; then
  echo "dist/ is missing: run \"npm ci && npm run build\" in $(pwd) first." >&2
  exit 1
fi
if [ -f ../.env ]; then
  exec node --env-file=../.env dist/supervisor/cli.js worker "$@"
fi
exec node dist/supervisor/cli.js worker "$@"
