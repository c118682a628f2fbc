"""`python -m benchmarks`: run everything, write RESULTS.md."""

from pathlib import Path

from benchmarks import startup, tracing
from benchmarks.measure import ROUNDS, machine

RESULTS = Path(__file__).with_name("RESULTS.md")

if __name__ == "__main__":
    head = f"# Results\n\n{machine()}. Medians of {ROUNDS} rounds by turns; machines are noisy, ratios less so.\n"
    text = "\n".join((head, startup.report(), tracing.report()))
    RESULTS.write_text(text)
    print(text)
