-- AlterTable
ALTER TABLE "signing_keys" ADD COLUMN     "retires_at" TIMESTAMPTZ(3),
ADD COLUMN     "revoked_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "manifest_digest" TEXT;

-- CreateTable
CREATE TABLE "tool_manifests" (
    "application_id" UUID NOT NULL,
    "digest" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "tools" JSONB NOT NULL,
    "previous_digest" TEXT,
    "changes" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tool_manifests_pkey" PRIMARY KEY ("application_id","digest")
);

-- CreateIndex
CREATE UNIQUE INDEX "tool_manifests_application_id_sequence_key" ON "tool_manifests"("application_id", "sequence");

-- CreateIndex
CREATE INDEX "sessions_application_id_manifest_digest_idx" ON "sessions"("application_id", "manifest_digest");

-- AddForeignKey
ALTER TABLE "tool_manifests" ADD CONSTRAINT "tool_manifests_application_id_fkey" FOREIGN KEY ("application_id") REFERENCES "applications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- By hand from here on

ALTER TABLE "tool_manifests"
    ADD CONSTRAINT "tool_manifests_digest_shape" CHECK ("digest" ~ '^[A-Za-z0-9_-]{43}$'),
    ADD CONSTRAINT "tool_manifests_compared" CHECK (("previous_digest" IS NULL) = ("changes" IS NULL));

ALTER TABLE "signing_keys"
    ADD CONSTRAINT "signing_keys_revoked_is_retired" CHECK ("revoked_at" IS NULL OR "status" = 'retired');

-- Tenants that were seeded before these permissions were there
INSERT INTO "permissions" ("name")
SELECT "name" FROM unnest(ARRAY[
    'authsec:decisions:write', 'authsec:manifests:read', 'authsec:signing-keys:read', 'authsec:signing-keys:write'
]) AS added("name")
WHERE EXISTS (SELECT 1 FROM "permissions")
ON CONFLICT ("name") DO NOTHING;
