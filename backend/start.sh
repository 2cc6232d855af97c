#!/bin/sh
# What the container runs: migrate, then serve. A stop during the migration reaches it, and it says how far it came.
alembic upgrade head &
migration=$!
trap 'kill -TERM "$migration"' TERM INT
wait "$migration"
status=$?
if [ "$status" -gt 128 ]; then # the signal ended the waiting; the migration is still on its way out
    wait "$migration"
    exit $?
fi
[ "$status" -eq 0 ] || exit "$status"
trap - TERM INT
exec uvicorn src.api.app:create_app --factory --host "${HOST:-0.0.0.0}" --port "${PORT:-8000}"
