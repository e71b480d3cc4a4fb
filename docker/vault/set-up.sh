# shellcheck shell=sh
# As docs/vault.md explains it, word by word: a test holds them equal.
bao secrets enable -path=authsec -version=2 kv
bao secrets enable -path=authsec-database database
bao secrets enable -path=authsec-transit transit
bao write -f authsec-transit/keys/sealing-keys
bao auth enable -path=authsec-tenants approle
bao auth enable approle

accessor=$(bao read -field=accessor sys/auth/authsec-tenants)
bao policy write authsec-tenant - <<POLICY
path "authsec/data/{{identity.entity.aliases.$accessor.metadata.role_name}}/*" {
  capabilities = ["create","read","update"]
}

path "authsec/metadata/{{identity.entity.aliases.$accessor.metadata.role_name}}/*" {
  capabilities = ["read","delete"]
}

path "authsec/destroy/{{identity.entity.aliases.$accessor.metadata.role_name}}/*" {
  capabilities = ["update"]
}

path "authsec-database/config/{{identity.entity.aliases.$accessor.metadata.role_name}}.*" {
  capabilities = ["create","update","delete"]
  allowed_parameters = { "plugin_name" = ["postgresql-database-plugin"], "*" = [] }
}

path "authsec-database/roles/{{identity.entity.aliases.$accessor.metadata.role_name}}.*" {
  capabilities = ["create","update","delete"]
}

path "authsec-database/creds/{{identity.entity.aliases.$accessor.metadata.role_name}}.*" {
  capabilities = ["read"]
}

path "sys/leases/renew/authsec-database/creds/{{identity.entity.aliases.$accessor.metadata.role_name}}.*" {
  capabilities = ["update"]
  denied_parameters = { "lease_id" = [] }
}

path "sys/leases/revoke/authsec-database/creds/{{identity.entity.aliases.$accessor.metadata.role_name}}.*" {
  capabilities = ["update"]
  denied_parameters = { "lease_id" = [] }
}

path "sys/leases/revoke-prefix/authsec-database/creds/{{identity.entity.aliases.$accessor.metadata.role_name}}.*" {
  capabilities = ["update","sudo"]
}

path "sys/leases/revoke-force/authsec-database/creds/{{identity.entity.aliases.$accessor.metadata.role_name}}.*" {
  capabilities = ["update","sudo"]
}

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}
POLICY

bao policy write authsec-manager - <<'POLICY'
path "auth/authsec-tenants/role/+/role-id" {
  capabilities = ["read"]
}

path "auth/authsec-tenants/role/+/secret-id" {
  capabilities = ["update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "2m"
}

path "auth/authsec-tenants/role/+" {
  capabilities = ["create","update"]
  allowed_parameters = {
    "token_policies" = ["authsec-tenant"]
    "token_no_default_policy" = ["true"]
    "token_period" = ["20m"]
    "secret_id_ttl" = ["60s"]
    "secret_id_num_uses" = ["1"]
  }
}

path "authsec-transit/decrypt/sealing-keys" {
  capabilities = ["update"]
}

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}
POLICY
bao write auth/approle/role/authsec-manager token_policies=authsec-manager token_no_default_policy=true token_period=20m
