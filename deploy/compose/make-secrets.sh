#!/usr/bin/env bash
# Makes the secrets that docker-compose.yml names, each in a file of its own. What is there already stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

install -d -m 700 secrets
random() { head -c 48 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }

# Readable to the users inside the containers; the folder itself lets nobody else in.
for name in signing_key postgres_password intake_password coder_password alerting_password; do
  if [[ ! -s secrets/$name ]]; then random >"secrets/$name" && chmod 644 "secrets/$name" && echo "made secrets/$name"; fi
done
if [[ ! -s secrets/smtp_url ]]; then
  echo 'smtp://mailpit:1025' >secrets/smtp_url && chmod 644 secrets/smtp_url && echo "made secrets/smtp_url (Mailpit)"
fi

env=../../.env
touch "$env"
if ! grep -q '^KAFKA_CLUSTER_ID=..' "$env"; then
  echo "KAFKA_CLUSTER_ID=$(head -c 16 /dev/urandom | base64 | tr '+/' 'Aa' | tr -d '=\n')" >>"$env"
  echo "wrote KAFKA_CLUSTER_ID to .env"
fi
