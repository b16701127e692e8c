"""How a request proves whose it is: a bearer token, or the account's key.

``requests`` auth objects, because a plain header would give way to an entry in ``.netrc``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests.auth import AuthBase

if TYPE_CHECKING:
    from requests import PreparedRequest


class ApiKeyAuth(AuthBase):
    """The header ``apiKey`` alone: for generateToken [doc], and for basic accounts [field]."""

    def __init__(self, api_key: str) -> None:
        """Keep the key, in memory only."""
        self._api_key = api_key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header."""
        request.headers["apiKey"] = self._api_key
        return request


class TokenAuth(AuthBase):
    """The header ``Authorization: Bearer`` with a generated token [doc]."""

    def __init__(self, token: str) -> None:
        """Keep the token, in memory only."""
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
