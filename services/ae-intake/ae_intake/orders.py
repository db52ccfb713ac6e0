"""What a follow-up asks to be done with a case beside telling facts: nullify it, revive it, name the right subject."""

from __future__ import annotations

from ae_intake.attribution import Place, site_of_subject, wrong_subject
from ae_intake.revise import says_facts
from tocsin.errors import Wrong
from tocsin.messages.bodies import Contradiction, ReportReceivedV1
from tocsin.messages.facts import FollowUpFacts


def is_nullified_by(before: ReportReceivedV1, facts: FollowUpFacts) -> bool:
    """A nullified case stays so until it is said not to be, or until news of it come: those are not for nothing."""
    if facts.nullify or not before.is_nullified:
        return facts.nullify
    return "nullify" not in facts.model_fields_set and not says_facts(facts)


def revived(before: ReportReceivedV1, facts: FollowUpFacts, is_nullified: bool) -> list[Contradiction]:
    if not before.is_nullified or is_nullified or "nullify" in facts.model_fields_set:
        return []
    return [Contradiction(pointer="", problem="news of a case that was nullified", read_as="the case stands again")]


def wrong_orders(facts: FollowUpFacts, before: ReportReceivedV1, place: Place, may_cross_sites: bool) -> list[Wrong]:
    """What a follow-up asks to be done that cannot be done to this case."""
    wrong = []
    if facts.subject is not None and before.subject not in (None, facts.subject):
        allowed = f"{before.subject}; a wrong subject is put right with nullify, reason and right_subject"
        wrong.append(Wrong("/subject", "is not the subject of this case", allowed))
    nullifies = facts.nullify or any(event.nullified for event in facts.events)
    if nullifies and facts.reason is None:
        wrong.append(Wrong("/reason", "is missing: to nullify needs a reason", "text, 1 to 1000 characters"))
    if facts.right_subject is not None:
        if not facts.nullify:
            wrong.append(Wrong("/right_subject", "without nullify", "only with nullify true and a reason"))
        if facts.right_subject == before.subject:
            wrong.append(Wrong("/right_subject", "is the subject that the case names already", "another subject"))
        there = site_of_subject(place.protocol, facts.right_subject) if may_cross_sites else None
        right = place if there is None else Place(place.protocol, there)
        wrong += wrong_subject(right, facts.right_subject, "/right_subject")
    return wrong
