"""The data folder: its owner's alone, one house at a time, one signing key for ever."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from standalone.folder import Folder, InUse
from tocsin.errors import SettingsError


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_folder_and_its_key_are_the_owners_alone(tmp_path: Path) -> None:
    with Folder(tmp_path / "a" / "data") as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700
        key = folder.signing_key()
        assert (folder.path / "signing.key").stat().st_mode & 0o777 == 0o600
        assert len(key) == 64
        assert folder.cautions() == []


def test_the_signing_key_stays(tmp_path: Path) -> None:
    with Folder(tmp_path) as folder:
        key = folder.signing_key()
    with Folder(tmp_path) as folder:
        assert folder.signing_key() == key


def test_a_second_house_on_one_folder_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    with Folder(tmp_path), pytest.raises(InUse, match=rf"process {os.getpid()}\)"):
        Folder(tmp_path)
    Folder(tmp_path).close()


def test_a_folder_open_to_others_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with Folder(tmp_path) as folder:
        assert folder.cautions() == [
            f"{tmp_path} is open to other users of this machine: chmod 700 {tmp_path}",
        ]


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(SettingsError, match="must be a folder"):
        Folder(tmp_path / "data")
