"""A new password from a form: checked, then hashed in one of the slots."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import TooManyRequests

from app.publishing.errors import Invalid

from . import passwords, sessions


def hash_posted(email: str) -> str:
    """Return the hash of the posted new password.

    Raises Invalid for a password that is refused, and TooManyRequests if both slots are taken.
    """
    password = request.form.get("new_password", "")
    passwords.check_new(password, email)
    if password != request.form.get("new_password_again", ""):
        raise Invalid("password", "The two passwords differ.")
    try:
        with passwords.hash_slot(is_known=sessions.known_user(request) is not None):
            return passwords.hash_password(password)
    except passwords.BusyError:
        raise TooManyRequests(
            "Other passwords are being checked. Send the form again.", retry_after=1
        ) from None
