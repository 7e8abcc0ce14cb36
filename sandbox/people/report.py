"""The texts that the demo prints: a table of segments and lists, and the addresses to open."""

from campaigns.models import ListMember, Segment

LOGINS = (("admin@example.com", "ADMIN"), ("manager@example.com", "MANAGER"))


class DemoReport:
    """Text for a terminal."""

    HEADINGS = ("Segment", "List", "Audience", "Held back", "On the list", "Last run")

    @classmethod
    def table(cls) -> str:
        rows = [cls.HEADINGS, *(cls._row(segment) for segment in Segment.objects.order_by("name"))]
        widths = [max(len(row[at]) for row in rows) for at in range(len(cls.HEADINGS))]
        lines = ["  ".join(cls._cells(row, widths)).rstrip() for row in rows]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join(["", *lines, ""])

    @staticmethod
    def _cells(row: tuple[str, ...], widths: list[int]) -> list[str]:
        numeric = range(1, 5)
        return [
            cell.rjust(width) if at in numeric else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]

    @staticmethod
    def _row(segment: Segment) -> tuple[str, ...]:
        run = segment.exports.first()
        held = None if run is None or run.audience_count is None else run.audience_count
        mailable = run.users_count if run else None
        members = ListMember.objects.current().filter(segment=segment).count()
        return (
            segment.name,
            str(segment.brevo_list_id or "none"),
            "unknown" if held is None else f"{held:,}",
            "unknown" if held is None or mailable is None else f"{held - mailable:,}",
            f"{members:,}",
            run.get_status_display() if run else "never",
        )

    @staticmethod
    def addresses(port: int, brevo_port: int) -> str:
        logins = "\n".join(f"    {email:22} {role}" for email, role in LOGINS)
        return (
            f"\nThe admin        http://127.0.0.1:{port}/admin/\n"
            f"The REST API     http://127.0.0.1:{port}/api/docs/\n"
            f"“Brevo”          http://127.0.0.1:{brevo_port}/   (what arrived)\n\n"
            f"Log in, password campaigns-demo:\n{logins}\n\n"
            "In another terminal, change somebody and sync again:\n"
            "    .venv/bin/python manage.py sync_segment --all\n\n"
            "Ctrl-C ends everything.\n"
        )
