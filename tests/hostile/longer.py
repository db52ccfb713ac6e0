"""How long the fuzzing goes on: in the suite the same few examples every time; longer, and new ones, when asked."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

TIMES: Final = int(os.environ.get("TOCSIN_TEST_FUZZ", "1"))
"""So many times the examples of the suite. Above 1 they are other ones in each run."""


def bounded(examples: int) -> settings:
    """The settings of one property: `examples` of the suite."""
    return settings(
        max_examples=examples * TIMES, derandomize=TIMES == 1, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
        # Of a wrong answer the smallest request is shown; in the suite it may be any.
        phases=(Phase.explicit, Phase.generate, *((Phase.shrink,) if TIMES > 1 else ())),
    )  # fmt: skip
