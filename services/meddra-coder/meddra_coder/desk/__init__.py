"""The coder's page of the desk: what waits for a person, and deciding it."""

from typing import Final

PACKAGE: Final = "meddra_coder.desk"
