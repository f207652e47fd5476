"""Integration with Alembic: remove the triggers before migrations and install them afterwards.

On SQLite a column that a trigger names can't be dropped, and a table that is rebuilt loses its
triggers. With plain Alembic and with Flask-Migrate, env.py calls `run_migrations`; with
Flask-Alembic the extension's `run_migrations` wraps its function in `without_triggers`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .changes import WatchedTable, install_triggers, remove_triggers
from .changes.declaration import NotWatchableError

if TYPE_CHECKING:
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext

__all__ = ["restore_triggers", "run_migrations", "without_triggers"]

Steps = Callable[..., Any]

_log = logging.getLogger(__name__)


def run_migrations(
    context: EnvironmentContext, watched: Sequence[WatchedTable], **options: Any
) -> None:
    """Run the migrations of an env.py, in place of `context.run_migrations()`.

    Args:
        context: `alembic.context`, after `context.configure()`.
        watched: the tables that the app tracks.
        options: keyword arguments for every migration.
    """
    migration = context.get_context()
    steps = migration._migrations_fn  # noqa: SLF001 - Alembic has no public way to wrap it
    if steps is not None:
        migration._migrations_fn = without_triggers(steps, watched)  # noqa: SLF001 - as above
    try:
        context.run_migrations(**options)
    except Exception:
        _restore_after_failure(migration, watched)
        raise


def without_triggers(steps: Steps, watched: Sequence[WatchedTable]) -> Steps:
    """Wrap the function that returns the migration steps of an Alembic command.

    Nothing is removed if there is no step to run, or in offline mode (`--sql`).
    """

    def run_steps(revision: Any, context: MigrationContext) -> Iterator[Any]:
        migration_steps = list(steps(revision, context))
        connection = context.connection
        if not migration_steps or context.as_sql or connection is None:
            yield from migration_steps
            return
        with context.begin_transaction(_per_migration=True):
            remove_triggers(connection)
        yield from migration_steps
        restore_triggers(context, watched)

    return run_steps


def restore_triggers(context: MigrationContext, watched: Sequence[WatchedTable]) -> None:
    """Install the triggers if the schema allows it.

    A schema that is not up to date may lack tables or columns that the code declares. Then the
    reason is logged, and nothing is shared.
    """
    connection = context.connection
    if connection is None:
        return
    try:
        with context.begin_transaction(_per_migration=True):
            install_triggers(connection, watched)
    except NotWatchableError as error:
        _log.warning("edge.triggers_not_installed: %s", error, extra={"reason": str(error)})


def _restore_after_failure(migration: MigrationContext, watched: Sequence[WatchedTable]) -> None:
    """Install the triggers again if the steps before the failed one were committed.

    With one transaction around all steps, the rollback restores the triggers.
    """
    connection = migration.connection
    if connection is None or migration.as_sql or connection.in_transaction():
        return
    try:
        restore_triggers(migration, watched)
    except Exception:  # noqa: BLE001 - must not hide the failure of the migration
        _log.warning("edge.triggers_not_installed: a migration failed", exc_info=True)
