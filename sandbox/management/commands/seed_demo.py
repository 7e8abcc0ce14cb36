import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.demo_logins import DEMO_LOGINS, DEMO_PASSWORD
from accounts.enums import Role
from accounts.models import User
from accounts.text import fold
from campaigns.brevo.errors import BrevoError
from campaigns.models import Segment
from sandbox.people.demo import Demo
from sandbox.people.segments import demo_segments

FEWEST_USERS = 20  # two agents and two partners, which the segments ask for
_REAL_BREVO = "brevo.com"
_INVENTED = re.compile(r"\.\d+-\d+@([a-z]+\.example|example\.[a-z]+)")  # an address that it makes
_LOOKED_AT = 100  # people


class Command(BaseCommand):
    help = (
        "Bring in invented people, properties and six segments. The same seed gives the same "
        "data; running it again adds only what is missing. Nobody it makes can log in, unless "
        "--demo-logins asks for it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", type=int, default=2000, help="how many people (2000)")
        parser.add_argument("--seed", type=int, default=1, help="which data (1)")
        parser.add_argument("--no-segments", action="store_true", help="people and properties only")
        parser.add_argument(
            "--demo-logins",
            action="store_true",
            help="also an admin and a manager with a known password; needs DJANGO_DEBUG=True",
        )

        parser.add_argument(
            "--force",
            action="store_true",
            help="also into a database of real people, or with lists in a real Brevo account",
        )

    def handle(
        self, *, users: int, seed: int, no_segments: bool, demo_logins: bool, force: bool, **_: Any
    ) -> None:
        if users < FEWEST_USERS:
            raise CommandError(f"--users {users}: write a number of at least {FEWEST_USERS}.")
        if demo_logins and not settings.DEBUG:
            raise CommandError(
                "--demo-logins makes users whose password is public: it works with "
                "DJANGO_DEBUG=True only."
            )
        if not force:
            _refuse_real_data(with_segments=not no_segments)
        added = self._seed_people(users, seed)
        if demo_logins:
            self._make_logins()
        complete = no_segments or self._segments_were_there(seed)
        if complete and not added:
            self.stdout.write(f"Nothing to add: the demo data of seed {seed} is complete.")

    def _seed_people(self, users: int, seed: int) -> int:
        demo, added = Demo(seed), 0
        with self._progress(users) as looked_at:
            for people, fresh in demo.seed(users):
                added += fresh
                looked_at(people)
        if added:
            demo.finish()
            self.stdout.write(f"{added:,} people added, of {users:,}.")
        return added

    @contextmanager
    def _progress(self, total: int) -> Iterator[Any]:
        """Yield what is to be told how many more are done: a bar, or a line for each tenth."""
        if sys.stderr.isatty():
            tqdm.monitor_interval = 0  # no thread of its own: the seeding forks
            with tqdm(total=total, unit=" people", unit_scale=True) as bar:
                yield bar.update
            return
        done = 0

        def tell(more: int) -> None:
            nonlocal done
            tenths_before, done = done * 10 // total, done + more
            if total > more and done * 10 // total > tenths_before:
                self.stdout.write(f"{done:,} of {total:,} people")

        yield tell

    def _make_logins(self) -> None:
        for role, email in DEMO_LOGINS.items():
            user = User.objects.filter(email_key=email).first()
            if user is None:
                name = {"first_name": "Demo", "last_name": role.label}
                user = User.objects.create_user(email, DEMO_PASSWORD, role=role, **name)
            if user.check_password(DEMO_PASSWORD):
                told = f"Log in as {email} with the password {DEMO_PASSWORD} ({role.label})"
            else:
                told = f"{email} was there already and keeps its own password."
            self.stdout.write(told)

    def _segments_were_there(self, seed: int) -> bool:
        """Make the segments that are missing; True when none was."""
        complete = True
        creator = User.objects.filter(email_key=DEMO_LOGINS[Role.ADMIN], role=Role.ADMIN).first()
        for segment in demo_segments(seed):
            if Segment.objects.filter(name_key=fold(segment.name)).exists():
                continue
            complete = False
            segment.created_by = creator
            try:
                segment.full_clean()
                segment.save()
            except BrevoError as error:
                self.stdout.write(f"Segments were skipped, the people are there: {error}")
                break
            except ValidationError as error:
                self.stdout.write(f"“{segment.name}” was skipped: {' '.join(error.messages)}")
            else:
                self.stdout.write(f"Segment “{segment.name}” made.")
        return complete


def _refuse_real_data(*, with_segments: bool) -> None:
    """Raise CommandError where invented people would be mixed with real people or real lists."""
    people = User.objects.exclude(email_key__in=DEMO_LOGINS.values()).order_by("pk")
    emails = list(people.values_list("email_key", flat=True)[:_LOOKED_AT])
    if emails and not any(_INVENTED.search(email) for email in emails):
        raise CommandError(
            "This database holds people whom seed_demo did not make: use a database of its own "
            "(DATABASE_URL), or say --force."
        )
    host = urlsplit(settings.BREVO_API_URL).hostname or ""
    is_real = host == _REAL_BREVO or host.endswith(f".{_REAL_BREVO}")
    if with_segments and is_real and settings.BREVO_API_KEY:
        raise CommandError(
            "Six lists of invented people would be made in your Brevo account: say --no-segments, "
            "set BREVO_API_URL to the stand-in, or say --force."
        )
