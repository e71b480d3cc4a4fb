-- CreateEnum
CREATE TYPE "TenantStatus" AS ENUM ('provisioning', 'active', 'suspended');

-- CreateTable
CREATE TABLE "tenants" (
    "id" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "status" "TenantStatus" NOT NULL DEFAULT 'provisioning',
    "is_system" BOOLEAN NOT NULL DEFAULT false,
    "sealed_database_url" BYTEA NOT NULL,
    "schema_version" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "retired_tenant_ids" (
    "id" TEXT NOT NULL,
    "retired_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "retired_tenant_ids_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "rate_limits" (
    "key" VARCHAR(255) NOT NULL,
    "points" INTEGER NOT NULL DEFAULT 0,
    "expire" BIGINT,

    CONSTRAINT "rate_limits_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE INDEX "rate_limits_expire_idx" ON "rate_limits"("expire");

-- By hand from here on

-- At most one system tenant
CREATE UNIQUE INDEX "tenants_one_system" ON "tenants" ("is_system") WHERE "is_system";

ALTER TABLE "tenants"
    ADD CONSTRAINT "tenants_id_pattern" CHECK ("id" ~ '^[a-z][a-z0-9-]{1,39}$'),
    ADD CONSTRAINT "tenants_id_not_reserved" CHECK ("is_system" OR "id" <> ALL (ARRAY[
        'admin', 'api', 'assets', 'auth', 'authsec', 'console', 'docs', 'health', 'healthz', 'internal', 'login',
        'logout', 'manager', 'master', 'metrics', 'null', 'oauth', 'oidc', 'operator', 'postgres', 'public', 'readyz',
        'root', 'security', 'static', 'status', 'support', 'system', 'template0', 'template1', 'tenant', 'tenants',
        'undefined', 'v1', 'well-known', 'www'
    ])),
    ADD CONSTRAINT "tenants_display_name_not_empty" CHECK ("display_name" <> '');

-- An id stands for one tenant for ever: it is never changed, and never given again after a deletion
CREATE FUNCTION "keep_tenant_id"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO "retired_tenant_ids" ("id") VALUES (OLD."id") ON CONFLICT DO NOTHING;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'a tenant''s id is immutable' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM "retired_tenant_ids" WHERE "id" = NEW."id") THEN
        RAISE EXCEPTION 'this tenant id was used before' USING ERRCODE = 'unique_violation', CONSTRAINT = 'tenants_id_never_reused';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER "keep_tenant_id" BEFORE INSERT OR DELETE ON "tenants" FOR EACH ROW EXECUTE FUNCTION "keep_tenant_id"();
CREATE TRIGGER "keep_tenant_id_as_it_is" BEFORE UPDATE OF "id" ON "tenants"
    FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION "keep_tenant_id"();

-- Tenants' roles on the same server have no way into this database
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO CURRENT_USER', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END $$;
