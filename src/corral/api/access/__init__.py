"""`/access`: users, groups, roles, ACL, realms, log-in and tokens."""

from __future__ import annotations

from typing import Final

from corral.api.access import acl, domains, factors, groups, login, openid, roles, session, tokens, users
from corral.rest.endpoint import Endpoint

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *acl.ENDPOINTS,
    *domains.ENDPOINTS,
    *factors.ENDPOINTS,
    *groups.ENDPOINTS,
    *login.ENDPOINTS,
    *openid.ENDPOINTS,
    *roles.ENDPOINTS,
    *session.ENDPOINTS,
    *tokens.ENDPOINTS,
    *users.ENDPOINTS,
)
"""All calls below `/access`."""
