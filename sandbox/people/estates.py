"""The residential developments on offer."""

from typing import NamedTuple

from sandbox.people.sampling import weighted


class Estate(NamedTuple):
    name: str
    city: str
    country: str
    price: int
    """A usual price, in thousands."""


ESTATES = (
    Estate("Palm Court", "Lagos", "NG", 95),
    Estate("Lekki Pearl Gardens", "Lagos", "NG", 140),
    Estate("Eko Harbour Residences", "Lagos", "NG", 320),
    Estate("Ikoyi Crescent Towers", "Lagos", "NG", 410),
    Estate("Maitama Heights", "Abuja", "NG", 260),
    Estate("Gwarinpa Meadows", "Abuja", "NG", 70),
    Estate("Garden City Villas", "Port Harcourt", "NG", 85),
    Estate("Bodija Green", "Ibadan", "NG", 45),
    Estate("Coal Camp Terraces", "Enugu", "NG", 40),
    Estate("East Legon Park", "Accra", "GH", 180),
    Estate("Cantonments Square", "Accra", "GH", 290),
    Estate("Airport Hills Court", "Accra", "GH", 210),
    Estate("Nhyiaeso Gardens", "Kumasi", "GH", 75),
    Estate("Kilimani Vista", "Nairobi", "KE", 120),
    Estate("Karen Acacia Estate", "Nairobi", "KE", 350),
    Estate("Tatu Lakeside", "Ruiru", "KE", 65),
    Estate("Nyali Reef Apartments", "Mombasa", "KE", 110),
    Estate("Marina Dune Tower", "Dubai", "AE", 480),
    Estate("Al Reem Waterfront", "Abu Dhabi", "AE", 390),
    Estate("Jumeirah Pearl Villas", "Dubai", "AE", 900),
    Estate("Canary Quay", "London", "GB", 620),
    Estate("Salford Mill Lofts", "Manchester", "GB", 240),
    Estate("Sandton Ridge", "Johannesburg", "ZA", 150),
    Estate("Atlanta Peachtree Homes", "Atlanta", "US", 370),
)
_ANYWHERE = tuple(range(len(ESTATES)))


def _likely(country: str) -> tuple[int, ...]:
    near = [number for number, estate in enumerate(ESTATES) if estate.country == country]
    return weighted({number: 12 if number in near else 1 for number in _ANYWHERE})


LIKELY = {country: _likely(country) for country in sorted({e.country for e in ESTATES})}
"""For people of each country a table of estates, by number, with those of their country first."""
