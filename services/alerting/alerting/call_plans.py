"""The call plans of this house as they are kept: versions of the document, and overrides of its rotas.

Kept beside the log, as logins and webhooks are: a rebuild leaves them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Connection, bindparam, func, insert, select, update

from alerting import accounts, call_plan, routing, webhooks
from alerting.accounts import key
from alerting.alarm import PERSON, Policy
from alerting.call_plan import NO_PLAN, CallPlan, CallPlanDocument
from alerting.delivery.ledger import MAIL, WEBHOOK, To
from alerting.instants import text
from alerting.on_call import OnDuty, Override, Person, on_duty, shifts
from alerting.parts import ALL_STUDIES, Parts
from alerting.tables import call_plans, overrides
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Role
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.store import audit
from tocsin.store.insert import insert_unless_there

LONGEST_OVERRIDE: Final = timedelta(days=92)

# Made once: these run for every alert, and making a statement costs as much as running it.
_P, _O = call_plans.c, overrides.c
_NEWEST = select(_P.version, _P.body).where(_P.study == bindparam("of_study")).order_by(_P.version.desc()).limit(1)
_OVERRIDES = (
    select(_O.role, _O.person, _O.begins, _O.ends)
    .where(_O.study == bindparam("of_study"), _O.withdrawn_at.is_(None), _O.ends > bindparam("at"))
    .order_by(_O.made_at, _O.id)
)


@dataclass(frozen=True, slots=True)
class Kept:
    """The plan of a study as it stands, with the overrides that are not withdrawn, oldest first. Version 0: none."""

    study: str
    version: int
    plan: CallPlan
    overrides: tuple[Override, ...]

    def policy(self, level: str, kind: str) -> Policy | None:
        """Whom such an alert rings by the plan; None where the house's own policy counts."""
        return self.plan.policy(level, kind)

    def turns(self, role: str, begins: datetime, ends: datetime) -> list[tuple[datetime, datetime, OnDuty]]:
        """Who has a role from when to when."""
        return list(shifts(role, begins, ends, self.plan.people, self.plan.rotas, self.overrides))


def load(tx: Connection, study: str, at: datetime) -> Kept:
    """The plan of a study, and the overrides that have not ended at this moment."""
    row = tx.execute(_NEWEST, {"of_study": study}).one_or_none()
    if row is None:
        return Kept(study, 0, NO_PLAN, ())
    kept = tx.execute(_OVERRIDES, {"of_study": study, "at": at})
    return Kept(study, row.version, call_plan.of_text(row.body), tuple(Override(*one) for one in kept))


def document(tx: Connection, study: str) -> dict[str, Any] | None:
    """The newest version as it was saved, with who saved it; None where there is none."""
    its = call_plans.c
    row = tx.execute(select(call_plans).where(its.study == study).order_by(its.version.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    found = call_plan.DOCUMENT.validate_json(row.body)
    return {
        "study": study, "version": row.version, "saved_at": text(row.saved_at), "saved_by": row.saved_by,
        "reason": row.reason, "plan": call_plan.DOCUMENT.dump_python(found, mode="json", exclude_none=True),
    }  # fmt: skip


def check(
    tx: Connection, plan: CallPlanDocument, study: str, studies: Mapping[str, Protocol], at: datetime
) -> list[Wrong]:
    """What in a plan cannot be, each with its place; empty when it may be saved."""
    hooks = webhooks.enabled(tx)
    mine = routing.hooks_for(study, hooks)
    people = routing.people_of(study, studies)
    elsewhere = {
        role.value: any(p.role is role and p.email for p in people) or any(h.role == role for h in mine)
        for role in Role
    }
    return call_plan.contradictions(plan, at=at, webhooks=[h.id for h in hooks], elsewhere=elsewhere)


def cautions(tx: Connection, plan: CallPlanDocument) -> list[str]:
    """What may be saved and should be looked at: who is rung and could not acknowledge, as the logins are now."""
    found = []
    logins = accounts.roles_of(tx)
    for one in plan.people:
        roles = logins.get(key(one.name))
        missing = sorted(role.value for role in one.roles if roles is not None and role.value not in roles)
        if roles is None:
            found.append(f"{one.name} has no login, and could not acknowledge: tocsin users add makes one")
        elif missing:
            found.append(f"the login of {one.name} has not the role {', '.join(missing)}: tocsin users reset gives it")
    return found


def save(
    tx: Connection, parts: Parts, study: str, plan: CallPlanDocument, *, replaces: int, by: str, reason: str,
    at: datetime,
) -> int:  # fmt: skip
    """Keep a new version; answers its number. `replaces` is the version that whoever wrote it had before their eyes.

    Raises Refused with every finding, NotFound for a study that is not served here, Conflict when another version came
    between.
    """
    must_be_served(parts, study)
    if found := check(tx, plan, study, parts.studies, at):
        raise Refused("this call plan cannot be saved: somebody would not be rung", found)
    newest = tx.scalar(select(func.max(call_plans.c.version)).where(call_plans.c.study == study)) or 0
    row = {
        "study": study, "version": replaces + 1, "body": plan.model_dump_json(exclude_none=True), "saved_at": at,
        "saved_by": by, "reason": reason,
    }  # fmt: skip
    if newest != replaces or not tx.execute(insert_unless_there(call_plans, tx.dialect.name), row).rowcount:
        raise Conflict(f"version {newest} stands now, and this one replaces {replaces}: read it again first")
    audit.append(
        tx, at=at, who=by, did="call plan saved", about=f"call plan {study}", study=study, reason=reason,
        before={"version": replaces}, after={"version": replaces + 1, "plan": row["body"]},
    )  # fmt: skip
    return replaces + 1


def put_override(
    tx: Connection, parts: Parts, study: str, role: str, person: str, begins: datetime, ends: datetime, *, by: str,
    reason: str, at: datetime,
) -> UUID:  # fmt: skip
    """Somebody takes a role for a time. Raises Refused with what cannot be, NotFound where the study has no plan."""
    must_be_served(parts, study)
    kept = load(tx, study, at)
    if not kept.version:
        raise NotFound(f"study {study} has no call plan: save one first")
    people = {one.name: one for one in kept.plan.people}
    wrong = []
    if key(person) not in people:
        wrong.append(Wrong("/person", f"nobody in the plan is called {person}", ", ".join(people)))
    if role not in kept.plan.roles:
        wrong.append(Wrong("/role", f"the plan fills no role {role!r}", ", ".join(sorted(kept.plan.roles))))
    elif key(person) in people and role not in people[key(person)].roles:
        allowed = ", ".join(one.name for one in kept.plan.people if role in one.roles)
        wrong.append(Wrong("/person", f"{person} is not {role}, and could not acknowledge as such", allowed))
    if not begins < ends:
        wrong.append(Wrong("/ends", "it ends before it begins", f"a time after {begins.isoformat()}"))
    elif ends - begins > LONGEST_OVERRIDE:
        wrong.append(Wrong("/ends", "that is longer than three months: change the rota", "92 days at most"))
    if ends <= at:
        wrong.append(Wrong("/ends", "it has ended already", f"a time after {at.isoformat()}"))
    if wrong:
        raise Refused("this override cannot be", wrong)
    override_id = uuid4()
    row = {
        "id": override_id, "study": study, "role": role, "person": key(person), "begins": begins, "ends": ends,
        "made_at": at, "made_by": by, "reason": reason,
    }  # fmt: skip
    tx.execute(insert(overrides), row)
    after = {"role": role, "person": key(person), "begins": begins.isoformat(), "ends": ends.isoformat()}
    audit.append(
        tx, at=at, who=by, did="override made", about=f"override {override_id}", study=study, reason=reason, after=after
    )
    return override_id


def withdraw_override(
    tx: Connection, override_id: UUID, *, by: str, at: datetime, study: str | None = None
) -> None:  # fmt: skip
    """It counts no more from now on. NotFound where there is none that counts, or it is of another study."""
    of = overrides.c
    mine = (of.id == override_id, of.withdrawn_at.is_(None), *((of.study == study,) if study is not None else ()))
    done = tx.execute(update(overrides).where(*mine).values(withdrawn_at=at, withdrawn_by=by))
    if not done.rowcount:
        raise NotFound("there is no such override that still counts")
    audit.append(tx, at=at, who=by, did="override withdrawn", about=f"override {override_id}")


def overrides_of(tx: Connection, study: str, at: datetime) -> list[dict[str, Any]]:
    """Those that have not ended and were not withdrawn, soonest first."""
    of = overrides.c
    rows = tx.execute(
        select(overrides)
        .where(of.study == study, of.withdrawn_at.is_(None), of.ends > at)
        .order_by(of.begins, of.made_at)
    )
    return [
        {
            "override_id": str(row.id), "role": row.role, "person": row.person, "begins": text(row.begins),
            "ends": text(row.ends), "made_at": text(row.made_at), "made_by": row.made_by, "reason": row.reason,
        }
        for row in rows
    ]  # fmt: skip


def people_of(tx: Connection, parts: Parts, study: str, at: datetime) -> list[Person]:
    """The people of a study's call plan; of every plan for what concerns the house itself."""
    found = [load(tx, one, at).plan.people for one in ([study] if study in parts.studies else sorted(parts.studies))]
    return list(dict.fromkeys(person for people in found for person in people))


def callees(
    tx: Connection, study: str, studies: Mapping[str, Protocol], hooks: list[routing.Hook], at: datetime, *,
    plan: Kept | None = None,
) -> list[routing.Person]:  # fmt: skip
    """Everybody who may be rung about a study at this moment, each with a role, those on duty before the others.

    What concerns the house itself rings the people of every study. `plan`: the study's, where it is known already.
    """
    enabled = {hook.id for hook in hooks}
    found: list[routing.Person] = []
    for one in [study] if study in studies else sorted(studies):
        kept = plan if plan is not None and plan.study == one else load(tx, one, at)
        found += _of_plan(kept, enabled, at)
        found += [r for r in routing.people_of(one, studies) if r.role not in kept.plan.roles]
    return list(dict.fromkeys(found))


def _of_plan(kept: Kept, enabled: set[str], at: datetime) -> list[routing.Person]:
    plan, found = kept.plan, list[routing.Person]()

    def put(role: str, name: str, *, on_duty: bool) -> None:
        person = next(one for one in plan.people if one.name == name)
        hooks = [To(WEBHOOK, hook) for hook in person.webhooks if hook in enabled]
        to = (*(To(MAIL, mail) for mail in person.mails), *hooks)
        until = person.quiet.until(at) if person.quiet is not None else None
        found.append(routing.Callee(role, name, to, until, on_duty))

    for role in sorted(plan.roles):
        duty = on_duty(role, at, plan.people, plan.rotas, kept.overrides)
        on = [one.name for one in duty.people]
        for name in on:
            put(role, name, on_duty=True)
        for person in plan.people:
            if role in person.roles and person.name not in on:
                put(role, person.name, on_duty=False)
    for person in plan.people:
        put(f"{PERSON}{person.name}", person.name, on_duty=True)
    return found


def now_on_duty(tx: Connection, parts: Parts, at: datetime, days: int) -> list[dict[str, Any]]:
    """For each study and role of its plan: who is rung now, and every turn of the days to come."""
    shown = []
    for study in sorted(parts.studies):
        kept = load(tx, study, at)
        for role in sorted(kept.plan.roles):
            turns = kept.turns(role, at, at + timedelta(days=days))
            shown.append(
                {
                    "study": study, "role": role,
                    "on_duty": [one.name for one in turns[0][2].people], "because": turns[0][2].why,
                    "turns": [
                        {"begins": text(begins), "ends": text(ends), "people": [one.name for one in duty.people],
                         "because": duty.why}
                        for begins, ends, duty in turns
                    ],
                }
            )  # fmt: skip
    return shown


def unreachable(tx: Connection, parts: Parts, at: datetime) -> list[tuple[str, str]]:
    """The roles that alerts of each study ring and nobody is reachable as, at this moment: (study, role)."""
    found = []
    hooks = webhooks.enabled(tx)
    for study in sorted(parts.studies):
        kept = load(tx, study, at)
        people = callees(tx, study, parts.studies, hooks, at)
        mine = routing.hooks_for(study, hooks)
        for role in sorted(call_plan.roles_rung(kept.plan)):
            reached = routing.reach(role, people, mine)
            if reached.rung_role != role:
                found.append((study, role))
    return found


def must_be_served(parts: Parts, study: str) -> None:
    """NotFound for a study that this house does not serve."""
    if study not in parts.studies or study == ALL_STUDIES:
        raise NotFound(f"study {study!r} is not served here; served are {', '.join(sorted(parts.studies)) or 'none'}")
