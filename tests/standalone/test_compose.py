"""docker-compose.yml and what it is made of. No container engine is here: it is read, not run."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

import pytest
import yaml

from tests.architecture.imports import ROOT
from tocsin.messages.topics import BODIES
from tocsin.settings import SECRETS, Settings, variable_of

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
NGINX = ROOT / "deploy" / "compose" / "nginx.conf"
OURS = ("intake", "coder", "alerting")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_it_is_what_the_compose_specification_allows(compose: dict[str, Any]) -> None:
    """Against the specification's own JSON Schema, as the package check-jsonschema ships it."""
    pytest.importorskip("check_jsonschema", reason="check-jsonschema, which ships the compose schema, is not installed")
    validate: Any = pytest.importorskip("jsonschema").validate
    shipped = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    validate(compose, json.loads(shipped.read_text(encoding="utf-8")))


def test_every_service_restarts_keeps_its_data_and_is_watched(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"], name
        assert service["volumes"], name
    for name in compose["volumes"]:
        assert any(name in str(service["volumes"]) for service in compose["services"].values()), name


def test_images_are_pinned_and_ours_come_from_one_dockerfile(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name in OURS:
            assert service["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile", "args": {"SERVICE": name}}
        else:
            assert re.fullmatch(r"[a-z/]+:v?\d[\w.-]*", service["image"]), service["image"]


def test_nothing_is_published_beyond_this_machine(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_databases_and_broker_are_on_a_network_without_a_way_out(compose: dict[str, Any]) -> None:
    assert compose["networks"]["inside"]["internal"] is True
    for name in ("kafka", "postgres", "intake", "coder"):
        assert compose["services"][name]["networks"] == ["inside"], name


def test_every_variable_of_ours_is_a_setting(compose: dict[str, Any]) -> None:
    allowed = {variable_of(name) for name in Settings.model_fields}
    allowed |= {f"{variable_of(name)}_FILE" for name in SECRETS}
    for name in OURS:
        named = {key for key in compose["services"][name]["environment"] if key.startswith("TOCSIN_")}
        assert named <= allowed, name
        assert {"TOCSIN_BUS", "TOCSIN_DATABASE", "TOCSIN_PUBLIC_URL", "TOCSIN_SIGNING_KEY_FILE"} <= named, name
    for text in (DOCKERFILE, ROOT / "deploy" / "compose.env.example", COMPOSE):
        named = set(re.findall(r"\bTOCSIN_[A-Z_]+", text.read_text(encoding="utf-8")))
        assert named <= allowed, text


def test_each_variable_has_a_line_in_the_example(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text(encoding="utf-8")))
    example = (ROOT / "deploy" / "compose.env.example").read_text(encoding="utf-8")
    assert asked <= set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))


def test_secrets_are_files_and_no_password_is_written_here(compose: dict[str, Any]) -> None:
    made = (ROOT / "deploy" / "compose" / "make-secrets.sh").read_text(encoding="utf-8")
    for name, secret in compose["secrets"].items():
        assert secret == {"file": f"deploy/compose/secrets/{name}"}
        assert name in made
    for name, service in compose["services"].items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|SIGNING_KEY|SMTP_URL", key):
                assert key.endswith("_FILE"), (name, key)
                assert str(value).startswith("/run/secrets/"), (name, key)
                assert str(value).rpartition("/")[2] in service["secrets"], (name, key)
            assert not re.search(r"://[^/\s]*:[^/\s]*@", str(value)), (name, key)


def test_secrets_are_never_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "/deploy/compose/secrets/" in ignored
    assert "/.env" in ignored


def test_each_service_has_a_role_of_its_own(compose: dict[str, Any]) -> None:
    for name in OURS:
        environment = compose["services"][name]["environment"]
        assert environment["TOCSIN_DATABASE"] == f"postgresql+psycopg://{name}@postgres:5432/tocsin"
        assert environment["TOCSIN_DATABASE_PASSWORD_FILE"] == f"/run/secrets/{name}_password"
        others = {f"{other}_password" for other in OURS if other != name} | {"postgres_password"}
        assert not others & set(compose["services"][name]["secrets"])


@pytest.mark.rule("house.md 4, law 7")
def test_an_image_holds_what_is_shared_and_one_service() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    copied = {stage.splitlines()[0]: re.findall(r"^COPY (services/\S+)", stage, re.MULTILINE) for stage in stages}
    assert {name: found for name, found in copied.items() if found} == {
        "base AS source-intake": ["services/ae-intake/ae_intake"],
        "base AS source-coder": ["services/meddra-coder/meddra_coder"],
        "base AS source-alerting": ["services/alerting/alerting"],
    }


def test_what_the_image_copies_is_not_kept_from_it() -> None:
    let_in = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {path for line in copied for path in line.split()} == let_in
    assert [path for path in let_in if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/reports", "intake"),
        ("/v1/reports/TOC-0031/follow-ups", "intake"),
        ("/v1/queries/1/answers", "intake"),
        ("/v1/doses", "intake"),
        ("/v1/observations", "intake"),
        ("/report", "intake"),
        ("/v1/codings/TOC-0031/decisions", "coder"),
        ("/v1/terms", "coder"),
        ("/coding", "coder"),
        ("/v1/alerts", "alerting"),
        ("/v1/reports-of-ours", "alerting"),
        ("/v1/sessions", "alerting"),
        ("/desk", "alerting"),
        ("/a/1", "alerting"),
        ("/ready", "alerting"),
    ],
)
def test_the_proxy_sends_each_path_to_the_service_that_keeps_it(path: str, service: str) -> None:
    text = NGINX.read_text(encoding="utf-8")
    table = re.search(r"map \$uri \$tocsin_service \{(.+?)\}\n", text, re.DOTALL)
    assert table is not None
    rules = re.findall(r"^\s*~(\S+)\s+(\w+);", table[1], re.MULTILINE)
    assert next((to for pattern, to in rules if re.search(pattern, path)), "alerting") == service


def test_kafka_takes_no_topic_that_was_not_made(compose: dict[str, Any]) -> None:
    environment = compose["services"]["kafka"]["environment"]
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert len(BODIES) > 5
