"""Who may ask for what, written out: every route of the three services, and the roles that it answers.

`OPEN` needs no login: the doors, the files of the look, what watchers read, and addresses that only lead back. The page
behind a mail's link is open, too; without a login it shows what the mail showed, no more.
"""

from __future__ import annotations

from typing import Final

READERS: Final = (
    "safety_physician second_physician medical_director medical_reviewer safety_team committee auditor administrator"
)
"""What the sponsor knows of its cases."""
CODING: Final = "safety_physician second_physician medical_director medical_reviewer safety_team coder auditor"
"""The codings."""
REPORTS: Final = (
    "site safety_physician second_physician medical_director medical_reviewer safety_team coder auditor administrator"
)
"""Reports at intake; a person of a site those of that site."""
PHYSICIANS: Final = "safety_physician second_physician medical_director medical_reviewer"
"""Signing an assessment."""
RETRYING: Final = "safety_physician medical_director safety_team administrator"
"""Sending again, and trying an address."""
SWAPPING: Final = "safety_physician second_physician medical_director safety_team administrator"
"""Taking a turn on call."""
PLANNING: Final = "medical_director safety_team administrator"
"""The call plan."""
SUBMITTING: Final = "safety_physician second_physician medical_director medical_reviewer safety_team"
"""Recording what was sent."""
AUDITING: Final = "medical_director auditor administrator"
"""The audit trail."""
ANYBODY_SIGNED_IN: Final = (
    "site safety_physician second_physician medical_director medical_reviewer safety_team "
    "coder committee cell_lab auditor administrator"
)
"""Their own account, and no more."""
CONFIRMING: Final = "cell_lab medical_director safety_physician safety_team second_physician site"
"""That somebody knows of a hold: each party for itself."""
CODERS: Final = "medical_reviewer coder"
"""Coding, and answering what another coder proposes."""

OPEN: Final = frozenset({
    "GET /",
    "GET /a/{alert_id}",
    "GET /coding/answers",
    "GET /coding/coding.js",
    "GET /coding/decisions",
    "GET /coding/queries",
    "GET /coding/splits",
    "GET /coding/synonyms",
    "GET /coding/undo",
    "GET /desk/audit/verify",
    "GET /desk/board.js",
    "GET /desk/deliveries/retry",
    "GET /desk/dose.css",
    "GET /desk/dose.js",
    "GET /desk/me/password",
    "GET /desk/me/sessions",
    "GET /desk/on-call/addresses/trials",
    "GET /desk/on-call/overrides",
    "GET /desk/on-call/webhooks/add",
    "GET /desk/on-call/webhooks/disable",
    "GET /desk/on-call/webhooks/enable",
    "GET /desk/on-call/webhooks/rotate",
    "GET /desk/on-call/withdraw",
    "GET /desk/people/add",
    "GET /desk/people/close",
    "GET /desk/people/password",
    "GET /desk/people/roles",
    "GET /desk/people/sessions",
    "GET /desk/people/unlock",
    "GET /health",
    "GET /icon.svg",
    "GET /look/desk.css",
    "GET /look/desk.js",
    "GET /metrics",
    "GET /ready",
    "GET /report/report.js",
    "GET /sign-in",
    "GET /sign-in/provider",
    "GET /sign-in/provider/back",
    "POST /a/{alert_id}",
    "POST /sign-in",
    "POST /sign-out",
    "POST /v1/sessions",
})  # fmt: skip

MATRIX: Final[dict[str, str]] = {
    "DELETE /v1/call-plans/{study}/overrides/{override_id}": SWAPPING,
    "GET /coding": CODING,
    "GET /coding/now": CODING,
    "GET /desk": READERS,
    "GET /desk/audit": AUDITING,
    "GET /desk/audit/export.csv": AUDITING,
    "GET /desk/audit/export.jsonl": AUDITING,
    "GET /desk/cases": READERS,
    "GET /desk/cases/{case_id}": READERS,
    "GET /desk/deliveries": READERS,
    "GET /desk/dose": f"{READERS} cell_lab",
    "GET /desk/dose/packet": READERS,
    "GET /desk/dose/stamp": f"{READERS} cell_lab",
    "GET /desk/doses": READERS,
    "GET /desk/me": ANYBODY_SIGNED_IN,
    "GET /desk/holds": f"{READERS} cell_lab site",
    "GET /desk/now": ANYBODY_SIGNED_IN,
    "GET /desk/on-call": READERS,
    "GET /desk/on-call/addresses": READERS,
    "GET /desk/on-call/plan": READERS,
    "GET /desk/people": "administrator",
    "GET /desk/people/one": "administrator",
    "GET /desk/stream": READERS,
    "GET /desk/toxicity": READERS,
    "GET /desk/toxicity.csv": READERS,
    "GET /mailbox": READERS,
    "GET /report": "site",
    "GET /report/cases/{case_id}": "site",
    "GET /report/cases/{case_id}/follow-up": "site",
    "GET /report/drafts/{draft_id}": "site",
    "GET /report/keys": "administrator",
    "GET /report/new": "site",
    "GET /report/queries/{query_id}": "site",
    "GET /report/receipts/{case_id}": "site",
    "GET /v1/alerts": READERS,
    "GET /v1/assessments/{case_id}": READERS,
    "GET /v1/call-plans/{study}": READERS,
    "GET /v1/call-plans/{study}/overrides": READERS,
    "GET /v1/clocks": READERS,
    "GET /v1/clocks/{clock_id}": READERS,
    "GET /v1/clocks/{clock_id}/submissions": READERS,
    "GET /v1/codings": CODING,
    "GET /v1/codings/{case_id}": CODING,
    "GET /v1/contacts": READERS,
    "GET /v1/deliveries": READERS,
    "GET /v1/dictionaries": CODING,
    "GET /v1/dictionaries/{version}/impact": CODING,
    "GET /v1/dlt": READERS,
    "GET /v1/dlt/{dlt_id}": READERS,
    "GET /v1/dose-board": f"{READERS} cell_lab",
    "GET /v1/dose-board/packet": READERS,
    "GET /v1/duplicates": READERS,
    "GET /v1/grades": CODING,
    "GET /v1/held-phrases": CODING,
    "GET /v1/mailbox": READERS,
    "GET /v1/on-duty": READERS,
    "GET /v1/queries": REPORTS,
    "GET /v1/reconciliations": READERS,
    "GET /v1/reconciliations/{reconciliation_id}": READERS,
    "GET /v1/reports": REPORTS,
    "GET /v1/reports/{case_id}": REPORTS,
    "GET /v1/subjects/{subject_id}": READERS,
    "GET /v1/synonyms": CODING,
    "GET /v1/terms": CODING,
    "POST /coding/answers": CODERS,
    "POST /coding/decisions": "coder",
    "POST /coding/queries": CODERS,
    "POST /coding/splits": CODERS,
    "POST /coding/synonyms": CODERS,
    "POST /coding/undo": "coder",
    "POST /desk/audit/verify": AUDITING,
    "POST /desk/cases/{case_id}/{what}": READERS,
    "POST /desk/deliveries/retry": RETRYING,
    "POST /desk/holds/{hold_id}/{what}": f"{READERS} cell_lab site",
    "POST /desk/me/password": ANYBODY_SIGNED_IN,
    "POST /desk/me/sessions": ANYBODY_SIGNED_IN,
    "POST /desk/on-call/addresses/trials": RETRYING,
    "POST /desk/on-call/overrides": SWAPPING,
    "POST /desk/on-call/plan": PLANNING,
    "POST /desk/on-call/webhooks/add": "administrator",
    "POST /desk/on-call/webhooks/disable": "administrator",
    "POST /desk/on-call/webhooks/enable": "administrator",
    "POST /desk/on-call/webhooks/rotate": "administrator",
    "POST /desk/on-call/withdraw": SWAPPING,
    "POST /desk/people/add": "administrator",
    "POST /desk/people/close": "administrator",
    "POST /desk/people/password": "administrator",
    "POST /desk/people/roles": "administrator",
    "POST /desk/people/sessions": "administrator",
    "POST /desk/people/unlock": "administrator",
    "POST /report/cases/{case_id}/follow-up": "site",
    "POST /report/cases/{case_id}/nullify": "site",
    "POST /report/drafts/{draft_id}/delete": "site",
    "POST /report/keys": "administrator",
    "POST /report/keys/{key_id}/revoke": "administrator",
    "POST /report/new": "site",
    "POST /report/queries/{query_id}": "site",
    "POST /v1/alerts/{alert_id}/acknowledgements": f"{READERS} coder",
    "POST /v1/alerts/{alert_id}/closings": f"{READERS} coder",
    "POST /v1/alerts/{alert_id}/handovers": f"{READERS} coder",
    "POST /v1/assessments/{case_id}": PHYSICIANS,
    "POST /v1/assessments/{case_id}/{decision_id}/signatures": PHYSICIANS,
    "POST /v1/call-plans/{study}/overrides": SWAPPING,
    "POST /v1/clocks/{clock_id}/submissions": SUBMITTING,
    "POST /v1/clocks/{clock_id}/submissions/{submission_id}/acknowledgements": SUBMITTING,
    "POST /v1/codings/{case_id}/decisions": "coder",
    "POST /v1/codings/{case_id}/proposals/{decision_id}/answers": CODERS,
    "POST /v1/codings/{case_id}/queries": CODERS,
    "POST /v1/contacts/tests": RETRYING,
    "POST /v1/deliveries/{delivery_id}/retries": RETRYING,
    "POST /v1/dictionaries/{version}/uses": CODERS,
    "POST /v1/dlt/{dlt_id}/decisions": f"{PHYSICIANS} committee",
    "POST /v1/dose-board/recommendations": "committee medical_director",
    "POST /v1/doses": "",
    "POST /v1/duplicates/{duplicate_id}/decisions": PHYSICIANS,
    "POST /v1/held-phrases": "coder",
    "POST /v1/holds/{hold_id}/confirmations": CONFIRMING,
    "POST /v1/holds/{hold_id}/decisions": "committee medical_director",
    "POST /v1/observations": "",
    "POST /v1/queries/{query_id}/answers": "",
    "POST /v1/reconciliations": "administrator medical_reviewer safety_physician safety_team",
    "POST /v1/reports": "",
    "POST /v1/reports/{case_id}/follow-ups": "",
    "POST /v1/synonyms": "coder",
    "POST /v1/synonyms/withdrawals": "coder",
    "POST /v1/synonyms/{decision_id}/answers": CODERS,
    "PUT /v1/call-plans/{study}": PLANNING,
}
