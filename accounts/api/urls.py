from django.urls import path

from accounts.api import views

urlpatterns = [
    path("token/", views.LogInView.as_view(), name="token"),
    path("token/refresh/", views.RefreshView.as_view(), name="token-refresh"),
    path("token/revoke/", views.RevokeView.as_view(), name="token-revoke"),
    path("me/", views.MeView.as_view(), name="me"),
]
