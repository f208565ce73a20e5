#!/usr/bin/env bash
# The node, workflow and host tests in other ComfyUI versions:  bash tests/host/run_hosts.sh CHECKOUT...
# Each checkout runs with the Python of its own .venv or venv if it has one, else with $PYTHON (default: python).
set -uo pipefail
cd "$(dirname "$0")/../.."
failed=0
for checkout in "$@"; do
    host_python=${PYTHON:-python}
    for venv in .venv venv; do
        [ -x "$checkout/$venv/bin/python" ] && host_python=$checkout/$venv/bin/python
    done
    echo "== $checkout ($("$host_python" -c "import runpy, sys; print(runpy.run_path(sys.argv[1])['__version__'])" \
        "$checkout/comfyui_version.py"))"
    THFEM_REQUIRE_HOST=1 COMFYUI_DIR=$checkout THFEM_HOST_PYTHON=$host_python \
        "${PYTHON:-python}" -m pytest -q tests/nodes tests/workflows tests/host || failed=1
done
exit $failed
