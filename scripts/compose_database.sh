# shellcheck shell=bash
# Read by the database's image while it sets up an empty volume, as `himmes` and himmes_owner are there already.
# The server's own account reads and writes rows and can do nothing to tables; migrations have himmes_owner's.
docker_process_sql <<SQL
CREATE USER himmes_app@'%' IDENTIFIED BY '$(cat /run/secrets/database_app_password)';
GRANT SELECT, INSERT, UPDATE, DELETE ON himmes.* TO himmes_app@'%';
SQL
