"""Made-up rows for any table: values to try, and a row that PostgreSQL takes."""
