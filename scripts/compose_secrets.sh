#!/usr/bin/env bash
# Makes the key and the passwords that compose.yaml mounts, into secrets/. What is there stays.
#
#   scripts/compose_secrets.sh [FOLDER]
#
# The folder lets in nobody but its owner. The files can be read by all, because they are: a container gets each file as
# it is, and in the container another user reads it.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

# write NAME TEXT: whole or not at all; what is there stays.
write() {
    [ ! -e "$folder/$1" ] || return 0
    printf %s "$2" >"$folder/.$1.new"
    chmod 444 "$folder/.$1.new"
    mv "$folder/.$1.new" "$folder/$1"
    echo "$folder/$1"
}

# 48 bytes as hexadecimal digits, which mean nothing special in SQL or in an address
random() {
    od -vAn -N48 -tx1 /dev/urandom | tr -d ' \n'
}

write django_secret_key "$(random)"
write database_root_password "$(random)"
for account in owner app; do
    write "database_${account}_password" "$(random)"
    password=$(cat "$folder/database_${account}_password")
    write "database_${account}_url" "mysql://himmes_$account:$password@database:3306/himmes?ssl_mode=REQUIRED"
done
