"""Every criterion there is. One more needs its field on Segment, its entry here, and a test."""

from accounts.enums import Gender
from accounts.text import fold
from campaigns.audience.criteria.criterion import Criterion, Verb
from campaigns.audience.criteria.questions import Column, Enrolled, FoldedColumn, Served
from campaigns.audience.criteria.references import Agents, Partners, Properties
from campaigns.audience.criteria.values import Choices, Countries, Texts

REGISTERED = (
    Criterion(
        key="gender",
        label="Gender",
        help="Customers of one of these genders.",
        verb=Verb(singular="is", plural="are", negative="is not"),
        values=Choices(
            dict(Gender.choices),
            spoken={
                Gender.MALE: ("a man", "men"),
                Gender.FEMALE: ("a woman", "women"),
                Gender.PREFER_NOT_TO_SAY: (
                    "somebody who names no gender",
                    "people who name no gender",
                ),
            },
        ),
        question=Column("gender"),
    ),
    Criterion(
        key="properties",
        label="Properties",
        help="Customers enrolled in one of these; cancelled enrolments do not count.",
        verb=Verb(
            singular="is enrolled", plural="are enrolled", negative="is not enrolled", to="in"
        ),
        values=Properties(),
        question=Enrolled(),
    ),
    Criterion(
        key="countries",
        label="Countries",
        help="Customers who live in one of these countries.",
        verb=Verb(singular="lives", plural="live", negative="does not live", to="in"),
        values=Countries(),
        question=Column("country"),
    ),
    Criterion(
        key="states",
        label="States",
        help="Customers who live in one of these states, however it is capitalised.",
        verb=Verb(singular="lives", plural="live", negative="does not live", to="in"),
        values=Texts("state"),
        question=FoldedColumn("state", form=fold),
    ),
    Criterion(
        key="traffic_sources",
        label="Traffic sources",
        help="Customers who came in through one of these, however it is capitalised.",
        verb=Verb(singular="came in", plural="came in", negative="did not come in", to="through"),
        values=Texts("referral_source"),
        question=FoldedColumn("referral_source", form=fold),
    ),
    Criterion(
        key="agents",
        label="Agents",
        help="Customers whom one of these enrolled (unless cancelled) or whose lead they closed.",
        verb=Verb(singular="is served", plural="are served", negative="is not served", to="by"),
        values=Agents(),
        question=Served(),
    ),
    Criterion(
        key="partners",
        label="Partners",
        help="Customers whom one of these approved partners referred.",
        verb=Verb(
            singular="was referred", plural="were referred", negative="was not referred", to="by"
        ),
        values=Partners(),
        question=Column("referred_by_partner_id"),
    ),
)
