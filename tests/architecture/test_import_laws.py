"""The import laws hold in every file, and the tests that hold them see what breaks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.architecture import laws
from tests.architecture.imports import PLACES, Module, modules

Law = Callable[[Iterable[Module]], Iterator[str]]


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_law_holds(law: Law) -> None:
    assert list(law(modules())) == []


@pytest.mark.parametrize("package", PLACES)
def test_every_package_is_read(package: str) -> None:
    assert any(module.package == package for module in modules())


def planted(name: str, text: str, file: str = "x.py") -> list[Module]:
    return [Module.read(name, Path(file), text)]


@pytest.mark.parametrize(
    ("law", "name", "text"),
    [
        (laws.services_never_import_one_another, "ae_intake.accept", "from alerting.tables import alerts"),
        (laws.services_never_import_one_another, "alerting.handle", "import meddra_coder.coding as c"),
        (laws.services_never_import_one_another, "alerting.handle", "def f():\n    import ae_intake"),
        (
            laws.services_never_import_one_another,
            "alerting.app",
            "import importlib\nimportlib.import_module('ae_intake')",
        ),
        (laws.shared_never_imports_a_service, "tocsin.web.app", "from ae_intake import api"),
        (laws.shared_never_imports_a_service, "tocsin.now", "import standalone.up"),
        (laws.shared_never_imports_a_service, "alerting.app", "from standalone import house"),
        (laws.the_domain_is_pure, "tocsin.domain.clocks", "import pydantic"),
        (laws.the_domain_is_pure, "tocsin.domain.clocks", "from tocsin.now import wall"),
        (laws.the_domain_is_pure, "tocsin.domain.clocks", "from ..store import engine"),
        (laws.the_domain_is_pure, "tocsin.domain.clocks", "from datetime import datetime\nx = datetime.now()"),
        (laws.the_domain_is_pure, "tocsin.domain.clocks", "import datetime as d\nx = d.date.today()"),
        (laws.the_domain_is_pure, "tocsin.domain.clocks", "x = open('f')"),
        (laws.the_domain_is_pure, "tocsin.domain.clocks", "import random"),
        (laws.the_domain_is_pure, "tocsin.domain.clocks", "from pathlib import Path"),
        (laws.what_leaves_the_process_is_in_one_file, "tocsin.bus.consume", "from kafka import KafkaConsumer"),
        (laws.what_leaves_the_process_is_in_one_file, "ae_intake.api", "import httpx"),
        (laws.what_leaves_the_process_is_in_one_file, "ae_intake.api", "import smtplib"),
        (laws.what_leaves_the_process_is_in_one_file, "ae_intake.api", "from urllib.request import urlopen"),
        (laws.no_service_reads_anothers_tables, "standalone.doctor", "from alerting.tables import alerts"),
        (laws.only_the_store_commits, "alerting.handle", "def on(m, tx):\n    tx.commit()"),
        (laws.only_the_store_commits, "alerting.handle", "def on(m, p):\n    p.session.rollback()"),
        (laws.no_drawers, "alerting.utils", ""),
        (laws.no_drawers, "ae_intake.service", ""),
    ],
)
def test_a_planted_violation_is_found(law: Law, name: str, text: str) -> None:
    assert len(list(law(planted(name, text)))) == 1


def test_a_second_file_with_the_http_client_is_found() -> None:
    two = [*planted("alerting.delivery.webhook", "import httpx"), *planted("alerting.delivery.mail", "import httpx")]
    assert len(list(laws.what_leaves_the_process_is_in_one_file(two))) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "tocsin.domain.clocks",
            "from tocsin.domain.case import Case\nfrom datetime import date\nx = date(2026, 3, 2)",
        ),
        ("alerting.handle", "from tocsin.domain.assess import assess\nfrom alerting.tables import alerts"),
        ("standalone.house", "from ae_intake.app import build"),
        ("tocsin.bus.kafka", "import kafka"),
        ("standalone.posting", "import httpx"),
    ],
)
def test_what_is_allowed_is_not_called_a_violation(name: str, text: str) -> None:
    assert [found for law in laws.LAWS for found in law(planted(name, text))] == []
