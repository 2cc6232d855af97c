"""The HTTP side: thin routers over `src.db`. `app.create_app` puts it together; nothing is opened at import."""
