"""Ask for each page in the process that serves it; print medians and query plans as JSON."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import django

ROUNDS = 15
BARE_COUNT = """
SELECT count(*) FROM accounts_user
WHERE is_active AND role IN ('CLIENT', 'PARTNER') AND state_key = 'lagos'
"""


def medians(*asks: Callable[[], Any]) -> list[float]:
    """Return the median of some rounds after a first one, in milliseconds; the asks take turns."""
    taken: list[list[float]] = [[] for _ in asks]
    for _ in range(1 + ROUNDS):
        for ask, times in zip(asks, taken, strict=True):
            begin = time.perf_counter()
            ask()
            times.append((time.perf_counter() - begin) * 1000)
    return [statistics.median(times[1:]) for times in taken]


def plan_of_slowest(ask: Callable[[], Any]) -> str:
    """Return PostgreSQL's plan for the query that took longest."""
    from django.db import connection  # noqa: PLC0415 -- Django has to be set up first
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    with CaptureQueriesContext(connection) as asked:
        ask()
    selects = [query for query in asked if query["sql"].startswith(("SELECT", "("))]
    selects = [query for query in selects if "django_session" not in query["sql"]] or selects
    slowest = max(selects, key=lambda query: float(query["time"]))["sql"]
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) {slowest}"
        )
        return "\n".join(line for (line,) in cursor.fetchall())


def main(dsn: str) -> None:
    django.setup()
    from django.contrib import admin  # noqa: PLC0415 -- Django has to be set up first
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415
    from benchmarks.pages import remember_run  # noqa: PLC0415
    from campaigns.models import Segment, SegmentExport  # noqa: PLC0415

    boss = User.objects.create_superuser("boss@example.org", "boss")
    lagos = {"criterion": "states", "any_of": ["Lagos"]}
    in_lagos = {"match": "ALL", "conditions": [lagos]}
    Segment.objects.bulk_create(
        Segment(name=f"Segment {n}", definition=in_lagos, brevo_list_id=n, created_by=boss)
        for n in range(1, 51)
    )
    segment = Segment.objects.order_by("pk").first()
    assert segment is not None
    SegmentExport.objects.bulk_create(
        SegmentExport(
            segment=each,
            segment_name=each.name,
            status="SUCCESS",
            phase="DONE",
            users_count=100 * n,
        )
        for each in Segment.objects.all()
        for n in range(10)
    )
    export = SegmentExport.objects.filter(segment=segment).first()
    assert export is not None
    remember_run(dsn, segment.pk, export.pk)
    client = Client()
    client.force_login(boss)

    pages = {"home": reverse("admin:index")}
    for model in admin.site._registry:  # noqa: SLF001 -- every page there is
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        pages[f"{name}: list"] = reverse(f"admin:{name}_changelist")
        pages[f"{name}: search"] = reverse(f"admin:{name}_changelist") + "?q=person77777"
        found = model._base_manager.order_by("pk").first()
        if found is not None:
            pages[f"{name}: one"] = reverse(f"admin:{name}_change", args=[found.pk])
    pages["segment: preview"] = reverse("admin:campaigns_segment_preview", args=[segment.pk])
    pages["segment: preview, search"] = pages["segment: preview"] + "?q=person77777"
    pages["API: segments"] = reverse("segment-list")
    pages["API: lines of a run"] = reverse("export-changes", args=[export.pk])
    pages["API: stats"] = reverse("stats")

    asked = {name: partial(client.get, url) for name, url in pages.items()}
    asked = {name: ask for name, ask in asked.items() if ask().status_code == 200}
    asked["API: preview, first page with its count"] = partial(
        client.get, reverse("segment-preview", args=[segment.pk])
    )
    form = {"name": "Draft", "match": "ALL", "states": ["Lagos"]}
    live = partial(client.post, reverse("admin:campaigns_segment_live"), form)

    def count() -> None:
        with connection.cursor() as cursor:
            cursor.execute(BARE_COUNT)
            cursor.fetchone()

    taken = {name: medians(ask)[0] for name, ask in asked.items()}
    taken["live count"], taken["live count: the bare SQL"] = medians(live, count)
    plans = {name: plan_of_slowest(ask) for name, ask in {**asked, "live count": live}.items()}
    print(json.dumps({"medians": taken, "plans": plans}))


if __name__ == "__main__":
    main(sys.argv[1])
