"""`python -m bench`: run every benchmark and print what was measured, as one JSON document."""

from __future__ import annotations

import json
import sys

from bench import coding_scorecard, coding_speed, desk_pages, due_clocks, lab_rows, ringing


def main() -> int:
    parts = {
        "coding_scorecard": coding_scorecard.measure,
        "coding_speed": coding_speed.measure,
        "lab_rows": lab_rows.measure,
        "due_clocks": due_clocks.measure,
        "ringing": ringing.measure,
        "desk_pages": desk_pages.measure,
    }
    found = {name: measure(progress=lambda said: print(said, file=sys.stderr)) for name, measure in parts.items()}
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
