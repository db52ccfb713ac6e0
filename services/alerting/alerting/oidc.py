"""Signing in by an identity provider: OpenID Connect Core 1.0, the authorization code flow with PKCE (RFC 7636).

The provider says who somebody is; whether they have an account here, and as what, is kept here. A signature under a
decision still asks for the password of that account (21 CFR 11.200).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tocsin.errors import Unauthorised
from tocsin.now import Now

PATIENCE_S: Final = 10.0
ALGORITHMS: Final = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures by a key that only the provider has: never `none`, never one that is made with our own secret."""
LEEWAY_S: Final = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What is remembered between the two halves of a sign-in, in a cookie of the browser that began it."""

    state: str
    nonce: str
    verifier: str
    onward: str

    @classmethod
    def new(cls, onward: str) -> Asked:
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), onward)

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Provider:
    """One identity provider. Every call raises Unauthorised, in words for whoever wanted to sign in."""

    def __init__(self, issuer: str, client_id: str, secret: str, claim: str, redirect: str, now: Now) -> None:
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._secret = secret
        self._claim = claim
        self._redirect = redirect
        self._now = now

    @property
    def host(self) -> str:
        """What the button says."""
        return urlsplit(self._issuer).hostname or self._issuer

    def address(self, asked: Asked) -> str:
        """Where the browser is sent."""
        with _asking() as client:
            known = self._known(client)
        query = {
            "response_type": "code", "client_id": self._client_id, "redirect_uri": self._redirect,
            "scope": "openid profile email", "state": asked.state, "nonce": asked.nonce,
            "code_challenge": asked.challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{known['authorization_endpoint']}?{urlencode(query)}"

    def name(self, code: str, asked: Asked) -> str:
        """Who signed in there, by the claim that is set."""
        with _asking() as client:
            known = self._known(client)
            sent = {
                "grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect,
                "code_verifier": asked.verifier,
            }  # fmt: skip
            told = _json(client.post(known["token_endpoint"], data=sent, auth=(self._client_id, self._secret)))
            keys = _json(client.get(known["jwks_uri"]))
        claims = self._claims(str(told.get("id_token", "")), keys, asked)
        found = claims.get(self._claim)
        if not isinstance(found, str) or not found.strip():
            raise Unauthorised(f"the identity provider does not say {self._claim}")
        return found

    def _claims(self, token: str, keys: dict[str, Any], asked: Asked) -> dict[str, Any]:
        try:
            found = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims  # type: ignore[arg-type]
            jwt.JWTClaimsRegistry(
                now=lambda: int(self._now().timestamp()), leeway=LEEWAY_S,
                iss={"essential": True, "value": self._issuer}, aud={"essential": True, "value": self._client_id},
                exp={"essential": True}, nonce={"essential": True, "value": asked.nonce},
            ).validate(found)  # fmt: skip
        except (JoseError, ValueError, KeyError, TypeError):
            raise Unauthorised("what the identity provider signed does not fit: begin again") from None
        return dict(found)

    def _known(self, client: httpx.Client) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0)."""
        known = _json(client.get(f"{self._issuer}/.well-known/openid-configuration"))
        if str(known.get("issuer", "")).rstrip("/") != self._issuer:
            raise Unauthorised("the identity provider calls itself by another name")
        return known


@contextmanager
def _asking() -> Iterator[httpx.Client]:
    try:
        with httpx.Client(timeout=PATIENCE_S, follow_redirects=False) as client:
            yield client
    except (httpx.HTTPError, httpx.InvalidURL):
        raise Unauthorised("the identity provider does not answer") from None


def _json(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code != 200:
        raise Unauthorised(f"the identity provider answered {answer.status_code}")
    try:
        found = answer.json()
    except ValueError:
        raise Unauthorised("the identity provider answered what cannot be read") from None
    if not isinstance(found, dict):
        raise Unauthorised("the identity provider answered what cannot be read")
    return found
