"""``python -m thfem_core``."""

from __future__ import annotations

import sys

from .cli.signals import Stopped, stoppable


def main() -> int:
    """Run one command; signals are answered from the first import on."""
    try:
        with stoppable():
            from .cli.main import main as run

            return run()
    except Stopped as stopped:
        print(f"thfem: {stopped.message}", file=sys.stderr)
        return stopped.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
