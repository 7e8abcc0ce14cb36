"""Refresh tokens in families: each is good for one exchange, and all of one log-in end together."""

import logging
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from accounts.models import TokenFamily, User

logger = logging.getLogger(__name__)

_CLAIM = "family"
# Two tabs may use a token at the same time, and an answer may get lost: that is no theft.
_GRACE = timedelta(seconds=60)


class _AnyRefreshToken(RefreshToken):
    """A refresh token of ours, also one that was used already."""

    def check_blacklist(self) -> None:
        pass


def first_token(user: User) -> RefreshToken:
    """Return the first refresh token of a new family."""
    return _token(user, TokenFamily.objects.create(user=user))


def next_token(text: str) -> RefreshToken:
    """Exchange a refresh token for the next one of its family; raises InvalidToken.

    A token that comes back some time after it was used was stolen, or the one before it was: its
    family ends, and whoever holds a token of it has to log in.
    """
    try:
        used = RefreshToken(text)  # type: ignore[arg-type] # the stubs err
    except TokenError as error:
        _end_if_used_before(text)
        raise InvalidToken(str(error)) from error
    family = TokenFamily.objects.filter(pk=used.get(_CLAIM)).select_related("user").first()
    if family is not None and family.ended_at is not None:
        raise InvalidToken("The log-in that this token comes from was ended: log in again.")
    user = User.objects.filter(pk=used.get(api_settings.USER_ID_CLAIM), is_active=True).first()
    known = used.get(api_settings.REVOKE_TOKEN_CLAIM)
    if user is None or known != get_md5_hash_password(user.password):
        raise InvalidToken("The account is inactive, or its password was changed: log in.")
    outcome: Any = used.blacklist()  # (row, made by us)
    if not outcome[1]:  # somebody else used it a moment ago
        raise InvalidToken("Token is blacklisted")
    return _token(user, family or TokenFamily.objects.create(user=user))


def end_family(text: str) -> None:
    """End the family of a refresh token, used or not; raises InvalidToken for what is none."""
    try:
        token = _AnyRefreshToken(text)  # type: ignore[arg-type] # the stubs err
    except TokenError as error:
        raise InvalidToken(str(error)) from error
    token.blacklist()
    _end(token)


def _token(user: User, family: TokenFamily) -> RefreshToken:
    token = RefreshToken.for_user(user)
    token[_CLAIM] = family.pk
    return token


def _end_if_used_before(text: str) -> None:
    try:
        token = _AnyRefreshToken(text)  # type: ignore[arg-type] # the stubs err
    except TokenError:
        return  # expired, or none of ours
    long_ago = timezone.now() - _GRACE
    jti = token[api_settings.JTI_CLAIM]
    if BlacklistedToken.objects.filter(token__jti=jti, blacklisted_at__lt=long_ago).exists():
        _end(token)
        logger.warning("A refresh token came back after its use: its log-in was ended.")


def _end(token: RefreshToken) -> None:
    family = TokenFamily.objects.filter(pk=token.get(_CLAIM), ended_at__isnull=True)
    family.update(ended_at=timezone.now())
