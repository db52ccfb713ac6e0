"""The facts a site may send: one definition for the intake API and for the bus.

Closed models: an unknown field is refused, because a misspelt fact would be a lost one. Nothing is defaulted to a
date or a judgement: what is absent stays absent. Conversion to the book of rules is in `translate`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from tocsin.domain.calendars import ALLOWED, Partial
from tocsin.domain.facet_words import Intervention, Limits, Symptoms
from tocsin.domain.words import (
    Action,
    Agent,
    Criterion,
    Outcome,
    Party,
    Relation,
    ReportKind,
    Scale,
    Severity,
)


def _readable_date(text: str) -> str:
    try:
        Partial.parse(text)
    except ValueError as wrong:
        raise ValueError(f"{wrong}; allowed is {ALLOWED}") from None
    return text


PartialText = Annotated[str, StringConstraints(max_length=40), AfterValidator(_readable_date)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Narrative = Annotated[str, StringConstraints(max_length=20_000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Grade = Annotated[int, Field(ge=0, le=5)]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._:/-]+$")]


class Facts(BaseModel):
    """The base of all facts: closed, frozen, and NaN or infinity are not numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CausalityFacts(Facts):
    """One party's judgement of one agent, in the words of its scale."""

    agent: Agent
    party: Party = Party.INVESTIGATOR
    relation: Relation


class StatedGrades(Facts):
    """The grade the site states, per scale. Scales are never merged."""

    ctcae: Annotated[int, Field(ge=1, le=5)] | None = None
    astct: Grade | None = None


class CourseStep(Facts):
    """From when on the event had this grade."""

    grade: Grade
    scale: Scale = Scale.CTCAE
    from_: PartialText = Field(alias="from")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class EventFacts(Facts):
    """One adverse event as the site describes it."""

    ref: Ref | None = Field(None, description="the site's own name for this event within the report; default its place")
    verbatim: Words = Field(description="the event in the reporter's own words, any language; never changed")
    onset: PartialText | None = None
    end: PartialText | None = None
    serious: bool | None = None
    seriousness: list[Criterion] = Field(default_factory=list, max_length=6)
    outcome: Outcome | None = None
    action: Action | None = None
    severity: Severity | None = Field(None, description="AESEV where the study does not grade; never a grade")
    grade: StatedGrades | None = None
    course: list[CourseStep] = Field(default_factory=list, max_length=200)
    causality: list[CausalityFacts] = Field(default_factory=list, max_length=40)
    investigator_aware_at: PartialText | None = None
    treatment: Words | None = None
    treated: bool | None = None
    asymptomatic: bool | None = None
    symptoms: Symptoms | None = Field(None, description="how bad they were at their worst")
    limits: Limits | None = Field(
        None, description="what it limited: cooking, shopping, money (instrumental); washing, eating (self care)"
    )
    intervention: Intervention | None = Field(None, description="the most that the event called for, done or not")
    culture_positive: bool | None = None
    component_of: Ref | None = Field(
        None, description="the `ref` of the syndrome in this report that this is a sign of"
    )
    alternative_cause: Words | None = None
    correction: bool = Field(False, description="these grades replace the earlier ones instead of adding to them")
    nullified: bool = Field(False, description="this event never happened, was another subject's, or is a duplicate")


class ReporterFacts(Facts):
    """Who reports. Kept inside; never in a mail or a webhook."""

    name: Name | None = None
    role: Name | None = None
    contact: Name | None = None


class SourceFacts(Facts):
    """Where a report came from: `system` (an EDC, an import), `batch` (one run) and `reference` (its row there)."""

    system: Name
    batch: Name | None = None
    reference: Name | None = None


class ReportFacts(Facts):
    """A report of one to fifty adverse events of one subject."""

    study: Name | None = Field(None, description="may be left out: the key is bound to one study")
    site: Name | None = Field(None, description="needed with a key for all sites, else the key's own")
    subject: Name | None = Field(None, description="the subject's study number; never a name")
    kind: ReportKind = ReportKind.ADVERSE_EVENT
    detail: Literal[
        "subject", "partner", "out_of_specification", "failed_release", "sterility", "mix_up", "wrong_dose",
        "wrong_subject", "thaw_failure", "bag_failure", "overdose", "medication_error", "other",
    ] | None = Field(None, description="what kind of pregnancy, product event or medication error")  # fmt: skip
    patient_identifiable: bool | None = Field(None, description="false only if nobody can say which patient it was")
    reporter: ReporterFacts | None = None
    product: Name | None = Field(
        None, description="the suspect product; an opinion on agent `product` names the study's own"
    )
    events: list[EventFacts] = Field(default_factory=list, max_length=50)
    narrative: Narrative | None = None
    source: SourceFacts | None = None


class FollowUpFacts(ReportFacts):
    """What is new: facts it does not mention stay, `null` takes one back, and history keeps both."""

    nullify: bool = Field(False, description="the whole case never was: wrong subject, duplicate, or no such event")
    reason: Words | None = Field(None, description="why; needed to nullify")
    right_subject: Name | None = Field(None, description="the right subject, when the wrong one was named")


class EnrolmentFacts(Facts):
    """A subject is in the trial at a level."""

    kind: Literal["enrolment"]
    study: Name | None = None
    site: Name | None = None
    subject: Name
    level: Name | None = None
    enrolled_on: PartialText


class InfusionFacts(Facts):
    """The product was given. `planned` and `given` in cells per kg body weight (units: `cells/kg`, `10^6 cells/kg`)."""

    kind: Literal["infusion"]
    study: Name | None = None
    site: Name | None = None
    subject: Name
    level: Name
    started_at: PartialText
    planned: float | None = Field(None, gt=0)
    given: float | None = Field(None, ge=0)
    unit: Name | None = None
    lot: Name | None = None


class WithdrawalFacts(Facts):
    """A subject left the trial or its observation."""

    kind: Literal["withdrawal"]
    study: Name | None = None
    site: Name | None = None
    subject: Name
    withdrawn_on: PartialText
    reason: Words | None = None


class ProductEventFacts(Facts):
    """Something went wrong with the product itself. Rings."""

    kind: Literal["product_event"]
    study: Name | None = None
    site: Name | None = None
    subject: Name | None = None
    what: Literal[
        "out_of_specification", "failed_release", "sterility", "mix_up", "wrong_dose", "wrong_subject",
        "thaw_failure", "bag_failure", "other",
    ]  # fmt: skip
    found_at: PartialText
    lot: Name | None = None
    description: Words | None = None


DoseFacts = Annotated[EnrolmentFacts | InfusionFacts | WithdrawalFacts | ProductEventFacts, Field(discriminator="kind")]


class Observed(Facts):
    """What every observation carries: whose, when, the site's own reference; `correction` replaces that reference."""

    subject: Name
    at: PartialText
    ref: Ref | None = None
    correction: bool = False


class LaboratoryValue(Observed):
    kind: Literal["laboratory"]
    test: Name
    value: float
    unit: Name
    lln: float | None = None
    uln: float | None = None
    loinc: Name | None = None
    specimen: Name | None = Field(
        None, description="measured in what, as LBSPEC says it; absent: what the name of the test implies, or blood"
    )
    phase: Name | None = Field(None, description="such as pre_lymphodepletion, screening, baseline")


class VitalSign(Observed):
    kind: Literal["vital_sign"]
    sign: Literal["temperature", "systolic", "diastolic", "heart_rate", "respiratory_rate", "spo2", "weight"]
    value: float
    unit: Name


class Oxygen(Observed):
    kind: Literal["oxygen"]
    device: Literal[
        "none", "low_flow_nc", "blow_by", "high_flow_nc", "facemask", "nonrebreather", "venturi", "cpap", "bipap",
        "intubated",
    ]  # fmt: skip
    flow_l_per_min: float | None = Field(None, ge=0)
    fio2_percent: float | None = Field(None, ge=21, le=100)
    reason: Words | None = None


class Pressors(Observed):
    kind: Literal["pressors"]
    excluding_vasopressin: int = Field(ge=0, le=10)
    vasopressin: bool | None = None
    fluids: bool | None = None


class IceScore(Observed):
    kind: Literal["ice"]
    score: int | None = Field(None, ge=0, le=10)
    orientation: int | None = Field(None, ge=0, le=4)
    naming: int | None = Field(None, ge=0, le=3)
    command: int | None = Field(None, ge=0, le=1)
    writing: int | None = Field(None, ge=0, le=1)
    attention: int | None = Field(None, ge=0, le=1)


class Consciousness(Observed):
    kind: Literal["consciousness"]
    level: Literal["normal", "spontaneous", "voice", "tactile", "vigorous_or_unarousable"]


class Seizure(Observed):
    kind: Literal["seizure"]
    course: Literal["none", "brief_resolves", "prolonged_or_status"]


class MotorWeakness(Observed):
    kind: Literal["motor"]
    deep_focal: bool


class CerebralOedema(Observed):
    kind: Literal["oedema"]
    extent: Literal["none", "focal", "diffuse_or_posturing"]


class Therapy(Observed):
    """What changes how other facts are read: an antipyretic or anti-cytokine drug, G-CSF, a transfusion."""

    kind: Literal["therapy"]
    what: Literal["antipyretic", "anti_cytokine", "corticosteroid", "g_csf", "platelet_transfusion", "red_cells"]


class MarrowResult(Observed):
    kind: Literal["marrow"]
    myeloma_involvement: bool | None = None
    description: Words | None = None


Observation = Annotated[
    LaboratoryValue
    | VitalSign
    | Oxygen
    | Pressors
    | IceScore
    | Consciousness
    | Seizure
    | MotorWeakness
    | CerebralOedema
    | Therapy
    | MarrowResult,
    Field(discriminator="kind"),
]


class ObservationsFacts(Facts):
    """One observation or thousands, of any subjects of the key's sites."""

    study: Name | None = None
    site: Name | None = None
    observations: list[Observation] = Field(min_length=1, max_length=5000)
