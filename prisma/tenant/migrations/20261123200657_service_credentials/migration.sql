-- CreateEnum
CREATE TYPE "ServiceConnectionStatus" AS ENUM ('connected', 'reconnect');

-- AlterTable
ALTER TABLE "service_configurations" ADD COLUMN     "allow_private_addresses" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "applications" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "description" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "enabled" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "health_path" TEXT,
ADD COLUMN     "last_check_at" TIMESTAMPTZ(3),
ADD COLUMN     "last_check_outcome" TEXT,
ADD COLUMN     "last_used_at" TIMESTAMPTZ(3),
ADD COLUMN     "previous_secret_until" TIMESTAMPTZ(3),
ADD COLUMN     "previous_secret_version" INTEGER,
ADD COLUMN     "public_clients" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "raw_credential" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "secret_version" INTEGER NOT NULL DEFAULT 0,
ALTER COLUMN "requirement" DROP DEFAULT,
ALTER COLUMN "settings" DROP DEFAULT;

-- CreateTable
CREATE TABLE "service_connections" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "service_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "status" "ServiceConnectionStatus" NOT NULL DEFAULT 'connected',
    "scope" TEXT,
    "secret_version" INTEGER NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "refreshing_until" TIMESTAMPTZ(3),
    "connected_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "service_connections_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "service_connect_attempts" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "link_hash" TEXT NOT NULL,
    "state_hash" TEXT,
    "service_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "sid" TEXT NOT NULL,
    "application_id" UUID NOT NULL,
    "sealed_verifier" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "service_connect_attempts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "service_leases" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "service_id" UUID,
    "sid" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "application_id" UUID NOT NULL,
    "sealed_lease_id" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "service_leases_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sealed_secrets" (
    "collection" TEXT NOT NULL,
    "service_id" UUID NOT NULL,
    "owner_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "key_id" TEXT NOT NULL,
    "sealed_key" BYTEA,
    "sealed" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "destroyed_at" TIMESTAMPTZ(3),

    CONSTRAINT "sealed_secrets_pkey" PRIMARY KEY ("collection","service_id","owner_id","version")
);

-- CreateIndex
CREATE INDEX "service_connections_user_id_idx" ON "service_connections"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "service_connections_service_id_user_id_key" ON "service_connections"("service_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "service_connect_attempts_link_hash_key" ON "service_connect_attempts"("link_hash");

-- CreateIndex
CREATE UNIQUE INDEX "service_connect_attempts_state_hash_key" ON "service_connect_attempts"("state_hash");

-- CreateIndex
CREATE INDEX "service_connect_attempts_expires_at_idx" ON "service_connect_attempts"("expires_at");

-- CreateIndex
CREATE INDEX "service_connect_attempts_service_id_idx" ON "service_connect_attempts"("service_id");

-- CreateIndex
CREATE INDEX "service_connect_attempts_user_id_idx" ON "service_connect_attempts"("user_id");

-- CreateIndex
CREATE INDEX "service_connect_attempts_application_id_idx" ON "service_connect_attempts"("application_id");

-- CreateIndex
CREATE INDEX "service_leases_service_id_idx" ON "service_leases"("service_id");

-- CreateIndex
CREATE INDEX "service_leases_expires_at_idx" ON "service_leases"("expires_at");

-- CreateIndex
CREATE INDEX "sealed_secrets_key_id_idx" ON "sealed_secrets"("key_id");

-- AddForeignKey
ALTER TABLE "service_configurations" ADD CONSTRAINT "service_configurations_owner_user_id_fkey" FOREIGN KEY ("owner_user_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_connections" ADD CONSTRAINT "service_connections_service_id_fkey" FOREIGN KEY ("service_id") REFERENCES "service_configurations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_connections" ADD CONSTRAINT "service_connections_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_connect_attempts" ADD CONSTRAINT "service_connect_attempts_service_id_fkey" FOREIGN KEY ("service_id") REFERENCES "service_configurations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_connect_attempts" ADD CONSTRAINT "service_connect_attempts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_connect_attempts" ADD CONSTRAINT "service_connect_attempts_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_leases" ADD CONSTRAINT "service_leases_service_id_fkey" FOREIGN KEY ("service_id") REFERENCES "service_configurations"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- By hand from here on

ALTER TABLE "service_configurations"
    ADD CONSTRAINT "service_configurations_name_shape" CHECK ("name" ~ '^[a-z][a-z0-9_-]{0,62}$'),
    ADD CONSTRAINT "service_configurations_secret_version" CHECK ("secret_version" >= 0),
    ADD CONSTRAINT "service_configurations_previous_is_whole" CHECK (
        ("previous_secret_version" IS NULL) = ("previous_secret_until" IS NULL)
        AND ("previous_secret_version" IS NULL OR "previous_secret_version" BETWEEN 1 AND "secret_version" - 1)),
    ADD CONSTRAINT "service_configurations_check_is_whole" CHECK (("last_check_at" IS NULL) = ("last_check_outcome" IS NULL));

ALTER TABLE "sealed_secrets"
    ADD CONSTRAINT "sealed_secrets_collection" CHECK ("collection" IN ('services', 'connections')),
    ADD CONSTRAINT "sealed_secrets_owner" CHECK (("owner_id" = '00000000-0000-0000-0000-000000000000') = ("collection" = 'services')),
    ADD CONSTRAINT "sealed_secrets_version" CHECK ("version" >= 1),
    -- A destroyed version has nothing left that opens
    ADD CONSTRAINT "sealed_secrets_destroyed_is_empty" CHECK (
        ("sealed" IS NULL) = ("sealed_key" IS NULL) AND ("sealed" IS NULL) = ("destroyed_at" IS NOT NULL));

-- Tenants that were seeded before these permissions were there
INSERT INTO "permissions" ("name")
SELECT "name" FROM unnest(ARRAY[
    'authsec:services:read', 'authsec:services:write', 'authsec:services:test'
]) AS added("name")
WHERE EXISTS (SELECT 1 FROM "permissions")
ON CONFLICT ("name") DO NOTHING;
