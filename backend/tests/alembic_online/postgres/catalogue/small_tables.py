"""The two small tables that a change is tried on."""

WORKBENCH = """
CREATE TABLE users (id int CONSTRAINT pk_users PRIMARY KEY, email text);
CREATE TABLE chapters (
    id int CONSTRAINT pk_chapters PRIMARY KEY, title varchar(255), position int NOT NULL, user_id int, body text
);
CREATE INDEX ix_chapters_position ON chapters (position);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""
