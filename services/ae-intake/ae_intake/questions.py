"""What a report leaves to ask: missing elements, awareness, contradictions, fallen grades, likely duplicates.

A question's id follows from what it asks about, so the same question is asked once however often the report comes.
Nothing here fills anything in: what is absent stays absent until the site answers.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from tocsin.domain.calendars import Partial
from tocsin.messages.bodies import Contradiction, KeptEvent, QueryKind, ReportReceivedV1
from tocsin.messages.envelope import identity


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask. `about` is a JSON Pointer into the report's facts."""

    kind: QueryKind
    about: str
    text: str
    subject_matter: str

    def query_id(self, case_id: str) -> str:
        """The same for the same question about the same case."""
        return str(identity("query", case_id, self.kind, self.about, self.subject_matter))


@dataclass(frozen=True, slots=True)
class Missing:
    """One of the four minimum elements that a report lacks."""

    element: str
    pointer: str
    question: str


def missing(body: ReportReceivedV1) -> list[Missing]:
    """Where each missing element belongs, and how it is asked for. `body.missing` names them."""
    where = {
        "patient": Missing("patient", "/subject", "Which subject is it? Give the subject's study number."),
        "reporter": Missing("reporter", "/reporter", "Who reports? Give a name, a role or a contact."),
        "product": Missing("product", "/product", "Which product is suspected?"),
        "event": Missing("event", "/events", "What happened? Give at least one event in the reporter's words."),
    }
    if body.subject is not None and body.facts.patient_identifiable is False:
        where["patient"] = Missing(
            "patient", "/patient_identifiable", "The report says that nobody can tell which patient it was. Can you?"
        )
    return [where[element] for element in body.missing]


def questions(
    body: ReportReceivedV1, serious: Container[str], differing: Sequence[Contradiction] = ()
) -> list[Question]:
    """Everything to ask about one revision, each once. `serious`: the events whose awareness is asked for."""
    found = [
        *(Question("missing", m.pointer, m.question, m.element) for m in missing(body)),
        *_awareness(body.events, serious),
        *(_of_contradiction(c, "contradiction") for c in body.contradictions if c not in differing),
        *(_of_contradiction(c, "grade") for c in differing),
        *(of_duplicate(link.case_id, link.reasons) for link in body.possible_duplicates),
    ]
    return list({question.query_id(body.case_id): question for question in found}.values())


def _awareness(events: Iterable[KeptEvent], serious: Container[str]) -> Iterable[Question]:
    """The 24-hour clock needs the investigator's own time, for whatever is serious or not known not to be."""
    for n, kept in enumerate(events):
        if kept.facts.nullified or kept.event_id not in serious:
            continue
        about, aware = f"/events/{n}/investigator_aware_at", kept.facts.investigator_aware_at
        if aware is None:
            text = "When did the investigator first know of this event? Give day, time and, if in doubt, the offset."
            yield Question("awareness", about, text, "absent")
        elif not Partial.parse(aware).is_instant:
            text = f"The investigator's awareness is given as {aware}. At what time was it? Give day, hour and minute."
            yield Question("awareness", about, text, "not whole")


def _of_contradiction(found: Contradiction, kind: QueryKind) -> Question:
    problem = found.problem[0].upper() + found.problem[1:]
    text = f"{problem}. Until you answer it is read as: {found.read_as}. What is right?"
    return Question(kind, found.pointer, text, found.problem)


def of_duplicate(other: str, reasons: Sequence[str] = ()) -> Question:
    """Whether this case tells of the same as another. The other case alone makes the question what it is."""
    text = f"This may tell of the same event as {other} ({'; '.join(reasons)}). Is it the same?"
    return Question("duplicate", "", text, other)
