from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView
from drf_spectacular.views import SpectacularSwaggerSplitView as Documentation

from accounts.log_in_page import OwnPasswordView
from config import problems

api: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="docs")),
    path("", include("accounts.api.urls")),
    path("campaigns/", include("campaigns.api.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", Documentation.as_view(url_name="schema", metadata_class=None), name="docs"),
    re_path(r"^(?P<path>[\s\S]*)$", problems.unknown_path),
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/password_change/", admin.site.admin_view(OwnPasswordView.as_view())),
    path("admin/", admin.site.urls),
    path("api/", include(api)),
    path("api", problems.unknown_path),
    path("webhooks/", include("campaigns.webhooks")),
]
handler400 = problems.handler400
handler403 = problems.handler403
handler404 = problems.handler404
handler500 = problems.handler500
