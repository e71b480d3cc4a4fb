-- CreateEnum
CREATE TYPE "UserStatus" AS ENUM ('active', 'disabled');

-- CreateEnum
CREATE TYPE "IdentityProviderKind" AS ENUM ('oidc', 'oauth2');

-- CreateEnum
CREATE TYPE "ApplicationStatus" AS ENUM ('active', 'disabled');

-- CreateEnum
CREATE TYPE "SigningKeyStatus" AS ENUM ('active', 'retiring', 'retired');

-- CreateTable
CREATE TABLE "stamp" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "tenant_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stamp_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policy_state" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "policy_version" BIGINT NOT NULL DEFAULT 1,
    "session_sequence" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "policy_state_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "email" TEXT NOT NULL,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "display_name" TEXT,
    "status" "UserStatus" NOT NULL DEFAULT 'active',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "password_credentials" (
    "user_id" UUID NOT NULL,
    "password_hash" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "password_credentials_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "identity_providers" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "kind" "IdentityProviderKind" NOT NULL,
    "issuer" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "sealed_client_secret" BYTEA,
    "settings" JSONB NOT NULL DEFAULT '{}',
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "identity_providers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "external_identities" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "user_id" UUID NOT NULL,
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "external_identities_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roles" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "roles_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "groups" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "groups_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "scopes" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "scopes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "resources" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "resources_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "permissions" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "permissions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "user_roles" (
    "user_id" UUID NOT NULL,
    "role_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "user_roles_pkey" PRIMARY KEY ("user_id","role_id")
);

-- CreateTable
CREATE TABLE "group_members" (
    "group_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "group_members_pkey" PRIMARY KEY ("group_id","user_id")
);

-- CreateTable
CREATE TABLE "group_roles" (
    "group_id" UUID NOT NULL,
    "role_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "group_roles_pkey" PRIMARY KEY ("group_id","role_id")
);

-- CreateTable
CREATE TABLE "role_permissions" (
    "role_id" UUID NOT NULL,
    "permission_id" UUID NOT NULL,

    CONSTRAINT "role_permissions_pkey" PRIMARY KEY ("role_id","permission_id")
);

-- CreateTable
CREATE TABLE "user_scopes" (
    "user_id" UUID NOT NULL,
    "scope_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "user_scopes_pkey" PRIMARY KEY ("user_id","scope_id")
);

-- CreateTable
CREATE TABLE "group_scopes" (
    "group_id" UUID NOT NULL,
    "scope_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "group_scopes_pkey" PRIMARY KEY ("group_id","scope_id")
);

-- CreateTable
CREATE TABLE "role_scopes" (
    "role_id" UUID NOT NULL,
    "scope_id" UUID NOT NULL,

    CONSTRAINT "role_scopes_pkey" PRIMARY KEY ("role_id","scope_id")
);

-- CreateTable
CREATE TABLE "user_resources" (
    "user_id" UUID NOT NULL,
    "resource_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "user_resources_pkey" PRIMARY KEY ("user_id","resource_id")
);

-- CreateTable
CREATE TABLE "group_resources" (
    "group_id" UUID NOT NULL,
    "resource_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "group_resources_pkey" PRIMARY KEY ("group_id","resource_id")
);

-- CreateTable
CREATE TABLE "role_resources" (
    "role_id" UUID NOT NULL,
    "resource_id" UUID NOT NULL,

    CONSTRAINT "role_resources_pkey" PRIMARY KEY ("role_id","resource_id")
);

-- CreateTable
CREATE TABLE "applications" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "client_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "status" "ApplicationStatus" NOT NULL DEFAULT 'active',
    "client_secret_hash" TEXT,
    "token_endpoint_auth_method" TEXT NOT NULL DEFAULT 'client_secret_basic',
    "application_type" TEXT NOT NULL DEFAULT 'web',
    "jwks" JSONB,
    "redirect_uris" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "grant_types" TEXT[] DEFAULT ARRAY['authorization_code', 'client_credentials']::TEXT[],
    "completion_page" BOOLEAN NOT NULL DEFAULT false,
    "paste_token" BOOLEAN NOT NULL DEFAULT false,
    "resource_url" TEXT,
    "scopes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "applications_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "application_roles" (
    "application_id" UUID NOT NULL,
    "role_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "application_roles_pkey" PRIMARY KEY ("application_id","role_id")
);

-- CreateTable
CREATE TABLE "signing_keys" (
    "kid" TEXT NOT NULL,
    "alg" TEXT NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "sealed_private_jwk" BYTEA NOT NULL,
    "status" "SigningKeyStatus" NOT NULL DEFAULT 'active',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "retired_at" TIMESTAMPTZ(3),

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("kid")
);

-- CreateTable
CREATE TABLE "provider_models" (
    "model" TEXT NOT NULL,
    "id_hash" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "grant_id" TEXT,
    "uid_hash" TEXT,
    "expires_at" TIMESTAMPTZ(3),
    "consumed_at" TIMESTAMPTZ(3),

    CONSTRAINT "provider_models_pkey" PRIMARY KEY ("model","id_hash")
);

-- CreateTable
CREATE TABLE "pushed_logins" (
    "id_hash" TEXT NOT NULL,
    "application_id" UUID NOT NULL,
    "request" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "pushed_logins_pkey" PRIMARY KEY ("id_hash")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "application_id" UUID NOT NULL,
    "mcp_session" TEXT,
    "scopes" TEXT[],
    "client_name" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "bound_at" TIMESTAMPTZ(3),
    "bind_key_hash" TEXT,
    "ended_at" TIMESTAMPTZ(3),
    "end_reason" TEXT,
    "ended_sequence" BIGINT,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "revoked_tokens" (
    "jti" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revoked_tokens_pkey" PRIMARY KEY ("jti")
);

-- CreateTable
CREATE TABLE "decisions" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "application_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "session_id" TEXT,
    "tool" TEXT,
    "requirement" JSONB NOT NULL,
    "allowed" BOOLEAN NOT NULL,
    "code" TEXT NOT NULL,
    "decision" JSONB NOT NULL,
    "policy_version" BIGINT NOT NULL,
    "idempotency_key" TEXT,

    CONSTRAINT "decisions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "service_configurations" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "base_url" TEXT,
    "owner_user_id" UUID,
    "requirement" JSONB NOT NULL DEFAULT '{}',
    "settings" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "service_configurations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_events" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "action" TEXT NOT NULL,
    "actor_kind" TEXT NOT NULL,
    "actor_id" TEXT,
    "target_kind" TEXT,
    "target_id" TEXT,
    "outcome" TEXT NOT NULL,
    "request_id" TEXT,
    "details" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");

-- CreateIndex
CREATE UNIQUE INDEX "identity_providers_name_key" ON "identity_providers"("name");

-- CreateIndex
CREATE INDEX "external_identities_user_id_idx" ON "external_identities"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "external_identities_issuer_subject_key" ON "external_identities"("issuer", "subject");

-- CreateIndex
CREATE UNIQUE INDEX "roles_name_key" ON "roles"("name");

-- CreateIndex
CREATE UNIQUE INDEX "groups_name_key" ON "groups"("name");

-- CreateIndex
CREATE UNIQUE INDEX "scopes_name_key" ON "scopes"("name");

-- CreateIndex
CREATE UNIQUE INDEX "resources_name_key" ON "resources"("name");

-- CreateIndex
CREATE UNIQUE INDEX "permissions_name_key" ON "permissions"("name");

-- CreateIndex
CREATE INDEX "user_roles_role_id_idx" ON "user_roles"("role_id");

-- CreateIndex
CREATE INDEX "group_members_user_id_idx" ON "group_members"("user_id");

-- CreateIndex
CREATE INDEX "group_roles_role_id_idx" ON "group_roles"("role_id");

-- CreateIndex
CREATE INDEX "role_permissions_permission_id_idx" ON "role_permissions"("permission_id");

-- CreateIndex
CREATE INDEX "user_scopes_scope_id_idx" ON "user_scopes"("scope_id");

-- CreateIndex
CREATE INDEX "group_scopes_scope_id_idx" ON "group_scopes"("scope_id");

-- CreateIndex
CREATE INDEX "role_scopes_scope_id_idx" ON "role_scopes"("scope_id");

-- CreateIndex
CREATE INDEX "user_resources_resource_id_idx" ON "user_resources"("resource_id");

-- CreateIndex
CREATE INDEX "group_resources_resource_id_idx" ON "group_resources"("resource_id");

-- CreateIndex
CREATE INDEX "role_resources_resource_id_idx" ON "role_resources"("resource_id");

-- CreateIndex
CREATE UNIQUE INDEX "applications_client_id_key" ON "applications"("client_id");

-- CreateIndex
CREATE INDEX "application_roles_role_id_idx" ON "application_roles"("role_id");

-- CreateIndex
CREATE INDEX "provider_models_grant_id_idx" ON "provider_models"("grant_id");

-- CreateIndex
CREATE INDEX "provider_models_model_uid_hash_idx" ON "provider_models"("model", "uid_hash");

-- CreateIndex
CREATE INDEX "provider_models_expires_at_idx" ON "provider_models"("expires_at");

-- CreateIndex
CREATE INDEX "pushed_logins_expires_at_idx" ON "pushed_logins"("expires_at");

-- CreateIndex
CREATE INDEX "pushed_logins_application_id_idx" ON "pushed_logins"("application_id");

-- CreateIndex
CREATE INDEX "sessions_application_id_ended_sequence_idx" ON "sessions"("application_id", "ended_sequence");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "revoked_tokens_expires_at_idx" ON "revoked_tokens"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "decisions_idempotency_key_key" ON "decisions"("idempotency_key");

-- CreateIndex
CREATE INDEX "decisions_at_idx" ON "decisions"("at");

-- CreateIndex
CREATE UNIQUE INDEX "service_configurations_name_key" ON "service_configurations"("name");

-- CreateIndex
CREATE INDEX "audit_events_at_idx" ON "audit_events"("at");

-- CreateIndex
CREATE INDEX "audit_events_action_at_idx" ON "audit_events"("action", "at");

-- AddForeignKey
ALTER TABLE "password_credentials" ADD CONSTRAINT "password_credentials_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "external_identities" ADD CONSTRAINT "external_identities_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_roles" ADD CONSTRAINT "user_roles_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_roles" ADD CONSTRAINT "user_roles_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_members" ADD CONSTRAINT "group_members_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_members" ADD CONSTRAINT "group_members_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_roles" ADD CONSTRAINT "group_roles_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_roles" ADD CONSTRAINT "group_roles_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_permission_id_fkey" FOREIGN KEY ("permission_id") REFERENCES "permissions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_scopes" ADD CONSTRAINT "user_scopes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_scopes" ADD CONSTRAINT "user_scopes_scope_id_fkey" FOREIGN KEY ("scope_id") REFERENCES "scopes"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_scopes" ADD CONSTRAINT "group_scopes_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_scopes" ADD CONSTRAINT "group_scopes_scope_id_fkey" FOREIGN KEY ("scope_id") REFERENCES "scopes"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_scopes" ADD CONSTRAINT "role_scopes_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_scopes" ADD CONSTRAINT "role_scopes_scope_id_fkey" FOREIGN KEY ("scope_id") REFERENCES "scopes"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_resources" ADD CONSTRAINT "user_resources_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_resources" ADD CONSTRAINT "user_resources_resource_id_fkey" FOREIGN KEY ("resource_id") REFERENCES "resources"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_resources" ADD CONSTRAINT "group_resources_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "group_resources" ADD CONSTRAINT "group_resources_resource_id_fkey" FOREIGN KEY ("resource_id") REFERENCES "resources"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_resources" ADD CONSTRAINT "role_resources_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_resources" ADD CONSTRAINT "role_resources_resource_id_fkey" FOREIGN KEY ("resource_id") REFERENCES "resources"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "application_roles" ADD CONSTRAINT "application_roles_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "application_roles" ADD CONSTRAINT "application_roles_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "pushed_logins" ADD CONSTRAINT "pushed_logins_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- By hand from here on

-- Names are data: anything printable, compared code point by code point
ALTER TABLE "roles"
    ADD CONSTRAINT "roles_name_printable" CHECK (char_length("name") BETWEEN 1 AND 200 AND "name" !~ '[\u0001-\u001f\u007f]');
ALTER TABLE "groups"
    ADD CONSTRAINT "groups_name_printable" CHECK (char_length("name") BETWEEN 1 AND 200 AND "name" !~ '[\u0001-\u001f\u007f]');
ALTER TABLE "scopes"
    ADD CONSTRAINT "scopes_name_printable" CHECK (char_length("name") BETWEEN 1 AND 200 AND "name" !~ '[\u0001-\u001f\u007f]');
ALTER TABLE "resources"
    ADD CONSTRAINT "resources_name_printable" CHECK (char_length("name") BETWEEN 1 AND 200 AND "name" !~ '[\u0001-\u001f\u007f]');
ALTER TABLE "permissions"
    ADD CONSTRAINT "permissions_name_printable" CHECK (char_length("name") BETWEEN 1 AND 200 AND "name" !~ '[\u0001-\u001f\u007f]'),
    ADD CONSTRAINT "permissions_name_shape" CHECK ("name" LIKE '%_:_%');

ALTER TABLE "users"
    ADD CONSTRAINT "users_email_lower_case" CHECK ("email" = lower("email") AND "email" <> ''),
    ADD CONSTRAINT "users_display_name_not_empty" CHECK ("display_name" <> '');
ALTER TABLE "applications"
    ADD CONSTRAINT "applications_client_id_not_empty" CHECK ("client_id" <> ''),
    ADD CONSTRAINT "applications_name_not_empty" CHECK ("name" <> '');
ALTER TABLE "identity_providers" ADD CONSTRAINT "identity_providers_name_not_empty" CHECK ("name" <> '');
ALTER TABLE "service_configurations" ADD CONSTRAINT "service_configurations_name_not_empty" CHECK ("name" <> '');

-- A session has ended entirely or not at all
ALTER TABLE "sessions"
    ADD CONSTRAINT "sessions_end_is_whole" CHECK (("ended_at" IS NULL) = ("ended_sequence" IS NULL) AND ("ended_at" IS NULL) = ("end_reason" IS NULL));

-- One key signs at a time
CREATE UNIQUE INDEX "signing_keys_one_active" ON "signing_keys" ("alg") WHERE "status" = 'active';

-- Tables of one row
ALTER TABLE "stamp"
    ADD CONSTRAINT "stamp_one_row" CHECK ("id" = 1),
    ADD CONSTRAINT "stamp_tenant_id_pattern" CHECK ("tenant_id" ~ '^[a-z][a-z0-9-]{1,39}$');
ALTER TABLE "policy_state" ADD CONSTRAINT "policy_state_one_row" CHECK ("id" = 1);
INSERT INTO "policy_state" ("id") VALUES (1);

-- Whatever changes what someone may do bumps the version in its own transaction, by whichever way it was written.
-- Before the statement: policy_state is then the first row that every such transaction locks, so that none waits in a circle.
CREATE FUNCTION "bump_policy_version"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE "policy_state" SET "policy_version" = "policy_version" + 1 WHERE "id" = 1;
    RETURN NULL;
END $$;
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OF "id", "name" OR DELETE OR TRUNCATE ON "roles"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OF "id", "name" OR DELETE OR TRUNCATE ON "groups"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OF "id", "name" OR DELETE OR TRUNCATE ON "scopes"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OF "id", "name" OR DELETE OR TRUNCATE ON "resources"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OF "id", "name" OR DELETE OR TRUNCATE ON "permissions"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "user_roles"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "group_members"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "group_roles"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "role_permissions"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "user_scopes"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "group_scopes"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "role_scopes"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "user_resources"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "group_resources"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "role_resources"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "application_roles"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE UPDATE OF "email", "email_verified", "status" OR DELETE OR TRUNCATE ON "users"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
CREATE TRIGGER "bump_policy_version" BEFORE UPDATE OF "client_id", "status", "scopes", "resource_url" OR DELETE OR TRUNCATE ON "applications"
    FOR EACH STATEMENT EXECUTE FUNCTION "bump_policy_version"();
