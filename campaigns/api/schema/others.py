from drf_spectacular.utils import OpenApiParameter

from campaigns.api.schema import examples
from campaigns.api.schema.calls import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    call,
    etag,
    location,
)
from campaigns.api.serializers.others import (
    ChoiceSerializer,
    CriterionSerializer,
    NoteSerializer,
    StatsSerializer,
    SuppressionSerializer,
)
from campaigns.audience.criteria import CRITERIA

CRITERION_CALLS = {
    "list": call(
        "List criteria",
        "The questions a segment may ask, with the values each allows.",
        answers={200: CriterionSerializer(many=True)},
        refusals=(),
        shown={
            "key": "gender",
            "label": "Gender",
            "help": "Customers of one of these genders.",
            "group": "Profile",
            "kind": "choice",
            "operators": [
                {
                    "key": "any_of",
                    "label": "is one of",
                    "operand": {
                        "type": "array",
                        "items": {"type": "string", "enum": ["FEMALE"]},
                        "minItems": 1,
                        "maxItems": 1000,
                    },
                }
            ],
            "choices": [{"value": "FEMALE", "label": "Female"}],
            "choices_url": "http://127.0.0.1:8000/api/campaigns/criteria/gender/choices/",
        },
    ),
    "choices": call(
        "Find values for a criterion",
        "Up to 20 values that fit what somebody typed.",
        answers={200: ChoiceSerializer(many=True)},
        refusals=(404,),
        shown={"value": 12, "label": "Palm Court"},
        parameters=[
            OpenApiParameter("key", {"type": "string", "enum": list(CRITERIA)}, "path"),
            OpenApiParameter("search", str, description="A part of the value or its name."),
        ],
    ),
}
SUPPRESSIONS = {
    "list": call(
        "List suppressions",
        "Addresses that must not be mailed, newest first.",
        answers={200: SuppressionSerializer(many=True)},
        refusals=(400, 404),
        shown=examples.SUPPRESSION,
    ),
    "create": call(
        "Suppress an address",
        "From the next sync on it is on no list of ours. Answers 201 for a new suppression, and "
        "200 when the address was suppressed for another reason: the strongest counts, and the "
        "others are kept in `other_causes`.",
        answers={200: SuppressionSerializer, 201: SuppressionSerializer},
        refusals=(400, 409),
        sent={"email": "no.more@example.com", "note": "Asked on the phone."},
        shown=examples.SUPPRESSION,
        parameters=[IDEMPOTENCY_KEY, location(201), etag(200, 201)],
    ),
    "retrieve": call(
        "Show a suppression",
        "Why, since when, and who said so.",
        answers={200: SuppressionSerializer, 304: NOT_MODIFIED},
        refusals=(404,),
        shown=examples.SUPPRESSION,
        parameters=[IF_NONE_MATCH, etag(200, 304)],
    ),
    "partial_update": call(
        "Change the note of a suppression",
        "The rest of it stays as it was told.",
        request=NoteSerializer,
        answers={200: SuppressionSerializer},
        refusals=(404, 412, 428),
        sent={"note": "Asked on the phone."},
        shown=examples.SUPPRESSION,
        parameters=[IF_MATCH, etag(200)],
    ),
    "destroy": call(
        "Delete a suppression",
        "The address may be mailed again. What Brevo itself knows of it stays as it is.",
        answers={204: None},
        refusals=(404, 412, 428),
        parameters=[IF_MATCH],
    ),
}
STATS = {
    "retrieve": call(
        "Show figures",
        "Of segments and syncs. Sizes are the last known ones: nothing is counted anew.",
        answers={200: StatsSerializer},
        refusals=(),
        shown=examples.STATS,
    ),
}
