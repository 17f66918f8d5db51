#!/bin/sh
# Puts a topology file, plans, applies, and shows what has happened, with nothing but curl:
#
#   put.sh https://localhost:9560 state/pki demo.yaml
#
# The second argument is a directory with ca.pem, admin.pem and admin.key: that of the controller, or a copy of these three.
set -eu
url=$1 pki=$2 file=$3

# ask METHOD PATH [curl's arguments]
ask() {
  method=$1 path=$2
  shift 2
  curl --silent --show-error --fail-with-body --no-buffer --tlsv1.3 \
    --cacert "$pki/ca.pem" --cert "$pki/admin.pem" --key "$pki/admin.key" \
    --request "$method" --header 'Content-Type: application/json' "$url$path" "$@"
}

# call: as ask, and a refusal goes where people see it
call() {
  answer=$(ask "$@") || { printf '%s\n' "$answer" >&2; return 1; }
  printf '%s\n' "$answer"
}

# text NAME: the first text of that name in an answer. Use jq for more.
text() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

put=$(printf '{"message": "put by an example", "files": [{"name": "%s", "data": "%s"}]}' \
  "$(basename "$file")" "$(base64 <"$file" | tr -d '\n')" | call POST /v1/topologies:put --data @-)
topology=$(printf '%s\n' "$put" | text topology)
echo "$topology: revision $(printf '%s\n' "$put" | text number)"

plan=$(call POST "/v1/topologies/$topology/plans" --data '{}')
id=$(printf '%s\n' "$plan" | text id) hash=$(printf '%s\n' "$plan" | text hash)
if [ -z "$hash" ]; then
  echo "plan $id: no changes"
  exit
fi
echo "plan $id: $hash"

# One line for each step; the last one says how it ended.
steps=$(mktemp)
trap 'rm -f "$steps"' EXIT
ask POST "/v1/plans/$id:apply" --data "{\"hash\": \"$hash\"}" | tee "$steps"
call GET "/v1/events?topology=$topology&kinds=intent&kinds=plan&kinds=transaction"
[ "$(tail -n 1 "$steps" | text outcome)" = done ]
