"""The words of the facets: what a site is asked of an event, what it may answer, and how that is said again.

Closed lists. A term's grades are written in `Facet`; the six questions of `Answers` decide most of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from tocsin.domain.known import Known


class Symptoms(StrEnum):
    """How bad the symptoms of the event are at their worst."""

    ASYMPTOMATIC = "asymptomatic"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class Limits(StrEnum):
    """What the event keeps the subject from doing. In a child: what it does to the daily life of that age."""

    NONE = "none"
    INSTRUMENTAL_ADL = "instrumental_adl"
    SELF_CARE_ADL = "self_care_adl"


class Intervention(StrEnum):
    """The most that the event called for, done or not.

    `noninvasive` is neither drug nor procedure (dressing, diet, oxygen, physiotherapy); `medical` is any drug or fluid,
    on the skin, by mouth or into a vein; `invasive` is operation, endoscopy, drain or catheter; `urgent` is any of them
    without delay, to avert harm.
    """

    NONE = "none"
    NONINVASIVE = "noninvasive"
    MEDICAL = "medical"
    INVASIVE = "invasive"
    URGENT = "urgent"


class Facet(StrEnum):
    """One word of a table of facets. `mild` also stands for "symptomatic"."""

    ASYMPTOMATIC = "asymptomatic"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    NO_LIMITS = "no_limits"
    INSTRUMENTAL_ADL = "instrumental_adl"
    SELF_CARE_ADL = "self_care_adl"
    NO_INTERVENTION = "no_intervention"
    NONINVASIVE = "noninvasive"
    MEDICAL = "medical"
    INVASIVE = "invasive"
    URGENT = "urgent"
    HOSPITALISATION = "hospitalisation"
    LIFE_THREATENING = "life_threatening"
    DEATH = "death"
    # No question asks for these two alone; where no intervention at all was called for, they are denied.
    TRANSFUSION = "transfusion"
    TUBE_FEEDING = "tube_feeding"  # or feeding by vein
    # No question asks for these.
    PRESENT = "present"
    NUMBER = "number"
    OTHER = "other"
    OBSERVATION_ONLY = "observation_only"


Alternative = frozenset[Facet]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a site said of one event. None and UNKNOWN: not said.

    `hospitalised`, `life_threatening` and `died` are about this event: for it, through it, of it.
    """

    symptoms: Symptoms | None = None
    limits: Limits | None = None
    intervention: Intervention | None = None
    hospitalised: Known = Known.UNKNOWN
    life_threatening: Known = Known.UNKNOWN
    died: Known = Known.UNKNOWN


@dataclass(frozen=True, slots=True)
class TermFacets:
    """The grades of one CTCAE term, each with the alternatives that make it."""

    code: str
    term: str
    edition: str
    grades: Mapping[int, tuple[Alternative, ...]]


@dataclass(frozen=True, slots=True)
class Question:
    """One of the six, with its facets from the least to the most. `is_strict`: a level says nothing of those below."""

    field: str
    missing: str
    levels: tuple[Facet, ...]
    answers: tuple[str, ...] = (Known.NO, Known.YES)
    is_strict: bool = False

    def level(self, answers: Answers) -> int | None:
        """The level of the answer; None where there is none."""
        answer = getattr(answers, self.field)
        return self.answers.index(answer) if answer in self.answers else None

    def of(self, alternative: Alternative) -> int | None:
        """The level that an alternative asks for, where it asks for one above the lowest."""
        asked = [level for level, facet in enumerate(self.levels) if level and facet in alternative]
        return max(asked, default=None)


_F: Final = Facet
INTERVENTION: Final = Question(
    "intervention",
    "which intervention the event called for",
    (_F.NO_INTERVENTION, _F.NONINVASIVE, _F.MEDICAL, _F.INVASIVE, _F.URGENT),
    tuple(Intervention),
    is_strict=True,
)
QUESTIONS: Final = (
    Question(
        "symptoms", "how bad the symptoms were", (_F.ASYMPTOMATIC, _F.MILD, _F.MODERATE, _F.SEVERE), tuple(Symptoms)
    ),
    Question(
        "limits", "what it limited in daily life", (_F.NO_LIMITS, _F.INSTRUMENTAL_ADL, _F.SELF_CARE_ADL), tuple(Limits)
    ),
    INTERVENTION,
    Question("hospitalised", "whether it called for hospitalisation", (_F.OTHER, _F.HOSPITALISATION)),
    Question("life_threatening", "whether it was life-threatening", (_F.OTHER, _F.LIFE_THREATENING)),
    Question("died", "whether the subject died of it", (_F.OTHER, _F.DEATH)),
)
MEDICAL: Final = INTERVENTION.levels.index(_F.MEDICAL)
NEEDS_SOME_INTERVENTION: Final = (_F.TRANSFUSION, _F.TUBE_FEEDING)
NOT_ASKED: Final = MappingProxyType(
    {
        _F.NUMBER: "a measured value",
        _F.OTHER: "a criterion of the term's own",
        _F.PRESENT: "whether it is present",
        _F.OBSERVATION_ONLY: "whether it was only observed",
        _F.TRANSFUSION: "whether a transfusion was called for",
        _F.TUBE_FEEDING: "whether feeding by tube or vein was called for",
    }
)
SAID: Final = MappingProxyType(
    {
        "asymptomatic": "there were no symptoms",
        "mild": "the symptoms were mild",
        "moderate": "the symptoms were moderate",
        "severe": "the symptoms were severe",
        "limits none": "daily life was not limited",
        "instrumental_adl": "instrumental activities of daily life were limited",
        "self_care_adl": "self care was limited",
        "intervention none": "no intervention was called for",
        "noninvasive": "a noninvasive intervention was called for",
        "medical": "a medical intervention was called for",
        "invasive": "an invasive intervention was called for",
        "urgent": "an urgent intervention was called for",
        "hospitalised yes": "hospitalisation was called for",
        "hospitalised no": "hospitalisation was not called for",
        "life_threatening yes": "it was life-threatening",
        "life_threatening no": "it was not life-threatening",
        "died yes": "the subject died of it",
        "died no": "the subject did not die of it",
    }
)

SAID_IN_CHINESE: Final = MappingProxyType(
    {
        "asymptomatic": "无症状",
        "mild": "症状轻微",
        "moderate": "症状中度",
        "severe": "症状严重",
        "limits none": "日常生活未受限",
        "instrumental_adl": "工具性日常生活活动受限",
        "self_care_adl": "自理性日常生活活动受限",
        "intervention none": "无需干预",
        "noninvasive": "需要非药物的无创干预",
        "medical": "需要药物治疗",
        "invasive": "需要有创干预",
        "urgent": "需要紧急干预",
        "hospitalised yes": "需要住院",
        "hospitalised no": "无需住院",
        "life_threatening yes": "危及生命",
        "life_threatening no": "未危及生命",
        "died yes": "受试者因此死亡",
        "died no": "受试者未因此死亡",
    }
)


def said(question: Question, answers: Answers, words: Mapping[str, str] = SAID) -> str:
    """The answer to a question as half a sentence; `words` are those of a language."""
    answer = getattr(answers, question.field).value
    return words.get(f"{question.field} {answer}") or words[answer]
