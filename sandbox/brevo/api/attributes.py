import json
from http import HTTPStatus

from sandbox.brevo.api.base import Brevo, Routes
from sandbox.brevo.attributes import CATEGORIES, TYPES
from sandbox.brevo.wire import NO_CONTENT, Answer, ApiError, Request, invalid, not_found

_OPTIONAL = ("value", "enumeration", "multiCategoryOptions")


def index(brevo: Brevo, _request: Request) -> Answer:
    rows = brevo.store.rows("SELECT * FROM attribute ORDER BY rowid")
    return Answer.json(
        {
            "attributes": [
                {
                    "name": row["name"],
                    "category": row["category"],
                    **json.loads(row["definition"]),
                }
                for row in rows
            ]
        }
    )


def create(brevo: Brevo, request: Request) -> Answer:
    category, name = request.params["category"], request.params["name"].upper()
    body = request.body()
    kind = body.get("type", "text")
    if category not in CATEGORIES:
        raise invalid("Invalid attribute category")
    if kind not in TYPES:
        raise invalid("Invalid attribute type")
    if brevo.store.value("SELECT 1 FROM attribute WHERE name = ?", name):
        raise ApiError(
            HTTPStatus.BAD_REQUEST, "duplicate_parameter", "Attribute name must be unique"
        )
    definition = {"type": kind} | {key: body[key] for key in _OPTIONAL if key in body}
    brevo.store.db.execute(
        "INSERT INTO attribute VALUES (?, ?, ?)", (name, category, json.dumps(definition))
    )
    return Answer(HTTPStatus.CREATED)


def delete(brevo: Brevo, request: Request) -> Answer:
    """Delete an attribute, and its value from every contact."""
    name = request.params["name"].upper()
    if not brevo.store.value("SELECT 1 FROM attribute WHERE name = ?", name):
        raise not_found("Attribute not found")
    brevo.store.db.execute("DELETE FROM attribute WHERE name = ?", (name,))
    brevo.store.db.execute(
        "UPDATE contact SET attributes = json_remove(attributes, '$.' || ?)", (name,)
    )
    return Answer(NO_CONTENT)


ROUTES: Routes = [
    ("GET", "/contacts/attributes", index),
    ("POST", "/contacts/attributes/{category}/{name}", create),
    ("DELETE", "/contacts/attributes/{category}/{name}", delete),
]
