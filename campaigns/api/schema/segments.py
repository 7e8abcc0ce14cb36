from campaigns.api.schema import examples
from campaigns.api.schema.calls import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    call,
    csv_file,
    etag,
    location,
    runs,
)
from campaigns.api.serializers.exports import ExportSerializer, RunOptionsSerializer
from campaigns.api.serializers.people import (
    AddressSerializer,
    AudienceMemberSerializer,
    WhySerializer,
)
from campaigns.api.serializers.segments import DraftSerializer, SegmentSerializer
from campaigns.api.serializers.verification import VerificationSerializer

SEGMENTS = {
    "list": call(
        "List segments",
        "Filters by criterion keep the segments that ask for one of the given values; give a "
        "parameter several times for several values.",
        answers={200: SegmentSerializer(many=True)},
        refusals=(400, 404),
        shown=examples.SEGMENT,
    ),
    "create": call(
        "Create a segment",
        "Makes the segment and its Brevo list. When Brevo refuses or cannot be reached, neither "
        "exists afterwards.",
        answers={201: SegmentSerializer},
        refusals=(400, 409, 502),
        sent=examples.DRAFT,
        shown=examples.SEGMENT,
        parameters=[IDEMPOTENCY_KEY, location(201), etag(201)],
    ),
    "retrieve": call(
        "Show a segment",
        "With its creator, its last known sizes, and why it is broken if it is.",
        answers={200: SegmentSerializer, 304: NOT_MODIFIED},
        refusals=(404,),
        shown=examples.SEGMENT,
        parameters=[IF_NONE_MATCH, etag(200, 304)],
    ),
    "update": call(
        "Replace a segment",
        "Send the whole of it: what is empty is dropped. 400 when it leaves out something that "
        "the segment has now, a criterion, the description or ANY: nothing is dropped in silence. "
        "To change a part, use PATCH. The list is renamed when the name changed.",
        answers={200: SegmentSerializer},
        refusals=(400, 404, 409, 412, 428, 502),
        sent=examples.DRAFT,
        shown=examples.SEGMENT,
        parameters=[IF_MATCH, etag(200)],
    ),
    "partial_update": call(
        "Change a segment",
        "Changes what is sent alone. The list is renamed when the name changed.",
        answers={200: SegmentSerializer},
        refusals=(400, 404, 409, 412, 428, 502),
        sent={"name": "Women in Lagos and Abuja", "states": ["Lagos", "Abuja"]},
        shown=examples.SEGMENT,
        parameters=[IF_MATCH, etag(200)],
    ),
    "destroy": call(
        "Delete a segment",
        "Its Brevo list goes too; the contacts stay. When Brevo refuses, or the list is not in the "
        "account of the configured key, the segment stays.",
        answers={204: None},
        refusals=(404, 409, 412, 428, 502),
        parameters=[IF_MATCH],
    ),
    "preview": call(
        "Preview a segment",
        "Who matches now, by id. Follow `next`: a deep page costs what the first one does. "
        "`count` is exact as of the first page.",
        answers={200: AudienceMemberSerializer(many=True)},
        refusals=(400, 404, 409),
        shown=examples.MEMBER,
    ),
    "preview_draft": call(
        "Preview criteria that are not saved",
        "POST the same body to `next` and `previous` to turn pages.",
        request=DraftSerializer,
        answers={200: AudienceMemberSerializer(many=True)},
        refusals=(400,),
        sent=examples.DRAFT,
        shown=examples.MEMBER,
    ),
    "why": call(
        "Explain why somebody is in a segment or not",
        "One answer for each criterion that is asked, and whether the person may be mailed.",
        answers={200: WhySerializer},
        refusals=(404, 409),
        shown=examples.WHY,
    ),
    "why_by_email": call(
        "Explain why an address is in a segment or not",
        "The same for whoever has this e-mail address, or was last mailed under it.",
        answers={200: WhySerializer},
        refusals=(404, 409),
        shown=examples.WHY,
        parameters=[AddressSerializer],
        operation_id="campaigns_segments_why_by_email",
    ),
    "sync": runs(
        "Sync a segment",
        "Makes the Brevo list equal to the mailable audience.",
        ExportSerializer,
        request=RunOptionsSerializer,
        shown=examples.SUCCESS,
    ),
    "plan": runs(
        "Plan a sync",
        "Writes down who would join, leave and change. Nothing is sent; the plan can be applied.",
        ExportSerializer,
        request=RunOptionsSerializer,
        shown=examples.PLANNED,
    ),
    "verify": call(
        "Verify a list",
        "Reads the list back and says what moved since the last run: on the list, and in the "
        "segment. Up to 100 of each are named. The plan it makes can be applied.",
        request=RunOptionsSerializer,
        answers={200: VerificationSerializer},
        refusals=(400, 404, 409, 502),
        shown=examples.VERIFICATION,
        parameters=[IDEMPOTENCY_KEY],
    ),
}
PREVIEW_CSV = csv_file(
    "segments_preview",
    "Download a preview as CSV",
    "Everybody who matches now.",
    refusals=(404, 409),
)
