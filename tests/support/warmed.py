"""All that a house imports and makes once, imported and made: `tests.support.warm` forks from a process that has."""

from __future__ import annotations

import importlib

from meddra_coder.coder import default_coder
from meddra_coder.coding import code_event
from tocsin.web.pages import compile_templates

for _name in (
    "standalone.__main__", "standalone.house", "standalone.rehearsal_house", "standalone.server",
    "ae_intake.app", "meddra_coder.app", "alerting.app", "alerting.delivery.mail", "alerting.delivery.webhook",
    "tocsin.bus.embedded", "tocsin.studies", "uvicorn", "argon2",
):  # fmt: skip
    importlib.import_module(_name)

for _package in ("ae_intake.desk", "meddra_coder.desk", "alerting.desk"):
    compile_templates(_package)

code_event("felt faint in the coridor", default_coder())
