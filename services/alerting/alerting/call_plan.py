"""A study's call plan: people and their addresses, rotas, and whom each kind of alert rings. The document, its check.

Saved whole, as a version. What it does not name stays as it is: roles that only the study file fills, and the policies
of the house for kinds that no policy here names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from alerting import kinds
from alerting.accounts import key
from alerting.alarm import POLICIES, Policy, Step
from alerting.on_call import Person, Quiet, Rota
from tocsin.domain.words import Role
from tocsin.errors import Wrong
from tocsin.study_shape import Address

_MANY: Final = 200
_NAME = Annotated[str, Field(min_length=1, max_length=200)]
LEAST_REPEAT: Final = timedelta(minutes=5)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; a name such as Asia/Shanghai is") from None
    return name


def _local(text: str) -> str:
    try:
        found = time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time of day; HH:MM is") from None
    if found.tzinfo is not None or found.second or found.microsecond:
        raise ValueError(f"{text!r} is no local time in whole minutes; HH:MM is")
    return text


_Zone = Annotated[str, AfterValidator(_zone)]
_Local = Annotated[str, AfterValidator(_local)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuietPart(_Part):
    """Hours in which only a threat to life is sent: local times, over midnight where it ends earlier."""

    begins: _Local
    ends: _Local
    zone: _Zone | None = Field(None, description="the plan's, unless it is another")


class PersonPart(_Part):
    """Somebody who is rung. `name` is the name of the login: who acknowledges is known by it."""

    name: _NAME
    roles: list[Role] = Field(min_length=1, max_length=20)
    mails: list[Address] = Field(default_factory=list, max_length=10)
    webhooks: list[str] = Field(default_factory=list, max_length=10, description="ids of webhooks, as they are listed")
    quiet: QuietPart | None = None


class RotaPart(_Part):
    """Whose turn it is in a role. The first turn begins at `handover` on `begins`; each lasts `every_days`."""

    role: Role
    begins: date
    handover: _Local
    every_days: int = Field(ge=1, le=366)
    people: list[_NAME] = Field(min_length=1, max_length=_MANY)
    zone: _Zone | None = Field(None, description="the plan's, unless it is another")


class StepPart(_Part):
    """Who is rung when nobody has acknowledged for so long after the first ring."""

    after_minutes: int = Field(ge=0, le=7 * 24 * 60)
    roles: list[Role] = Field(min_length=1, max_length=10)
    everyone: bool = Field(False, description="all who are rung by this step must acknowledge")


class PolicyPart(_Part):
    """Whom alerts of these kinds, or of these levels, ring. The first policy that names an alert counts."""

    kinds: list[str] = Field(default_factory=list, max_length=100)
    levels: list[str] = Field(default_factory=list, max_length=10)
    steps: list[StepPart] = Field(min_length=1, max_length=50)
    repeat_minutes: int | None = Field(None, ge=5, le=7 * 24 * 60, description="the last step again, so often")
    last_resort: Role | None = Field(None, description="rung with each repeat, beside the last step")
    remind_minutes: int | None = Field(
        None, ge=15, le=30 * 24 * 60, description="whoever acknowledged is rung again when so long nothing was done"
    )


class CallPlanDocument(_Part):
    """Who is told in a study, and how."""

    zone: _Zone
    people: list[PersonPart] = Field(min_length=1, max_length=_MANY)
    rotas: list[RotaPart] = Field(default_factory=list, max_length=50)
    policies: list[PolicyPart] = Field(default_factory=list, max_length=50)


DOCUMENT: Final = TypeAdapter(CallPlanDocument)


@dataclass(frozen=True, slots=True)
class PolicyFor:
    """A policy, and the alerts that it is for."""

    kinds: frozenset[str]
    levels: frozenset[str]
    policy: Policy


@dataclass(frozen=True, slots=True)
class CallPlan:
    """The plan as it is applied."""

    people: tuple[Person, ...] = ()
    rotas: tuple[Rota, ...] = ()
    policies: tuple[PolicyFor, ...] = ()

    @property
    def roles(self) -> frozenset[str]:
        """Those that it fills."""
        return frozenset([*(rota.role for rota in self.rotas), *(role for one in self.people for role in one.roles)])

    def policy(self, level: str, kind: str) -> Policy | None:
        """The policy of such an alert; None where the house's own counts."""
        return next((one.policy for one in self.policies if kind in one.kinds or level in one.levels), None)


NO_PLAN: Final = CallPlan()


@lru_cache(maxsize=64)
def of_text(text: str) -> CallPlan:
    """The plan of a document that was checked and kept as JSON."""
    return of(DOCUMENT.validate_json(text))


def of(document: CallPlanDocument) -> CallPlan:
    """What the document says, ready to be applied."""
    zone = document.zone
    return CallPlan(
        tuple(
            Person(
                key(one.name), tuple(one.mails), tuple(one.webhooks), tuple(role.value for role in one.roles),
                None if one.quiet is None else _quiet(one.quiet, zone),
            )
            for one in document.people
        ),
        tuple(
            Rota(
                one.role.value, ZoneInfo(one.zone or zone), one.begins, time.fromisoformat(one.handover),
                one.every_days, tuple(key(name) for name in one.people),
            )
            for one in document.rotas
        ),
        tuple(PolicyFor(frozenset(one.kinds), frozenset(one.levels), _policy(one)) for one in document.policies),
    )  # fmt: skip


def _quiet(part: QuietPart, zone: str) -> Quiet:
    return Quiet(time.fromisoformat(part.begins), time.fromisoformat(part.ends), ZoneInfo(part.zone or zone))


def _policy(part: PolicyPart) -> Policy:
    steps = tuple(
        Step(timedelta(minutes=step.after_minutes), role.value, step.everyone)
        for step in part.steps
        for role in step.roles
    )
    return Policy(
        steps,
        None if part.repeat_minutes is None else timedelta(minutes=part.repeat_minutes),
        None if part.last_resort is None else part.last_resort.value,
        None if part.remind_minutes is None else timedelta(minutes=part.remind_minutes),
    )


def contradictions(
    document: CallPlanDocument, *, at: datetime, webhooks: Collection[str], elsewhere: Mapping[str, bool]
) -> list[Wrong]:
    """What in the document cannot be, each with its place; empty when it may be saved.

    `webhooks` are the ids of those that are enabled; `elsewhere` says of a role whether somebody outside of the plan
    (in the study file, or a webhook of the role) is reachable as it.
    """
    return [*_of_people(document, webhooks), *_of_rotas(document, at), *_of_policies(document, elsewhere)]


def _of_people(document: CallPlanDocument, webhooks: Collection[str]) -> Iterator[Wrong]:
    seen: set[str] = set()
    for place, one in enumerate(document.people):
        where = f"/people/{place}"
        if key(one.name) in seen:
            yield Wrong(f"{where}/name", f"{one.name} stands here twice", "each person once")
        seen.add(key(one.name))
        if not one.mails and not one.webhooks:
            yield Wrong(where, f"{one.name} has no address: nobody would be rung", "a mail address or a webhook")
        for number, hook in enumerate(one.webhooks):
            if hook not in webhooks:
                allowed = ", ".join(sorted(webhooks)) or "none: tocsin webhooks add makes one"
                yield Wrong(f"{where}/webhooks/{number}", f"{hook} is no webhook that is enabled", allowed)
        if one.quiet is not None and one.quiet.begins == one.quiet.ends:
            yield Wrong(f"{where}/quiet", "it begins when it ends: never, or always?", "two different times")


def _of_rotas(document: CallPlanDocument, at: datetime) -> Iterator[Wrong]:
    people = {key(one.name): one for one in document.people}
    seen: set[str] = set()
    for place, rota in enumerate(document.rotas):
        where = f"/rotas/{place}"
        if rota.role in seen:
            yield Wrong(f"{where}/role", f"{rota.role.value} has two rotas", "one for each role")
        seen.add(rota.role)
        for number, name in enumerate(rota.people):
            person = people.get(key(name))
            if person is None:
                allowed = ", ".join(one.name for one in document.people)
                yield Wrong(f"{where}/people/{number}", f"nobody here is called {name}", allowed)
            elif rota.role not in person.roles:
                roles = ", ".join(role.value for role in person.roles)
                allowed = f"somebody who is {rota.role.value}"
                yield Wrong(
                    f"{where}/people/{number}", f"{name} is {roles}: who is on call must have the role", allowed
                )
        first = datetime.combine(rota.begins, time.fromisoformat(rota.handover), ZoneInfo(rota.zone or document.zone))
        if first > at:
            said = "the rota has not begun: nobody would be on call until then"
            yield Wrong(f"{where}/begins", said, "a first hand-over that has been; it may lie long ago")


def _of_policies(document: CallPlanDocument, elsewhere: Mapping[str, bool]) -> Iterator[Wrong]:
    filled = {role.value for one in document.people for role in one.roles}
    reachable = {role.value for one in document.people if one.mails or one.webhooks for role in one.roles}
    reachable |= {role for role, is_reachable in elsewhere.items() if is_reachable and role not in filled}
    allowed = ", ".join(sorted(reachable)) or "a role that somebody has"
    for place, one in enumerate(document.policies):
        where = f"/policies/{place}"
        if not one.kinds and not one.levels:
            yield Wrong(where, "it names neither kinds nor levels: no alert would follow it", "one of them")
        for number, kind in enumerate(one.kinds):
            if kind not in kinds.KINDS or kind in kinds.UNTIL_ANSWERED:
                known = ", ".join(name for name in kinds.KINDS if name not in kinds.UNTIL_ANSWERED)
                yield Wrong(f"{where}/kinds/{number}", f"there is no kind {kind!r} of alert to be planned", known)
        for number, level in enumerate(one.levels):
            if level not in kinds.LEVELS:
                yield Wrong(f"{where}/levels/{number}", f"there is no level {level!r}", ", ".join(kinds.LEVELS))
        if one.steps[0].after_minutes:
            yield Wrong(f"{where}/steps/0/after_minutes", "the first step rings at once", "0")
        for number, (before, step) in enumerate(zip(one.steps, one.steps[1:], strict=False), 1):
            if step.after_minutes <= before.after_minutes:
                said = f"{step.after_minutes} is not later than the step before"
                yield Wrong(f"{where}/steps/{number}/after_minutes", said, f"more than {before.after_minutes}")
        for number, step in enumerate(one.steps):
            for other, role in enumerate(step.roles):
                if role.value not in reachable:
                    yield Wrong(
                        f"{where}/steps/{number}/roles/{other}", f"nobody is reachable as {role.value}", allowed
                    )
            if step.everyone and not {role.value for role in step.roles} <= filled:
                said = "everyone must acknowledge, and who that is can be told of people in this plan only"
                yield Wrong(f"{where}/steps/{number}/everyone", said, "false, or people here with these roles")
        if one.last_resort is not None:
            if one.repeat_minutes is None:
                yield Wrong(f"{where}/last_resort", "it is rung with each repeat, and nothing is repeated", "a repeat")
            if one.last_resort.value not in reachable:
                yield Wrong(f"{where}/last_resort", f"nobody is reachable as {one.last_resort.value}", allowed)
        wakes = {"page", "overdue"} & {*one.levels} or any(kinds.wakes(kind, "page") for kind in one.kinds)
        if wakes and one.repeat_minutes is None:
            yield Wrong(f"{where}/repeat_minutes", "a page that nobody answers must ring again", "5 or more minutes")
    yield from _left_to_the_house(document, reachable, allowed)


def _left_to_the_house(document: CallPlanDocument, reachable: Collection[str], allowed: str) -> Iterator[Wrong]:
    """The pages that no policy names follow the house's own steps: those roles must be there, too."""
    if any("page" in one.levels for one in document.policies):
        return
    for step in POLICIES["page"].steps:
        if step.role not in reachable:
            said = f"pages ring {step.role} by the policy of the house, and nobody is reachable as that"
            yield Wrong("/people", said, f"somebody who is {step.role}, or a policy for the level page ({allowed})")


def example(zone: str = "Asia/Shanghai") -> dict[str, Any]:
    """A plan to begin with, for documents and `tocsin on-call example`."""
    people = [
        ("lin", "safety_physician"), ("shen", "safety_physician"), ("qiao", "second_physician"),
        ("zhou", "medical_director"), ("wu", "safety_team"),
    ]  # fmt: skip
    return {
        "zone": zone,
        "people": [
            {"name": name, "roles": [role], "mails": [f"{name}@sponsor.example"]} for name, role in people
        ],
        "rotas": [
            {"role": "safety_physician", "begins": "2026-01-05", "handover": "08:00", "every_days": 7,
             "people": ["lin", "shen"]}
        ],
        "policies": [
            {
                "levels": ["page"],
                "steps": [
                    {"after_minutes": 0, "roles": ["safety_physician"]},
                    {"after_minutes": 15, "roles": ["second_physician"]},
                    {"after_minutes": 60, "roles": ["medical_director"]},
                ],
                "repeat_minutes": 60,
                "last_resort": "safety_team",
                "remind_minutes": 240,
            }
        ],
    }  # fmt: skip


def roles_rung(plan: CallPlan) -> frozenset[str]:
    """The roles that pages ring, and whatever a policy of the plan does: those that must always be reachable."""
    planned = [one.policy for one in plan.policies]
    if not any("page" in one.levels for one in plan.policies):
        planned.append(POLICIES["page"])
    last = [policy.last_resort for policy in planned if policy.last_resort is not None]
    return frozenset([*last, *(step.role for policy in planned for step in policy.steps)])
