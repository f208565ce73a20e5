"""Measurements that take minutes or need real clips: run as ``python -m benchmarks.NAME`` from the repository root."""
