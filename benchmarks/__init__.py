"""Benchmarks: `python -m benchmarks` measures side by side and writes RESULTS.md."""
