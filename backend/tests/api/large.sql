-- A course and its people with `large.rows` rows in each big table (100,000, or fewer); ada@example.org is there already, and has many of each.
INSERT INTO modules (slug, title, description, position, is_published)
SELECT 'm' || g, 'Module ' || g, '', g, g % 10 > 0 FROM generate_series(1, 100) g;
INSERT INTO chapters (module_id, slug, title, description, position, content_html, is_published)
SELECT m.id, 'c' || g, 'Chapter ' || g, '', g, '<p>' || md5(m.slug || g) || ' word' || g || '</p>', g % 10 > 0
FROM modules m, generate_series(1, current_setting('large.rows')::int / 100) g;
-- What follows refers to what is there: to look each of them up takes longer than to write them.
SET session_replication_role = replica;
INSERT INTO translations (chapter_id, language_code, title, description, content_html, is_published)
SELECT id, 'de', 'Kapitel', '', '<p></p>', true FROM chapters;
INSERT INTO users (email, password_hash, name) SELECT 'u' || g || '@example.org', '', '' FROM generate_series(1, current_setting('large.rows')::int) g;
INSERT INTO user_profiles (user_id, show_progress_publicly) SELECT id, true FROM users;
INSERT INTO chapter_progress (user_id, chapter_id, progress_percentage)
SELECT u.id, c.id, 50
FROM (SELECT id, row_number() OVER () AS n FROM users WHERE name = '') u
JOIN (SELECT id, row_number() OVER () AS n FROM chapters) c ON c.n = u.n;
INSERT INTO chapter_progress (user_id, chapter_id, progress_percentage)
SELECT u.id, c.id, 100 FROM users u, (SELECT id FROM chapters ORDER BY md5(id::text) LIMIT 90) c WHERE u.name <> '';
INSERT INTO chat_messages (user_id, conversation_session_id, query, response, created_at)
SELECT u.id, md5((u.n / 5)::text)::uuid, '', '', now() - u.n * interval '1 s'
FROM (SELECT id, row_number() OVER () AS n FROM users WHERE name = '') u;
INSERT INTO chat_messages (user_id, conversation_session_id, query, response, created_at)
SELECT u.id, md5('ada' || g % 30)::uuid, '', '', now() - g * interval '1 s'
FROM users u, generate_series(1, 900) g WHERE u.name <> '';
INSERT INTO capstone_submissions (user_id, title, description, status, submitted_at)
SELECT u.id, '', '', CASE WHEN u.n % 20 = 0 THEN 'pending' ELSE 'approved' END::submission_status,
    now() - u.n * interval '1 s'
FROM (SELECT id, row_number() OVER () AS n FROM users) u;
INSERT INTO capstone_submissions (user_id, title, description)
SELECT u.id, '', '' FROM users u, generate_series(1, 900) WHERE u.name <> '';
-- A chunk in each chapter. Many have the same vector, and are packed: in the table and in the index they share a page.
DROP INDEX ix_embeddings_embedding;
ALTER TABLE embeddings ALTER COLUMN embedding SET STORAGE EXTENDED;
CREATE TEMPORARY TABLE vectors AS
SELECT n, (array_fill(1::real, ARRAY[n]) || array_fill(0::real, ARRAY[1536 - n]))::vector(1536) AS vector
FROM generate_series(1, 1000) n;
INSERT INTO embeddings (chapter_id, chunk_index, content, embedding)
SELECT c.id, 0, '', v.vector
FROM (SELECT id, row_number() OVER () % 1000 + 1 AS n FROM chapters) c JOIN vectors v ON v.n = c.n;
-- The same index, made in a hurry: how well it finds is measured elsewhere. With m = 4 a search was at times left with
-- ten tuples that no link led out of, so many are alike, and all were compared after all.
CREATE INDEX ix_embeddings_embedding ON embeddings USING hnsw (embedding vector_cosine_ops)
WITH (m = 8, ef_construction = 16);
RESET session_replication_role;
