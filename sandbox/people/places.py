"""Where the invented people live: names, states and telephone numbers that fit together."""

from dataclasses import dataclass

from sandbox.people.sampling import weighted


@dataclass(frozen=True)
class Place:
    code: str
    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]
    states: tuple[str, ...]
    mobiles: tuple[str, ...]
    digits: int
    """How many digits follow one of ``mobiles``."""


def spellings(text: str) -> tuple[str, ...]:
    """Return the ways in which people type a text into a form, the right one most often."""
    return (*(text,) * 6, text.lower(), text.upper(), f" {text} ", text.replace(" ", "  "))


def _place(code: str, digits: int, mobiles: str, **lists: str) -> Place:
    parts = {key: tuple(part.strip() for part in text.split(",")) for key, text in lists.items()}
    states = tuple(way for state in parts.pop("states") for way in spellings(state))
    return Place(code, states=states, mobiles=tuple(mobiles.split()), digits=digits, **parts)


NIGERIA = _place(
    "NG",
    7,
    "+234803 +234806 +234813 +234816 +234703 +234706 +234810 +234905",
    women="Amara, Ngozi, Chioma, Folake, Aisha, Yetunde, Ifeoma, Zainab, Blessing, Halima",
    men="Chinedu, Emeka, Tunde, Babajide, Musa, Ibrahim, Obinna, Segun, Kelechi, Yusuf, Adébáyọ̀",
    families="Okafor, Adeyemi, Balogun, Eze, Bello, Okonkwo, Abubakar, Ogunleye, Nwosu, Danjuma",
    states="Lagos, Abuja FCT, Rivers, Oyo, Ogun, Kano, Enugu, Akwa Ibom",
)
GHANA = _place(
    "GH",
    7,
    "+23324 +23320 +23354 +23355 +23327 +23350",
    women="Akosua, Abena, Efua, Adwoa, Esi, Ama, Yaa, Afia",
    men="Kwame, Kofi, Kwabena, Yaw, Kojo, Nana, Kwaku, Ebo",
    families="Mensah, Owusu, Boateng, Asante, Osei, Appiah, Addo, Quaye",
    states="Greater Accra, Ashanti, Western, Central, Eastern",
)
KENYA = _place(
    "KE",
    6,
    "+254712 +254720 +254721 +254722 +254701 +254733",
    women="Wanjiru, Achieng, Njeri, Akinyi, Chebet, Mumbi, Nyambura, Fatuma",
    men="Kamau, Otieno, Kipchoge, Mwangi, Odhiambo, Barasa, Juma, Mutua",
    families="Kariuki, Ochieng, Ngũgĩ, Wambui, Omondi, Cheruiyot, Hassan, Maina",
    states="Nairobi, Mombasa, Kiambu, Nakuru, Uasin Gishu",
)
EMIRATES = _place(
    "AE",
    7,
    "+97150 +97152 +97154 +97155 +97156 +97158",
    women="Fatima, Mariam, Noura, Layla, Priya, Hessa, Sara, Anjali",
    men="Omar, Khalid, Rashid, Saeed, Arjun, Hamad, Faisal, Rohan",
    families="Al Mansoori, Al Nuaimi, Haddad, Sharma, Khan, Nair, Saleh, Farouk",
    states="Dubai, Abu Dhabi, Sharjah, Ras Al Khaimah",
)
BRITAIN = _place(
    "GB",
    6,
    "+447500 +447850 +447950 +447740 +447811",
    women="Olivia, Charlotte, Emily, Zoë, Grace, Hannah, Siân, Imani",
    men="Oliver, George, Harry, Thomas, Rhys, Callum, Samuel, Daniel",
    families="Smith, O'Brien, Taylor, Williams, Campbell, Ashton-Clarke, Patel, Evans",
    states="Greater London, West Midlands, Kent, Scotland, Greater Manchester",
)
SOUTH_AFRICA = _place(
    "ZA",
    7,
    "+2782 +2783 +2772 +2773 +2776",
    women="Thandi, Nomvula, Lerato, Anika, Zanele, Marike, Naledi",
    men="Sipho, Thabo, Pieter, Mandla, Johan, Bongani, Themba",
    families="Dlamini, Nkosi, van der Merwe, Botha, Khumalo, Naidoo, Mokoena",
    states="Gauteng, Western Cape, KwaZulu-Natal",
)
AMERICA = _place(
    "US",
    4,
    "+1212555 +1404555 +1713555 +1312555",
    women="Jasmine, Ashley, Nicole, Renée, Danielle",
    men="Marcus, Brandon, Tyler, Andre, Jordan",
    families="Johnson, Washington, Carter, Nguyen, García",
    states="New York, Georgia, Texas, Illinois",
)
PLACES = weighted(
    {NIGERIA: 45, GHANA: 13, KENYA: 12, EMIRATES: 9, BRITAIN: 12, SOUTH_AFRICA: 5, AMERICA: 4}
)
SOURCES = tuple(
    way
    for source, share in {
        "Instagram": 24,
        "Referral": 16,
        "Google": 15,
        "Facebook": 12,
        "Walk-in": 8,
        "Billboard": 7,
        "Radio": 5,
        "Property expo": 3,
    }.items()
    for way in spellings(source) * share
)
