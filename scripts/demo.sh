#!/bin/bash
# Applies the quickstart, queries what it serves, and says how to look around and how to take it down.
# usage: scripts/demo.sh DIRECTORY-OF-THE-PROGRAMS
set -euo pipefail

programs=$(cd "$1" && pwd)
mlinfra=$programs/mlinfra
cd "$(dirname "$0")/../examples/quickstart"

echo "── Applying examples/quickstart ──────────────────────────────────────────────"
"$mlinfra" apply -auto-approve

url=$("$mlinfra" output -raw url)
log=$("$mlinfra" output -raw log)
echo
echo "── Asking the served model ───────────────────────────────────────────────────"
python3 predict.py "$url"

cat <<TEXT

── What is there now ─────────────────────────────────────────────────────────
  endpoint    $url
  metrics     $url/metrics
  log         $log
  registry    $PWD/registry/models
  objects     $mlinfra -chdir=$PWD state list

Edit train/train.py or a parameter in main.hcl, then look at what would happen:
  $mlinfra -chdir=$PWD plan

Take it down (the registry stays, because it holds data; -destroy-data takes that, too):
  make demo-down
TEXT
