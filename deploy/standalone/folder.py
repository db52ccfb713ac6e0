"""The data folder of `tocsin up`: only its owner may look in, one house at a time, and a signing key of its own."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from tocsin.errors import SettingsError

_LOCK = "up.lock"
_KEY = "signing.key"


class InUse(SettingsError):
    """Another `tocsin up` has this folder open."""


class Folder:
    """An open data folder. Made if missing; held until `close`, or until the process ends in whatever way."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        os.umask(0o077)  # Databases, log and mailbox hold patients' data: the owner's alone.
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SettingsError(
                f"{self.path}: {error.strerror}; the data folder must be a folder to write in"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._lock)
            raise InUse(
                f"{self.path} is in use by another `tocsin up` (process {holder}). "
                "Stop that one, or name another folder with --data"
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def signing_key(self) -> str:
        """The secret that signs logins: made at the first start, the same ever after."""
        path = self.path / _KEY
        if not path.exists():
            part = path.with_suffix(".part")
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        return path.read_text(encoding="ascii").strip()

    def cautions(self) -> list[str]:
        """What is legal but harmful about the folder."""
        mode = self.path.stat().st_mode & 0o077
        return [f"{self.path} is open to other users of this machine: chmod 700 {self.path}"] if mode else []

    def close(self) -> None:
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
