#!/usr/bin/env bash
# Makes the key, the passwords and the database's certificate that compose.yaml mounts, into secrets/. What is there
# stays. Needs openssl.
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
    printf '%s\n' "$2" >"$folder/.$1.new"
    chmod 444 "$folder/.$1.new"
    mv "$folder/.$1.new" "$folder/$1"
    echo "$folder/$1"
}

# 48 bytes as hexadecimal digits, which mean nothing special in SQL or in an address
random() {
    od -vAn -N48 -tx1 /dev/urandom | tr -d ' \n'
}

# Signed by itself, so the application, which is given the same file, trusts this certificate and no other. 10 years, as
# nobody would think of it earlier; then remove both files and run this again.
make_certificate() {
    [ ! -e "$folder/database_certificate" ] || [ ! -e "$folder/database_certificate_key" ] || return 0
    openssl req -x509 -newkey rsa:2048 -noenc -days 3650 -subj /CN=database -addext subjectAltName=DNS:database \
        -keyout "$folder/.key" -out "$folder/.certificate" 2>"$folder/.openssl" ||
        {
            cat "$folder/.openssl" >&2
            exit 1
        }
    rm -f "$folder/database_certificate" "$folder/database_certificate_key"
    write database_certificate_key "$(cat "$folder/.key")"
    write database_certificate "$(cat "$folder/.certificate")"
    rm "$folder/.key" "$folder/.certificate" "$folder/.openssl"
}

command -v openssl >/dev/null || {
    echo "openssl not found; on Debian and Ubuntu: apt-get install openssl" >&2
    exit 1
}
make_certificate
write django_secret_key "$(random)"
write database_root_password "$(random)"
for account in owner app; do
    write "database_${account}_password" "$(random)"
    password=$(cat "$folder/database_${account}_password")
    write "database_${account}_url" \
        "mysql://himmes_$account:$password@database:3306/himmes?ssl_ca=/run/secrets/database_certificate"
done
