"""Who we are to Brevo, and where Brevo is."""

import re
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from campaigns.brevo.errors import BrevoKeyMissing, BrevoKeyWrong, BrevoUrlWrong


class Key(AuthBase):
    """The API key, put on a request as it leaves, so that no other object shows it.

    Raises BrevoKeyMissing for an empty key, BrevoKeyWrong for one that cannot be a key.
    """

    def __init__(self, key: str) -> None:
        self.__key = key.strip()
        if not self.__key:
            raise BrevoKeyMissing("No API key for Brevo is set")
        # The HTTP library would quote the whole key in its complaint.
        if not re.fullmatch(r"[\x21-\x7e]+", self.__key):
            raise BrevoKeyWrong("The API key for Brevo holds characters that no key has")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["api-key"] = self.__key
        return request


def root(url: str) -> str:
    """Return the root of the API without a slash at its end; raises BrevoUrlWrong for no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BrevoUrlWrong("The root of Brevo's API is not a URL")
    return url.rstrip("/")
