"""The extensions, built with no app in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_sqlalchemy import SQLAlchemy

from .database import Base, Migrations
from .edge.flask import Edge

db = SQLAlchemy(model_class=Base, disable_autonaming=True)
alembic = Migrations(run_mkdir=False)
edge = Edge()

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model
