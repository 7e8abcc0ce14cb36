"""What the tests of the sync pages do over and over."""

from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Gender
from accounts.models import User
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from tests.factories import make_segment_unsaved, make_user


def step(name: str) -> str:
    return reverse(f"admin:campaigns_sync_{name}")


def page_of(export: SegmentExport, page: str = "change") -> str:
    return reverse(f"admin:campaigns_segmentexport_{page}", args=[export.pk])


def together(*exports: SegmentExport) -> str:
    return f"{step('together')}?exports={','.join(str(export.pk) for export in exports)}"


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def women(number: int) -> list[User]:
    return [make_user(gender=Gender.FEMALE, first_name=f"Ada {i}") for i in range(number)]


def told(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def text(response) -> str:
    return " ".join(response.content.decode().split())


def make_synced(**fields) -> Segment:
    segment = make_segment_unsaved(**fields)
    segment.save()
    return segment


def plan(client, *segments: Segment) -> list[SegmentExport]:
    client.post(step("plan"), {"ids": [segment.pk for segment in segments]})
    return list(SegmentExport.objects.order_by("-pk")[: len(segments)])[::-1]


def synced(client, segment: Segment) -> SegmentExport:
    [export] = plan(client, segment)
    client.post(step("apply"), {"exports": export.pk})
    export.refresh_from_db()
    return export


def make_export(**fields) -> SegmentExport:
    given = {"segment_name": "Women", "status": ExportStatus.SUCCESS, "planned_at": timezone.now()}
    return SegmentExport.objects.create(**(given | fields))
