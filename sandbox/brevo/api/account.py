from sandbox.brevo.api.base import Brevo, Routes
from sandbox.brevo.wire import Answer, Request

_ACCOUNT = {
    "user_id": 1,
    "enterprise": False,
    "companyName": "Stand-in for Brevo",
    "email": "owner@example.com",
    "firstName": "Stand",
    "lastName": "In",
    "address": {"street": "1 Loopback Road", "city": "Lagos", "zipCode": "100001", "country": "NG"},
    "marketingAutomation": {"enabled": False},
    "plan": [{"type": "free", "credits": 300, "creditsType": "sendLimit"}],
    "relay": {
        "enabled": True,
        "data": {"userName": "owner@example.com", "relay": "smtp.example.com", "port": 587},
    },
}


def account(brevo: Brevo, _request: Request) -> Answer:
    organization = {"organization_id": brevo.organization} if brevo.organization else {}
    return Answer.json(organization | _ACCOUNT)


ROUTES: Routes = [("GET", "/account", account)]
