"""Whether an event is serious, and whether it is fatal or life-threatening.

Severity is not seriousness: a grade 4 laboratory finding that the site calls not serious is not serious (rules.md
1.1). What is missing is taken at its worst and marked provisional (readings.md, clocks 2); a contradiction is read at
its worst (a death is never turned away by a form). Sources: ICH E2A II.B, E2B(R3) E.i.3.2, rules.md 2.1 and 2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tocsin.domain.affirmed import WORDING, named
from tocsin.domain.case import Coded, Event
from tocsin.domain.known import Finding, Known
from tocsin.domain.syndromes import EVERY, Syndrome, special_interest
from tocsin.domain.words import Criterion, CrsScale, Outcome

_DEATH = re.compile(
    r"\b(?:deaths?|died|dies|dead|deceased|fatal(?:ity)?|lethal|passed away|demise|exitus|succumbed)\b"
    r"|\b(?:grade\s?(?:5|V)|G5)\b|(?<!\d)(?:5|五|Ⅴ)\s?级"
    r"|死亡|去世|身亡|病逝|病故|猝死|逝世|死于|致死|致命",
    WORDING,
)
_NOT_A_DEATH = re.compile(
    r"\bdead[\s-](?:tooth|teeth|skin|tissue|nail|space|arm|leg)|\b(?:cell|tissue|nerve|pulp) death"
    r"|\bfear of (?:death|dying)|\bnear[\s-](?:death|fatal)|\b(?:strength|power) grade (?:5|V)\b"
    r"|\bdeath of (?:(?:a|an|the|his|her|their|patient's) )*"
    r"(?:family|relative|spouse|wife|husband|mother|father|parent|friend|sister|brother|pet)"
    r"|细胞死亡|肌力\s?(?:5|五|Ⅴ)\s?级|(?:5|五|Ⅴ)\s?级肌力",
    WORDING,
)
# Words that themselves state the criterion, or a body that has stopped: no tick in a form outweighs them.
_THREAT = re.compile(
    r"life[\s-]?threatening|\bnear[\s-]fatal|\barrest(?:ed)?\b|\basystole\b|\bventricular fibrillation"
    r"|危及生命|生命危险|心脏?(?:骤停|停搏)|心[跳搏](?:骤停|停止)|呼吸(?:骤停|停止)|室颤",
    WORDING,
)
# Words that go with a threat to life, and are believed unless the site calls the event not serious.
_SIGN_OF_THREAT = re.compile(
    r"intubat|resuscitat|\bCPR\b|mechanical(?:ly)? ventilat|\b(?:grade\s?(?:4|IV)|G4)\b"
    r"|插管|心肺复苏|抢救|机械通气|(?<!\d)(?:4|四|Ⅳ|IV)\s?级",
    WORDING,
)
_NOT_A_THREAT = re.compile(
    r"\b(?:growth|maturation|cell[\s-]cycle|developmental|labou?r) arrest|\barrested (?:by|development)"
    r"|\b(?:under|house) arrest|\barrest warrant|\bfluid resuscitation"
    r"|(?:PICC|静脉|导管|胃管|尿道|尿管)\S{0,3}插管|肌力\s?(?:4|四|Ⅳ|IV)\s?级|(?:4|四|Ⅳ|IV)\s?级肌力",
    WORDING,
)


@dataclass(frozen=True, slots=True)
class Seriousness:
    """Three findings about one event. Fatal or life-threatening implies serious."""

    serious: Finding
    fatal: Finding
    life_threatening: Finding

    @property
    def is_fatal_or_life_threatening(self) -> bool:
        return bool(self.fatal) or bool(self.life_threatening)


def of(
    event: Event,
    coded: Coded | None,
    among: frozenset[Syndrome] = EVERY,
    crs: CrsScale = CrsScale.WORST_OF,
) -> Seriousness:
    """Judge one event by all that is known of it; `among` are the study's events of special interest.

    `crs`: by which scale a CRS is one. A death and a threat to life are seen on any scale.
    """
    return beside(event, special_interest(event, coded, among, crs))


def beside(event: Event, special: Finding) -> Seriousness:
    """As `of`, where it is known already whether the event is of special interest."""
    fatal = _fatal(event)
    threat = _life_threatening(event)
    return Seriousness(_serious(event, special, fatal, threat), fatal, threat)


def _fatal(event: Event) -> Finding:
    reasons = []
    if Criterion.DEATH in event.criteria:
        reasons.append("criterion: results in death")
    if event.outcome is Outcome.FATAL:
        reasons.append("outcome: fatal")
    if event.worst_grade() == 5:
        reasons.append("grade 5")
    if reasons:
        return Finding(True, tuple(reasons))
    if found := named(_DEATH, event.verbatim, _NOT_A_DEATH):
        return Finding(
            True, (f"the verbatim says {found.group(0)!r}, no field does: taken as fatal until answered",), True
        )
    return Finding(False, ("no criterion, outcome, grade or wording of death",))


def _life_threatening(event: Event) -> Finding:
    if Criterion.LIFE_THREATENING in event.criteria:
        return Finding(True, ("criterion: life threatening",))
    # A criterion left unticked is "no information" and never "no" (E2B(R3) E.i.3.2): words are read beside criteria.
    if found := named(_THREAT, event.verbatim, _NOT_A_THREAT):
        return Finding(True, (f"the verbatim says {found.group(0)!r}: taken as life-threatening until answered",), True)
    if event.stated_serious is not Known.NO or event.criteria:
        if found := named(_SIGN_OF_THREAT, event.verbatim, _NOT_A_THREAT):
            return Finding(
                True, (f"the verbatim says {found.group(0)!r}: taken as life-threatening until answered",), True
            )
        if event.worst_grade() == 4 and not event.criteria:
            return Finding(True, ("grade 4 with no criterion of seriousness: taken as life-threatening",), True)
    return Finding(False, ("no criterion of a threat to life",))


def _serious(event: Event, special: Finding, fatal: Finding, threat: Finding) -> Finding:
    firm = [f"criterion: {c.value.replace('_', ' ')}" for c in sorted(event.criteria)]
    soft: list[str] = []
    for finding in (fatal, threat, special):
        if finding:
            into = soft if finding.is_provisional else firm
            into += [r for r in finding.reasons if r not in into and not r.startswith("criterion")]
    if event.stated_serious is Known.YES:
        firm.append("the site calls it serious")
    if firm or soft:
        denied = ["the site calls it not serious, which contradicts: read at its worst"]
        reasons = [*firm, *soft, *(denied if event.stated_serious is Known.NO else [])]
        return Finding(True, tuple(reasons), is_provisional=not firm)
    if event.stated_serious is Known.UNKNOWN:
        return Finding(True, ("no word on seriousness: taken as serious until the site answers",), True)
    return Finding(False, ("the site calls it not serious, and no criterion is met",))
