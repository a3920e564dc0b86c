"""What Alembic runs: always on the connection that `console.database` hands over."""

from alembic import context

from console.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite too: the connection is inside a transaction already, all or nothing.
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
