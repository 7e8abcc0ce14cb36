"""What can go wrong in words that the person in front of it can act on."""


class CampaignsError(Exception):
    """Base of what this application refuses; ``str()`` is one sentence for people."""


class SegmentBroken(CampaignsError):
    """The segment's definition can no longer be trusted; ``problems`` names what vanished."""

    def __init__(self, name: str, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"Segment “{name}” is broken: {' '.join(problems)}")


class SegmentBusy(CampaignsError):
    """A run of this segment is at work; ``export_id`` names it."""

    def __init__(self, name: str, export_id: int) -> None:
        self.export_id = export_id
        super().__init__(
            f"Segment “{name}” is being synced already (export {export_id}): "
            "wait until it has finished, or cancel it."
        )


class PlanRefused(CampaignsError):
    """This plan cannot be applied, approved or cancelled as asked; the message says why."""


class ListNotOurs(CampaignsError):
    """The id of a segment's list leads to a list that is not the segment's; nothing was changed."""


class HistoryForgotten(CampaignsError):
    """What is asked lies before what is still kept; the message says since when it is known."""


class ImportUnfinished(CampaignsError):
    """Brevo has accepted an import and not finished it in all the time that a run waits."""

    def __init__(self, process_id: int, status: str) -> None:
        super().__init__(
            f"Brevo has not finished import {process_id}: it says “{status}”. "
            "Look into the account in Brevo, which may be under verification."
        )


class RunCancelled(CampaignsError):
    """Somebody asked the run to stop."""


class LeaseLost(CampaignsError):
    """Another process has taken up this run: the one that raises this must stop at once."""
