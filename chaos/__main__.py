"""`python -m chaos`: the no-loss proof. Histories under fire, a house for each seed, and what the checker found."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chaos.run import SHAPES, Outcome, run
from standalone.progress import progress

AGAIN = 2
"""How often a seed that failed is run once more, by itself: whether it fails again is half of what to know of it."""


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    first = random.SystemRandom().randrange(1 << 30) if asked.seed is None else asked.seed
    keep = asked.keep or Path(tempfile.mkdtemp(prefix="tocsin-chaos-"))
    found: list[Outcome] = []
    for seed, kind in _runs(first, asked.seeds, asked.shape):
        outcome = _one(seed, kind, asked, keep)
        found.append(outcome)
        if not outcome.is_well:
            found += [_one(seed, kind, asked, keep, again=n) for n in range(1, AGAIN + 1)]
    total = _total(found)
    print(json.dumps(total, indent=2, ensure_ascii=False) if asked.json else _told(total))
    if total["wrong"]:
        print(f"Records and logs of every seed that failed are in {keep}", file=sys.stderr)
        return 1
    return 0


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    told = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    told.add_argument("--seeds", type=int, default=20, help="how many seeds, the shapes taking turns (20)")
    told.add_argument("--seed", type=int, default=None, help="the first seed, to run one again; none: a new one")
    told.add_argument("--kills", type=int, default=50, help="kill -9 of a service, in each seed (50)")
    told.add_argument("--faults", type=int, default=14, help="other faults, in each seed (14)")
    told.add_argument("--shape", choices=[*SHAPES, "both"], default="both", help="embedded, kafka, or both in turns")
    told.add_argument("--keep", type=Path, default=None, help="where records and logs go; none: a temporary folder")
    told.add_argument("--json", action="store_true", help="print one JSON document")
    return told.parse_args(words)


def _runs(first: int, seeds: int, shape: str) -> Iterator[tuple[int, str]]:
    kinds = [*SHAPES] if shape == "both" else [shape]
    return ((first + n, kinds[(first + n) % len(kinds)]) for n in range(seeds))


def _one(seed: int, kind: str, asked: argparse.Namespace, keep: Path, again: int = 0) -> Outcome:
    name = f"seed {seed}, {kind}" + (f", again ({again})" if again else "")
    with progress(name) as tell:
        outcome = run(
            seed, kind, asked.kills, asked.faults, keep / f"{seed}-{again}", lambda done, of, _: tell(done, of)
        )
    verdict = "nothing lost, nothing doubled, no clock wrong" if outcome.is_well else "FAILED"
    print(
        f"{name}: {outcome.kills} kills, {outcome.others} other faults, {outcome.revisions} revisions, "
        f"{outcome.clocks} clocks, {outcome.alarms} alarms, {outcome.took_s:g} s: {verdict}",
        file=sys.stderr,
    )
    for said in [outcome.failed, *map(str, outcome.faults[:20])] if not outcome.is_well else []:
        print(f"  {said}", file=sys.stderr)
    return outcome


def _total(found: Sequence[Outcome]) -> dict[str, Any]:
    faults = [fault for outcome in found for fault in outcome.faults]
    done: Counter[str] = Counter()
    for outcome in found:
        done.update(outcome.done)
    return {
        "seeds": [outcome.seed for outcome in found],
        "kills": sum(outcome.kills for outcome in found),
        "other_faults": sum(outcome.others for outcome in found),
        "done": dict(sorted(done.items())),
        **{
            name: sum(getattr(outcome, name) for outcome in found)
            for name in ("reports", "revisions", "clocks", "alarms", "arrived", "newer", "set_aside")
        },
        "lost": sum(fault.how == "lost" for fault in faults),
        "doubled": sum(fault.how == "doubled" for fault in faults),
        "wrong_clocks": sum(fault.promise == "every clock right" for fault in faults),
        "wrong": [
            {"seed": outcome.seed, "shape": outcome.kind, "failed": outcome.failed,
             "faults": [asdict(fault) for fault in outcome.faults]}
            for outcome in found if not outcome.is_well
        ],
        "took_s": round(sum(outcome.took_s for outcome in found), 1),
        "disks": sorted({outcome.disk for outcome in found if outcome.disk}),
    }  # fmt: skip


def _told(total: dict[str, Any]) -> str:
    return (
        f"{total['kills']} kills and {total['other_faults']} other faults over {len(total['seeds'])} seeds in "
        f"{total['took_s']:g} s: {total['revisions']} revisions, {total['clocks']} clocks, {total['alarms']} alarms, "
        f"{total['arrived']} notices; {total['lost']} lost, {total['doubled']} doubled, "
        f"{total['wrong_clocks']} wrong clocks, {len(total['wrong'])} seeds failed"
    )


if __name__ == "__main__":
    sys.exit(main())
