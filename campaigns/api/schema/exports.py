from campaigns.api.schema import examples
from campaigns.api.schema.calls import IDEMPOTENCY_KEY, call, csv_file, runs
from campaigns.api.serializers.exports import (
    ChangeSerializer,
    ComparisonSerializer,
    ExportSerializer,
    MoveSerializer,
    NothingSerializer,
    StaySerializer,
)

EXPORTS = {
    "list": call(
        "List runs",
        "Newest first: the runs and plans of all segments, or of one.",
        answers={200: ExportSerializer(many=True)},
        refusals=(400, 404),
        shown=examples.SUCCESS,
    ),
    "retrieve": call(
        "Show a run",
        "Its plan, its progress, what came of it, and the proof.",
        answers={200: ExportSerializer},
        refusals=(404,),
        shown=examples.SUCCESS,
    ),
    "apply": runs(
        "Apply a plan",
        "Performs exactly the plan that was looked at; when it no longer holds, the run ends "
        "FAILED, says how far it moved, and names the plan as of now.",
        ExportSerializer,
        request=NothingSerializer,
        shown=examples.SUCCESS,
    ),
    "approve": runs(
        "Approve a plan that waits",
        "Releases the brake for this plan, once, and applies it. A plan waits when it would "
        "remove an unusual share of a list.",
        ExportSerializer,
        request=NothingSerializer,
        shown=examples.SUCCESS,
    ),
    "cancel": call(
        "Cancel a run",
        "Stops it at once when nobody is at work on it, else at its next step.",
        request=NothingSerializer,
        answers={200: ExportSerializer},
        refusals=(400, 404, 409),
        shown=examples.SUCCESS | {"status": "CANCELLED", "error_message": "Cancelled by Ada Obi."},
        parameters=[IDEMPOTENCY_KEY],
    ),
}
CHANGES = {
    "list": call(
        "List who a run is about",
        "One line for each person, with what came of it. Follow `next`.",
        answers={200: ChangeSerializer(many=True)},
        refusals=(400, 404),
        shown=examples.CHANGE,
    ),
}
STAYS = {
    "list": call(
        "List who was on a list at a moment",
        "Whom we had put on the segment's list and not yet taken off, by our ledger: who others "
        "put there is not in it. 409 for a moment before what `prune_exports` has left.",
        answers={200: StaySerializer(many=True)},
        refusals=(400, 404, 409),
        shown=examples.STAY,
    ),
}
MOVES = {
    "list": call(
        "Compare two runs",
        "Who joined the list, or left it, between two runs of a segment, in which run, and why; "
        "whoever came and went again is in neither. Follow `next`.",
        answers={200: MoveSerializer(many=True)},
        refusals=(404, 409),
        shown=examples.MOVE,
        parameters=[ComparisonSerializer],
    ),
}
CHANGES_CSV = csv_file(
    "exports_changes",
    "Download the lines of a run as CSV",
    "All that fit the filters.",
    refusals=(400, 404),
    filters=True,
)
