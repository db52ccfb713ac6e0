"""A licensed MedDRA as this house keeps it: one image of bytes for a version, made once and used as it is read.

The image holds the terms, the primary path of each, the SMQs, and the index of the names, so that a dictionary of full
size is there within a second. Where the words of the lexicon have changed since, the normal forms and the index are
made anew in memory. Nothing of MedDRA is in the project; where the distribution is read and checked is `meddra_files`.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meddra_coder.dictionary.retrieval import Arrays, build
from meddra_coder.dictionary.terms import Columns, Dictionary, DictionaryError, DictionaryTerm, Kind, concepts
from meddra_coder.lexicon import load_lexicon
from meddra_coder.wording import normalise

if TYPE_CHECKING:
    from meddra_coder.dictionary.meddra_files import Distribution

PROCEDURES: Final = "10042613"
"""The class of surgical and medical procedures: what is in it was done, and did not happen."""

_MAGIC: Final = b"TOCSIN-DICTIONARY-1\n"
_LEVELS: Final = ("hlt", "hlgt", "soc")
_STEP: Final = 4_000
_REMEMBERED: Final = 32_768


def label(version: str) -> str:
    """How a version is named on every coding."""
    return f"MedDRA {version}"


def image_of(
    distribution: Distribution, version: str, tell: Callable[[int, int | None], None] = lambda done, of: None
) -> bytes:
    """The image of a checked distribution: the same bytes for the same distribution, version and lexicon."""
    llts = sorted(distribution.llts, key=lambda llt: llt.code)
    pts = sorted(distribution.pts, key=lambda pt: pt.code)
    pt_at = {pt.code: place for place, pt in enumerate(pts)}
    texts, keys = _looked_up([llt.name for llt in llts], tell)
    current = [place for place, llt in enumerate(llts) if llt.is_current]
    arrays = build((texts[place], keys[place]) for place in current)
    primary = {path.pt_code: path for path in distribution.paths if path.is_primary}
    tables: dict[str, list[tuple[str, str]]] = {
        "hlt": [(level.code, level.name) for level in distribution.hlts],
        "hlgt": [(level.code, level.name) for level in distribution.hlgts],
        "soc": [(soc.code, soc.name) for soc in distribution.socs],
    }
    lines: dict[str, Sequence[str]] = {
        "llt_codes": [llt.code for llt in llts],
        "llt_names": [llt.name for llt in llts],
        "texts": texts,
        "keys": keys,
        "pt_codes": [pt.code for pt in pts],
        "pt_names": [pt.name for pt in pts],
        "features": arrays.features,
        "smq_codes": [smq.code for smq in distribution.smqs],
        "smq_names": [smq.name for smq in distribution.smqs],
    }
    numbers: dict[str, Sequence[int] | np.ndarray[Any, Any]] = {
        "llt_pt": [pt_at[llt.pt_code] for llt in llts],
        "llt_current": [int(llt.is_current) for llt in llts],
        "starts": arrays.starts,
        "holders": arrays.holders,
        "name_starts": arrays.name_starts,
        "name_features": arrays.name_features,
    }
    for level in _LEVELS:
        rows = tables[level]
        at = {code: place for place, (code, _) in enumerate(rows)}
        lines[f"{level}_codes"] = [code for code, _ in rows]
        lines[f"{level}_names"] = [name for _, name in rows]
        numbers[f"pt_{level}"] = [at[getattr(primary[pt.code], f"{level}_code")] for pt in pts]
    smq_at = {smq.code: place for place, smq in enumerate(distribution.smqs)}
    member = [term for term in distribution.smq_terms if term.is_active and term.smq_code in smq_at]
    numbers["smq_of"] = [smq_at[term.smq_code] for term in member]
    numbers["smq_narrow"] = [int(term.is_narrow) for term in member]
    lines["smq_terms"] = [term.term_code for term in member]
    parts = {name: "\n".join(values).encode("utf-8") for name, values in lines.items()}
    parts.update({name: np.asarray(values, dtype="<i4").tobytes() for name, values in numbers.items()})
    about = {"version": version, "fingerprint": distribution.fingerprint, "words": _words()}
    return _packed(about, parts)


class Image:
    """An image that was read: its dictionary, and what is needed to compare two versions."""

    def __init__(self, raw: bytes) -> None:
        self.about, self._parts = _unpacked(raw)
        self.version: Final[str] = self.about["version"]
        self._llt_pt: list[int] = self._numbers("llt_pt").tolist()
        self._llt_current: list[int] = self._numbers("llt_current").tolist()
        self._codes = self._lines("llt_codes")
        self._names = self._lines("llt_names")
        self._pt_codes, self._pt_names = self._lines("pt_codes"), self._lines("pt_names")
        self._levels: dict[str, tuple[list[str], list[str], list[int]]] = {
            level: (self._lines(f"{level}_codes"), self._lines(f"{level}_names"), self._numbers(f"pt_{level}").tolist())
            for level in _LEVELS
        }
        self._of_pt = functools.lru_cache(_REMEMBERED)(self._path_of)
        self._smqs: dict[str, list[str]] = {}
        smq_codes, smq_names = self._lines("smq_codes"), self._lines("smq_names")
        for code, smq, narrow in zip(
            self._lines("smq_terms"), self._numbers("smq_of"), self._numbers("smq_narrow"), strict=True
        ):
            scope = "narrow" if narrow else "broad"
            self._smqs.setdefault(code, []).append(f"{smq_codes[smq]} {smq_names[smq]} ({scope})")

    def dictionary(self) -> Dictionary:
        """The dictionary of this version."""
        searched = [place for place, is_current in enumerate(self._llt_current) if is_current]
        if self.about["words"] == _words():
            columns = Columns(self._codes, self._names, self._lines("texts"), self._lines("keys"))
            arrays = Arrays(
                tuple(self._lines("features")), self._numbers("starts"), self._numbers("holders"),
                self._numbers("name_starts"), self._numbers("name_features"),
            )  # fmt: skip
            return Dictionary(
                label(self.version), columns, self._term, soc_at=self._soc, searched=searched, arrays=lambda: arrays
            )
        texts, keys = _looked_up(self._names, lambda done, of: None)
        return Dictionary(
            label(self.version),
            Columns(self._codes, self._names, texts, keys),
            self._term,
            soc_at=self._soc,
            searched=searched,
        )

    def _term(self, place: int) -> DictionaryTerm:
        pt_code, between, soc_code, soc, smqs, kind = self._of_pt(self._llt_pt[place])
        code = self._codes[place]
        own = self._smqs.get(code)
        return DictionaryTerm(
            code,
            self._names[place],
            soc,
            soc_code,
            kind,
            pt_code,
            between,
            bool(self._llt_current[place]),
            tuple(dict.fromkeys((*own, *smqs))) if own else smqs,
        )

    def _soc(self, place: int) -> str:
        _, names, of_pt = self._levels["soc"]
        return names[of_pt[self._llt_pt[place]]]

    def _path_of(self, pt: int) -> tuple[str, tuple[str, ...], str, str, tuple[str, ...], Kind]:
        """What every lowest level term of a preferred term shares."""
        up = {level: (codes[at[pt]], names[at[pt]]) for level, (codes, names, at) in self._levels.items()}
        soc_code, soc = up["soc"]
        pt_code = self._pt_codes[pt]
        between = (
            f"PT {pt_code} {self._pt_names[pt]}",
            *(f"{level.upper()} {up[level][0]} {up[level][1]}" for level in ("hlt", "hlgt")),
        )
        kind = Kind.PROCEDURE if soc_code == PROCEDURES else Kind.EVENT
        return pt_code, between, soc_code, soc, tuple(self._smqs.get(pt_code, ())), kind

    def _lines(self, name: str) -> list[str]:
        text = str(self._parts[name], "utf-8")
        return text.split("\n") if text else []

    def _numbers(self, name: str) -> np.ndarray[Any, np.dtype[np.int32]]:
        return np.frombuffer(self._parts[name], dtype="<i4")


def _looked_up(names: Sequence[str], tell: Callable[[int, int | None], None]) -> tuple[list[str], list[str]]:
    book = concepts()
    texts: list[str] = []
    keys: list[str] = []
    for place, name in enumerate(names):
        texts.append(normalise(name).text)
        keys.append(book.key(texts[-1], of_name=True))
        if place % _STEP == 0:
            tell(place, len(names))
    tell(len(names), len(names))
    return texts, keys


def _words() -> str:
    """What the normal forms and keys were made with: the words of the lexicon."""
    said = json.dumps(load_lexicon().words, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _packed(about: dict[str, str], parts: dict[str, bytes]) -> bytes:
    places = {}
    at = 0
    for name, raw in parts.items():
        places[name] = (at, len(raw))
        at += len(raw) + (-len(raw)) % 8  # numbers begin at a whole word
    head = json.dumps({"about": about, "parts": places}, sort_keys=True).encode()
    head += b" " * ((-len(head) - len(_MAGIC) - 8) % 8)
    body = b"".join(raw + bytes((-len(raw)) % 8) for raw in parts.values())
    return _MAGIC + len(head).to_bytes(8, "little") + head + body


def _unpacked(raw: bytes) -> tuple[dict[str, str], dict[str, memoryview]]:
    if not raw.startswith(_MAGIC):
        raise DictionaryError("the image of a dictionary does not begin as one; load the distribution again")
    begin = len(_MAGIC) + 8
    size = int.from_bytes(raw[len(_MAGIC) : begin], "little")
    head = json.loads(raw[begin : begin + size])
    body = memoryview(raw)[begin + size :]
    return head["about"], {name: body[at : at + length] for name, (at, length) in head["parts"].items()}
