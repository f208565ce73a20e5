#!/usr/bin/env bash
# Brings a Chromium for tests/ui where there is none, on Debian and its relatives, as root.
set -euo pipefail
for name in "${THFEM_BROWSER:-chromium}" chromium-browser google-chrome google-chrome-stable chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "no browser for tests/ui; install Chromium, or set THFEM_BROWSER to one" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null
