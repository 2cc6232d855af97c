-- The schema at 004_count_sign_outs. Written by `python -m alembic_online snapshot`; do not edit.

CREATE EXTENSION vector;
CREATE TYPE public.difficulty_level AS ENUM ('beginner', 'intermediate', 'advanced');
CREATE TYPE public.progress_status AS ENUM ('not_started', 'in_progress', 'completed');
CREATE TYPE public.submission_status AS ENUM ('pending', 'reviewing', 'approved', 'rejected');
CREATE TYPE public.theme AS ENUM ('light', 'dark', 'system');
CREATE TABLE modules (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    slug VARCHAR(100) NOT NULL,
    title VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    position INTEGER NOT NULL,
    is_published BOOLEAN DEFAULT false NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_modules_id PRIMARY KEY (id),
    CONSTRAINT uq_modules_slug UNIQUE (slug)
);
CREATE TABLE chapters (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    module_id UUID NOT NULL,
    slug VARCHAR(100) NOT NULL,
    title VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    position INTEGER NOT NULL,
    difficulty_level difficulty_level DEFAULT 'intermediate' NOT NULL,
    estimated_duration_minutes INTEGER DEFAULT 60 NOT NULL,
    content_html TEXT,
    learning_objectives TEXT[] DEFAULT '{}' NOT NULL,
    is_published BOOLEAN DEFAULT false NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    search_document TSVECTOR,
    CONSTRAINT pk_chapters_id PRIMARY KEY (id),
    CONSTRAINT ck_chapters_estimated_duration_minutes CHECK (estimated_duration_minutes > 0),
    CONSTRAINT fk_chapters_module_id FOREIGN KEY(module_id) REFERENCES modules (id) ON DELETE CASCADE,
    CONSTRAINT uq_chapters_module_id_slug UNIQUE (module_id, slug)
);
CREATE TABLE embeddings (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    chapter_id UUID NOT NULL,
    chunk_index INTEGER NOT NULL,
    content TEXT NOT NULL,
    embedding_model VARCHAR(100) DEFAULT 'text-embedding-3-small' NOT NULL,
    embedding VECTOR(1536) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_embeddings_id PRIMARY KEY (id),
    CONSTRAINT ck_embeddings_chunk_index CHECK (chunk_index >= 0),
    CONSTRAINT fk_embeddings_chapter_id FOREIGN KEY(chapter_id) REFERENCES chapters (id) ON DELETE CASCADE,
    CONSTRAINT uq_embeddings_chapter_id_embedding_model_chunk_index UNIQUE (chapter_id, embedding_model, chunk_index)
);
ALTER TABLE public.embeddings ALTER COLUMN embedding SET STORAGE plain;
CREATE TABLE translations (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    chapter_id UUID NOT NULL,
    language_code VARCHAR(35) NOT NULL,
    title VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    content_html TEXT,
    is_published BOOLEAN DEFAULT false NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_translations_id PRIMARY KEY (id),
    CONSTRAINT fk_translations_chapter_id FOREIGN KEY(chapter_id) REFERENCES chapters (id) ON DELETE CASCADE,
    CONSTRAINT uq_translations_chapter_id_language_code UNIQUE (chapter_id, language_code)
);
CREATE TABLE users (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    email VARCHAR(320) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    is_admin BOOLEAN DEFAULT false NOT NULL,
    language_preference VARCHAR(35) DEFAULT 'en' NOT NULL,
    theme theme DEFAULT 'system' NOT NULL,
    last_login TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    sign_outs INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_users_id PRIMARY KEY (id)
);
CREATE TABLE capstone_submissions (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id UUID NOT NULL,
    title VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    source_code_url VARCHAR(2048),
    demo_url VARCHAR(2048),
    status submission_status DEFAULT 'pending' NOT NULL,
    score DOUBLE PRECISION,
    feedback TEXT,
    reviewer_id UUID,
    submitted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    reviewed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_capstone_submissions_id PRIMARY KEY (id),
    CONSTRAINT ck_capstone_submissions_score CHECK ((score >= (0)::double precision) AND (score <= (100)::double precision)),
    CONSTRAINT fk_capstone_submissions_reviewer_id FOREIGN KEY(reviewer_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT fk_capstone_submissions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE chapter_progress (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id UUID NOT NULL,
    chapter_id UUID NOT NULL,
    status progress_status DEFAULT 'not_started' NOT NULL,
    progress_percentage SMALLINT DEFAULT 0 NOT NULL,
    time_spent_seconds INTEGER DEFAULT 0 NOT NULL,
    quiz_score DOUBLE PRECISION,
    quiz_passed BOOLEAN DEFAULT false NOT NULL,
    exercise_passed BOOLEAN DEFAULT false NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_chapter_progress_id PRIMARY KEY (id),
    CONSTRAINT ck_chapter_progress_progress_percentage CHECK ((progress_percentage >= 0) AND (progress_percentage <= 100)),
    CONSTRAINT ck_chapter_progress_quiz_score CHECK ((quiz_score >= (0)::double precision) AND (quiz_score <= (100)::double precision)),
    CONSTRAINT ck_chapter_progress_time_spent_seconds CHECK (time_spent_seconds >= 0),
    CONSTRAINT fk_chapter_progress_chapter_id FOREIGN KEY(chapter_id) REFERENCES chapters (id) ON DELETE CASCADE,
    CONSTRAINT fk_chapter_progress_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_chapter_progress_user_id_chapter_id UNIQUE (user_id, chapter_id)
);
CREATE TABLE chat_messages (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id UUID NOT NULL,
    conversation_session_id UUID NOT NULL,
    parent_message_id UUID,
    query TEXT NOT NULL,
    response TEXT NOT NULL,
    intent VARCHAR(100),
    context_chapter_id UUID,
    context_module_slug VARCHAR(100),
    user_difficulty_level difficulty_level,
    clarification_depth INTEGER DEFAULT 0 NOT NULL,
    was_follow_up BOOLEAN DEFAULT false NOT NULL,
    sources JSONB DEFAULT '[]' NOT NULL,
    user_rating SMALLINT,
    helpful_count INTEGER DEFAULT 0 NOT NULL,
    unhelpful_count INTEGER DEFAULT 0 NOT NULL,
    sentiment_score DOUBLE PRECISION,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_chat_messages_id PRIMARY KEY (id),
    CONSTRAINT ck_chat_messages_sentiment_score CHECK ((sentiment_score >= ('-1'::integer)::double precision) AND (sentiment_score <= (1)::double precision)),
    CONSTRAINT ck_chat_messages_user_rating CHECK ((user_rating >= 1) AND (user_rating <= 5)),
    CONSTRAINT fk_chat_messages_context_chapter_id FOREIGN KEY(context_chapter_id) REFERENCES chapters (id) ON DELETE SET NULL,
    CONSTRAINT fk_chat_messages_parent_message_id FOREIGN KEY(parent_message_id) REFERENCES chat_messages (id) ON DELETE CASCADE,
    CONSTRAINT fk_chat_messages_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE user_profiles (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id UUID NOT NULL,
    bio VARCHAR(500),
    avatar_url VARCHAR(2048),
    organization VARCHAR(255),
    country VARCHAR(100),
    email_notifications BOOLEAN DEFAULT true NOT NULL,
    show_progress_publicly BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_user_profiles_id PRIMARY KEY (id),
    CONSTRAINT fk_user_profiles_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_user_profiles_user_id UNIQUE (user_id)
);
CREATE FUNCTION public.set_search_document()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.search_document :=
        setweight(to_tsvector('english', NEW.title), 'A')
        || setweight(to_tsvector('english', left(NEW.description, 20000)), 'B')
        || setweight(to_tsvector('english', left(array_to_string(NEW.learning_objectives, ' '), 20000)), 'B')
        || setweight(to_tsvector('english', left(coalesce(NEW.content_html, ''), 150000)), 'C');
    RETURN NEW;
END
$function$;
CREATE FUNCTION public.set_updated_at()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$function$;
CREATE INDEX ix_capstone_submissions_reviewer_id ON capstone_submissions (reviewer_id);
CREATE INDEX ix_capstone_submissions_status_submitted_at_id ON capstone_submissions (status, submitted_at, id);
CREATE INDEX ix_capstone_submissions_user_id_submitted_at_id ON capstone_submissions (user_id, submitted_at, id);
CREATE INDEX ix_chapter_progress_chapter_id ON chapter_progress (chapter_id);
CREATE INDEX ix_chapters_module_id_position_id ON chapters (module_id, position, id) INCLUDE (is_published);
CREATE INDEX ix_chapters_search_document ON chapters USING gin (search_document);
CREATE INDEX ix_chat_messages_context_chapter_id ON chat_messages (context_chapter_id);
CREATE INDEX ix_chat_messages_conversation_session_id_created_at_id ON chat_messages (conversation_session_id, created_at, id);
CREATE INDEX ix_chat_messages_parent_message_id ON chat_messages (parent_message_id);
CREATE INDEX ix_chat_messages_user_id_created_at_id ON chat_messages (user_id, created_at, id);
CREATE INDEX ix_embeddings_embedding ON embeddings USING hnsw (embedding public.vector_cosine_ops) WITH (ef_construction = 200, m = 16);
CREATE INDEX ix_modules_position_id ON modules (position, id);
CREATE UNIQUE INDEX uq_users_email ON users (lower((email)::text));
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.capstone_submissions FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.chapter_progress FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER set_search_document BEFORE INSERT OR UPDATE OF title, description, learning_objectives, content_html, search_document ON public.chapters FOR EACH ROW EXECUTE FUNCTION public.set_search_document();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.chapters FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.chat_messages FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.embeddings FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.modules FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.translations FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.user_profiles FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();
