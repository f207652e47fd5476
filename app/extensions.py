"""The Flask extensions, created without an app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_sqlalchemy import SQLAlchemy

from .database import Base, Migrations
from .edge import changes, index, purge
from .edge.flask import Edge
from .watched_tables import WATCHED

changes.define_tables(Base.metadata)
index.define_tables(Base.metadata)
purge.define_tables(Base.metadata)

db = SQLAlchemy(model_class=Base, disable_autonaming=True)
alembic = Migrations(watched=WATCHED)
edge = Edge()

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model
