"""`python -m bench`: run every benchmark and print what was measured, as one JSON document."""

from __future__ import annotations

import json
import sys

from bench import due_clocks


def main() -> int:
    found = {"due_clocks": due_clocks.measure(progress=lambda said: print(said, file=sys.stderr))}
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
