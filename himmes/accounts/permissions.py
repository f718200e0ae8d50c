"""Permissions in the API: reading, adding, changing and deleting each need the permission of the view's model."""

from rest_framework.permissions import DjangoModelPermissions

from himmes.accounts.models import ApiToken


class RolePermissions(DjangoModelPermissions):
    """A person may do what their roles may; a token what its own role may."""

    _VIEW = ["%(app_label)s.view_%(model_name)s"]
    perms_map = DjangoModelPermissions.perms_map | {"GET": _VIEW, "HEAD": _VIEW, "OPTIONS": _VIEW}
    message = "Your role does not allow this."

    def has_permission(self, request, view):
        if not hasattr(view, request.method.lower()):
            return True  # nothing to allow: the answer is that there is no such method
        if not isinstance(request.auth, ApiToken):
            return super().has_permission(request, view)
        return request.auth.granted.issuperset(
            self.get_required_permissions(request.method, self._queryset(view).model)
        )
