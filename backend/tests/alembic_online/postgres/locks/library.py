"""The relations that the statements of the cases are tried on."""

SCHEMA = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA "Odd Place";
CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL, email text CONSTRAINT uq_email UNIQUE);
CREATE TABLE books (
  id int CONSTRAINT pk_books PRIMARY KEY, author_id int, title text DEFAULT '', pages int, printed_at timestamptz,
  CONSTRAINT ck_pages CHECK (pages > 0), CONSTRAINT fk_author FOREIGN KEY (author_id) REFERENCES authors
);
ALTER TABLE books ADD CONSTRAINT fk_later FOREIGN KEY (author_id) REFERENCES authors NOT VALID;
ALTER TABLE books ADD CONSTRAINT ck_later CHECK (title <> 'x') NOT VALID;
CREATE INDEX ix_title ON books (title);
CREATE INDEX ix_expression ON books (lower(title));
CREATE UNIQUE INDEX ux_title ON books (id, title);
CREATE TABLE plain (id int, a int, b text, vec vector(3));
CREATE UNIQUE INDEX ux_plain ON plain (id);
CREATE INDEX ix_vec ON plain USING hnsw (vec vector_l2_ops);
CREATE TABLE "Odd Place"."Odd ""Name" (id int PRIMARY KEY, "A Column" int);
CREATE TABLE lonely (id int);
CREATE TABLE events (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2 (id int, day date);
CREATE INDEX ix_events ON events (day);
CREATE INDEX ix_events_2 ON events_2 (day);
CREATE TABLE stock (id int, day date, author_id int CONSTRAINT fk_stock REFERENCES authors, PRIMARY KEY (id, day))
  PARTITION BY RANGE (day);
CREATE TABLE stock_1 PARTITION OF stock FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE stock_rest PARTITION OF stock DEFAULT;
CREATE TABLE stock_2 (id int NOT NULL, day date NOT NULL, author_id int, PRIMARY KEY (id, day));
CREATE TABLE moves (stock int, day date, CONSTRAINT fk_move FOREIGN KEY (stock, day) REFERENCES stock);
CREATE TABLE parent (id int);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE fresh (id int);
CREATE VIEW titles AS SELECT b AS title FROM plain;
CREATE MATERIALIZED VIEW counts AS SELECT b, count(*) AS n FROM plain GROUP BY b;
CREATE UNIQUE INDEX ux_counts ON counts (b);
CREATE SEQUENCE numbers;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE point_of AS (x int, y int);
CREATE TABLE points OF point_of;
CREATE DOMAIN price AS int CONSTRAINT ck_price CHECK (VALUE > 0);
ALTER DOMAIN price ADD CONSTRAINT ck_cheap CHECK (VALUE < 100) NOT VALID;
CREATE TABLE sales (amount price);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON lonely FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE POLICY po ON lonely USING (true);
CREATE RULE ru AS ON DELETE TO lonely DO INSTEAD NOTHING;
CREATE STATISTICS st ON a, b FROM plain;
CREATE PUBLICATION pu FOR TABLE lonely;
"""
