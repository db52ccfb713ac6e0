"""Coding against a dictionary of full size: how quick, how much memory, and whether the right term stands first.

The distribution is invented (`tests.support.invented_meddra`), of the size of MedDRA. What is asked are its current
names as people write them: with a slip of the pen, words in another order, a grade and a severity beside; the seed is
fixed. In the same run and on the same questions: scikit-learn's TF-IDF of characters and rapidfuzz's WRatio, on fewer
of them, as they are slow. The coder runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

SEED: Final = 20_261
ASKED: Final = 6_000
ALONE: Final = 2_000
OF_TFIDF: Final = 600
OF_WRATIO: Final = 120


def measure(progress: Callable[[str], None] = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """Terms a second, milliseconds, megabytes, and the share of questions whose term stands first."""
    if is_quick:
        return {"left_out": "it reads a dictionary of full size, which takes minutes"}
    from meddra_coder.dictionary.meddra import Image
    from meddra_coder.dictionary.versions import read
    from tests.support.invented_meddra import write_distribution

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        progress("an invented distribution of full size")
        write_distribution(place)
        begun = time.perf_counter()
        _, image = read(place, "99.0")
        loading = round(time.perf_counter() - begun, 1)
        progress(f"read, checked and indexed in {loading} s")
        (place / "image").write_bytes(image)
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "bench.coding_speed", str(place / "image")],
            capture_output=True,
            check=True,
            text=True,
        )
        ours = json.loads(done.stdout)
        progress(f"the coder: {ours}")
        dictionary = Image(image).dictionary()
        names = [(term.name.lower(), term.code) for term in dictionary.terms if term.is_current]
    asked = questions(names)
    beside = {
        "tfidf_of_characters": _beside(asked[:OF_TFIDF], names, "tfidf"),
        "wratio": _beside(asked[:OF_WRATIO], names, "wratio"),
    }
    progress(f"beside it: {beside}")
    return {
        "lowest_level_terms": len(dictionary),
        "load_command_seconds": loading,
        "coder": ours,
        "beside_it": beside,
        "batch_to_tfidf": round(ours["batch_terms_per_s"] / beside["tfidf_of_characters"]["terms_per_s"], 1),
        "batch_to_wratio": round(ours["batch_terms_per_s"] / beside["wratio"]["terms_per_s"], 1),
    }


def questions(names: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """(what is asked, the code that is right), the same for the same names."""
    chance = random.Random(SEED)  # noqa: S311
    asked = []
    for name, code in chance.sample(list(names), ASKED):
        text = name
        kind = chance.random()
        if kind < 0.5:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice("aeionrst") + text[place + chance.choice((0, 1)) :]
        if 0.3 < kind < 0.7:
            words = text.split()
            chance.shuffle(words)
            text = " ".join(words)
        if kind > 0.85:
            text = f"severe {text}, grade 3"
        asked.append((text, code))
    return asked


def _beside(asked: Sequence[tuple[str, str]], names: Sequence[tuple[str, str]], which: str) -> dict[str, float]:
    from bench import coding_scorecard

    rank = getattr(coding_scorecard, which)(names)
    begun = time.perf_counter()
    found = list(rank([text for text, _ in asked]))
    seconds = time.perf_counter() - begun
    first = sum(codes[0] == code for codes, (_, code) in zip(found, asked, strict=True))
    return {"terms_per_s": round(len(asked) / seconds, 1), "top_1": round(first / len(asked), 4), "asked": len(asked)}


def _of_the_coder(image: Path) -> dict[str, float]:
    """What is measured in a process of its own: imports first, then the index, then coding."""
    from meddra_coder.coder import Coder
    from meddra_coder.coding import code_event, code_events
    from meddra_coder.dictionary.meddra import Image

    begun = time.perf_counter()
    dictionary = Image(image.read_bytes()).dictionary()
    dictionary.nearest([("warm", "warm")], 1)
    index = time.perf_counter() - begun
    begun = time.perf_counter()
    coder = Coder(dictionary)
    code_event("warm up of every part, possibly", coder)
    synonyms = time.perf_counter() - begun
    asked = questions([(term.name.lower(), term.code) for term in dictionary.terms if term.is_current])
    took, alone = [], []
    for text, _ in asked[:ALONE]:
        begun = time.perf_counter()
        alone.append(code_event(text, coder))
        took.append(time.perf_counter() - begun)
    begun = time.process_time()
    codings = code_events([text for text, _ in asked[ALONE:]], coder)
    seconds = time.process_time() - begun
    first = [
        bool(coding.candidates) and coding.candidates[0].code == code
        for coding, (_, code) in zip([*alone, *codings], asked, strict=True)
    ]
    took.sort()
    return {
        "index_seconds": round(index, 2),
        "synonyms_seconds": round(synonyms, 2),
        "alone_p50_ms": round(took[len(took) // 2] * 1000, 2),
        "alone_p99_ms": round(took[len(took) * 99 // 100] * 1000, 2),
        "batch_terms_per_s": round(len(codings) / seconds),
        "top_1": round(sum(first) / len(first), 4),
        "top_1_where_tfidf_is_asked": round(sum(first[:OF_TFIDF]) / OF_TFIDF, 4),
        "top_1_where_wratio_is_asked": round(sum(first[:OF_WRATIO]) / OF_WRATIO, 4),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


if __name__ == "__main__":
    print(json.dumps(_of_the_coder(Path(sys.argv[1]))))
