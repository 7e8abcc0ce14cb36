"""How the admin looks, and what its sidebar offers."""

from typing import Any

from django.templatetags.static import static

# A teal dark enough for white text on it (WCAG AA), and light enough above 500 for dark mode.
_TEAL = {
    "50": "oklch(98.4% .014 180.7)",
    "100": "oklch(95.3% .051 180.8)",
    "200": "oklch(91% .096 180.4)",
    "300": "oklch(85.5% .138 181.1)",
    "400": "oklch(77.7% .152 181.9)",
    "500": "oklch(70.4% .14 182.5)",
    "600": "oklch(51.1% .096 186.4)",
    "700": "oklch(43.7% .078 188.2)",
    "800": "oklch(38.6% .063 188.4)",
    "900": "oklch(33% .055 190)",
    "950": "oklch(27.7% .046 192.5)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Campaigns",
    "SITE_HEADER": "Campaigns",
    "SITE_SUBHEADER": "Audiences and their Brevo lists",
    "SITE_SYMBOL": "group_work",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _request: static("campaigns/favicon.svg"),
        }
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": _TEAL},
    "LOGIN": {"form": "accounts.log_in_page.LimitedLogInForm"},
    "DASHBOARD_CALLBACK": "campaigns.admin.dashboard.dashboard",
    "STYLES": ["campaigns.admin.navigation.stylesheet"],
    "SCRIPTS": ["campaigns.admin.navigation.script"],
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "campaigns.admin.navigation.sidebar",
    },
}
