"""Which locks a session holds at the end of each of its DDL statements, in a table."""

# At the end of every DDL statement PostgreSQL itself notes which locks that statement's session holds.
NOTED = """
    CREATE TABLE noted (place serial, step text, relation text, mode text);
    CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $note$ BEGIN
        INSERT INTO public.noted (step, relation, mode)
        SELECT current_query(), relation::regclass, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted
        AND relation IN (to_regclass('public.books'), to_regclass('public.authors'), to_regclass('public.loans'));
    END $note$;
    CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note();
"""
