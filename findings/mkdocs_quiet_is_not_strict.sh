#!/usr/bin/env bash
# `mkdocs build --strict --quiet` ends with success on a site with a broken link.
#
# Versions:  mkdocs 1.6.1.
# Behaviour: strict counts the warnings that the logger lets through. --quiet raises the logger's level above them, so none
#            is counted. Without --quiet the same site ends with exit code 1.
# Seen:      "strict: 1", "strict and quiet: 0".
# Matters:   a CI job that builds documents quietly passes while their links are broken.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mkdocs==1.6.1
mkdir -p "$folder/site/docs"
echo "site_name: Links" > "$folder/site/mkdocs.yml"
echo "[to a page that is not there](missing.md)" > "$folder/site/docs/index.md"
cd "$folder/site"
build() { "$folder/venv/bin/mkdocs" build --strict "$@" > "$folder/out" 2>&1 && echo 0 || echo $?; }
{
    echo "strict: $(build)"
    echo "strict and quiet: $(build --quiet)"
} | tee "$folder/seen"
diff - "$folder/seen" <<'END'
strict: 1
strict and quiet: 0
END
