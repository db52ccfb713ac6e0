"""Writes an invented MedDRA distribution: the form of the real one at any size, and not a word of its text.

Names are made of syllables that mean nothing. The same arguments give the same bytes. Codes of terms begin at 10500001;
one class has the code that CTCAE publishes for procedures, so that its terms are taken as such.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROCEDURES = "10042613"
FIRST_TERM = 10_500_001
FIRST_HLT = 10_700_001
FIRST_HLGT = 10_710_001
FIRST_SOC = 10_720_001
FIRST_SMQ = 20_900_001
SOCS = 27

Extra = tuple[str, str, str | None, bool]
Rows = list[list[str]]
Tables = dict[str, Rows]

_STARTS = [
    "bal",
    "cor",
    "dev",
    "fum",
    "gol",
    "hin",
    "jor",
    "kel",
    "lom",
    "mur",
    "nev",
    "por",
    "quin",
    "rul",
    "sab",
    "tol",
    "vam",
    "wex",
    "yor",
    "zan",
]
_MIDDLES = ["a", "avi", "edo", "elu", "ira", "omi", "ulo", "uva", "ora", "ete", "ino", "agu"]
_ENDS = [
    "bosk",
    "dril",
    "fant",
    "gorm",
    "hesk",
    "lund",
    "mirth",
    "nolt",
    "pransk",
    "rusk",
    "stent",
    "tolm",
    "vond",
    "wisk",
    "zard",
]
_PLACES = ("left", "right", "upper", "lower", "inner", "outer", "middle", "distal")
_MANNERS = ("acute", "chronic", "mild", "recurrent", "early", "late", "sudden", "slow")
_KINDS = ("pain", "swelling", "loss", "rise", "weakness", "lesion", "spots", "pressure")

_CHINESE = ("甲乙丙丁戊己庚辛", "东南西北中上下左右", "红黄蓝白黑青紫", "山川河海云雨风雪石木", "肿痛热寒症")
_JAPANESE = ("サシスセソ", "タチツテト", "ナニヌネノ", "マミムメモ", "山川石木雨雪", "ラリルレロ", "痛熱症")
_ACCENTS = str.maketrans("aeou", "äéöü")


def write_distribution(
    folder: Path,
    *,
    llts: int = 88_000,
    pts: int = 26_000,
    seed: int = 20261,
    newline: str = "\r\n",
    encoding: str = "utf-8",
    version: str = "99.0",
    extra: Sequence[Extra] = (),
    script: str = "latin",
) -> dict[str, int]:
    """Write the twelve files into a folder; answers with the rows of each.

    `llts` and `pts` count what is invented. A term of `extra` (code, name, PT or None, whether current) stands beside
    as PT and LLT where its PT is None, else as an LLT of that PT. `script` is latin, accented, chinese or japanese.
    """
    if not SOCS <= pts <= llts:
        raise ValueError(f"{pts} PTs and {llts} LLTs; allowed is at least {SOCS} PTs, and as many LLTs")
    chance = random.Random(seed)
    names = _names(chance, script)
    ladder = _Ladder(chance, names, pts)
    tables: Tables = {"soc.asc": ladder.socs, "hlgt.asc": ladder.hlgts, "hlt.asc": ladder.hlts}
    tables["intl_ord.asc"] = [[str(place), row[0]] for place, row in enumerate(ladder.socs, 1)]
    own = [(str(FIRST_TERM + place), next(names)) for place in range(pts)]
    own += [(code, name) for code, name, pt, _ in extra if pt is None]
    tables["pt.asc"], tables["mdhier.asc"] = ladder.placed(own, always_two=len(own) - pts)
    tables["llt.asc"] = _llts(chance, own, names, range(FIRST_TERM + pts, FIRST_TERM + llts), pts, extra)
    for file, over, under in (("hlt_pt.asc", 1, 0), ("hlgt_hlt.asc", 2, 1), ("soc_hlgt.asc", 3, 2)):
        links = dict.fromkeys((row[over], row[under]) for row in tables["mdhier.asc"])
        tables[file] = [list(link) for link in links]
    tables["smq_list.asc"], tables["smq_content.asc"] = _smqs(chance, names, tables["llt.asc"], pts, version)
    _write(folder, tables, newline, encoding)
    return {file: len(rows) for file, rows in tables.items()}


@dataclass(frozen=True, slots=True)
class Changes:
    """The codes of what is different in the later version."""

    gone: tuple[str, ...]
    """LLTs that are no longer current."""
    moved_soc: tuple[str, ...]
    """PTs with another primary class."""
    moved_pt: tuple[str, ...]
    """LLTs of another PT."""
    added: tuple[str, ...]
    """New LLTs."""


def successor(
    folder: Path,
    out: Path,
    *,
    gone: int | Sequence[str] = 0,
    moved_soc: int | Sequence[str] = 0,
    moved_pt: int | Sequence[str] = 0,
    added: int = 0,
    seed: int = 20262,
    newline: str = "\r\n",
    encoding: str = "utf-8",
    version: str = "99.1",
) -> Changes:
    """Write the same distribution one version later. What changes is told by a number, or by the codes themselves.

    By number, only LLTs that are current and no PTs themselves go or move, no LLT does both, and only PTs with more
    than one path change their class.
    """
    chance = random.Random(seed)
    tables = {path.name.lower(): _read(path, encoding) for path in sorted(folder.iterdir())}
    llts = {row[0]: row for row in tables["llt.asc"]}
    pts = {row[0]: row for row in tables["pt.asc"]}
    last = max(map(int, llts))
    paths: dict[str, Rows] = {}
    for row in tables["mdhier.asc"]:
        paths.setdefault(row[0], []).append(row)

    def picked(wanted: int | Sequence[str], candidates: Callable[[], list[str]]) -> tuple[str, ...]:
        return tuple(chance.sample(candidates(), wanted)) if isinstance(wanted, int) else tuple(wanted)

    def free(taken: Sequence[str] = ()) -> list[str]:
        not_free = set(taken)
        return [code for code, row in llts.items() if row[9] == "Y" and code != row[2] and code not in not_free]

    changes = Changes(
        gone=(gone_codes := picked(gone, free)),
        moved_soc=picked(moved_soc, lambda: [code for code, rows in paths.items() if len(rows) > 1]),
        moved_pt=picked(moved_pt, lambda: free(gone_codes)),
        added=tuple(map(str, range(last + 1, last + 1 + added))),
    )
    for code in changes.gone:
        llts[code][9] = "N"
    for code in changes.moved_soc:
        there = next(row for row in paths[code] if row[11] == "N")[3]
        pts[code][3] = there
        for row in paths[code]:
            row[10], row[11] = there, "Y" if row[3] == there else "N"
    homes = list(pts)
    for code in changes.moved_pt:
        before = llts[code][2]
        llts[code][2] = next(home for home in iter(lambda: chance.choice(homes), None) if home != before)
    known = {row[1] for row in tables["llt.asc"]}
    fresh = (name for name in _names(random.Random(seed + 1), "latin") if name not in known)
    tables["llt.asc"] += [_llt(code, next(fresh), chance.choice(homes), True) for code in changes.added]
    for row in tables["smq_list.asc"]:
        row[6] = version
    _write(out, tables, newline, encoding)
    return changes


class _Ladder:
    """The levels above the preferred terms, and the paths that lead up."""

    def __init__(self, chance: random.Random, names: Iterator[str], pts: int) -> None:
        self._chance = chance
        hlgts = max(SOCS, pts // 77)
        hlts = max(hlgts, pts // 15)
        soc_codes = [str(FIRST_SOC + place) for place in range(SOCS - 1)] + [PROCEDURES]
        self.socs = [
            [code, f"{next(names)} disorders", f"Inv{place:02}", *[""] * 7] for place, code in enumerate(soc_codes, 1)
        ]
        self.hlgts = [[str(FIRST_HLGT + place), f"{next(names)} group", *[""] * 7] for place in range(hlgts)]
        self.hlts = [[str(FIRST_HLT + place), f"{next(names)} conditions", *[""] * 7] for place in range(hlts)]
        self._over = [[place % hlgts] for place in range(hlts)]
        for place in range(0, hlts, 20):  # a group of terms that stands in two classes
            second = (place + 1) % hlgts
            if second % SOCS != self._over[place][0] % SOCS:
                self._over[place].append(second)

    def placed(self, terms: Sequence[tuple[str, str]], *, always_two: int) -> tuple[Rows, Rows]:
        """The rows of pt.asc and mdhier.asc. The last terms have two paths at least, as four in ten others have."""
        pts: Rows = []
        paths: Rows = []
        for place, (code, name) in enumerate(terms):
            under = [place % len(self.hlts)]
            if place >= len(terms) - always_two:
                under = [place % (SOCS - 1), (place + 1) % (SOCS - 1)]
            elif self._chance.random() < 0.42:
                under.append(int(self._chance.random() * len(self.hlts)))
            primary = None
            seen = set()
            for hlt in under:
                for hlgt in self._over[hlt]:
                    soc = hlgt % SOCS
                    if soc in seen:
                        continue
                    seen.add(soc)
                    up = (self.hlts[hlt], self.hlgts[hlgt], self.socs[soc])
                    primary = primary or up[2][0]
                    paths.append(
                        [
                            code, *[row[0] for row in up], name, *[row[1] for row in up], up[2][2], "", primary,
                            "Y" if len(seen) == 1 else "N",
                        ]
                    )  # fmt: skip
            pts.append([code, name, "", primary or "", *[""] * 7])
        return pts, paths


def _llts(
    chance: random.Random,
    own: Sequence[tuple[str, str]],
    names: Iterator[str],
    codes: range,
    pts: int,
    extra: Sequence[Extra],
) -> Rows:
    known = {code for code, _ in own}
    currents = [True] * pts + [current for _, _, pt, current in extra if pt is None]
    rows = [_llt(code, name, code, current) for (code, name), current in zip(own, currents, strict=True)]
    taken = {name for _, name in own} | {name for _, name, _, _ in extra}
    for number in codes:
        pt, name = own[int(chance.random() * pts)]
        words = name.split(" ")
        # Another order of the same words where there are some, as synonyms often are; else a name of its own.
        other = " ".join([*words[1:], words[0].lower()]).capitalize() if chance.random() < 0.4 else next(names)
        while other in taken:
            other = next(names)
        taken.add(other)
        rows.append(_llt(str(number), other, pt, chance.random() >= 0.1))
    for code, name, home, current in extra:
        if home is not None:
            if home not in known:
                raise ValueError(f"{code} {name}: the PT {home} is not there; allowed is one of the distribution")
            rows.append(_llt(code, name, home, current))
    return rows


def _llt(code: str, name: str, pt: str, current: bool) -> list[str]:
    return [code, name, pt, *[""] * 6, "Y" if current else "N", ""]


def _smqs(chance: random.Random, names: Iterator[str], llts: Rows, pts: int, version: str) -> tuple[Rows, Rows]:
    """Queries, each tenth with two children and a grandchild; two thirds as many rows in them as there are LLTs."""
    count = max(10, pts // 110)
    levels = [(1, 2, 2, 3)[place % 10] if place % 10 < 4 else 1 for place in range(count)]
    codes = [str(FIRST_SMQ + place) for place in range(count)]
    smqs = []
    for place, code in enumerate(codes):
        algorithm = "A or (B and C)" if place % 25 == 7 else "N"
        status = "I" if place % 50 == 9 else "A"
        smqs.append(
            [code, f"{next(names)} (SMQ)", str(levels[place]), "Invented", "None", "", version, status, algorithm]
        )
    rows: Rows = []
    for place in range(count):
        if place % 10 in (1, 2, 3):  # the two children are the first one's, the grandchild is the second child's
            parent = place - place % 10 if place % 10 < 3 else place - 1
            rows.append([codes[parent], codes[place], "0", "0", "A", "0", "A", version, version])
    for llt in chance.sample(llts, len(llts) * 2 // 3):
        smq = codes[int(chance.random() * count)]
        level = "4" if llt[0] == llt[2] else "5"
        scope = "2" if chance.random() < 0.5 else "1"
        status = "I" if chance.random() < 0.03 else "A"
        rows.append([smq, llt[0], level, scope, "A", "0", status, version, version])
    return smqs, rows


def _names(chance: random.Random, script: str) -> Iterator[str]:
    """Names without end, no two the same."""
    if script not in ("latin", "accented", "chinese", "japanese"):
        raise ValueError(f"{script}; allowed is latin, accented, chinese or japanese")
    makers = {"chinese": _CHINESE, "japanese": _JAPANESE}
    if script in makers:
        parts = makers[script]
    seen: set[str] = set()
    some = chance.choice
    while True:
        if script in makers:
            name = "".join([some(part) for part in parts] + ([some(parts[0])] if chance.random() < 0.5 else []))
            while name in seen:
                name += some(parts[1]) + some(parts[3])
        else:
            name = _latin(chance, some)
            if script == "accented":
                name = name.translate(_ACCENTS)
        if name not in seen:
            seen.add(name)
            yield name


def _latin(chance: random.Random, some: Callable[[Sequence[str]], str]) -> str:
    word = f"{some(_STARTS)}{some(_MIDDLES)}{some(_STARTS)}{some(_ENDS)}"
    shape = chance.random()
    if shape < 0.3:
        return word.capitalize()
    if shape < 0.55:
        return f"{word} {some(_KINDS)}".capitalize()
    if shape < 0.8:
        return f"{some(_MANNERS)} {word} {some(_KINDS)}".capitalize()
    return f"{word} {some(_KINDS)} {some(_PLACES)}".capitalize()


def _write(folder: Path, tables: Tables, newline: str, encoding: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file, rows in tables.items():
        text = "".join([f"{'$'.join(row)}${newline}" for row in rows])
        (folder / file).write_bytes(text.encode(encoding))


def _read(path: Path, encoding: str) -> Rows:
    text = path.read_bytes().decode(encoding).replace("\r\n", "\n")
    return [line.split("$")[:-1] for line in text.split("\n") if line]
