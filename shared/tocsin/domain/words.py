"""The closed lists a report may use, as the standards name them.

Sources: ICH E2B(R3) E.i.3.2 (seriousness), E.i.7 (outcome), G.k.8 (action taken); CDISC controlled terminology;
WHO-UMC and China's five-point scale for causality; rules.md section 2.
"""

from __future__ import annotations

from enum import StrEnum

from tocsin.domain.known import Known


class Role(StrEnum):
    """What a person may be in a study. A person may be several."""

    SITE = "site"
    SAFETY_PHYSICIAN = "safety_physician"
    SECOND_PHYSICIAN = "second_physician"
    MEDICAL_DIRECTOR = "medical_director"
    MEDICAL_REVIEWER = "medical_reviewer"
    SAFETY_TEAM = "safety_team"
    CODER = "coder"
    COMMITTEE = "committee"
    CELL_LAB = "cell_lab"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class ReportKind(StrEnum):
    """What a report is about. Every kind rings."""

    ADVERSE_EVENT = "adverse_event"
    PREGNANCY = "pregnancy"
    PRODUCT_EVENT = "product_event"
    MEDICATION_ERROR = "medication_error"


class Criterion(StrEnum):
    """Seriousness criteria, E2B(R3) E.i.3.2 a to f."""

    DEATH = "death"
    LIFE_THREATENING = "life_threatening"
    HOSPITALISATION = "hospitalisation"
    DISABILITY = "disability"
    CONGENITAL_ANOMALY = "congenital_anomaly"
    MEDICALLY_IMPORTANT = "medically_important"


class Outcome(StrEnum):
    """E2B(R3) E.i.7."""

    RECOVERED = "recovered"
    RECOVERING = "recovering"
    NOT_RECOVERED = "not_recovered"
    RECOVERED_WITH_SEQUELAE = "recovered_with_sequelae"
    FATAL = "fatal"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """Action taken with the product, E2B(R3) G.k.8 and CDISC."""

    WITHDRAWN = "withdrawn"
    REDUCED = "reduced"
    INCREASED = "increased"
    NOT_CHANGED = "not_changed"
    INTERRUPTED = "interrupted"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """AESEV, where a study does not grade. Never converted to a grade, and never a criterion of seriousness."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class Scale(StrEnum):
    """A grading scale. Grades of two scales stand side by side and are never merged."""

    CTCAE = "ctcae"
    ASTCT = "astct"
    IEC_HS = "iec_hs"
    ICAHT = "icaht"


class CrsScale(StrEnum):
    """By which scale a CRS counts for a dose-limiting toxicity and for special interest (rules.md 3.1, 4.2)."""

    WORST_OF = "worst_of"
    CTCAE = "ctcae"
    ASTCT = "astct"


class Agent(StrEnum):
    """What an event may be attributed to, each judged for itself."""

    PRODUCT = "product"
    LYMPHODEPLETION = "lymphodepletion"
    BRIDGING = "bridging"
    APHERESIS = "apheresis"
    RESCUE = "rescue"
    DISEASE = "disease"
    OTHER = "other"


class Party(StrEnum):
    """Who judged."""

    INVESTIGATOR = "investigator"
    SPONSOR = "sponsor"


class Relation(StrEnum):
    """A causality opinion, in the words of the scale it was given on."""

    RELATED = "related"
    NOT_RELATED = "not_related"
    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"
    CONDITIONAL = "conditional"
    UNASSESSABLE = "unassessable"
    REMOTE = "remote"
    CN_DEFINITE = "肯定有关"
    CN_PROBABLE = "很可能有关"
    CN_POSSIBLE = "可能有关"
    CN_UNLIKELY = "可能无关"
    CN_UNRELATED = "肯定无关"
    CN_UNASSESSABLE = "无法判定"


_NOT_SUSPECTED = {Relation.NOT_RELATED, Relation.UNLIKELY, Relation.CN_UNRELATED}
# 可能无关 is contested: it counts as suspected until a signed sponsor setting says otherwise (readings.md, clocks 2).
CONTESTED = {Relation.CN_UNLIKELY, Relation.REMOTE}


def is_suspected(relation: Relation | None) -> Known:
    """Whether an opinion leaves a reasonable possibility. No opinion is not known, which is never "no"."""
    if relation is None:
        return Known.UNKNOWN
    return Known.NO if relation in _NOT_SUSPECTED else Known.YES
