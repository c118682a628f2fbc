"""`python -m benchmarks`: run everything, write RESULTS.md."""

from pathlib import Path

from benchmarks import growth, pages, startup, tracing, workbooks
from benchmarks.measure import machine

RESULTS = Path(__file__).with_name("RESULTS.md")

if __name__ == "__main__":
    head = (
        f"# Results\n\n{machine()}. Medians by turns, with minimum and maximum; machines are noisy, ratios less so.\n"
    )
    sections = []
    for section in (startup, tracing, workbooks, pages, growth):
        print(f"{section.__name__} …", flush=True)
        sections.append(section.report())
    text = "\n".join((head, *sections))
    RESULTS.write_text(text)
    print(text)
