"""The scorecard of the coder: how much it codes by itself, how often that is right, and what stands on its lists.

The sets are this project's own (`bench/coding_sets`, where its README says how they came about): verbatims of patients
and clinicians, in English and Chinese, with the CTCAE term that a coder would choose, and such that no machine may
code. Half of them, by the hash of their ids, gave the figures of `meddra_coder.confidence`; what is printed is of the
other half, and of all. Beside it, on the same rows: rapidfuzz's WRatio and scikit-learn's TF-IDF of characters, over
the names alone and over names and synonyms. The CDISC pilot's pairs of lowest level and preferred terms are coded
against their preferred terms, where the reference files are there.

    python -m bench.coding_scorecard [--calibrate] [--wrong] [--missed]
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from meddra_coder.coder import Coder, default_coder
from meddra_coder.coding import Coding, Status, code_event
from meddra_coder.confidence import confidence
from meddra_coder.dictionary import Dictionary, DictionaryTerm, Kind
from meddra_coder.lexicon import Lexicon, load_lexicon
from meddra_coder.manner import Manner
from meddra_coder.thesaurus import Thesaurus
from meddra_coder.wording import normalise

SETS: Final = Path(__file__).parent / "coding_sets"
REFERENCE: Final = Path(os.environ.get("TOCSIN_REFERENCE", Path(__file__).parents[2] / "shared" / "reference"))


@dataclass(frozen=True, slots=True)
class Row:
    """One verbatim. `expected` are the codes that are right; `must_hold`: no machine may code it."""

    id: str
    verbatim: str
    language: str
    kind: str
    expected: frozenset[str]
    must_hold: bool

    @property
    def is_kept_for_measuring(self) -> bool:
        """Whether the row is of the half that no figure was taken from."""
        return hashlib.sha256(self.id.encode()).digest()[0] % 2 == 1


def rows() -> list[Row]:
    """Every row of the sets."""
    found = []
    for path in sorted(SETS.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for cells in csv.DictReader(lines):
                expected = frozenset(filter(None, cells["expected"].split("|")))
                found.append(
                    Row(
                        cells["id"],
                        cells["verbatim"],
                        cells["language"],
                        cells["kind"],
                        expected,
                        cells["must_hold"] == "1",
                    )
                )
    return found


@dataclass(slots=True)
class Score:
    """What became of some rows. The shares are of 0 to 1, None where there is nothing to share."""

    rows: int = 0
    to_code: int = 0
    coded: int = 0
    right: int = 0
    first: int = 0
    listed: int = 0
    to_hold: int = 0
    held: int = 0

    def add(self, row: Row, coding: Coding) -> None:
        self.rows += 1
        is_coded = coding.status == Status.CODED
        if row.must_hold:
            self.to_hold += 1
            self.held += not is_coded
            return
        self.to_code += 1
        codes = [candidate.code for candidate in coding.candidates]
        self.coded += is_coded
        self.right += coding.llt_code in row.expected
        self.first += bool(codes) and codes[0] in row.expected
        self.listed += bool(row.expected & set(codes))

    def told(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "auto_coded": _share(self.coded, self.to_code),
            "right_of_auto_coded": _share(self.right, self.coded),
            "right_counting_wrongly_coded_holds": _share(self.right, self.coded + self.to_hold - self.held),
            "top_1": _share(self.first, self.to_code),
            "top_20": _share(self.listed, self.to_code),
            "held_back": _share(self.held, self.to_hold),
        }


def measure(progress: Callable[[str], None] = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """The scorecard as one document."""
    coder = default_coder()
    all_rows = rows()[:: 20 if is_quick else 1]
    progress(f"{len(all_rows):,} verbatims of our own sets")
    codings = [code_event(row.verbatim, coder) for row in all_rows]
    pairs = list(zip(all_rows, codings, strict=True))
    found: dict[str, Any] = {
        "dictionary": coder.version,
        "synonyms": coder.thesaurus.revision,
        "half_kept_for_measuring": _score(pair for pair in pairs if pair[0].is_kept_for_measuring),
        "all": _score(pairs),
        "by_language": _by(pairs, lambda row: row.language),
        "by_kind": _by(pairs, lambda row: f"{row.language} {row.kind}"),
        "calibration": _calibration(pairs),
        "beside_it": beside(all_rows, coder, progress),
    }
    found["cdisc_pilot"] = _pilot(progress)
    return found


def _score(pairs: Iterable[tuple[Row, Coding]]) -> dict[str, Any]:
    score = Score()
    for row, coding in pairs:
        score.add(row, coding)
    return score.told()


def _by(pairs: Sequence[tuple[Row, Coding]], what: Callable[[Row], str]) -> dict[str, Any]:
    shelves: dict[str, list[tuple[Row, Coding]]] = defaultdict(list)
    for row, coding in pairs:
        shelves[what(row)].append((row, coding))
    return {name: _score(shelf) for name, shelf in sorted(shelves.items())}


def _calibration(pairs: Sequence[tuple[Row, Coding]]) -> list[dict[str, Any]]:
    """What is said of each manner, and what was found: in the half that the figure came from, and in the other."""
    table = []
    for manner in Manner:
        those = [(row, coding) for row, coding in pairs if coding.method == manner and coding.status == Status.CODED]
        if not those:
            continue
        halves = {}
        for name, kept in (("calibrating_half", False), ("measuring_half", True)):
            half = [pair for pair in those if pair[0].is_kept_for_measuring == kept]
            right = sum(coding.llt_code in row.expected and not row.must_hold for row, coding in half)
            halves[name] = {"coded": len(half), "right": right, "share": _share(right, len(half))}
        table.append({"manner": manner.value, "said": confidence(manner), **halves})
    return table


def beside(all_rows: Sequence[Row], coder: Coder, progress: Callable[[str], None]) -> dict[str, Any]:
    """Top 1 and top 20 of WRatio and of TF-IDF, on the rows to be coded."""
    progress("rapidfuzz and scikit-learn on the same rows")
    asked = [row for row in all_rows if not row.must_hold]
    terms = [(term.name.lower(), term.code) for term in coder.dictionary.terms if term.kind is not Kind.OTHER_SPECIFY]
    synonyms = [(one.phrase.lower(), one.code) for one in load_lexicon().synonyms]
    found: dict[str, Any] = {}
    for name, documents in (("names", terms), ("names_and_synonyms", terms + synonyms)):
        found[f"tfidf_of_characters_over_{name}"] = _ranked(asked, tfidf(documents))
        found[f"wratio_over_{name}"] = _ranked(asked, wratio(documents))
    return found


def _ranked(asked: Sequence[Row], rank: Callable[[Sequence[str]], Iterator[list[str]]]) -> dict[str, Any]:
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    for row, codes in zip(asked, rank([row.verbatim for row in asked]), strict=True):
        for shelf in ("all", f"{row.language} {row.kind}"):
            by_kind[shelf]["rows"] += 1
            by_kind[shelf]["first"] += codes[0] in row.expected
            by_kind[shelf]["listed"] += bool(row.expected & set(codes))
    return {
        kind: {"top_1": _share(found["first"], found["rows"]), "top_20": _share(found["listed"], found["rows"])}
        for kind, found in by_kind.items()
        if kind == "all" or kind.endswith(" patient")
    }


def tfidf(documents: Sequence[tuple[str, str]]) -> Callable[[Sequence[str]], Iterator[list[str]]]:
    """scikit-learn: TF-IDF of runs of two to four characters within words, by cosine."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    matrix = vectors.fit_transform([text for text, _ in documents]).T.tocsr()
    codes = [code for _, code in documents]

    def rank(verbatims: Sequence[str]) -> Iterator[list[str]]:
        for verbatim in verbatims:
            scores = (vectors.transform([verbatim.lower()]) @ matrix).toarray()[0]
            best = np.argsort(-scores, kind="stable")[:200]
            yield list(dict.fromkeys(codes[place] for place in best))[:20]

    return rank


def wratio(documents: Sequence[tuple[str, str]]) -> Callable[[Sequence[str]], Iterator[list[str]]]:
    """rapidfuzz: WRatio over every name."""
    from rapidfuzz import fuzz, process

    names = [text for text, _ in documents]
    codes = [code for _, code in documents]

    def rank(verbatims: Sequence[str]) -> Iterator[list[str]]:
        for verbatim in verbatims:
            found = process.extract(verbatim.lower(), names, scorer=fuzz.WRatio, limit=100)
            yield list(dict.fromkeys(codes[place] for _, _, place in found))[:20]

    return rank


def _pilot(progress: Callable[[str], None]) -> dict[str, Any]:
    """The pilot's lowest level terms, coded against the preferred terms of the same file."""
    path = REFERENCE / "pilot" / "cdiscpilot_ae_llt_to_pt.csv"
    if not path.is_file():
        return {"left_out": f"the reference files are not at {REFERENCE}"}
    progress("the CDISC pilot's pairs")
    with path.open(encoding="utf-8", newline="") as lines:
        pairs = [(cells["verbatim"], cells["target_pt"].strip('"')) for cells in csv.DictReader(lines)]
    names = {normalise(pt).text: pt for _, pt in pairs}  # one preferred term is there in two spellings
    code_of = {text: f"{place:08d}" for place, text in enumerate(sorted(names), 1)}
    terms = [DictionaryTerm(code_of[text], pt, "not said", None, Kind.EVENT) for text, pt in names.items()]
    dictionary = Dictionary.of("preferred terms of the CDISC pilot", terms)
    empty = load_lexicon()
    coder = Coder(dictionary, Thesaurus(dictionary, Lexicon(empty.revision, empty.words, (), (), empty.held)))
    asked = [
        Row(f"P{n}", llt, "en", "pilot", frozenset([code_of[normalise(pt).text]]), False)
        for n, (llt, pt) in enumerate(pairs)
    ]
    documents = [(pt.lower(), code_of[text]) for text, pt in names.items()]
    return {
        "pairs": len(pairs),
        "without_synonyms": _score((row, code_event(row.verbatim, coder)) for row in asked),
        "tfidf_of_characters": _ranked(asked, tfidf(documents))["all"],
        "wratio": _ranked(asked, wratio(documents))["all"],
    }


def calibrated() -> dict[str, dict[str, Any]]:
    """What the calibrating half gives for each manner: right, of how many, the share with one more of each."""
    coder = default_coder()
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows():
        if row.is_kept_for_measuring:
            continue
        coding = code_event(row.verbatim, coder)
        if coding.status == Status.CODED:
            found[coding.method]["coded"] += 1
            found[coding.method]["right"] += coding.llt_code in row.expected and not row.must_hold
    return {
        manner: {**counts, "share": round((counts["right"] + 1) / (counts["coded"] + 2), 4)}
        for manner, counts in found.items()
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _listed(*, wrong: bool) -> None:
    """The rows of the calibrating half that were coded wrongly, or not coded."""
    coder = default_coder()
    for row in rows():
        if row.is_kept_for_measuring:
            continue
        coding = code_event(row.verbatim, coder)
        is_coded = coding.status == Status.CODED
        is_wrong = is_coded and (row.must_hold or coding.llt_code not in row.expected)
        if is_wrong if wrong else (not is_coded and not row.must_hold):
            names = [term.name for code in row.expected if (term := coder.dictionary.coded(code))]
            print(f"{row.id} {row.kind}: {row.verbatim!r} is {names}; {coding.term} ({coding.method})", end="; ")
            print(coding.reasons[0][:110])


def main(arguments: Sequence[str]) -> int:
    if "--calibrate" in arguments:
        print(json.dumps(calibrated(), indent=2))
    elif "--wrong" in arguments or "--missed" in arguments:
        _listed(wrong="--wrong" in arguments)
    else:
        print(json.dumps(measure(lambda said: print(said, file=sys.stderr)), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
