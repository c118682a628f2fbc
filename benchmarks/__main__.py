"""`python -m benchmarks`: run everything, write RESULTS.md. Named sections alone are made anew, the others stay."""

import re
import sys
from pathlib import Path
from types import ModuleType

from benchmarks import (
    auditing,
    bringing,
    checking,
    classes,
    diagnosis,
    fairness,
    growth,
    pages,
    program_slips,
    programs,
    school,
    startup,
    tracing,
    transformer,
    workbooks,
    worked,
)
from benchmarks.measure import machine

RESULTS = Path(__file__).with_name("RESULTS.md")
ALL = (
    startup,
    tracing,
    programs,
    transformer,
    workbooks,
    pages,
    worked,
    checking,
    fairness,
    diagnosis,
    program_slips,
    auditing,
    bringing,
    classes,
    school,
    growth,
)
SECTIONS: dict[str, ModuleType] = {section.__name__.rpartition(".")[2]: section for section in ALL}


def head_of(section: str) -> str:
    """The first line of a section."""
    return section.partition("\n")[0]


def main(names: list[str]) -> None:
    before = re.split(r"(?m)^(?=## )", RESULTS.read_text())[1:] if names else []
    kept = {head_of(section): section.strip() for section in before}
    for name in names or SECTIONS:
        print(f"{name} …", flush=True)
        made = SECTIONS[name].report().strip()
        kept[head_of(made)] = made
    head = f"# Results\n\n{machine()}. Medians by turns, with minimum and maximum; machines are noisy, ratios less so."
    text = "\n\n".join((head, *kept.values())) + "\n"
    RESULTS.write_text(text)
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
