"""Settings come from the environment and from files; wrong ones are refused in words, harmful ones said aloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.cautions import cautions
from tocsin.errors import SettingsError
from tocsin.settings import Settings


def test_nothing_set_is_one_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert settings.bus == f"embedded:{tmp_path}/tocsin-data/log.db"
    assert settings.database_for("intake") == f"sqlite:///{tmp_path}/tocsin-data/intake.db"
    assert settings.public_url == "http://127.0.0.1:8088"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TOCSIN_PORT", "99999", "TOCSIN_PORT='99999' is not allowed: input should be less than or equal to 65535"),
        (
            "TOCSIN_BUS",
            "rabbit://x",
            "TOCSIN_BUS='rabbit://x' is not allowed: allowed is embedded:/path/log.db or kafka",
        ),
        ("TOCSIN_DATABASE", "mysql://u:pw-1@h/d", r"TOCSIN_DATABASE=(not shown) is not allowed: allowed is postgresql"),
        ("TOCSIN_SIGNING_KEY", "pw-1", "TOCSIN_SIGNING_KEY=(not shown) is not allowed: allowed is at least 32"),
        ("TOCSIN_SMTP_URL", "pw-1", "TOCSIN_SMTP_URL=(not shown) is not allowed: allowed is smtp://"),
        ("TOCSIN_PUBLIC_URL", "tocsin.org", "TOCSIN_PUBLIC_URL='tocsin.org' is not allowed: allowed is https://host"),
        ("TOCSIN_LOG_LEVEL", "loud", "TOCSIN_LOG_LEVEL='loud' is not allowed: input should be 'debug', 'info'"),
        ("TOCSIN_WEBHOOK_ALLOW", "loopback,all", "TOCSIN_WEBHOOK_ALLOW='loopback,all' is not allowed"),
        ("TOCSIN_MAIL_FROM", "nobody", "TOCSIN_MAIL_FROM='nobody' is not allowed: allowed is one mail address"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        Settings()
    assert said in str(refused.value)
    assert "pw-1" not in str(refused.value)


def test_every_wrong_setting_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_PORT", "-1")
    monkeypatch.setenv("TOCSIN_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as refused:
        Settings()
    assert len(str(refused.value).splitlines()) == 2


def test_a_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    monkeypatch.setenv("TOCSIN_SIGNING_KEY_FILE", str(tmp_path / "key"))
    assert Settings().signing_key.get_secret_value() == "k" * 40


def test_a_secret_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_SMTP_URL_FILE", "/run/secrets/nothing")
    with pytest.raises(SettingsError, match="TOCSIN_SMTP_URL_FILE=/run/secrets/nothing: No such file"):
        Settings()


def test_a_secret_set_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("k" * 40)
    monkeypatch.setenv("TOCSIN_SIGNING_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("TOCSIN_SIGNING_KEY", "j" * 40)
    with pytest.raises(SettingsError, match="both set"):
        Settings()


def test_a_database_password_is_put_into_the_address_whatever_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE", "postgresql+psycopg://intake@db:5432/tocsin")
    monkeypatch.setenv("TOCSIN_DATABASE_PASSWORD", "a/b@c:d")
    settings = Settings()
    assert settings.database_for("intake") == "postgresql+psycopg://intake:a%2Fb%40c%3Ad@db:5432/tocsin"
    assert "a/b@c:d" not in repr(settings)


def test_lists_are_written_as_shells_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_STUDIES", "/a.toml:/b.toml")
    monkeypatch.setenv("TOCSIN_WEBHOOK_ALLOW", "loopback, private")
    settings = Settings()
    assert settings.studies == [Path("/a.toml"), Path("/b.toml")]
    assert settings.webhook_allow == ["loopback", "private"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "No mail server is set"),
        ({"smtp_url": "smtp://mail.example.org:25"}, "Mail may travel in the clear"),
        ({"smtp_url": "smtps://mail.example.org"}, "tocsin@localhost"),
        ({"public_url": "http://tocsin.example.org"}, "is not encrypted"),
        ({"host": "0.0.0.0"}, "is not encrypted"),
        ({"bus": "kafka://kafka:9092"}, "Kafka keeps one copy"),
        ({"webhook_allow": ["private"]}, "Webhooks may go to private addresses"),
        ({"public_url": "https://tocsin.example.org"}, "TOCSIN_PROXIES names none"),
    ],
)
def test_what_is_legal_but_harmful_is_said(given: dict[str, object], said: str) -> None:
    assert [line for line in cautions(Settings(**given), {}) if said in line] != []


def test_a_careful_house_hears_nothing() -> None:
    careful = Settings(
        smtp_url="smtp://u:p@mail.example.org:587?starttls=require",
        mail_from="safety@example.org",
        public_url="https://tocsin.example.org",
        bus="kafka://a:9092,b:9092,c:9092",
        kafka_replication=3,
        proxies=["10.0.0.4"],
    )
    assert cautions(careful, {"PATH": "/bin", "TOCSIN_PORT": "8088", "TOCSIN_SIGNING_KEY_FILE": "/k"}) == []


def test_a_misspelt_variable_is_named() -> None:
    careful = Settings(smtp_url="smtps://mail.example.org", mail_from="safety@example.org")
    [said] = cautions(careful, {"TOCSIN_SMPT_URL": "x"})
    assert said.startswith("TOCSIN_SMPT_URL is no setting")
