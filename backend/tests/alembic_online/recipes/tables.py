"""Changes and tables that more than one module of tests tries."""

TWICE = 'op.add_column("books", sa.Column("twice", sa.Integer, sa.Computed("pages * 2", persisted=True)))'
LOGS = """
    CREATE TABLE kinds (id integer PRIMARY KEY);
    INSERT INTO kinds SELECT generate_series(0, 9);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.touched := coalesce(OLD.touched, 0) + 1; RETURN NEW; END $$;
    CREATE TABLE logs (
        id integer NOT NULL, day integer NOT NULL, kind integer CONSTRAINT fk_kind REFERENCES kinds,
        size integer DEFAULT 7 CONSTRAINT ck_size CHECK (size >= 0), line text, touched integer,
        CONSTRAINT pk_logs PRIMARY KEY (id, day), CONSTRAINT uq_size UNIQUE NULLS NOT DISTINCT (size, kind, id, day)
    ) PARTITION BY RANGE (day);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (9);
    CREATE TABLE gone (gone text, line text, touched integer, size integer, kind integer, day integer NOT NULL,
        id integer NOT NULL) PARTITION BY RANGE (id);
    ALTER TABLE gone DROP gone;
    ALTER TABLE gone RENAME TO logs_2;
    CREATE TABLE "logs 3" PARTITION OF logs_2 FOR VALUES FROM (0) TO (50);
    CREATE TABLE logs_4 PARTITION OF logs_2 DEFAULT;
    ALTER TABLE logs_2 ADD CONSTRAINT ck_size CHECK (size >= 0);
    ALTER TABLE logs ATTACH PARTITION logs_2 FOR VALUES FROM (9) TO (99);
    CREATE INDEX ix_size ON logs (size DESC, line) INCLUDE (kind) WHERE size > 3;
    COMMENT ON INDEX ix_size IS 'by size';
    CREATE INDEX "its own" ON logs_4 (size) WITH (fillfactor = 70);
    ALTER TABLE logs_4 ALTER size SET DEFAULT 8, ADD CONSTRAINT ck_own CHECK (size < 1000);
    ALTER TABLE logs_4 ALTER size SET STATISTICS 50;
    ALTER TABLE "logs 3" ALTER size DROP DEFAULT;
    COMMENT ON COLUMN logs.size IS 'in lines';
    COMMENT ON COLUMN logs_1.size IS 'in words';
    GRANT SELECT (size) ON logs TO PUBLIC;
    ALTER TABLE logs_4 ALTER size SET NOT NULL;
    CREATE STATISTICS st_size ON size, kind FROM logs;
    COMMENT ON STATISTICS st_size IS 'both';
    CREATE INDEX an_index_on_one_of_the_partitions_whose_name_is_quite_long_no_1 ON logs_1 (size, line);
    CREATE INDEX an_index_on_one_of_the_partitions_whose_name_is_quite_long_no_2 ON logs_1 (size, kind);
    CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON logs FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TRIGGER resized AFTER UPDATE OF size ON logs FOR EACH ROW EXECUTE FUNCTION touch();
    COMMENT ON TRIGGER resized ON logs IS 'counts';
    ALTER TABLE "logs 3" DISABLE TRIGGER resized;
    ALTER TABLE logs ENABLE ROW LEVEL SECURITY;
    CREATE POLICY large ON logs USING (size > 3);
    CREATE POLICY small ON logs_1 USING (size < 3);
    CREATE RULE negative AS ON UPDATE TO logs_1 WHERE NEW.size < 0 DO INSTEAD NOTHING;
    CREATE VIEW sizes AS SELECT sum(size) FROM logs;
    CREATE VIEW own_sizes AS SELECT size FROM logs_1;
    INSERT INTO logs SELECT i, i, i % 10, i, 'line ' || i, 0 FROM generate_series(1, 98) i;
    CREATE TABLE notes (
        log integer, day integer, kind integer, size integer, CONSTRAINT fk_log FOREIGN KEY (size, kind, log, day)
            REFERENCES logs (size, kind, id, day) ON UPDATE CASCADE ON DELETE SET NULL (size)
    ) PARTITION BY LIST (kind);
    CREATE TABLE notes_1 PARTITION OF notes FOR VALUES IN (1) PARTITION BY LIST (kind);
    CREATE TABLE notes_2 PARTITION OF notes_1 DEFAULT;
    INSERT INTO notes SELECT id, day, kind, size FROM logs WHERE kind = 1;
    COMMENT ON CONSTRAINT fk_log ON notes IS 'of what';
    CREATE TABLE marks (size integer, kind integer, id integer, day integer,
        CONSTRAINT fk_mark FOREIGN KEY (size, kind, id, day) REFERENCES logs (size, kind, id, day));
    INSERT INTO marks SELECT size, kind, id, day FROM logs;
    ALTER TABLE logs ADD next integer,
        ADD CONSTRAINT fk_next FOREIGN KEY (next, kind, id, day) REFERENCES logs (size, kind, id, day);
    UPDATE logs SET next = size;
"""
NUMBERED = """
    UPDATE pg_attribute SET attoptions = array_prepend('pg_attver=1', attoptions)
    WHERE attrelid = 'books'::regclass AND attnum > 0 AND NOT coalesce(attoptions, '{}')::text ~ 'pg_attver'
"""
"""As PostgreSQL 15.20 and 17.12 number the columns: no option, and nobody may say it himself."""
