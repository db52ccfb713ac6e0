"""Writes docs/traceability.md: `make traceability`. Ends with 1, and writes nothing, where something is wrong."""

from __future__ import annotations

import sys

from tests.traceability.matrix import matrix
from tests.traceability.page import PAGE, page
from tests.traceability.register import TraceError
from tests.traceability.results import counted
from tocsin.whole_file import whole_file


def main() -> int:
    """Every finding is printed; the page is written whole, or not at all."""
    try:
        found = matrix()
    except TraceError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    findings = list(found.wrong())
    if findings:
        print(*findings, sep="\n", file=sys.stderr)
        print(f"{PAGE.name} is not written: {counted(len(findings), 'finding')}", file=sys.stderr)
        return 1
    with whole_file(PAGE, "utf-8") as lines:
        lines.write(page(found))
    print(f"{PAGE.name}: {counted(len(found.requirements), 'requirement')}, {counted(len(found.traced), 'test')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
